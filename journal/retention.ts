/** Which segments may go, which must, and what is lost with them. Pure: the keeper acts. */
import { inWritingOrder } from './format.ts';
import type { KeptFrame } from './messages.ts';
import { count, has, intersection, minus } from './ranges.ts';
import type { Segment } from './segment-files.ts';
import type { SinkBook } from './sink-book.ts';
import type { JournalLoss, Ranges } from './types.ts';

/** Closed segments of one class, in writing order, that the next start does not need for its snapshot. */
export function spare(segments: readonly Segment[]): Segment[] {
  const newest = segments.findLast((segment) => segment.snapshot !== 'missing' && count(segment.present) > 0);
  if (!newest) return [];
  return segments.filter(
    (segment) =>
      !segment.open &&
      inWritingOrder(segment.name, newest.name) < 0 &&
      (newest.snapshot === 'none' || (segment.present.at(-1)?.[1] ?? 0) <= newest.recoverFrom),
  );
}

const byAge = (segments: readonly Segment[]): Segment[] =>
  segments.toSorted((a, b) => a.lastAtMs - b.lastAtMs || inWritingOrder(a.name, b.name));

/**
 * The next to go when the bound is reached: oldest delivered first, then oldest undelivered; what the next start
 * recovers from goes last of all. Undefined when only segments being filled are left.
 */
export function victimOf(classes: readonly (readonly Segment[])[], book: SinkBook): Segment | undefined {
  const free = byAge(classes.flatMap(spare));
  const closed = byAge(classes.flat().filter((segment) => !segment.open));
  return free.find((segment) => !book.need(segment.name.klass, segment.present)) ?? free[0] ?? closed[0];
}

/** What goes undelivered with a segment, parted into stretches that the same sinks still need. */
export function lossesWith(segment: Segment, frames: readonly KeptFrame[], book: SinkBook): JournalLoss[] {
  const { klass } = segment.name;
  const needs = book
    .of(klass)
    .map(({ id }) => [id, minus(segment.present, book.delivered(id, klass))] as const);
  const cuts = [...new Set(needs.flatMap(([, ranges]) => ranges.flat()))].toSorted((a, b) => a - b);
  return cuts.slice(1).flatMap((to, index) => {
    const from = cuts[index] ?? to;
    const sinks = needs.filter(([, ranges]) => has(ranges, from)).map(([id]) => id);
    const range: Ranges = intersection(segment.present, [[from, to]]);
    const inside = frames.filter(({ number }) => has(range, number));
    if (sinks.length === 0 || inside.length === 0) return [];
    return [{ klass, fromNumber: from, toNumber: to, ...contentOf(inside), why: 'bound' as const, sinks }];
  });
}

const contentOf = (
  frames: readonly KeptFrame[],
): Pick<JournalLoss, 'messages' | 'observations' | 'firstAtMs' | 'lastAtMs'> => ({
  messages: frames.reduce((sum, { facts }) => sum + facts.messages, 0),
  observations: frames.reduce((sum, { facts }) => sum + facts.observations, 0),
  firstAtMs: Math.min(...frames.map(({ facts }) => facts.firstAtMs)),
  lastAtMs: Math.max(...frames.map(({ facts }) => facts.lastAtMs)),
});
