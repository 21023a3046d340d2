/**
 * Columns of whole numbers in a byte or two each, of one width so that reading is a plain loop: the difference to
 * what was expected. Expected is one step after the number before (slow values, counters), or the next place of an even
 * grid (instants that jitter about their second). The few that are further off stand apart as patches.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';

export interface Plan {
  /** Expects from the number before; else from the grid, which only a patch moves. */
  readonly follows: boolean;
  /** Bytes a number; 0 when all are as expected or patched. */
  readonly width: 0 | 1 | 2;
  readonly step: number;
}

interface Packing extends Plan {
  readonly count: number;
  readonly scale: number;
}

/** Beyond this share of patches another form is smaller. */
const mostPatched = 1 / 8;
/** What a patch costs beside its place in the column, in bits. */
const patchBits = 24;
const seen = new Uint32Array(256);

/** The smallest way to write `count` whole numbers; undefined when they scatter too much for any. */
export function planOf(wholes: Float64Array, count: number): Plan | undefined {
  const step = usualStep(wholes, count);
  const follow = bitsOf(wholes, count, { follows: true, step });
  const grid = bitsOf(wholes, count, { follows: false, step });
  const [bits, follows] = grid < follow ? [grid, false] : [follow, true];
  if (bits === 0) return { follows, width: 0, step };
  if (bits < Infinity) return { follows, width: 1, step };
  return patchesOf(wholes, count, { follows: true, width: 2, step }) <= count * mostPatched
    ? { follows: true, width: 2, step }
    : undefined;
}

export function putPacked(out: ByteWriter, wholes: Float64Array, packing: Packing): void {
  const { count, scale, step, follows, width } = packing;
  const limit = 2 ** (8 * width - 1);
  out.byte((follows ? 1 : 0) | (width << 1));
  out.varint(scale);
  out.signed(wholes[0] ?? 0);
  out.signed(step);
  out.varint(patchesOf(wholes, count, packing));
  const rests = new Int16Array(count);
  let expected = wholes[0] ?? 0;
  let patchedAt = 0;
  for (let at = 1; at < count; at++) {
    expected += step;
    const whole = wholes[at] ?? 0;
    const rest = whole - expected;
    if (fits(rest, width, limit)) rests[at] = rest;
    else {
      out.varint(at - patchedAt);
      out.signed(rest);
      patchedAt = at;
    }
    if (follows || !fits(rest, width, limit)) expected = whole;
  }
  if (width === 0) return;
  out.reserve(count * width);
  const { bytes } = out;
  let place = out.at;
  for (let at = 1; at < count; at++) {
    const rest = rests[at] ?? 0;
    bytes[place++] = rest & 255;
    if (width === 2) bytes[place++] = (rest >> 8) & 255;
  }
  out.at = place;
}

export function takePacked(input: ByteReader, target: Float64Array, at: number, count: number): void {
  const form = input.byte();
  const follows = (form & 1) === 1;
  const width = form >> 1;
  const scale = input.varint();
  const first = input.signed();
  const step = input.signed();
  const patches = takePatches(input, count);
  const rests = input.raw((count - 1) * width);
  target[at] = first / scale;
  let expected = first;
  let from = 1;
  for (let patch = 0; patch <= patches.length; patch += 2) {
    const to = patches[patch] ?? count;
    const run = { rests, from, to, step, scale, at };
    if (width === 0) expected = takeSteps(target, run, expected);
    else if (width === 2) expected = takeWide(target, run, expected);
    else if (follows) expected = takeFollowing(target, run, expected);
    else expected = takeGrid(target, run, expected);
    if (to === count) break;
    expected += step + (patches[patch + 1] ?? 0);
    target[at + to] = expected / scale;
    from = to + 1;
  }
}

/** Rows `from` to `to` of a column that begins at `at` of the target; `rests` begin with row 1. */
interface Run {
  readonly rests: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly scale: number;
  readonly at: number;
}

