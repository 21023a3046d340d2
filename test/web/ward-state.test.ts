import { beforeEach, describe, expect, test } from 'vitest';
import type { Alarm } from '../../model/alarm.ts';
import type { BedView, WatchMessage } from '../../model/stream.ts';
import {
  activeAlarms,
  alarms,
  beds,
  bedsInOrder,
  isAbout,
  ringing,
  roles,
  stopWatching,
  take,
} from '../../web/src/live/ward-state.ts';

let seq = 0;
const told = (body: object): void => take({ epoch: 'e', seq: ++seq, ...body } as WatchMessage);
const bed = (id: string, label: string): BedView => ({
  bed: id,
  ward: 'w',
  label,
  monitoring: 'on',
  devices: [],
  values: [],
  limits: [],
});
const alarm = (id: string, more: Partial<Alarm> = {}): Alarm => ({
  id,
  kind: 'physiological',
  condition: 'limit',
  priority: 'medium',
  bed: 'b1',
  presence: 'present',
  signal: 'on',
  inactivation: 'enabled',
  responsibility: 'undefined',
  latching: false,
  sources: [],
  onsetAtMs: 0,
  raisedAtMs: 0,
  questionable: false,
  recorded: true,
  version: 1,
  ...more,
});
const snapshot = (more: { beds?: BedView[]; alarms?: Alarm[] } = {}): void =>
  told({ snapshot: { nowMs: 0, demo: true, beds: [], alarms: [], ...more } });

beforeEach(() => {
  stopWatching();
  roles.value = ['nurse'];
});

describe('beds', () => {
  test('stand as on the wall: 2 before 10, whatever order they come in', () => {
    snapshot({ beds: [bed('b10', '10'), bed('b2', '2'), bed('b1', '1')] });
    expect(bedsInOrder.value.map(({ label }) => label)).toEqual(['1', '2', '10']);
  });

  test('take the newest of each series, and values of unknown beds are left', () => {
    snapshot({ beds: [bed('b1', '1')] });
    const value = { device: 'd', metric: 'MDC_ECG_HEART_RATE', value: 80 };
    told({ values: { bed: 'b1', values: [value, { ...value, channel: '2', value: 70 }] } });
    told({ values: { bed: 'b1', values: [{ ...value, value: 81 }] } });
    told({ values: { bed: 'b2', values: [value] } });
    expect(beds.value.get('b1')?.values.map((one) => one.value)).toEqual([81, 70]);
    expect(beds.value.has('b2')).toBe(false);
  });
});

describe('alarms', () => {
  test('stand by priority, then the oldest first', () => {
    const list = [
      alarm('new', { raisedAtMs: 9 }),
      alarm('low', { priority: 'low' }),
      alarm('high', { priority: 'high', raisedAtMs: 10 }),
      alarm('old', { raisedAtMs: 1 }),
    ];
    snapshot({ alarms: list });
    expect(activeAlarms.value.map(({ id }) => id)).toEqual(['high', 'old', 'new', 'low']);
  });

  test('that are quieted stay shown; the most urgent other one is what rings', () => {
    snapshot({ alarms: [alarm('a', { priority: 'high', inactivation: 'acknowledged' }), alarm('b')] });
    expect(ringing.value).toBe('medium');
    told({ alarm: alarm('b', { inactivation: 'acknowledged' }) });
    expect(ringing.value).toBeUndefined();
    expect(activeAlarms.value).toHaveLength(2);
    told({ alarm: alarm('a', { priority: 'high' }) });
    expect(ringing.value).toBe('high');
  });

  test('that are off are gone', () => {
    snapshot({ alarms: [alarm('a')] });
    told({ alarm: alarm('a', { signal: 'off', presence: 'absent' }) });
    expect(alarms.value.size).toBe(0);
  });

  test('of the gateway itself ring at engineers, not at the bedside', () => {
    snapshot({
      alarms: [
        alarm('disk', { kind: 'technical', condition: 'part-fault', owner: 'biomed', bed: undefined }),
      ],
    });
    expect(ringing.value).toBeUndefined();
    roles.value = ['biomed'];
    expect(ringing.value).toBe('medium');
  });

  test('of one cut cable are about each of its beds', () => {
    const cut = alarm('cut', { bed: undefined, details: { beds: '1, 2', bedIds: 'b1 b2' } });
    expect(['b1', 'b2', 'b12'].map((id) => isAbout(cut, id))).toEqual([true, true, false]);
  });
});

test('after a person signed out nothing of the ward is left', () => {
  snapshot({ beds: [bed('b1', '1')], alarms: [alarm('a')] });
  stopWatching();
  expect([beds.value.size, alarms.value.size, ringing.value]).toEqual([0, 0, undefined]);
});
