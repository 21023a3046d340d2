/** Observations of one series side by side in typed columns, and their packed form in blocks and chunks. */
import { flagsKind, kinds } from '../../journal/observation-batch.ts';
import { putBytes, putNumbers, takeBytes, takeNumbers, type ByteReader, type ByteWriter } from './bytes.ts';
import type { Corrected } from './types.ts';

/** A text, or [code, system]. */
export type TextValue = string | readonly [string, string];

/** Words that come again and again (boot ids), by number. */
export class Dictionary {
  readonly words: string[] = [];
  private readonly numbers = new Map<string, number>();

  number(word: string): number {
    const known = this.numbers.get(word);
    if (known !== undefined) return known;
    this.numbers.set(word, this.words.length);
    return this.words.push(word) - 1;
  }

  word(number: number): string {
    return this.words[number] ?? '';
  }

  clear(): void {
    this.words.length = 0;
    this.numbers.clear();
  }
}

/** Rows 0 to `length`; every column may be longer than that. */
export class Columns {
  length = 0;
  taken: Float64Array;
  received: Float64Array;
  value: Float64Array;
  seq: Float64Array;
  boot: Uint32Array;
  textAt: Uint32Array;
  flags: Uint8Array;
  reason: Uint8Array;
  readonly boots = new Dictionary();
  readonly texts: TextValue[] = [];
  /** Rows under a correction, laid over them when all else is done. */
  readonly corrected = new Map<number, Corrected>();

  constructor(capacity = 256) {
    this.taken = new Float64Array(capacity);
    this.received = new Float64Array(capacity);
    this.value = new Float64Array(capacity);
    this.seq = new Float64Array(capacity);
    this.boot = new Uint32Array(capacity);
    this.textAt = new Uint32Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.reason = new Uint8Array(capacity);
  }

  clear(): void {
    this.length = 0;
    this.boots.clear();
    this.texts.length = 0;
    this.corrected.clear();
  }

  bootOf(row: number): string {
    return this.boots.word(this.boot[row] ?? 0);
  }

  /** Of a row that has one. */
  textOf(row: number): TextValue {
    return this.texts[this.textAt[row] ?? 0] ?? '';
  }

  /** Makes room for `count` more rows. */
  reserve(count: number): void {
    const need = this.length + count;
    if (need <= this.taken.length) return;
    const size = Math.max(need, this.taken.length * 2);
    this.taken = resized(this.taken, new Float64Array(size));
    this.received = resized(this.received, new Float64Array(size));
    this.value = resized(this.value, new Float64Array(size));
    this.seq = resized(this.seq, new Float64Array(size));
    this.boot = resized(this.boot, new Uint32Array(size));
    this.textAt = resized(this.textAt, new Uint32Array(size));
    this.flags = resized(this.flags, new Uint8Array(size));
    this.reason = resized(this.reason, new Uint8Array(size));
  }

  /** Appends rows `from` to `to` of other columns. */
  append(other: Columns, from: number, to: number): void {
    if (to <= from) return;
    this.reserve(to - from);
    const at = this.length;
    this.taken.set(other.taken.subarray(from, to), at);
    this.received.set(other.received.subarray(from, to), at);
    this.value.set(other.value.subarray(from, to), at);
    this.seq.set(other.seq.subarray(from, to), at);
    this.flags.set(other.flags.subarray(from, to), at);
    this.reason.set(other.reason.subarray(from, to), at);
    const boots = other.boots.words.map((word) => this.boots.number(word));
    for (let row = from; row < to; row++) this.boot[at + row - from] = boots[other.boot[row] ?? 0] ?? 0;
    for (let row = from; row < to; row++)
      if (hasText(other.flags[row] ?? 0))
        this.textAt[at + row - from] = this.texts.push(other.textOf(row)) - 1;
    this.length += to - from;
  }

  /** The first row at or after the instant; the rows must be in order. */
  firstAt(takenAtMs: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.taken[middle] ?? 0) < takenAtMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts rows in order of time, boot and seq and keeps one of equals: a body delivered twice counts once. */
  settle(): void {
    let ordered = true;
    for (let row = 1; ordered && row < this.length; row++) ordered = this.compare(row - 1, row) < 0;
    if (ordered) return;
    const order = new Uint32Array(this.length);
    for (let row = 0; row < order.length; row++) order[row] = row;
    order.sort((a, b) => this.compare(a, b));
    let kept = 1;
    for (let row = 1; row < order.length; row++)
      if (this.compare(order[kept - 1] ?? 0, order[row] ?? 0) !== 0) order[kept++] = order[row] ?? 0;
    this.pick(order.subarray(0, kept));
  }

  /** Negative: row a stands before row b. 0: the same observation. */
  compare(a: number, b: number): number {
    return (
      (this.taken[a] ?? 0) - (this.taken[b] ?? 0) ||
      (this.boot[a] === this.boot[b] ? 0 : compareWords(this.bootOf(a), this.bootOf(b))) ||
      (this.seq[a] ?? 0) - (this.seq[b] ?? 0)
    );
  }

