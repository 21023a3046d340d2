import { afterEach } from 'vitest';
import { openRows, type AuditEntry, type RowsOptions } from '../../../gateway/rows/rows.ts';
import type { Alarm } from '../../../model/alarm.ts';
import { systemClock } from '../../../model/clock.ts';
import type { Fault } from '../../../model/fault.ts';

export const clock = systemClock();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

export async function open(folder: string, options: Partial<RowsOptions> = {}) {
  const faults: Fault[] = [];
  const rows = await openRows({ folder, clock, told: (fault) => faults.push(fault), ...options });
  closers.push(() => rows.close());
  return { rows, faults, codes: () => faults.map((fault) => fault.code) };
}

export const act = (atMs: number, by = 'anna'): AuditEntry => ({
  atMs,
  by,
  act: 'bed.monitoring',
  on: '3-12',
  outcome: 'done',
});
export const alarm = (id: string, bed: string): Alarm => ({
  id,
  kind: 'physiological',
  condition: 'limit',
  priority: 'high',
  bed,
  presence: 'present',
  signal: 'on',
  inactivation: 'enabled',
  responsibility: 'undefined',
  latching: false,
  sources: [],
  onsetAtMs: 1,
  raisedAtMs: 2,
  questionable: false,
  recorded: false,
  version: 1,
});
export const loss = (atMs: number) => ({
  atMs,
  fromMs: atMs,
  toMs: atMs + 1,
  observations: 6,
  why: 'unrecorded',
});
