import { expect, test } from 'vitest';
import fc from 'fast-check';
import { broken, closing } from './forbidden.ts';
import { guarded, readByParser, seeds } from './guarded.ts';
import { connectPacket, publishPacket, subscribePacket } from './house.ts';

// Goal: what the guard lets through does not depend on how the network cut it, and is what another parser reads.

const whole = Buffer.concat(seeds);

test('packets cut in two at every byte give the same result', async () => {
  const expected = await guarded([whole]);
  expect(expected).toHaveLength(seeds.length);
  for (let at = 1; at < whole.length; at++) {
    expect(await guarded([whole.subarray(0, at), whole.subarray(at)])).toEqual(expected);
  }
});

test('packets that come byte by byte give the same result', async () => {
  const bytes = Array.from(whole, (byte) => Buffer.from([byte]));
  expect(await guarded(bytes)).toEqual(await guarded([whole]));
});

test('what is forbidden is forbidden for the same cause wherever it was cut', async () => {
  const forbidden = [
    ...broken.map(([, bytes]) => bytes),
    ...closing.map(([, bytes]) => Buffer.concat([connectPacket(), bytes])),
  ].filter((bytes) => bytes.length < 300);
  for (const bytes of forbidden) {
    const expected = await guarded([bytes]);
    for (let at = 1; at < bytes.length; at++) {
      expect(await guarded([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
    }
  }
});

test('a large packet in any pieces is read whole', async () => {
  const large = Buffer.concat([
    connectPacket(),
    publishPacket('v1/device/mon-1/waveforms', Buffer.alloc(200_000, 7)),
    publishPacket('v1/device/mon-1/state', 'after', { id: 2 }),
  ]);
  const expected = await guarded([large]);
  for (const size of [1_000, 4_096, 5_000, 65_536]) {
    const pieces = [];
    for (let at = 0; at < large.length; at += size) pieces.push(large.subarray(at, at + size));
    expect(await guarded(pieces)).toEqual(expected);
  }
  expect(expected).toHaveLength(3);
});

test('whatever passes the guard is read alike by another parser, and never throws', async () => {
  const piece = fc.oneof(
    fc.constantFrom(...seeds, publishPacket('a/b', 'x'), subscribePacket(['a/+', '#'])),
    fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  );
  const mutation = fc.record({
    at: fc.nat(400),
    value: fc.nat(255),
    how: fc.constantFrom('set', 'cut', 'add'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 6 }),
      fc.array(mutation, { maxLength: 4 }),
      async (parts, wrongs) => {
        let bytes = Buffer.concat([connectPacket(), ...parts]);
        for (const { at, value, how } of wrongs) {
          const where = at % bytes.length;
          const rest = bytes.subarray(where + (how === 'add' ? 0 : 1));
          const put = how === 'cut' ? [] : [Buffer.from([value])];
          bytes = Buffer.concat([bytes.subarray(0, where), ...put, rest]);
        }
        const passed = (await guarded([bytes])).filter((line) => !line.startsWith('broke'));
        expect(readByParser(bytes).slice(0, passed.length)).toEqual(passed);
      },
    ),
    { numRuns: 3_000 },
  );
});
