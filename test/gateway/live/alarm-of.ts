import type { Alarm } from '../../../model/alarm.ts';

const startMs = Date.UTC(2026, 0, 5, 2);

/** A heart rate over its limit, ringing. */
export const alarmOf = (id: string, bed: string, change: Partial<Alarm> = {}): Alarm => ({
  id,
  kind: 'physiological',
  condition: 'limit',
  priority: 'high',
  ward: bed.split('-')[0] ?? '',
  bed,
  metric: 'MDC_ECG_HEART_RATE',
  direction: 'high',
  limit: 140,
  value: 150,
  presence: 'present',
  signal: 'on',
  inactivation: 'enabled',
  responsibility: 'undefined',
  latching: false,
  sources: [],
  onsetAtMs: startMs,
  raisedAtMs: startMs,
  questionable: false,
  recorded: true,
  version: 1,
  ...change,
});
