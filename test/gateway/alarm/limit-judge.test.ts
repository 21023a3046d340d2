import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LimitJudge, judgeRule } from '../../../gateway/alarm/limit-judge.ts';
import { judged, judgeOf } from './judge-run.ts';
import { episodes, type OracleLimit, type OracleSample } from './oracle.ts';

const spo2Low: OracleLimit = {
  direction: 'low',
  value: 90,
  delayMs: 10_000,
  hysteresis: 2,
  maxGapMs: 10_000,
  span: [0, 100],
};
/** One value a second from 0 s on. */
const eachSecond = (...values: number[]): OracleSample[] =>
  values.map((value, second) => ({ atMs: second * 1_000, value }));
const times = (count: number, ...values: number[]): number[] =>
  Array.from({ length: count }, () => values).flat();

describe('CLINICAL 3, sentence by sentence', () => {
  test('a value at the limit does not violate it, one beyond does', () => {
    const now = { ...spo2Low, delayMs: 0, hysteresis: 0 };
    expect(judged(now, eachSecond(90))).toEqual([]);
    expect(judged(now, eachSecond(89))).toHaveLength(1);
    const high = { ...now, direction: 'high' as const, value: 120, span: [0, 350] as const };
    expect(judged(high, eachSecond(120))).toEqual([]);
    expect(judged(high, eachSecond(121))).toHaveLength(1);
  });

  test('the first violating sample is the onset, and the one at onset + delay raises', () => {
    expect(judged(spo2Low, eachSecond(95, ...times(12, 85)))).toEqual([
      { onset: 1_000, raisedAt: 11_000, clearedAt: null, peak: 85 },
    ]);
  });

  test('nothing raises by time alone: the first violating sample after the delay does', () => {
    const samples = [0, 4_000, 8_000].map((atMs) => ({ atMs, value: 85 }));
    expect(judged(spo2Low, samples)).toEqual([]);
    expect(judged(spo2Low, [...samples, { atMs: 17_500, value: 85 }])[0]).toMatchObject({
      onset: 0,
      raisedAt: 17_500,
    });
  });

  test('a delay of 0 raises with the first violating sample', () => {
    expect(judged({ ...spo2Low, delayMs: 0 }, eachSecond(95, 84))[0]).toMatchObject({
      onset: 1_000,
      raisedAt: 1_000,
    });
  });

  test('a sample inside by the hysteresis ends the run; one in between neither ends nor raises', () => {
    expect(judged(spo2Low, eachSecond(...times(5, 85), 92, ...times(9, 85)))).toEqual([]);
    expect(judged(spo2Low, eachSecond(...times(5, 85), 91, ...times(5, 85)))[0]).toMatchObject({ onset: 0 });
    // In between at the very instant of onset + delay: the next violating one raises.
    expect(judged(spo2Low, eachSecond(...times(10, 85), 91, 85))[0]).toMatchObject({ raisedAt: 11_000 });
  });

  test('an alarm ends at limit ± h and not before', () => {
    const raised = times(11, 85);
    expect(judged(spo2Low, eachSecond(...raised, 90, 91))[0]).toMatchObject({ clearedAt: null });
    expect(judged(spo2Low, eachSecond(...raised, 90, 91, 92))[0]).toMatchObject({ clearedAt: 13_000 });
  });

  test('five minutes of 88/90/88/90 raise at limit 89, though no sample violates twice in a row', () => {
    const limit = { ...spo2Low, value: 89 };
    const [episode, ...others] = judged(limit, eachSecond(...times(150, 88, 90)));
    expect(others).toEqual([]);
    expect(episode).toEqual({ onset: 0, raisedAt: 10_000, clearedAt: null, peak: 88 });
    expect(judged({ ...limit, hysteresis: 0 }, eachSecond(...times(150, 88, 90)))).toEqual([]);
  });

  test('a gap longer than maxGapS before raising ends the run; the next violating sample is a new onset', () => {
    const at = (...seconds: number[]): OracleSample[] =>
      seconds.map((second) => ({ atMs: second * 1_000, value: 85 }));
    expect(judged(spo2Low, at(0, 10, 20))[0]).toMatchObject({ onset: 0, raisedAt: 10_000 });
    expect(judged(spo2Low, at(0, 10.001, 15, 20.001))[0]).toMatchObject({ onset: 10_001, raisedAt: 20_001 });
  });

  test('questionable and in-between samples fill a gap, missing and invalid ones never reach the judge', () => {
    const filled: OracleSample[] = [
      { atMs: 0, value: 85 },
      { atMs: 8_000, value: 97, questionable: true },
      { atMs: 16_000, value: 85 },
    ];
    expect(judged(spo2Low, filled)[0]).toMatchObject({ onset: 0, raisedAt: 16_000 });
  });

  test('a gap while present ends nothing by itself', () => {
    const samples = [
      ...eachSecond(...times(11, 85)),
      { atMs: 60_000, value: 85 },
      { atMs: 61_000, value: 95 },
    ];
    expect(judged(spo2Low, samples)).toEqual([{ onset: 0, raisedAt: 10_000, clearedAt: 61_000, peak: 85 }]);
  });

  test('h shrinks where limit ± h would leave the span', () => {
    const limit = { ...spo2Low, value: 99, delayMs: 0 };
    expect(judged(limit, eachSecond(98, 99, 100))[0]).toMatchObject({ clearedAt: 2_000 });
    const high = { ...limit, direction: 'high' as const, value: 1, span: [0, 200] as const };
    expect(judged(high, eachSecond(2, 1, 0))[0]).toMatchObject({ clearedAt: 2_000 });
  });

  test('a limit at the edge of the span is still ended by the edge', () => {
    const limit = { ...spo2Low, value: 100, delayMs: 0 };
    expect(judged(limit, eachSecond(99, 100))[0]).toMatchObject({ clearedAt: 1_000 });
  });

  test('0 is a value: a heart rate of 0 raises at once where the delay is 0', () => {
    const asystole = { ...spo2Low, value: 40, delayMs: 0, hysteresis: 2, span: [0, 350] as const };
    expect(judged(asystole, eachSecond(70, 0))[0]).toMatchObject({ peak: 0 });
  });

  test('hysteresis counts in decimals: 35.1 + 0.2 is reached by 35.3', () => {
    const limit = { ...spo2Low, value: 35.1, hysteresis: 0.2, delayMs: 0, span: [0, 50] as const };
    expect(judged(limit, eachSecond(34.9, 35.3))[0]).toMatchObject({ clearedAt: 1_000 });
  });

  test('delay counts sample time inside a batch that arrives at once', () => {
    expect(judged(spo2Low, eachSecond(...times(11, 85)))[0]).toMatchObject({ raisedAt: 10_000 });
  });

  test('a questionable violating sample raises, marked; a questionable one inside ends nothing', () => {
    const judge = judgeOf({ ...spo2Low, delayMs: 0 });
    expect(judge.sample(0, 84, true, false)).toEqual(['present', 'markOnset', 'raise']);
    expect(judge.questionable).toBe(true);
    expect(judge.sample(1_000, 97, true, false)).toBeUndefined();
    expect(judge.sample(2_000, 97, false, false)).toEqual(['absent', 'end']);
  });
});

