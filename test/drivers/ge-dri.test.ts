import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFrames, wrap } from '../../drivers/ge-dri/frames.ts';
import driver from '../../drivers/ge-dri/index.ts';
import { build, type Request } from '../../drivers/ge-dri/requests.ts';
import { virtualClock } from '../house/virtual-clock.ts';
import { alarms, at, displayed, record, wavePart } from './dri-frames.ts';

const clock = virtualClock();

describe('what may be sent to a monitor', () => {
  const requests: readonly Request[] = [
    { kind: 'values', intervalS: 10 },
    { kind: 'stop-values' },
    { kind: 'alarm-status' },
    { kind: 'alarm-changes' },
    { kind: 'stop-alarms' },
    { kind: 'waves', types: [1, 4, 8] },
    { kind: 'stop-waves' },
  ];

  test('displayed values are asked for as documented, but for the extended classes', () => {
    const documented =
      '7e310000000000000000000000000000000000000000ff000000000000000000000000000000000000010a000e0000000000497e';
    const sent = build({ kind: 'values', intervalS: 10 }).toString('hex');
    expect(sent).toBe(documented.replace('0a000e0000000000497e', '0a000000000000003b7e'));
  });

  test('every request is a subscription of a known type, in a frame whose checksum is right', () => {
    for (const request of requests) {
      const [sent] = createFrames().push(build(request)).records;
      expect([0, 1, 4]).toContain(sent?.readInt16LE(14));
      expect(sent?.readUInt8(18)).toBe(0);
    }
  });

  test('the wave request names its waves and ends their list', () => {
    const [sent] = createFrames().push(build({ kind: 'waves', types: [1, 4, 8] })).records;
    expect(sent?.subarray(40, 52).toString('hex')).toBe('00000000010408ff00000000');
  });
});

test('a stream is read one byte at a time as in one chunk', () => {
  const frame = displayed([at.ecg, 3, 0, 0x7e, 0x7d, 0, 0, 0]);
  const stream = Buffer.concat([Buffer.from([1, 2, 0x7d, 0x7e]), frame, Buffer.from('noise'), frame]);
  const frames = createFrames();
  const pieces = [...stream].flatMap((byte) => frames.push(Buffer.from([byte])).records);
  expect(pieces).toHaveLength(2);
  expect(createFrames().push(stream).records).toEqual(pieces);
});

test('mutated frames never throw, and never tell a metric that is not declared', () => {
  const declared = new Set(driver.metrics);
  const good = [
    displayed(
      [at.ecg, 3, 0, 72, 0, 0, 0, 12],
      [at.p1, 3, 1, 12_100, 6_800, 8_600, 72],
      [at.agent, 3, 6, 100, 120, 80],
    ),
    alarms([['ASYSTOLE', 3]]),
    wrap(record(1, [wavePart(1, [0, 10]), wavePart(9, [5])])),
  ].map((frame) => createFrames().push(frame).records[0] ?? Buffer.alloc(0));
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: good.length - 1 }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (which, changes, mended) => {
        const bytes = Buffer.from(good[which] ?? Buffer.alloc(0));
        for (const [where, byte] of changes) bytes[where % bytes.length] = byte;
        // With its checksum and its length mended the mutation reaches what reads the record.
        if (mended) bytes.writeInt16LE(bytes.length, 0);
        for (const item of driver.decode?.(wrap(bytes), { clock }) ?? []) {
          if (item.kind === 'observation') expect(declared.has(item.metric)).toBe(true);
        }
      },
    ),
    { numRuns: 2_000, seed: 20261121 },
  );
});
