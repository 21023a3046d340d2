import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../../gateway/store/bytes.ts';
import { putNumbers, takeNumbers } from '../../../gateway/store/numbers.ts';

const written = (numbers: readonly number[]): Uint8Array => {
  const out = new ByteWriter();
  putNumbers(out, Float64Array.from(numbers), [0, numbers.length]);
  return out.written().slice();
};
const read = (bytes: Uint8Array, count: number): number[] => {
  const target = new Float64Array(count);
  takeNumbers(new ByteReader(bytes), target, 0, count);
  return [...target];
};

/** Instants that jitter about their second, with gaps and steps back. */
const instants = fc
  .array(
    fc.record({ jitter: fc.integer({ min: -20, max: 20 }), gap: fc.constantFrom(0, 0, 0, 0, 1, 3_600, -7) }),
    {
      minLength: 1,
      maxLength: 300,
    },
  )
  .map((steps) => {
    let second = 1_780_000_000;
    return steps.map(({ jitter, gap }) => (second += 1 + gap) * 1_000 + jitter);
  });
const walk = fc
  .array(fc.integer({ min: -200, max: 200 }), { minLength: 1, maxLength: 300 })
  .chain((steps) => {
    let at = 0;
    const whole = steps.map((step) => (at += step));
    return fc.constantFrom(1, 10, 100, 1_000).map((scale) => whole.map((one) => one / scale));
  });
const any = fc.array(fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger()), {
  minLength: 1,
  maxLength: 50,
});

test('every column of numbers comes back as it was', () => {
  fc.assert(
    fc.property(fc.oneof(instants, walk, any), (numbers) => {
      const plain = numbers.map((one) => one + 0);
      expect(read(written(plain), plain.length)).toEqual(plain);
    }),
    { numRuns: 500 },
  );
});

test('a column that is cut short or holds any other byte is refused or reads as numbers, and never runs on', () => {
  fc.assert(
    fc.property(
      fc.oneof(instants, walk),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      (numbers, place, byte) => {
        const bytes = written(numbers);
        const cut = bytes.slice(0, place % bytes.length);
        expect(() => read(cut, numbers.length)).toThrow(RangeError);
        bytes[place % bytes.length] = byte;
        try {
          expect(read(bytes, numbers.length)).toHaveLength(numbers.length);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      },
    ),
  );
});

test('instants once a second that jitter take a byte each, counters none', () => {
  const jittering = Array.from(
    { length: 3_600 },
    (_, at) => 1_780_000_000_000 + at * 1_000 + ((at * 7) % 41),
  );
  expect(written(jittering).length).toBeLessThan(3_600 + 32);
  const counting = Array.from({ length: 3_600 }, (_, at) => 5 + at);
  expect(written(counting).length).toBeLessThan(32);
});
