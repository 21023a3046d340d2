import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readRecorded, spans, type Column } from '../../../../gateway/alarm/replay/recorded.ts';
import {
  readLimits,
  replayLimits,
  type Episode,
  type ReplayLimit,
} from '../../../../gateway/alarm/replay/replay-limits.ts';
import { replayNews2 } from '../../../../gateway/alarm/replay/replay-news2.ts';

const header = 'time_s,hr,pr,spo2,rr,abp_sys,abp_dia,abp_mean,nbp_sys,nbp_dia,nbp_mean,temp,etco2,fio2';
const heart = (samples: readonly (readonly [number, number | ''])[]): string =>
  [header, ...samples.map(([time, hr]) => `${time},${hr},,,,,,,,,,,,`)].join('\n');
const high = (change: Partial<ReplayLimit> = {}): ReplayLimit => ({
  metric: 'hr',
  priority: 'medium',
  direction: 'high',
  value: 120,
  delayS: 10,
  hysteresis: 0,
  ...change,
});

/** The rules once more, short and slow, from the text of CLINICAL 3. */
function secondReading(text: string, limit: ReplayLimit): Episode[] {
  const { metric, priority, direction } = limit;
  const sign = direction === 'high' ? 1 : -1;
  const [lowest, highest] = spans[metric];
  const endAt = Math.min(
    highest,
    Math.max(lowest, Math.round((limit.value - sign * limit.hysteresis) * 1e9) / 1e9),
  );
  const at = text.split('\n')[0]?.split(',').indexOf(metric) ?? -1;
  const found: Episode[] = [];
  let onset: number | undefined;
  let last: number | undefined;
  let alarm: { raisedAt: number; peak: number } | undefined;
  let peak = 0;
  for (const line of text.trim().split('\n').slice(1)) {
    const cells = line.split(',');
    if ((cells[at] ?? '') === '') continue;
    const [time, value] = [Number(cells[0]), Number(cells[at])];
    if (value < lowest || value > highest) continue;
    if (
      !alarm &&
      onset !== undefined &&
      last !== undefined &&
      limit.maxGapS !== undefined &&
      time - last > limit.maxGapS
    )
      onset = undefined;
    last = time;
    if (sign * value > sign * limit.value) {
      if (onset === undefined) {
        onset = time;
        peak = value;
      }
      peak = sign * value > sign * peak ? value : peak;
      if (!alarm && time - onset >= limit.delayS) alarm = { raisedAt: time, peak };
    } else if (sign * value <= sign * endAt) {
      if (alarm && onset !== undefined)
        found.push({ metric, priority, direction, onset, raisedAt: alarm.raisedAt, clearedAt: time, peak });
      onset = undefined;
      alarm = undefined;
    }
  }
  if (alarm && onset !== undefined)
    found.push({ metric, priority, direction, onset, raisedAt: alarm.raisedAt, clearedAt: null, peak });
  return found;
}