describe('a lost source', () => {
  const present = (): LimitJudge => {
    const judge = judgeOf({ ...spo2Low, delayMs: 0 });
    judge.sample(0, 84, false, false);
    return judge;
  };

  test('keeps the alarm; a violating or in-between sample brings the source back, one inside ends both', () => {
    for (const [value, move] of [
      [84, ['present', 'endSourceLost']],
      [91, ['present', 'endSourceLost']],
      [95, ['absent', 'endSourceLost', 'end']],
    ] as const) {
      const judge = present();
      expect(judge.gap()).toEqual(['sourceLost', 'raiseSourceLost']);
      expect(judge.gap()).toBeUndefined();
      expect(judge.sample(30_000, value, false, false)).toEqual(move);
    }
  });

  test('is nothing to a limit that is absent or pending', () => {
    const judge = judgeOf(spo2Low);
    expect(judge.gap()).toBeUndefined();
    judge.sample(0, 84, false, false);
    expect(judge.gap()).toBeUndefined();
  });

  test('a person ends the measurement', () => {
    const judge = present();
    judge.gap();
    expect(judge.measurementEnded()).toEqual(['absent', 'endSourceLost', 'end']);
    expect(judge.measurementEnded()).toBeUndefined();
  });
});

describe('late and historical samples (CLINICAL 9)', () => {
  const pendingAt = (atMs: number): LimitJudge => {
    const judge = judgeOf(spo2Low);
    judge.sample(atMs, 85, false, false);
    return judge;
  };

  test('never raise, end or begin anything', () => {
    const judge = judgeOf({ ...spo2Low, delayMs: 0 });
    expect(judge.sample(0, 70, false, true)).toBeUndefined();
    expect(judge.presence).toBe('absent');
    judge.sample(10_000, 70, false, false);
    expect(judge.sample(9_000, 97, false, false)).toBeUndefined();
    expect(judge.sample(12_000, 97, false, true)).toBeUndefined();
    expect(judge.presence).toBe('present');
  });

  test('move the onset of a pending run back, and the next live violating sample raises by it', () => {
    const judge = pendingAt(100_000);
    expect(judge.sample(95_000, 84, false, true)).toEqual(['pending']);
    expect(judge.onsetMs).toBe(95_000);
    expect(judge.presence).toBe('pending');
    expect(judge.sample(105_000, 85, false, false)).toEqual(['present', 'raise']);
  });

  test('an alarm already raised only shows the earlier onset', () => {
    const judge = pendingAt(100_000);
    for (let second = 101; second <= 110; second++) judge.sample(second * 1_000, 85, false, false);
    expect(judge.presence).toBe('present');
    expect(judge.sample(98_000, 80, false, true)).toEqual(['present']);
    expect(judge.onsetMs).toBe(98_000);
    expect(judge.peak).toBe(85);
  });

  test('an ending sample between forbids it, an in-between one does not', () => {
    const ended = judgeOf(spo2Low);
    ended.sample(98_000, 95, false, false);
    ended.sample(100_000, 85, false, false);
    expect(ended.sample(97_000, 84, false, true)).toBeUndefined();
    const between = judgeOf(spo2Low);
    between.sample(98_000, 91, false, false);
    between.sample(100_000, 85, false, false);
    expect(between.sample(97_000, 84, false, true)).toEqual(['pending']);
    expect(between.onsetMs).toBe(97_000);
  });

  test('a late ending sample forbids it for what is older still', () => {
    const judge = pendingAt(100_000);
    judge.sample(96_000, 97, false, true);
    expect(judge.sample(95_000, 84, false, true)).toBeUndefined();
    expect(judge.sample(97_000, 84, false, true)).toEqual(['pending']);
  });

  test('a gap over maxGapS between forbids it, until late samples fill it', () => {
    const judge = pendingAt(100_000);
    expect(judge.sample(85_000, 84, false, true)).toBeUndefined();
    expect(judge.sample(92_000, 91, false, true)).toEqual(['pending']);
    expect(judge.onsetMs).toBe(85_000);
  });

  test('a backlog oldest first and newest first lead to the same onset', () => {
    const backlog = Array.from({ length: 60 }, (_, index) => 40_000 + index * 1_000);
    const onset = (order: readonly number[]): number => {
      const judge = pendingAt(100_000);
      for (const atMs of order) judge.sample(atMs, 80, false, true);
      return judge.onsetMs;
    };
    expect(onset(backlog)).toBe(40_000);
    expect(onset([...backlog].reverse())).toBe(40_000);
  });

  test('no more than the newest steps are remembered', () => {
    const judge = pendingAt(10_000_000);
    for (let index = 1; index <= 5_000; index++) judge.sample(10_000_000 - index * 1_000, 80, false, true);
    expect(judge.onsetMs).toBe(10_000_000 - 5_000_000);
  });
});

