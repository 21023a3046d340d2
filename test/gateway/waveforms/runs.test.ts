import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clip, endMs, joined } from '../../../gateway/waveforms/runs.ts';

const periodUs = 4_000;
/** 250 Hz of a wave whose sample says its own instant. */
const block = (fromMs: number, count: number) => ({
  fromMs,
  samples: Int16Array.from({ length: count }, (_, at) => ((fromMs / 4 + at) % 30_000) | 0),
});
const told = (runs: ReturnType<typeof joined>) => runs.map(({ fromMs, samples }) => [fromMs, [...samples]]);

test('blocks in any order, some twice, are one run without a sample lost or doubled', () => {
  const cuts = fc.array(fc.integer({ min: 20, max: 300 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(cuts, fc.infiniteStream(fc.nat()), (lengths, chance) => {
      let fromMs = 40_000;
      const blocks = lengths.map((count) => {
        const made = block(fromMs, count);
        fromMs += count * 4;
        return made;
      });
      const again = blocks.filter(() => (chance.next().value ?? 0) % 3 === 0);
      const shuffled = [...blocks, ...again].toSorted(() => ((chance.next().value ?? 0) % 2 === 0 ? 1 : -1));
      const whole = block(
        40_000,
        lengths.reduce((sum, count) => sum + count, 0),
      );
      expect(told(joined(shuffled, periodUs))).toEqual(told([whole]));
    }),
  );
});

test('a trembling stamp is no gap, a lost block is one', () => {
  const trembling = [
    block(0, 250),
    { ...block(1_000, 250), fromMs: 1_019 },
    { ...block(2_000, 250), fromMs: 1_985 },
  ];
  expect(joined(trembling, periodUs).map(({ fromMs, samples }) => [fromMs, samples.length])).toEqual([
    [0, 750],
  ]);
  expect(joined([block(0, 250), block(1_256, 250)], periodUs).map(({ fromMs }) => fromMs)).toEqual([
    0, 1_256,
  ]);
});

test('of two blocks over the same instant the one that begins earlier stands', () => {
  const [first, second] = joined(
    [block(0, 250), { ...block(600, 250), samples: new Int16Array(250).fill(-7) }],
    periodUs,
  );
  expect(first?.samples.length).toBe(400);
  expect(first && endMs(first, periodUs)).toBe(1_600);
  expect([...(first?.samples.subarray(0, 250) ?? [])]).toEqual([...block(0, 250).samples]);
  expect(second).toBeUndefined();
});

test('a clip holds exactly the samples taken in it', () => {
  fc.assert(
    fc.property(fc.integer({ min: -50, max: 1_100 }), fc.integer({ min: 0, max: 600 }), (fromMs, length) => {
      const run = block(0, 250);
      const instants = Array.from(run.samples, (_, at) => at * 4).filter(
        (at) => at >= fromMs && at < fromMs + length,
      );
      const part = clip(run, periodUs, [fromMs, fromMs + length]);
      expect(part?.samples.length ?? 0).toBe(instants.length);
      if (part) expect(part.fromMs).toBe(instants[0]);
    }),
  );
});