  private pick(order: Uint32Array): void {
    this.taken = picked(this.taken, new Float64Array(order.length), order);
    this.received = picked(this.received, new Float64Array(order.length), order);
    this.value = picked(this.value, new Float64Array(order.length), order);
    this.seq = picked(this.seq, new Float64Array(order.length), order);
    this.boot = picked(this.boot, new Uint32Array(order.length), order);
    this.textAt = picked(this.textAt, new Uint32Array(order.length), order);
    this.flags = picked(this.flags, new Uint8Array(order.length), order);
    this.reason = picked(this.reason, new Uint8Array(order.length), order);
    this.length = order.length;
  }
}

export const compareWords = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const hasText = (flags: number): boolean => flagsKind(flags) >= kinds.code;

let scratch = new Float64Array(4096);

/** Writes rows `from` to `to`, which are in order. `boot` numbers are written as they stand. */
export function putRows(out: ByteWriter, rows: Columns, from: number, to: number): void {
  const count = to - from;
  if (scratch.length < count) scratch = new Float64Array(count * 2);
  out.varint(count);
  putNumbers(out, rows.taken, [from, to], 'steady');
  for (let row = 0; row < count; row++)
    scratch[row] = (rows.received[from + row] ?? 0) - (rows.taken[from + row] ?? 0);
  // The difference of two times is kept only where it gives the second back exactly.
  let exact = true;
  for (let row = 0; exact && row < count; row++)
    exact = (rows.taken[from + row] ?? 0) + (scratch[row] ?? 0) === (rows.received[from + row] ?? 0);
  out.byte(exact ? 1 : 0);
  if (exact) putNumbers(out, scratch, [0, count], 'near');
  else putNumbers(out, rows.received, [from, to], 'steady');
  putNumbers(out, rows.seq, [from, to], 'steady');
  putBytes(out, rows.flags, from, to);
  putBytes(out, rows.reason, from, to);
  for (let row = 0; row < count; row++) scratch[row] = rows.boot[from + row] ?? 0;
  putNumbers(out, scratch, [0, count], 'steady');
  let numbers = 0;
  const texts: TextValue[] = [];
  for (let row = from; row < to; row++) {
    const flags = rows.flags[row] ?? 0;
    if (flagsKind(flags) === kinds.number) scratch[numbers++] = rows.value[row] ?? 0;
    else if (hasText(flags)) texts.push(rows.textOf(row));
  }
  putNumbers(out, scratch, [0, numbers], 'steady');
  if (texts.length > 0) out.text(JSON.stringify(texts));
}

/** Appends the rows written by `putRows`. `boots` are the words its numbers stood for. */
export function takeRows(input: ByteReader, target: Columns, boots: readonly string[]): void {
  const count = input.varint();
  target.reserve(count);
  const at = target.length;
  if (scratch.length < count) scratch = new Float64Array(count * 2);
  takeNumbers(input, target.taken, at, count);
  const exact = input.byte() === 1;
  takeNumbers(input, target.received, at, count);
  if (exact)
    for (let row = at; row < at + count; row++)
      target.received[row] = (target.received[row] ?? 0) + (target.taken[row] ?? 0);
  takeNumbers(input, target.seq, at, count);
  takeBytes(input, target.flags, at, count);
  takeBytes(input, target.reason, at, count);
  takeNumbers(input, scratch, 0, count);
  takeBoots(target, boots, count);
  let numbers = 0;
  let texts = 0;
  for (let row = at; row < at + count; row++) {
    const kind = flagsKind(target.flags[row] ?? 0);
    if (kind === kinds.number) numbers++;
    else if (kind >= kinds.code) texts++;
  }
  takeNumbers(input, scratch, 0, numbers);
  const words = texts > 0 ? (JSON.parse(input.text()) as TextValue[]) : [];
  let number = 0;
  let text = 0;
  for (let row = at; row < at + count; row++) {
    const kind = flagsKind(target.flags[row] ?? 0);
    target.value[row] = kind === kinds.number ? (scratch[number++] ?? 0) : NaN;
    if (kind >= kinds.code) target.textAt[row] = target.texts.push(words[text++] ?? '') - 1;
  }
  target.length += count;
}

function takeBoots(target: Columns, boots: readonly string[], count: number): void {
  let known = -1;
  let number = 0;
  for (let row = 0; row < count; row++) {
    const local = scratch[row] ?? 0;
    if (local !== known) {
      known = local;
      number = target.boots.number(boots[local] ?? '');
    }
    target.boot[target.length + row] = number;
  }
}

type Column = Float64Array | Uint32Array | Uint8Array;

function resized<C extends Column>(from: C, to: C): C {
  to.set(from);
  return to;
}

function picked<C extends Column>(from: C, to: C, order: Uint32Array): C {
  for (let row = 0; row < order.length; row++) to[row] = from[order[row] ?? 0] ?? 0;
  return to;
}
