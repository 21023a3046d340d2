/** Observations of one series side by side in typed columns. */
import { flagsKind, kinds } from '../../journal/observation-batch.ts';
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
    this.appendValues(other, from, to);
    const at = this.length - (to - from);
    this.received.set(other.received.subarray(from, to), at);
    this.seq.set(other.seq.subarray(from, to), at);
    const boots = other.boots.words.map((word) => this.boots.number(word));
    for (let row = from; row < to; row++) this.boot[at + row - from] = boots[other.boot[row] ?? 0] ?? 0;
    for (let row = from; row < to; row++)
      if (hasText(other.flags[row] ?? 0))
        this.textAt[at + row - from] = this.texts.push(other.textOf(row)) - 1;
  }

  /** The same of time, flags, reason and value alone. */
  appendValues(other: Columns, from: number, to: number): void {
    if (to <= from) return;
    this.reserve(to - from);
    this.taken.set(other.taken.subarray(from, to), this.length);
    this.value.set(other.value.subarray(from, to), this.length);
    this.flags.set(other.flags.subarray(from, to), this.length);
    this.reason.set(other.reason.subarray(from, to), this.length);
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

type Column = Float64Array | Uint32Array | Uint8Array;

function resized<C extends Column>(from: C, to: C): C {
  to.set(from);
  return to;
}

function picked<C extends Column>(from: C, to: C, order: Uint32Array): C {
  for (let row = 0; row < order.length; row++) to[row] = from[order[row] ?? 0] ?? 0;
  return to;
}