describe('a cuff', () => {
  test('raises with one measurement, whatever the delay, and ends with the next one inside', () => {
    const judge = judgeOf({ ...spo2Low, value: 90, hysteresis: 3, span: [-50, 400] });
    expect(judge.measurement(0, 80, false)).toEqual(['present', 'markOnset', 'raise']);
    expect(judge.measurement(0, 120, false)).toBeUndefined();
    expect(judge.measurement(900_000, 120, false)).toEqual(['absent', 'end']);
  });
});

describe('a limit that is changed', () => {
  const rule = (value: number, delayS = 10) =>
    judgeRule({ direction: 'low', value, delayS, hysteresis: 2 }, { maxGapMs: 10_000, span: [0, 100] });

  test('forgets a run that does not violate it any more', () => {
    const judge = new LimitJudge(rule(90));
    judge.sample(0, 88, false, false);
    judge.retune(rule(85));
    expect(judge.presence).toBe('absent');
  });

  test('keeps a run that still does, and an alarm until the next sample', () => {
    const judge = new LimitJudge(rule(90));
    judge.sample(0, 80, false, false);
    judge.retune(rule(85, 5));
    expect(judge.sample(5_000, 80, false, false)).toEqual(['present', 'raise']);
    judge.retune(rule(78));
    expect(judge.presence).toBe('present');
    expect(judge.sample(6_000, 80, false, false)).toEqual(['absent', 'end']);
  });

  test('is the same after a restart: what was present is, what was pending begins anew', () => {
    const judge = new LimitJudge(rule(90, 0));
    judge.sample(0, 80, true, false);
    const again = new LimitJudge(rule(90, 0));
    again.restore(JSON.parse(JSON.stringify(judge.state())));
    expect(again.state()).toEqual(judge.state());
    const pending = new LimitJudge(rule(90));
    pending.sample(0, 80, false, false);
    const anew = new LimitJudge(rule(90));
    anew.restore(pending.state());
    expect(anew.presence).toBe('absent');
  });
});

