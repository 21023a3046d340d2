// Goal: a ward's figures are what one would count by hand from its alarm log.
// Way: random histories of alarms as log entries; a second, plain count from the same random facts.
import { DatabaseSync } from 'node:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlarmStories, figuresOf, type AlarmStory } from '../../../../gateway/alarm/analytics/figures.ts';
import { readAlarmLog } from '../../../../gateway/alarm/analytics/log-reader.ts';
import { reportOf } from '../../../../gateway/alarm/analytics/report.ts';
import { migrations } from '../../../../gateway/rows/schema.ts';
import type { AlarmLogEntry } from '../../../../gateway/rows/tables.ts';
import type { Alarm, Priority } from '../../../../model/alarm.ts';

const dayMs = 86_400_000;
/** A midnight of this machine's zone. */
const beginMs = new Date(2026, 0, 5).getTime();
const beds = 4;
const metrics = ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_SAT_O2', 'MDC_RESP_RATE'] as const;

/** What happened to one alarm; times in ms after its raising. */
interface Fact {
  readonly atMs: number;
  readonly bed: number;
  readonly metric: number;
  readonly priority: Priority;
  readonly lengthMs: number;
  readonly delayMs: number;
  /** Acknowledged then, if before its end. */
  readonly respondsMs: number;
  readonly pauses: boolean;
  readonly rises: boolean;
}

const fact = fc.record({
  atMs: fc.integer({ min: 0, max: 2 * dayMs - 1 }),
  bed: fc.integer({ min: 0, max: beds - 1 }),
  metric: fc.integer({ min: 0, max: 2 }),
  priority: fc.constantFrom<Priority>('low', 'medium'),
  lengthMs: fc.integer({ min: 1_000, max: 120_000 }),
  delayMs: fc.constantFrom(0, 10_000),
  respondsMs: fc.integer({ min: 500, max: 200_000 }),
  pauses: fc.boolean(),
  rises: fc.boolean(),
});

function entriesOf(facts: readonly Fact[]): AlarmLogEntry[] {
  const entries = facts.flatMap((one, index): AlarmLogEntry[] => {
    const raisedAtMs = beginMs + one.atMs;
    const alarm = {
      id: `alarm-${index}`,
      kind: 'physiological',
      condition: 'limit',
      priority: one.priority,
      ward: 'icu',
      bed: `bed-${one.bed}`,
      metric: metrics[one.metric],
      direction: 'high',
      presence: 'present',
      signal: 'on',
      inactivation: 'enabled',
      onsetAtMs: raisedAtMs - one.delayMs,
      raisedAtMs,
    } as Alarm;
    const says = (afterMs: number, event: string, change: Partial<Alarm> = {}): AlarmLogEntry => ({
      atMs: raisedAtMs + afterMs,
      event,
      alarm: { ...alarm, ...change },
    });
    const priority = one.rises ? ('high' as const) : one.priority;
    const found = [says(0, 'raised')];
    if (one.rises) found.push(says(100, 'escalated', { priority }));
    const responds = one.respondsMs < one.lengthMs;
    const inactivation = responds ? ('acknowledged' as const) : ('enabled' as const);
    if (one.pauses) found.push(says(200, 'audioPaused', { priority }));
    if (responds) found.push(says(one.respondsMs, 'acknowledged', { priority, inactivation }));
    const ended = { priority, inactivation, endedAtMs: raisedAtMs + one.lengthMs };
    found.push(says(one.lengthMs, 'ended', ended));
    return found;
  });
  return entries.toSorted((a, b) => a.atMs - b.atMs);
}

function storiesOf(entries: Iterable<AlarmLogEntry>): AlarmStory[] {
  const stories = new AlarmStories();
  for (const entry of entries) stories.add(entry);
  return stories.all(beginMs + 3 * dayMs);
}

/** The same by plain loops over the facts. */
function byHand(facts: readonly Fact[]) {
  const waits = facts
    .flatMap((one) => (one.pauses ? [200] : one.respondsMs < one.lengthMs ? [one.respondsMs] : []))
    .sort((a, b) => a - b);
  let flooded = 0;
  for (let from = 0; from < 2 * dayMs; from += 600_000) {
    const inside = facts.filter(({ atMs }) => atMs >= from && atMs < from + 600_000);
    if (inside.length > 10) flooded++;
  }
  const at = (share: number): number => {
    let rank = 0;
    while (rank < waits.length && (rank + 1) / waits.length < share - 1e-12) rank++;
    return (waits[Math.min(rank, waits.length - 1)] ?? 0) / 1_000;
  };
  return {
    alarms: facts.length,
    perBedAndDay: facts.length / (beds * 2),
    high: facts.filter(({ rises }) => rises).length,
    medium: facts.filter(({ rises, priority }) => !rises && priority === 'medium').length,
    floodShare: flooded / 288,
    responded: waits.length,
    responseP50S: at(0.5),
    responseP90S: at(0.9),
    acknowledgedS: facts.reduce((sum, one) => sum + Math.max(0, one.lengthMs - one.respondsMs), 0) / 1_000,
    pauses: facts.filter(({ pauses }) => pauses).length,
    short: facts.filter(({ lengthMs }) => lengthMs < 15_000).length,
  };
}

