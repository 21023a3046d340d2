import type { Ranges } from '../../journal/types.ts';

/** A set of batch numbers as half-open ranges, ascending and apart. */
export class RangeSet {
  private ranges: [number, number][] = [];

  constructor(ranges: Ranges = []) {
    for (const [from, to] of ranges) this.add(from, to);
  }

  /** Adds the numbers from `from` to `to`, `to` exclusive. */
  add(from: number, to: number): void {
    if (to <= from) return;
    const { ranges } = this;
    const at = this.firstEndingAt(from);
    let merged: [number, number] = [from, to];
    let gone = 0;
    for (let next = ranges[at]; next && next[0] <= to; next = ranges[at + gone]) {
      merged = [Math.min(merged[0], next[0]), Math.max(merged[1], next[1])];
      gone++;
    }
    ranges.splice(at, gone, merged);
  }

  has(number: number): boolean {
    const range = this.ranges[this.firstEndingAt(number + 1)];
    return range !== undefined && range[0] <= number;
  }

  /** The smallest number from `from` on that is not in the set. */
  firstMissing(from: number): number {
    const range = this.ranges[this.firstEndingAt(from + 1)];
    return range !== undefined && range[0] <= from ? range[1] : from;
  }

  /** One more than the largest number in it. */
  get end(): number {
    return this.ranges.at(-1)?.[1] ?? 0;
  }

  list(): Ranges {
    return this.ranges.map(([from, to]) => [from, to] as const);
  }

  get count(): number {
    return this.ranges.length;
  }

  /** Index of the first range whose end is at or after `number`. */
  private firstEndingAt(number: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle]![1] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
