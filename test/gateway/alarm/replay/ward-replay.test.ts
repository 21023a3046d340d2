// Goal: limits tried on stored values give exactly the alarms that a second, independent reading of the rules finds,
// however the values lie in the store; and the comparison says which would be missed.
// Way: random series with gaps, flapping, doubtful and invalid values, written as the historian writes them (blocks,
// chunks, several windows), read beside its owner.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { compare } from '../../../../gateway/alarm/replay/compare.ts';
import { withChanges } from '../../../../gateway/alarm/replay/open.ts';
import type { PlannedLimit } from '../../../../gateway/alarm/replay/ward-line.ts';
import { replayWard, type ReplayStay } from '../../../../gateway/alarm/replay/ward-replay.ts';
import { defaultBounds } from '../../../../gateway/store/historian-protocol.ts';
import { openToRead } from '../../../../gateway/store/open-to-read.ts';
import { StoreCore } from '../../../../gateway/store/store-core.ts';
import type { AlarmLimit } from '../../../../model/alarm.ts';
import { seededChance } from '../../../../simulators/chance.ts';
import { bodyOf, numberRow } from '../../store/bodies.ts';
import { episodes, type OracleSample } from '../oracle.ts';

const heart = 'MDC_ECG_HEART_RATE';
const pulse = 'MDC_PULS_OXIM_PULS_RATE';
const saturation = 'MDC_PULS_OXIM_SAT_O2';
const beginMs = Date.UTC(2026, 0, 5, 3, 59, 0);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

type Sample = OracleSample & { readonly invalid?: boolean };

/** A walk around the limit: flapping, with gaps, doubtful and invalid ones. */
function walk(seed: number, count: number, middle: number): Sample[] {
  const chance = seededChance(seed);
  const samples: Sample[] = [];
  let atMs = beginMs;
  let value = middle;
  for (let at = 0; at < count; at++) {
    const draw = chance.fraction();
    atMs += draw < 0.01 ? 40_000 : draw < 0.03 ? 9_000 : 1_000;
    value += Math.round((chance.fraction() - 0.5) * 6 + (middle - value) * 0.05);
    samples.push({
      atMs,
      value: Math.min(100, Math.max(30, value)),
      questionable: chance.fraction() < 0.05,
      invalid: chance.fraction() < 0.03,
    });
  }
  return samples;
}

interface Told {
  readonly device: string;
  readonly metric: string;
  readonly samples: readonly Sample[];
}

