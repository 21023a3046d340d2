/**
 * Growing bytes and number columns of the embedded store. Little-endian. A column of numbers is kept as whole steps
 * of 1, 0.1, 0.01 or 0.001 when that gives every number back exactly, else as it is.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class ByteWriter {
  bytes = new Uint8Array(1 << 16);
  at = 0;

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.at++] = value;
  }

  /** An unsigned whole number up to 2^53. */
  varint(value: number): void {
    this.reserve(8);
    this.at = putVarint(this.bytes, this.at, value);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  text(text: string): void {
    const bytes = encoder.encode(text);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  written(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new RangeError('the bytes end too early');
    return value;
  }

  varint(): number {
    let value = 0;
    let weight = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * weight;
      if (byte < 128) return value;
      weight *= 128;
    }
  }

  raw(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new RangeError('the bytes end too early');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  text(): string {
    return decoder.decode(this.raw(this.varint()));
  }
}

/** `steady`: near a constant step (times, counters, slow values). `near`: scattered above a floor (delays). */
export type Shape = 'steady' | 'near';

const modes = { constant: 0, steady: 1, near: 2, plain: 3 } as const;
/** Steps of steps of numbers up to here still fit 53 bits, signed. */
const largest = 2 ** 50;

/** Writes numbers `from` to `to` of a column. */
export function putNumbers(
  out: ByteWriter,
  column: Float64Array,
  range: readonly [number, number],
  shape: Shape,
): void {
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
  } else if (shape === 'steady') putSteady(out, column, range, scale);
  else putNear(out, column, range, scale);
}

/** Reads `count` numbers into `target` from `at`. */
export function takeNumbers(input: ByteReader, target: Float64Array, at: number, count: number): void {
  if (count === 0) return;
  const mode = input.byte();
  if (mode === modes.constant) {
    takePlain(input, target, at, 1);
    target.fill(target[at] ?? 0, at, at + count);
  } else if (mode === modes.plain) takePlain(input, target, at, count);
  else if (mode === modes.steady) takeSteady(input, target, at, count);
  else if (mode === modes.near) takeNear(input, target, at, count);
  else throw new RangeError(`no column has mode ${mode}`);
}

/** A column of bytes; one value all through costs two bytes. */
export function putBytes(out: ByteWriter, column: Uint8Array, from: number, to: number): void {
  const first = column[from] ?? 0;
  let constant = true;
  for (let at = from + 1; constant && at < to; at++) constant = column[at] === first;
  out.byte(constant ? 1 : 0);
  if (constant) out.byte(first);
  else out.raw(column.subarray(from, to));
}

export function takeBytes(input: ByteReader, target: Uint8Array, at: number, count: number): void {
  if (input.byte() === 1) target.fill(input.byte(), at, at + count);
  else target.set(input.raw(count), at);
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
  out.varint(zigzag(first));
  out.varint(zigzag(step));
  const bytes = out.bytes;
  let at = out.at;
  let before = first;
  for (let index = from + 1; index < to; index++) {
    const whole = Math.round((column[index] ?? 0) * scale);
    const odd = whole - before - step;
    before = whole;
    if (odd >= -64 && odd < 64) bytes[at++] = odd >= 0 ? odd * 2 : -odd * 2 - 1;
    else at = putVarint(bytes, at, zigzag(odd));
  }
  out.at = at;
}

function takeSteady(input: ByteReader, target: Float64Array, at: number, count: number): void {
  const scale = input.varint();
  let whole = unzigzag(input.varint());
  const step = unzigzag(input.varint());
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
      whole += step + unzigzag(input.varint());
      place = input.at;
    }
    target[index] = whole / scale;
  }
  if (place > bytes.length) throw new RangeError('the bytes end too early');
  input.at = place;
}

function putNear(
  out: ByteWriter,
  column: Float64Array,
  [from, to]: readonly [number, number],
  scale: number,
): void {
  let least = Infinity;
  for (let index = from; index < to; index++) if ((column[index] ?? 0) < least) least = column[index] ?? 0;
  const floor = Math.round(least * scale);
  out.byte(modes.near);
  out.varint(scale);
  out.varint(zigzag(floor));
  let at = out.at;
  for (let index = from; index < to; index++)
    at = putVarint(out.bytes, at, Math.round((column[index] ?? 0) * scale) - floor);
  out.at = at;
}

function takeNear(input: ByteReader, target: Float64Array, at: number, count: number): void {
  const scale = input.varint();
  const floor = unzigzag(input.varint());
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

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 0x8000_0000) {
    bytes[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  while (rest >= 128) {
    bytes[at++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

const zigzag = (whole: number): number => (whole >= 0 ? whole * 2 : -whole * 2 - 1);
const unzigzag = (code: number): number => (code % 2 === 0 ? code / 2 : -(code + 1) / 2);
