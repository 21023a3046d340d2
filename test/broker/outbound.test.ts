import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { createFlusher, OutboundStream } from '../../broker/outbound.ts';

/** A transport that keeps each write, and takes none after `stuck` until released. */
function openOutbound(queuedBytes = 1_000_000) {
  const writes: Buffer[] = [];
  let blocked: (() => void) | undefined;
  let stuck = false;
  const transport = new Duplex({
    read: () => undefined,
    writableHighWaterMark: 100,
    write: (chunk: Buffer, _encoding, done) => {
      writes.push(chunk);
      if (stuck) blocked = done;
      else done();
    },
  });
  let overflows = 0;
  const stream = new OutboundStream({
    transport,
    flusher: createFlusher(),
    queuedBytes,
    gone: () => undefined,
    overflown: () => void overflows++,
  });
  return {
    stream,
    writes,
    stick: () => (stuck = true),
    release: () => {
      stuck = false;
      blocked?.();
    },
    overflows: () => overflows,
  };
}

const tick = () => new Promise(setImmediate);

test('small writes of a tick leave as one, in order, whatever their size', async () => {
  const { stream, writes } = openOutbound();
  const parts = Array.from({ length: 200 }, (_, n) => Buffer.alloc(1 + (n % 9), n));
  for (const part of parts) stream.write(part);
  stream.write('text');
  expect(writes).toEqual([]);
  await tick();
  expect(writes).toEqual([Buffer.concat([...parts, Buffer.from('text')])]);
});

test('a large write goes out as it is, after what was gathered before it', async () => {
  const { stream, writes } = openOutbound();
  const large = Buffer.alloc(5_000, 1);
  stream.write(Buffer.from([7]));
  stream.write(large);
  stream.write(Buffer.from([8]));
  await tick();
  expect(writes.map((bytes) => bytes.length)).toEqual([1, 5_000, 1]);
  expect(writes[1]).toBe(large);
});

test('gathering ends at 64 kB even within a tick', () => {
  const { stream, writes } = openOutbound();
  for (let n = 0; n < 70; n++) stream.write(Buffer.alloc(1_000));
  expect(Buffer.concat(writes).length).toBeGreaterThanOrEqual(65_536);
});

test('a transport that takes nothing is told to the writer, and its drain too', async () => {
  const { stream, stick, release, overflows } = openOutbound(10_000);
  stick();
  stream.write(Buffer.alloc(3_000));
  expect(stream.write(Buffer.from([1]))).toBe(false);
  let drains = 0;
  stream.on('drain', () => void drains++);
  expect(overflows()).toBe(0);
  stream.write(Buffer.alloc(9_000));
  expect(overflows()).toBe(1);
  release();
  await tick();
  await tick();
  expect(drains).toBe(1);
  expect(stream.write(Buffer.from([1]))).toBe(true);
});

test('what was gathered leaves before the end, and nothing after it', () => {
  const { stream, writes } = openOutbound();
  stream.write(Buffer.from([1]));
  stream.destroy();
  expect(writes).toEqual([Buffer.from([1])]);
  expect(stream.write(Buffer.from([2]))).toBe(false);
  expect(writes).toHaveLength(1);
});
