import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packWaveBlock, packWaveFrame, readWaveFrame } from '../../model/wave-frame.ts';

const name = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom('a', '9', '-', '_', '心') });
const wave = fc.record({
  metric: name,
  takenAtMs: fc.double({ noNaN: true, min: 0, max: 4e12 }),
  periodUs: fc.double({ noNaN: true, min: 100, max: 1e7 }),
  gain: fc.double({ noNaN: true, min: -10, max: 10 }),
  offset: fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
  samples: fc.int16Array({ maxLength: 200 }),
});

test('a frame is read as it was packed, from any place in memory', () => {
  fc.assert(
    fc.property(name, fc.array(fc.tuple(name, wave, fc.option(name, { nil: undefined }))), (bed, blocks) => {
      const packed = packWaveFrame(
        bed,
        blocks.map(([device, one, channel]) => packWaveBlock(device, { ...one, channel })),
      );
      const moved = new Uint8Array(packed.length + 3);
      moved.set(packed, 3);
      const expected = blocks.map(([device, one, channel]) => ({
        device,
        ...one,
        ...(channel === undefined ? {} : { channel }),
      }));
      for (const bytes of [packed, moved.subarray(3), packed.slice().buffer])
        expect(readWaveFrame(bytes)).toEqual({ bed, blocks: expected });
    }),
  );
});

test('a frame of another version is none, one cut short is an error', () => {
  const samples = Int16Array.of(1, 2, 3);
  const block = packWaveBlock('m', {
    metric: 'M',
    takenAtMs: 1,
    periodUs: 4_000,
    gain: 1,
    offset: 0,
    samples,
  });
  const packed = packWaveFrame('3-12', [block]);
  expect(readWaveFrame(packed.with(1, 2))).toBeUndefined();
  expect(readWaveFrame(new Uint8Array())).toBeUndefined();
  for (let length = 2; length < packed.length; length++)
    expect(() => readWaveFrame(packed.slice(0, length))).toThrow(RangeError);
});