/** In batches as they arrive; some stay in blocks, the others are made into chunks on the way. */
function store(told: readonly Told[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-replay-'));
  folders.push(folder);
  const core = new StoreCore({ ...defaultBounds, folder, epoch: 'e' }, beginMs, (fault) => {
    throw fault;
  });
  let number = 0;
  let seq = 0;
  const longest = Math.max(...told.map(({ samples }) => samples.length));
  for (let from = 0; from < longest; from += 500) {
    const rows = told.flatMap(({ device, metric, samples }) =>
      samples.slice(from, from + 500).map(({ atMs, value, questionable, invalid }) => [
        {
          ...numberRow(device, metric, atMs, value, ++seq),
          validity: invalid
            ? ('invalid' as const)
            : questionable
              ? ('questionable' as const)
              : ('valid' as const),
        },
      ]),
    );
    core.append('numerics', number++, bodyOf(rows).body);
    core.flush();
    if (from % 2_000 === 1_000) while (!core.compactStep());
  }
  core.close();
  return folder;
}

async function replay(folder: string, stays: readonly ReplayStay[]) {
  const opened = openToRead(folder, (fault) => {
    throw fault;
  });
  try {
    return await replayWard({
      stays,
      book: opened.book,
      scanner: opened.scanner('values'),
      progress: async () => undefined,
    });
  } finally {
    opened.close();
  }
}

const stay = (device: string, plans: ReplayStay['plans'], samples: readonly Sample[]): ReplayStay => ({
  bed: `bed-${device}`,
  spans: [{ device, fromMs: beginMs, toMs: (samples.at(-1)?.atMs ?? 0) + 1, periodMs: 1_000 }],
  plans,
});

const limit = (change: Partial<PlannedLimit>): PlannedLimit => ({
  metric: saturation,
  direction: 'low',
  priority: 'high',
  value: 85,
  delayS: 10,
  hysteresis: 2,
  ...change,
});

test.each([1, 2, 3, 4, 5])('random saturation, seed %i: every episode is the oracle’s', async (seed) => {
  const samples = walk(seed, 4_000, 86);
  const folder = store([{ device: 'ox-1', metric: saturation, samples }]);
  for (const { delayS, hysteresis, maxGapS } of [
    { delayS: 10, hysteresis: 2, maxGapS: 10 },
    { delayS: 0, hysteresis: 0, maxGapS: 15 },
    { delayS: 19, hysteresis: 3, maxGapS: 60 },
  ]) {
    const planned = limit({ delayS, hysteresis, maxGapS });
    const { episodes: found } = await replay(folder, [stay('ox-1', [[planned]], samples)]);
    const wanted = episodes(
      {
        direction: 'low',
        value: 85,
        delayMs: delayS * 1_000,
        hysteresis,
        maxGapMs: maxGapS * 1_000,
        span: [0, 100],
      },
      samples.filter(({ invalid }) => invalid !== true),
    );
    expect(wanted.length).toBeGreaterThan(3);
    expect(
      found.map(({ onsetAtMs, raisedAtMs, endedAtMs, peak }) => ({
        onset: onsetAtMs,
        raisedAt: raisedAtMs,
        clearedAt: endedAtMs ?? null,
        peak,
      })),
    ).toEqual(wanted);
  }
});

test('two bands of one direction are one alarm of the higher priority it came to', async () => {
  const steps: readonly (readonly [seconds: number, value: number])[] = [
    [0, 97],
    [60, 88],
    [120, 84],
    [180, 88],
    [240, 97],
    [400, 88],
    [430, 97],
  ];
  const samples = Array.from({ length: 600 }, (_, at) => ({
    atMs: beginMs + at * 1_000,
    value: steps.findLast(([seconds]) => seconds <= at)?.[1] ?? 97,
  }));
  const folder = store([{ device: 'ox-1', metric: saturation, samples }]);
  const plan = [limit({ value: 90, priority: 'medium' }), limit({ value: 85, priority: 'high' })];
  const { episodes: found, observations } = await replay(folder, [stay('ox-1', [plan], samples)]);
  expect(observations).toBe(600);
  expect(
    found.map(({ priority, onsetAtMs, raisedAtMs, endedAtMs = 0, peak }) => [
      priority,
      ...[onsetAtMs, raisedAtMs, endedAtMs].map((atMs) => (atMs - beginMs) / 1_000),
      peak,
    ]),
  ).toEqual([
    ['high', 60, 70, 240, 84],
    ['medium', 400, 410, 430, 88],
  ]);
});

test('when the preferred source falls silent the next one judges, and only one of them counts', async () => {
  const ecg = Array.from({ length: 100 }, (_, at) => ({ atMs: beginMs + at * 1_000, value: 90 }));
  const oximeter = Array.from({ length: 300 }, (_, at) => ({
    atMs: beginMs + at * 1_000 + 400,
    value: at < 150 ? 170 : 160,
  }));
  const folder = store([
    { device: 'mx-1', metric: heart, samples: ecg },
    { device: 'mx-1', metric: pulse, samples: oximeter },
  ]);
  const plan = [limit({ metric: heart, direction: 'high', value: 140, delayS: 5 })];
  const { episodes: found } = await replay(folder, [stay('mx-1', [plan], oximeter)]);
  // Silent since 99 s: the pulse takes over 10 s later, and has its delay of 5 s then.
  expect(found).toHaveLength(1);
  expect((found[0]?.raisedAtMs ?? 0) - beginMs).toBe(109_400 + 5_000);
  expect(found[0]?.endedAtMs).toBeUndefined();
});

test('a stay is judged by its own spans: the next patient on the device is another', async () => {
  const samples = Array.from({ length: 200 }, (_, at) => ({ atMs: beginMs + at * 1_000, value: 80 }));
  const folder = store([{ device: 'ox-1', metric: saturation, samples }]);
  const changeMs = beginMs + 100_000;
  const part = (encounter: string, fromMs: number, toMs: number): ReplayStay => ({
    bed: 'bed-1',
    encounter,
    spans: [{ device: 'ox-1', fromMs, toMs, periodMs: 1_000 }],
    plans: [[limit({})]],
  });
  const stays = [part('e-1', beginMs, changeMs), part('e-2', changeMs, beginMs + 200_000)];
  const { episodes: found } = await replay(folder, stays);
  expect(found.map(({ stay: of, onsetAtMs }) => [of, (onsetAtMs - beginMs) / 1_000])).toEqual([
    [0, 0],
    [1, 100],
  ]);
});

test('the comparison counts both, names what would be missed, and how much later the rest rings', async () => {
  // Ten short dips of 14 s and one long one of 60 s.
  const samples = Array.from({ length: 1_300 }, (_, at) => {
    const dips = at < 1_000 ? at % 100 < 14 : at >= 1_100 && at < 1_160;
    return { atMs: beginMs + at * 1_000, value: dips ? 84 : 97 };
  });
  const folder = store([{ device: 'ox-1', metric: saturation, samples }]);
  const today: AlarmLimit = { ...limit({}), origin: 'default' };
  const proposed = withChanges(
    [today],
    [{ metric: saturation, direction: 'low', priority: 'high', delayS: 19 }],
  );
  expect(proposed).toMatchObject([{ value: 85, delayS: 19, hysteresis: 2 }]);
  const stays = [stay('ox-1', [[today], proposed], samples)];
  const { episodes: found } = await replay(folder, stays);
  const compared = compare(stays, found);
  expect(compared.today).toMatchObject({ alarms: 11, short: 10 });
  expect(compared.proposed).toMatchObject({ alarms: 1, short: 0 });
  expect(compared.byBed).toEqual([{ bed: 'bed-ox-1', today: 11, proposed: 1 }]);
  expect(compared.byPriority).toEqual([{ priority: 'high', today: 11, proposed: 1 }]);
  expect(compared.missed.count).toBe(10);
  expect(compared.missed.list[0]).toMatchObject({ bed: 'bed-ox-1', metric: saturation, peak: 84 });
  expect(compared.added.count).toBe(0);
  expect(compared.laterS).toEqual({ p50: 9, max: 9 });
  expect(compared.counts.reduce((sum, row) => sum + row.today, 0)).toBe(11);
  const off = withChanges([today], [{ metric: saturation, direction: 'low', priority: 'high', value: null }]);
  expect(off).toEqual([]);
});