describe('replay of limits', () => {
  test('the first violating sample at or after onset plus delay raises, never a timer', () => {
    const rows = readRecorded(
      heart([
        [0, 100],
        [5, 130],
        [14, 125],
        [17, 131],
        [20, 100],
      ]),
    );
    expect(replayLimits(rows, [high()])).toEqual([
      {
        metric: 'hr',
        priority: 'medium',
        direction: 'high',
        onset: 5,
        raisedAt: 17,
        clearedAt: 20,
        peak: 131,
      },
    ]);
  });

  test('tenths of a second add up as a nurse reckons', () => {
    const rows = readRecorded(
      heart([
        [1.1, 130],
        [11.1, 130],
      ]),
    );
    expect(replayLimits(rows, [high()])).toMatchObject([{ onset: 1.1, raisedAt: 11.1, clearedAt: null }]);
  });

  test('an impossible value neither raises nor clears; a blank is no sample', () => {
    const rows = readRecorded(
      heart([
        [0, 130],
        [5, 9999],
        [6, ''],
        [10, 130],
        [11, -5],
        [12, 119],
      ]),
    );
    expect(replayLimits(rows, [high()])).toMatchObject([
      { onset: 0, raisedAt: 10, clearedAt: 12, peak: 130 },
    ]);
  });

  test('episodes stand by the time they were raised, then by row of the limits file', () => {
    const rows = readRecorded(
      heart([
        [0, 150],
        [10, 150],
        [20, 150],
      ]),
    );
    const raised = replayLimits(rows, [
      high({ delayS: 20 }),
      high({ priority: 'high', value: 140 }),
      high({ priority: 'low', value: 130 }),
    ]);
    expect(raised.map(({ priority, raisedAt }) => [priority, raisedAt])).toEqual([
      ['high', 10],
      ['low', 10],
      ['medium', 20],
    ]);
  });

  const recordings = fileURLToPath(new URL('../../../../simulators/recordings/numerics/', import.meta.url));
  const limits: ReplayLimit[] = (
    ['hr', 'pr', 'spo2', 'rr', 'nbp_sys', 'abp_mean', 'temp', 'fio2'] as Column[]
  ).flatMap((metric) =>
    [0, 0.25, 0.5, 0.75].flatMap((share, row) => {
      const [low, top] = {
        hr: [50, 130],
        pr: [50, 130],
        spo2: [85, 100],
        rr: [4, 30],
        nbp_sys: [80, 180],
        abp_mean: [50, 110],
        temp: [35, 39],
        fio2: [0.2, 1],
      }[metric as 'hr'] as [number, number];
      const value = low + share * (top - low);
      return (['high', 'low'] as const).map((direction) => ({
        metric,
        priority: 'medium' as const,
        direction,
        value,
        delayS: [0, 5, 10, 15][row] ?? 0,
        hysteresis: [0, 1, 2, 3][row] ?? 0,
        ...(row % 2 === 1 ? { maxGapS: 3 } : {}),
      }));
    }),
  );
  test.each(readdirSync(recordings).filter((file) => file.endsWith('.csv')))(
    '%s gives exactly the episodes of a second reading of the rules',
    (file) => {
      const text = readFileSync(join(recordings, file), 'utf8');
      const rows = readRecorded(text);
      for (const limit of limits)
        expect([limit, replayLimits(rows, [limit])]).toEqual([limit, secondReading(text, limit)]);
    },
  );

  test('a limits file tells every wrong field', () => {
    expect(readLimits({})).toEqual({ errors: ['the limits file must be a JSON array'] });
    const outcome = readLimits([{ metric: 'hart', priority: 'urgent', high: 1, low: 2, delayS: -1 }, null]);
    expect('errors' in outcome && outcome.errors).toHaveLength(7);
  });
});

describe('replay of NEWS2', () => {
  const row = (time: number, cells: Partial<Record<Column, number>>): string =>
    [
      time,
      ...header
        .split(',')
        .slice(1)
        .map((name) => cells[name as Column] ?? ''),
    ].join(',');
  const options = { acvpu: 'A', oxygen: false, scale: 1, staleS: 3_600 } as const;

  test('takes the newest value no older than it may be, the preferred source first', () => {
    const text = [
      header,
      row(0, { hr: 70, pr: 140, spo2: 98, rr: 16, abp_sys: 120, nbp_sys: 80, temp: 37 }),
      row(3_600, { pr: 100 }),
      row(3_601, { nbp_sys: 95, rr: 16, spo2: 98, temp: 37 }),
    ].join('\n');
    const scores = replayNews2(readRecorded(text), options);
    expect(scores.map(({ total, missing }) => [total, missing])).toEqual([
      [0, []],
      [0, []],
      [3, []],
    ]);
    expect(scores[2]?.parts).toMatchObject({ pulse: 1, sys: 2 });
  });

  test('FiO2 above 0.21 in the file is oxygen, 0.21 is air, and nothing said is missing', () => {
    const text = [header, row(0, { fio2: 0.21 }), row(1, { fio2: 0.4 }), row(3_602, {})].join('\n');
    const parts = replayNews2(readRecorded(text), { ...options, oxygen: undefined }).map(
      (score) => score.parts.oxygen,
    );
    expect(parts).toEqual([0, 2, undefined]);
  });
});

describe('npm run replay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-replay-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const program = fileURLToPath(new URL('../../../../cli/run.mjs', import.meta.url));
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [program, 'replay', ...args], { encoding: 'utf8', stdio: 'pipe' });

  test('prints a JSON line an alarm and the summary last; a wrong file ends with 2 and says where', () => {
    const csv = join(folder, 'a.csv');
    const limits = join(folder, 'l.json');
    writeFileSync(
      csv,
      heart([
        [0, 130],
        [10, 130],
        [12, 100],
      ]),
    );
    writeFileSync(
      limits,
      JSON.stringify([{ metric: 'hr', priority: 'high', high: 120, delayS: 10, hysteresis: 2 }]),
    );
    const lines = run('--csv', csv, '--limits', limits)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([
      { metric: 'hr', onset: 0, raisedAt: 10, clearedAt: 12, peak: 130 },
      { summary: { alarms: 1, rows: 3 } },
    ]);
    writeFileSync(csv, `${header}\n0,abc,,,,,,,,,,,,\n`);
    expect(() => run('--csv', csv, '--limits', limits)).toThrow(/line 2: "abc" is no number/);
    expect(() => run('--csv', csv, '--scores', 'news2', '--age', '12')).toThrow();
  });
});
