/**
 * Samples as bytes: differences (of first or second order, whichever is smaller) in 16-bit arithmetic, folded so that
 * small ones of either sign are small numbers, low bytes apart from high bytes, compressed. Every sample comes back as
 * it was, −32768 included.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { ByteReader, ByteWriter } from '../store/bytes.ts';

/** Samples from an instant on, at the fixed period of their chunk. */
export interface Run {
  /** Instant of the first sample. */
  readonly fromMs: number;
  readonly samples: Int16Array;
}

const version = 1;
const params = {
  [constants.ZSTD_c_compressionLevel]: 3,
  [constants.ZSTD_c_windowLog]: 17,
  [constants.ZSTD_c_checksumFlag]: 1,
};
/** A chunk decompresses to less than this; more is damage. */
const mostBytes = 4 * 1024 * 1024;

/** One body of all runs. */
export function packRuns(runs: readonly Run[]): Uint8Array {
  const count = runs.reduce((sum, { samples }) => sum + samples.length, 0);
  const all = new Int16Array(count);
  const out = new ByteWriter();
  out.byte(version);
  out.varint(runs.length);
  let at = 0;
  for (const { fromMs, samples } of runs) {
    out.raw(new Uint8Array(new Float64Array([fromMs]).buffer));
    out.varint(samples.length);
    all.set(samples, at);
    at += samples.length;
  }
  const order = smallerOrder(all);
  out.byte(order);
  out.raw(planesOf(all, order));
  return zstdCompressSync(out.written(), { params });
}

/** Throws when the bytes are damaged. */
export function unpackRuns(body: Uint8Array): Run[] {
  const plain = zstdDecompressSync(body, { maxOutputLength: mostBytes });
  const input = new ByteReader(new Uint8Array(plain.buffer, plain.byteOffset, plain.length));
  if (input.byte() !== version) throw new RangeError('a body of another version');
  const heads = Array.from({ length: input.varint() }, () => {
    const [fromMs = 0] = new Float64Array(new Uint8Array(input.raw(8)).buffer);
    return { fromMs, count: input.varint() };
  });
  const count = heads.reduce((sum, head) => sum + head.count, 0);
  const order = input.byte();
  if (order !== 1 && order !== 2) throw new RangeError(`no differences of order ${order}`);
  const all = samplesIn(input.raw(count * 2), count, order);
  let at = 0;
  return heads.map(({ fromMs, count: own }) => ({ fromMs, samples: all.subarray(at, (at += own)) }));
}

/** By the sum of sizes: a smooth wave is nearly a straight line from sample to sample, a noisy one is not. */
function smallerOrder(samples: Int16Array): 1 | 2 {
  let first = 0;
  let second = 0;
  let before = 0;
  let step = 0;
  for (const sample of samples) {
    const now = sample - before;
    first += now < 0 ? -now : now;
    const turn = now - step;
    second += turn < 0 ? -turn : turn;
    step = now;
    before = sample;
  }
  return second < first ? 2 : 1;
}

function planesOf(samples: Int16Array, order: 1 | 2): Uint8Array {
  const count = samples.length;
  const planes = new Uint8Array(count * 2);
  let before = 0;
  let step = 0;
  for (let at = 0; at < count; at++) {
    const sample = samples[at] ?? 0;
    const now = sample - before;
    // Both in 16 bits, so that the lowest sample needs no more room than another.
    const odd = ((order === 2 ? now - step : now) << 16) >> 16;
    const folded = ((odd << 1) ^ (odd >> 15)) & 0xffff;
    planes[at] = folded & 0xff;
    planes[count + at] = folded >> 8;
    step = now;
    before = sample;
  }
  return planes;
}

function samplesIn(planes: Uint8Array, count: number, order: 1 | 2): Int16Array {
  const samples = new Int16Array(count);
  let before = 0;
  let step = 0;
  for (let at = 0; at < count; at++) {
    const folded = (planes[at] ?? 0) | ((planes[count + at] ?? 0) << 8);
    const odd = (folded >> 1) ^ -(folded & 1);
    step = order === 2 ? step + odd : odd;
    before = ((before + step) << 16) >> 16;
    samples[at] = before;
  }
  return samples;
}
