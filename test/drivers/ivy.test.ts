import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFrames } from '../../drivers/ivy/frames.ts';
import driver from '../../drivers/ivy/index.ts';
import { virtualClock } from '../house/virtual-clock.ts';
import { captured, frame } from './ivy-frames.ts';

const clock = virtualClock();

test('a stream is read one byte at a time as in one chunk', () => {
  const stream = Buffer.concat([
    Buffer.from('ANSAR-B x'),
    frame(captured),
    Buffer.from([0xff, 0xfe]),
    frame(captured),
  ]);
  const frames = createFrames();
  const pieces = [...stream].flatMap((byte) => frames.push(Buffer.from([byte])).frames);
  expect(pieces).toHaveLength(2);
  expect(createFrames().push(stream).frames).toEqual(pieces);
});

test('noise without end is thrown away and not kept', () => {
  const frames = createFrames();
  let discarded = 0;
  for (let round = 0; round < 100; round++) discarded += frames.push(Buffer.alloc(1_000, 0x55)).discarded;
  expect(discarded).toBeGreaterThan(99_900);
});

test('waves are told when asked for, with no sample where the monitor has none', () => {
  const waves = Buffer.alloc(400, 0xfb);
  waves.fill(150, 0, 199);
  const items = driver.decode?.(frame(captured, waves), { clock, settings: { waves: true } }) ?? [];
  const found = items.flatMap((item) => (item.kind === 'waveform' ? [item] : []));
  expect(found.map(({ metric }) => metric)).toEqual(['MDC_ECG_ELEC_POTL']);
  const [ecg] = found;
  expect((ecg?.samples[0] ?? 0) * (ecg?.gain ?? 0) + (ecg?.offset ?? 0)).toBeCloseTo(1);
  expect(ecg?.samples[199]).toBe(-32_768);
  expect(ecg?.periodUs).toBe(5_000);
});

test('mutated frames never throw, and never tell a metric that is not declared', () => {
  const declared = new Set(driver.metrics);
  const good = frame(captured);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 170 }), fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.option(fc.nat({ max: good.length })),
      (changes, cut) => {
        const bytes = Buffer.from(good);
        for (const [fromEnd, byte] of changes) bytes[bytes.length - 1 - fromEnd] = byte;
        for (const item of driver.decode?.(cut === null ? bytes : bytes.subarray(cut), { clock }) ?? []) {
          if (item.kind === 'observation') expect(declared.has(item.metric)).toBe(true);
        }
      },
    ),
    { numRuns: 2_000, seed: 20261121 },
  );
});
