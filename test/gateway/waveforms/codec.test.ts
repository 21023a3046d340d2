import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packRuns, unpackRuns, type Run } from '../../../gateway/waveforms/codec.ts';
import { recordingsFolder } from '../../../simulators/recording.ts';

const plain = (runs: readonly Run[]) =>
  runs.map(({ fromMs, samples }) => ({ fromMs, samples: [...samples] }));
const run = fc
  .tuple(fc.double({ min: 0, max: 4e12, noNaN: true }), fc.int16Array({ maxLength: 300 }))
  .map(([fromMs, samples]) => ({ fromMs, samples }));

test('every sample comes back as it was, no sample too', () => {
  fc.assert(
    fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
      expect(plain(unpackRuns(packRuns(runs)))).toEqual(plain(runs));
    }),
  );
});

test('the lowest and the highest sample side by side need no more than 16 bits', () => {
  const samples = Int16Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? -32_768 : 32_767));
  expect(plain(unpackRuns(packRuns([{ fromMs: 1.5, samples }])))).toEqual(plain([{ fromMs: 1.5, samples }]));
});

test('a flipped byte is noticed', () => {
  const body = packRuns([{ fromMs: 0, samples: Int16Array.from({ length: 500 }, (_, at) => at * 7) }]);
  for (let at = 0; at < body.length; at += 7) {
    const flipped = Uint8Array.from(body);
    flipped[at] = (flipped[at] ?? 0) ^ 0x10;
    let read: unknown;
    try {
      read = plain(unpackRuns(flipped));
    } catch {
      continue;
    }
    // Some bits of the header say nothing of the content.
    expect(read).toEqual(plain(unpackRuns(body)));
  }
});

test('a minute of a recorded heart takes less than a byte a sample', () => {
  const bytes = readFileSync(join(recordingsFolder, 'waveforms/icu_b01/ii.i16'));
  const samples = new Int16Array(new Uint8Array(bytes.subarray(0, 60 * 125 * 2)).buffer);
  expect(packRuns([{ fromMs: 0, samples }]).length).toBeLessThan(samples.length);
});