function takeSteps(target: Float64Array, { from, to, step, scale, at }: Run, before: number): number {
  let expected = before;
  for (let row = from; row < to; row++) {
    expected += step;
    target[at + row] = expected / scale;
  }
  return expected;
}

function takeFollowing(
  target: Float64Array,
  { rests, from, to, step, scale, at }: Run,
  before: number,
): number {
  let whole = before;
  for (let row = from; row < to; row++) {
    whole += step + (((rests[row - 1] ?? 0) << 24) >> 24);
    target[at + row] = whole / scale;
  }
  return whole;
}

function takeGrid(target: Float64Array, { rests, from, to, step, scale, at }: Run, before: number): number {
  let expected = before;
  for (let row = from; row < to; row++) {
    expected += step;
    target[at + row] = (expected + (((rests[row - 1] ?? 0) << 24) >> 24)) / scale;
  }
  return expected;
}

function takeWide(target: Float64Array, { rests, from, to, step, scale, at }: Run, before: number): number {
  let whole = before;
  for (let row = from; row < to; row++) {
    const place = 2 * (row - 1);
    whole += step + ((((rests[place] ?? 0) | ((rests[place + 1] ?? 0) << 8)) << 16) >> 16);
    target[at + row] = whole / scale;
  }
  return whole;
}

/** Place and difference of each, one after the other. */
function takePatches(input: ByteReader, count: number): Float64Array {
  const many = input.varint();
  if (many >= count) throw new RangeError('more patches than numbers');
  const patches = new Float64Array(2 * many);
  let place = 0;
  for (let patch = 0; patch < many; patch++) {
    place += input.varint();
    if (place >= count) throw new RangeError('a patch beyond the column');
    patches[2 * patch] = place;
    patches[2 * patch + 1] = input.signed();
  }
  return patches;
}

/** About how small it gets at one byte each; 0 when all are as expected, Infinity when too many are not near. */
function bitsOf(wholes: Float64Array, count: number, { follows, step }: Omit<Plan, 'width'>): number {
  seen.fill(0);
  let patches = 0;
  let expected = wholes[0] ?? 0;
  for (let at = 1; at < count; at++) {
    expected += step;
    const whole = wholes[at] ?? 0;
    const rest = whole - expected;
    const near = rest >= -128 && rest < 128;
    if (near) seen[rest & 255] = (seen[rest & 255] ?? 0) + 1;
    else patches++;
    if (follows || !near) expected = whole;
  }
  if (patches > count * mostPatched) return Infinity;
  if ((seen[0] ?? 0) + patches === count - 1) return 0;
  let bits = patches * patchBits;
  for (const times of seen) if (times > 0) bits -= times * Math.log2(times / count);
  return bits;
}

function patchesOf(wholes: Float64Array, count: number, { follows, width, step }: Plan): number {
  const limit = 2 ** (8 * width - 1);
  let patches = 0;
  let expected = wholes[0] ?? 0;
  for (let at = 1; at < count; at++) {
    expected += step;
    const whole = wholes[at] ?? 0;
    const near = fits(whole - expected, width, limit);
    if (!near) patches++;
    if (follows || !near) expected = whole;
  }
  return patches;
}

const fits = (rest: number, width: number, limit: number): boolean =>
  width === 0 ? rest === 0 : rest >= -limit && rest < limit;

/** The middle of up to nine mean steps over a stretch each: jitter evens out in it, and a gap spoils one stretch. */
function usualStep(wholes: Float64Array, count: number): number {
  const length = Math.max(1, Math.min(64, (count - 1) >> 2));
  const stride = Math.max(1, Math.floor((count - 1 - length) / 8));
  const samples: number[] = [];
  for (let at = length; at < count && samples.length < 9; at += stride)
    samples.push(Math.round(((wholes[at] ?? 0) - (wholes[at - length] ?? 0)) / length));
  samples.sort((a, b) => a - b);
  return samples[samples.length >> 1] ?? 0;
}
