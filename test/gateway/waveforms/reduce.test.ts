import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noSample } from '../../../model/observation.ts';
import type { Run } from '../../../gateway/waveforms/codec.ts';
import { Columns, gridOf, onSeconds, packSeconds, secondsOf } from '../../../gateway/waveforms/reduce.ts';

// Whole milliseconds and periods that divide them: no sample's instant depends on rounding.
const periodMs = fc.constantFrom(2, 4, 8, 40);
const sample = fc.oneof(fc.integer({ min: -900, max: 900 }), fc.constant(noSample));
const runs = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 90_000 }), fc.array(sample, { minLength: 1, maxLength: 400 }))
    .map(([fromMs, samples]): Run => ({ fromMs, samples: Int16Array.from(samples) })),
  { maxLength: 6 },
);

/** Sample by sample, with nothing to be clever about. */
function naive(
  all: readonly Run[],
  period: number,
  grid: { fromMs: number; columnMs: number; columns: number },
) {
  const columns = Array.from({ length: grid.columns }, () => [] as number[]);
  for (const { fromMs, samples } of all)
    samples.forEach((value, at) => {
      const column = Math.floor((fromMs + at * period - grid.fromMs) / grid.columnMs);
      if (value !== noSample) columns[column]?.push(value);
    });
  return {
    min: columns.map((of) => Math.min(...of)),
    max: columns.map((of) => Math.max(...of)),
  };
}

test('columns of any width hold the lowest and highest sample taken within them', () => {
  fc.assert(
    fc.property(runs, periodMs, fc.constantFrom(1, 2, 7, 40, 100), (all, period, width) => {
      // A column is a whole number of ms.
      const grid = gridOf(0, Math.ceil(91_600 / width) * width, width);
      const columns = new Columns(grid);
      for (const run of all) columns.add(run, period * 1_000);
      expect({ min: [...columns.min], max: [...columns.max] }).toEqual(naive(all, period, grid));
    }),
  );
});

test('wide columns are the same from seconds as from samples', () => {
  fc.assert(
    fc.property(runs, periodMs, fc.integer({ min: 1, max: 22 }), (all, period, width) => {
      const grid = gridOf(0, 92_000, width);
      expect(onSeconds(grid)).toBe(true);
      const fromSeconds = new Columns(grid);
      for (const run of all) fromSeconds.addSeconds(packSeconds(secondsOf([run], period * 1_000)));
      expect({ min: [...fromSeconds.min], max: [...fromSeconds.max] }).toEqual(naive(all, period, grid));
    }),
  );
});

test('a grid covers its span in at most the asked columns', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2e12 }),
      fc.integer({ min: 1, max: 4e9 }),
      fc.integer({ min: 1, max: 2_000 }),
      (fromMs, spanMs, width) => {
        const grid = gridOf(fromMs, fromMs + spanMs, width);
        expect(grid.columns).toBeLessThanOrEqual(width);
        expect(grid.fromMs).toBeLessThanOrEqual(fromMs);
        expect(grid.fromMs + grid.columns * grid.columnMs).toBeGreaterThanOrEqual(fromMs + spanMs - 1e-3);
      },
    ),
  );
});
