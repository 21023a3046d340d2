import type { Ranges } from './types.ts';

/**
 * Sets of batch numbers as half-open ranges, ascending, apart and never empty. All functions are pure; a set of a
 * sink stays small, because what is delivered grows together.
 */
export const none: Ranges = [];

export const has = (ranges: Ranges, number: number): boolean => endOf(ranges, number) > number;

/** End of the range that holds `number`, or `number` itself when none does. */
export function endOf(ranges: Ranges, number: number): number {
  const at = firstEndingAfter(ranges, number);
  const range = ranges[at];
  return range && range[0] <= number ? range[1] : number;
}

/** The smallest member at or above `number`; undefined when there is none. */
export function memberFrom(ranges: Ranges, number: number): number | undefined {
  const range = ranges[firstEndingAfter(ranges, number)];
  return range && Math.max(range[0], number);
}

export const count = (ranges: Ranges): number => ranges.reduce((sum, [from, to]) => sum + to - from, 0);

export const add = (ranges: Ranges, from: number, to: number): Ranges =>
  from >= to ? ranges : union(ranges, [[from, to]]);

export function union(left: Ranges, right: Ranges): Ranges {
  if (right.length === 0) return left;
  const last = left.at(-1);
  const only = right.length === 1 ? right[0] : undefined;
  // The common case by far: the next number behind the last range.
  if (only && last && only[0] === last[1]) return [...left.slice(0, -1), [last[0], only[1]]];
  const sorted = [...left, ...right].toSorted((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const open = joined.at(-1);
    if (from >= to) continue;
    if (open && from <= open[1]) open[1] = Math.max(open[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

export function minus(left: Ranges, right: Ranges): Ranges {
  if (right.length === 0) return left;
  const rest: (readonly [number, number])[] = [];
  let at = 0;
  for (const [from, to] of left) {
    let begin = from;
    while ((right[at]?.[1] ?? Infinity) <= begin) at++;
    for (let next = at; begin < to; next++) {
      const cut = right[next];
      if (!cut || cut[0] >= to) {
        rest.push([begin, to]);
        break;
      }
      if (cut[0] > begin) rest.push([begin, cut[0]]);
      begin = Math.max(begin, cut[1]);
    }
  }
  return rest;
}

export const intersection = (left: Ranges, right: Ranges): Ranges => minus(left, minus(left, right));

/** At most `most` ranges: the shortest are left out, so of a set of delivered numbers too little is said, never too much. */
export function bounded(ranges: Ranges, most: number): Ranges {
  if (ranges.length <= most) return ranges;
  const longest = ranges.toSorted((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, most);
  return longest.toSorted((a, b) => a[0] - b[0]);
}

/** What came from a file or from another thread, made a set again; undefined when it is none. */
export function parseRanges(value: unknown): Ranges | undefined {
  if (!Array.isArray(value)) return undefined;
  const pairs: [number, number][] = [];
  for (const pair of value as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    const [from, to] = pair as unknown[];
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return undefined;
    pairs.push([from as number, to as number]);
  }
  return union(none, pairs);
}

function firstEndingAfter(ranges: Ranges, number: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[middle]?.[1] ?? Infinity) > number) high = middle;
    else low = middle + 1;
  }
  return low;
}