test('the figures of random histories are those counted by hand', () => {
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 200 }), (facts) => {
      const span = { fromMs: beginMs, toMs: beginMs + 2 * dayMs, beds };
      const figures = figuresOf(storiesOf(entriesOf(facts)), span);
      for (const [name, value] of Object.entries(byHand(facts)))
        expect([name, figures[name as 'alarms']]).toEqual([name, expect.closeTo(value, 9)]);
      for (const [index, metric] of metrics.entries()) {
        const own = figures.byAbout.filter(({ about }) => about === metric);
        const wanted = facts.filter((one) => one.metric === index).length;
        expect(own.reduce((sum, { alarms }) => sum + alarms, 0)).toBe(wanted);
      }
    }),
    { numRuns: 60 },
  );
});

test('days and shifts part the alarms: each stands in one day and one shift', () => {
  fc.assert(
    fc.property(fc.array(fact, { maxLength: 200 }), (facts) => {
      const span = { fromMs: beginMs, toMs: beginMs + 2 * dayMs, beds, shifts: [7, 15, 23] };
      const report = reportOf(storiesOf(entriesOf(facts)), span);
      const sum = (rows: readonly { alarms: number }[]): number =>
        rows.reduce((all, { alarms }) => all + alarms, 0);
      expect(report.days.map(({ day }) => day)).toEqual(['2026-01-05', '2026-01-06']);
      expect(sum(report.days)).toBe(facts.length);
      expect(sum(report.shifts)).toBe(facts.length);
      expect(report.shifts.map(({ day, shift }) => [day, shift])).toEqual([
        ['2026-01-04', 23],
        ['2026-01-05', 7],
        ['2026-01-05', 15],
        ['2026-01-05', 23],
        ['2026-01-06', 7],
        ['2026-01-06', 15],
        ['2026-01-06', 23],
      ]);
      for (const { bed, alarms } of report.topBeds)
        expect(facts.filter((one) => `bed-${one.bed}` === bed)).toHaveLength(alarms);
    }),
    { numRuns: 40 },
  );
});

test('a delay is proposed when it would have spared a good share of a frequent limit’s alarms', () => {
  const one = { atMs: 0, bed: 0, metric: 1, priority: 'medium' as const, delayMs: 10_000 };
  const rest = { respondsMs: 1e9, pauses: false, rises: false };
  const facts = Array.from({ length: 20 }, (_, index) => ({
    ...{ ...one, ...rest },
    atMs: index * 300_000,
    // Half of them last 7 s beyond their delay of 10 s, half a minute.
    lengthMs: index % 2 === 0 ? 7_000 : 60_000,
  }));
  const span = { fromMs: beginMs, toMs: beginMs + dayMs, beds, shifts: [7] };
  expect(reportOf(storiesOf(entriesOf(facts)), span).proposals).toEqual([
    {
      metric: 'MDC_PULS_OXIM_SAT_O2',
      direction: 'high',
      priority: 'medium',
      alarms: 20,
      short: 10,
      delayS: 19,
      spared: 10,
    },
  ]);
  expect(reportOf(storiesOf(entriesOf(facts.slice(0, 9))), span).proposals).toEqual([]);
});

test('the log is read by ward and time, in its order', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-log-'));
  try {
    const path = join(folder, 'rows.db');
    const database = new DatabaseSync(path);
    for (const step of migrations) database.exec(step);
    const put = database.prepare(
      'INSERT INTO alarm_log (number, key, atMs, ward, body) VALUES (?, ?, ?, ?, ?)',
    );
    for (const [index, ward] of ['icu', 'west', 'icu', 'icu'].entries())
      put.run(index + 1, `k${index}`, beginMs + index, ward, JSON.stringify({ atMs: beginMs + index }));
    const read = [...readAlarmLog(path, { ward: 'icu', fromMs: beginMs, toMs: beginMs + 3 })];
    expect(read.map(({ atMs }) => atMs - beginMs)).toEqual([0, 2]);
    database.close();
    expect(() => [...readAlarmLog(join(folder, 'none.db'), { ward: 'icu', fromMs: 0, toMs: 1 })]).toThrow(
      'could not be read',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