describe('against a second reading of CLINICAL 3', () => {
  const limits = fc.record({
    direction: fc.constantFrom('high' as const, 'low' as const),
    value: fc.integer({ min: 85, max: 95 }),
    delayMs: fc.constantFrom(0, 1_000, 5_000, 10_000, 15_000),
    hysteresis: fc.constantFrom(0, 1, 2, 5, 20),
    maxGapMs: fc.constantFrom(3_000, 10_000, Infinity),
    span: fc.constant([0, 100] as const),
  });
  const samples = fc.array(
    fc.record({
      stepMs: fc.constantFrom(1_000, 1_000, 1_000, 2_500, 3_000, 3_001, 11_000),
      value: fc.integer({ min: 80, max: 100 }),
      questionable: fc.constantFrom(false, false, false, true),
    }),
    { maxLength: 120 },
  );

  test('random limits over random samples give the same episodes', () => {
    fc.assert(
      fc.property(limits, samples, (limit, steps) => {
        let atMs = 0;
        const line = steps.map(({ stepMs, ...one }) => ({ ...one, atMs: (atMs += stepMs) }));
        expect(judged(limit, line)).toEqual(episodes(limit, line));
      }),
      { numRuns: 3_000 },
    );
  });

  test('late samples in any order never change when anything is raised or ended', () => {
    fc.assert(
      fc.property(limits, samples, fc.array(fc.nat(200_000)), (limit, steps, late) => {
        let atMs = 0;
        const line = steps.map(({ stepMs, ...one }) => ({ ...one, atMs: (atMs += stepMs) }));
        const judge = judgeOf(limit);
        const moves: string[] = [];
        let next = 0;
        for (const one of line) {
          judge.sample(one.atMs, one.value, one.questionable, false);
          const before = judge.presence;
          const onsetMs = judge.onsetMs;
          const lateMs = late[next++];
          if (lateMs !== undefined) judge.sample(lateMs, lateMs % 2 ? 70 : 100, false, true);
          if (judge.presence !== before) moves.push(`${one.atMs}`);
          if (judge.onsetMs > onsetMs) moves.push('forward');
        }
        expect(moves).toEqual([]);
      }),
    );
  });
});

describe('the recordings', () => {
  const folder = new URL('../../../simulators/recordings/numerics/', import.meta.url);
  const columns = ['hr', 'pr', 'spo2', 'rr', 'abp_sys', 'nbp_sys', 'nbp_mean', 'temp'];
  const bands: Readonly<Record<string, readonly [low: number, high: number]>> = {
    hr: [70, 90],
    pr: [70, 90],
    spo2: [95, 98],
    rr: [12, 20],
    abp_sys: [130, 150],
    nbp_sys: [100, 140],
    nbp_mean: [65, 95],
    temp: [36.5, 37.5],
  };

  for (const file of readdirSync(folder).filter((name) => name.endsWith('.csv'))) {
    test(`${file} gives the same episodes as the second reading, for every limit`, () => {
      const [header = '', ...lines] = readFileSync(new URL(file, folder), 'utf8').trim().split('\n');
      const names = header.split(',');
      const rows = lines.map((line) => line.split(','));
      let found = 0;
      for (const column of columns) {
        const at = names.indexOf(column);
        const samples = rows.flatMap((row) =>
          (row[at] ?? '') === '' ? [] : [{ atMs: Number(row[0]) * 1_000, value: Number(row[at]) }],
        );
        for (const direction of ['low', 'high'] as const) {
          for (const delayMs of [0, 5_000, 10_000, 7_200_000]) {
            for (const hysteresis of [0, 0.2, 2]) {
              for (const maxGapMs of [5_000, 10_000, Infinity]) {
                const value = bands[column]?.[direction === 'low' ? 0 : 1] ?? 0;
                const limit = { direction, value, delayMs, hysteresis, maxGapMs };
                const expected = episodes(limit, samples);
                found += expected.length;
                expect(judged(limit, samples)).toEqual(expected);
              }
            }
          }
        }
      }
      expect(found).toBeGreaterThan(0);
    });
  }
});
