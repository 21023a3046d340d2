/**
 * Columns of numbers as bytes: whole steps of 1, 0.1, 0.01 or 0.001 where that gives every number back exactly, else
 * as they are.
 */
import { putVarint, type ByteReader, type ByteWriter } from './bytes.ts';
import { planOf, putPacked, takePacked } from './packed.ts';

const modes = { constant: 0, steady: 1, near: 2, plain: 3, packed: 4 } as const;
/** Steps of steps of numbers up to here still fit 53 bits, signed. */
const largest = 2 ** 50;

/** Writes numbers `from` to `to` of a column. */
export function putNumbers(out: ByteWriter, column: Float64Array, range: readonly [number, number]): void {
  const [from, to] = range;
  if (from === to) return;
  out.reserve((to - from) * 8 + 32);
  const first = column[from] ?? 0;
  let constant = true;
  for (let at = from + 1; constant && at < to; at++) constant = column[at] === first;
  if (constant) {
    out.byte(modes.constant);
    putPlain(out, column, from, from + 1);
    return;
  }
  const scale = scaleOf(column, from, to);
  if (scale === 0) {
    out.byte(modes.plain);
    putPlain(out, column, from, to);
    return;
  }
  const steps = wholeSteps(column, range, scale);
  const plan = planOf(steps, to - from);
  if (plan) {
    out.byte(modes.packed);
    putPacked(out, steps, { ...plan, count: to - from, scale });
  } else putSteady(out, column, range, scale);
}

/** Reads `count` numbers into `target` from `at`. */
export function takeNumbers(input: ByteReader, target: Float64Array, at: number, count: number): void {
  if (count === 0) return;
  const mode = input.byte();
  if (mode === modes.constant) {
    takePlain(input, target, at, 1);
    target.fill(target[at] ?? 0, at, at + count);
  } else if (mode === modes.plain) takePlain(input, target, at, count);
  else if (mode === modes.packed) takePacked(input, target, at, count);
  else if (mode === modes.steady) takeSteady(input, target, at, count);
  else if (mode === modes.near) takeNear(input, target, at, count);
  else throw new RangeError(`no column has mode ${mode}`);
}

/** 1, 10, 100, 1000: the smallest that makes all whole without loss; 0 where none does. */
function scaleOf(column: Float64Array, from: number, to: number): number {
  for (let scale = 1; scale <= 1000; scale *= 10) {
    let at = from;
    while (at < to) {
      const value = column[at] ?? 0;
      const whole = Math.round(value * scale);
      if (whole / scale !== value || whole > largest || whole < -largest) break;
      at++;
    }
    if (at === to) return scale;
  }
  return 0;
}

let wholes = new Float64Array(4096);

function wholeSteps(
  column: Float64Array,
  [from, to]: readonly [number, number],
  scale: number,
): Float64Array {
  if (wholes.length < to - from) wholes = new Float64Array((to - from) * 2);
  for (let at = from; at < to; at++) wholes[at - from] = Math.round((column[at] ?? 0) * scale);
  return wholes;
}

function putSteady(
  out: ByteWriter,
  column: Float64Array,
  [from, to]: readonly [number, number],
  scale: number,
): void {
  const first = Math.round((column[from] ?? 0) * scale);
  const step = usualStep(column, from, to, scale);
  out.byte(modes.steady);
  out.varint(scale);
  out.signed(first);
  out.signed(step);
  const bytes = out.bytes;
  let at = out.at;
  let before = first;
  for (let index = from + 1; index < to; index++) {
    const whole = Math.round((column[index] ?? 0) * scale);
    const odd = whole - before - step;
    before = whole;
    if (odd >= -64 && odd < 64) bytes[at++] = odd >= 0 ? odd * 2 : -odd * 2 - 1;
    else at = putVarint(bytes, at, odd >= 0 ? odd * 2 : -odd * 2 - 1);
  }
  out.at = at;
}

function takeSteady(input: ByteReader, target: Float64Array, at: number, count: number): void {
  const scale = input.varint();
  let whole = input.signed();
  const step = input.signed();
  const bytes = input.bytes;
  let place = input.at;
  target[at] = whole / scale;
  for (let index = at + 1; index < at + count; index++) {
    const small = bytes[place] ?? 0;
    if (small < 128) {
      place++;
      whole += step + ((small >> 1) ^ -(small & 1));
    } else {
      input.at = place;
      whole += step + input.signed();
      place = input.at;
    }
    target[index] = whole / scale;
  }
  if (place > bytes.length) throw new RangeError('the bytes end too early');
  input.at = place;
}

/** As bodies of the first version hold delays. */
function takeNear(input: ByteReader, target: Float64Array, at: number, count: number): void {
  const scale = input.varint();
  const floor = input.signed();
  for (let index = at; index < at + count; index++) target[index] = (floor + input.varint()) / scale;
}

/** The middle of up to nine steps taken over the whole column. */
function usualStep(column: Float64Array, from: number, to: number, scale: number): number {
  const samples: number[] = [];
  const stride = Math.max(1, Math.floor((to - from - 1) / 9));
  for (let index = from + 1; index < to && samples.length < 9; index += stride)
    samples.push(Math.round((column[index] ?? 0) * scale) - Math.round((column[index - 1] ?? 0) * scale));
  samples.sort((a, b) => a - b);
  return samples[samples.length >> 1] ?? 0;
}

function putPlain(out: ByteWriter, column: Float64Array, from: number, to: number): void {
  const copy = column.slice(from, to);
  out.raw(new Uint8Array(copy.buffer));
}

function takePlain(input: ByteReader, target: Float64Array, at: number, count: number): void {
  target.set(new Float64Array(input.raw(count * 8).slice().buffer), at);
}
