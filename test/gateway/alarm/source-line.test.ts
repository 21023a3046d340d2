import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeRule, LimitJudge, type JudgeRule } from '../../../gateway/alarm/limit-judge.ts';
import { SourceLine, type Band } from '../../../gateway/alarm/source-line.ts';
import { defaultGapMs, lineOf, rankOf } from '../../../gateway/alarm/source-order.ts';
import type { LiveSeries } from '../../../gateway/intake/types.ts';
import { metrics } from '../../../model/metric-table.ts';

const series = (metricId: string): LiveSeries => ({
  device: 'mon-1',
  key: metricId,
  metricId,
  channel: undefined,
  metric: metrics.get(metricId),
  latest: undefined,
  watch: undefined,
});

const bandOf = (rule: JudgeRule): Band => ({
  judge: new LimitJudge(rule),
  direction: rule.direction,
  metric: 'MDC_ECG_HEART_RATE',
});

const rules = fc.array(
  fc
    .record({
      direction: fc.constantFrom('high' as const, 'low' as const),
      value: fc.integer({ min: 85, max: 95 }),
      delayS: fc.constantFrom(0, 3, 10),
      hysteresis: fc.constantFrom(0, 2),
      maxGapS: fc.constantFrom(4, 15),
    })
    .map((limit) => judgeRule(limit, { maxGapMs: 15_000, span: [0, 350] })),
  { minLength: 1, maxLength: 4 },
);
const samples = fc.array(
  fc.record({
    stepMs: fc.constantFrom(1_000, 1_000, 1_000, 1_000, 5_000, -2_000),
    value: fc.integer({ min: 80, max: 100 }),
    questionable: fc.constantFrom(false, false, false, true),
    historical: fc.constantFrom(false, false, false, false, true),
  }),
  { maxLength: 100 },
);

describe('the line of samples', () => {
  test('judges as its limits would one by one, though a calm sample touches none of them', () => {
    fc.assert(
      fc.property(rules, samples, (all, steps) => {
        const alone = all.map((rule) => new LimitJudge(rule));
        const line = new SourceLine({
          name: 'heart-rate',
          listener: { lineMoved: () => undefined, lateSample: () => undefined },
          startedAtMs: 0,
        });
        line.setBands(all.map(bandOf));
        const source = line.add(series('MDC_ECG_HEART_RATE'), 0);
        let atMs = 100_000;
        source.sample(atMs, 90, true, false, atMs);
        for (const judge of alone) judge.sample(atMs, 90, true, false);
        for (const { stepMs, value, questionable, historical } of steps) {
          atMs += stepMs;
          source.sample(atMs, value, questionable, historical, 1_000_000);
          for (const judge of alone) judge.sample(atMs, value, questionable, historical);
          const seen = (judge: LimitJudge) => [judge.presence, judge.presence !== 'absent' && judge.onsetMs];
          expect(line.bands.map(({ judge }) => seen(judge))).toEqual(alone.map(seen));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a move is told once a sample, after all judges', () => {
    let told = 0;
    const line = new SourceLine({
      name: 'x',
      listener: { lineMoved: () => (told += 1), lateSample: () => undefined },
      startedAtMs: 0,
    });
    const rule = judgeRule({ direction: 'high', value: 90, delayS: 0, hysteresis: 0 }, { maxGapMs: 10_000 });
    line.setBands([bandOf(rule), bandOf(rule), bandOf(rule)]);
    const source = line.add(series('MDC_ECG_HEART_RATE'), 0);
    source.sample(0, 95, false, false, 0);
    source.sample(1_000, 96, false, false, 1_000);
    source.sample(2_000, 80, false, false, 2_000);
    expect(told).toBe(2);
  });

  test('of three sources the best live one judges', () => {
    const line = new SourceLine({
      name: 'heart-rate',
      listener: { lineMoved: () => undefined, lateSample: () => undefined },
      startedAtMs: 0,
    });
    const [ecg, art, pleth] = [0, 1, 2].map((rank) => line.add(series(`m${rank}`), rank));
    if (!ecg || !art || !pleth) throw new Error('three sources');
    const say = (second: number, ...sources: (typeof ecg)[]): void => {
      for (const source of sources) source.sample(second * 1_000, 80, false, false, second * 1_000);
    };
    for (let second = 0; second <= 10; second++) say(second, pleth, art, ecg);
    expect(line.judging).toBe(ecg);
    for (let second = 11; second < 20; second++) say(second, pleth, art);
    expect(line.judging).toBe(ecg);
    say(20, pleth, art);
    expect(line.judging).toBe(art);
    line.remove(art.series);
    say(21, pleth);
    expect(line.judging).toBe(pleth);
    line.remove(series('never-there'));
    expect(line.sources).toHaveLength(2);
  });

  test('historical samples of a source that does not judge are nothing', () => {
    const line = new SourceLine({
      name: 'heart-rate',
      listener: { lineMoved: () => undefined, lateSample: () => undefined },
      startedAtMs: 0,
    });
    const source = line.add(series('m'), 0);
    source.sample(0, 80, false, true, 100_000);
    expect(line.judging).toBeUndefined();
  });
});

describe('the order of sources', () => {
  test('puts the metrics of one heart on one line, the ECG first, and leaves others alone', () => {
    expect(lineOf('MDC_PULS_OXIM_PULS_RATE')).toBe('heart-rate');
    expect(rankOf('MDC_ECG_HEART_RATE')).toBe(0);
    expect(rankOf('MDC_BLD_PULS_RATE_INV')).toBeLessThan(rankOf('MDC_PULS_OXIM_PULS_RATE'));
    expect(lineOf('MDC_TEMP_BLD')).toBe('MDC_TEMP_BLD');
    expect(rankOf('MDC_TEMP_BLD')).toBe(0);
  });

  test('gives 10 s or 3 periods before a gap, 15 s at least where several sources feed one limit', () => {
    expect(defaultGapMs('MDC_TEMP_BLD', [1_000])).toBe(10_000);
    expect(defaultGapMs('MDC_TEMP_BLD', [60_000, 1_000])).toBe(180_000);
    expect(defaultGapMs('heart-rate', [1_000])).toBe(15_000);
    expect(defaultGapMs('heart-rate', [])).toBe(15_000);
  });

  test('every metric in it is in the metric table, in the same quantity', async () => {
    const { sourceOrder } = await import('../../../gateway/alarm/source-order.ts');
    for (const [line, list] of Object.entries(sourceOrder)) {
      for (const metric of list) expect([metric, metrics.get(metric)?.quantity]).toEqual([metric, line]);
    }
  });
});
