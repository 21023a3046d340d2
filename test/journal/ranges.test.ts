import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  add,
  bounded,
  count,
  endOf,
  has,
  intersection,
  memberFrom,
  minus,
  none,
  parseRanges,
  union,
} from '../../journal/ranges.ts';
import type { Ranges } from '../../journal/types.ts';

const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 40 });
const rangesOf = (members: readonly number[]): Ranges =>
  members.reduce<Ranges>((all, number) => add(all, number, number + 1), none);
const membersOf = (ranges: Ranges): number[] =>
  ranges.flatMap(([from, to]) => Array.from({ length: to - from }, (_, index) => from + index));
const sorted = (members: Iterable<number>): number[] => [...members].toSorted((a, b) => a - b);

const tidy = (ranges: Ranges): boolean =>
  ranges.every(([from, to], index) => from < to && from > (ranges[index - 1]?.[1] ?? -1));

test('ranges hold exactly what was put in, ascending and apart', () => {
  fc.assert(
    fc.property(numbers, (members) => {
      const ranges = rangesOf(members);
      expect(tidy(ranges)).toBe(true);
      expect(membersOf(ranges)).toEqual(sorted(members));
      expect(count(ranges)).toBe(members.length);
    }),
  );
});

test('union, difference and intersection are those of sets', () => {
  fc.assert(
    fc.property(numbers, numbers, (left, right) => {
      const [a, b] = [new Set(left), new Set(right)];
      const [ranges, others] = [rangesOf(left), rangesOf(right)];
      for (const [made, wanted] of [
        [union(ranges, others), a.union(b)],
        [minus(ranges, others), a.difference(b)],
        [intersection(ranges, others), a.intersection(b)],
      ] as const) {
        expect(tidy(made)).toBe(true);
        expect(membersOf(made)).toEqual(sorted(wanted));
      }
    }),
  );
});

test('members are found from any number', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 0, max: 70 }), (members, from) => {
      const ranges = rangesOf(members);
      const all = sorted(members);
      expect(has(ranges, from)).toBe(members.includes(from));
      expect(memberFrom(ranges, from)).toBe(all.find((number) => number >= from));
      let end = from;
      while (members.includes(end)) end++;
      expect(endOf(ranges, from)).toBe(end);
    }),
  );
});

test('a bounded set is never larger than the bound and never says more than the set', () => {
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 6 }), (members, most) => {
      const ranges = rangesOf(members);
      const less = bounded(ranges, most);
      expect(less.length).toBe(Math.min(most, ranges.length));
      expect(tidy(less)).toBe(true);
      expect(minus(less, ranges)).toEqual(none);
    }),
  );
});

test('ranges read from a file are checked and made a set again', () => {
  fc.assert(
    fc.property(numbers, (members) => {
      const ranges = rangesOf(members);
      expect(parseRanges(JSON.parse(JSON.stringify(ranges)))).toEqual(ranges);
    }),
  );
  expect(parseRanges([[5, 9], [1, 6]])).toEqual([[1, 9]]); // prettier-ignore
  for (const wrong of [undefined, 3, [3], [[1]], [[1, '2']], [[1.5, 2]], [[0, 1, 2]]]) {
    expect(parseRanges(wrong)).toBeUndefined();
  }
});
