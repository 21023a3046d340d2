/** Which segments may go, which must, and what is lost with them. Pure: the keeper acts. */
import { Contents } from './content.ts';
import { inWritingOrder } from './format.ts';
import type { KeptFrame } from './messages.ts';
import { count, has, intersection, minus } from './ranges.ts';
import type { Segment } from './segment-files.ts';
import type { SinkBook } from './sink-book.ts';
import type { JournalClass, JournalLoss, Ranges } from './types.ts';

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

export type Step = { readonly act: 'thin' | 'remove'; readonly segment: Segment };

/**
 * What is done next for room, among these classes: delivered segments go first; then waveforms are thinned, the oldest
 * first; then undelivered ones go in the order of the classes; what the next start recovers from goes last of all.
 * Undefined when only segments being filled are left.
 */
export function nextStep(
  classes: Readonly<Record<JournalClass, readonly Segment[]>>,
  among: readonly JournalClass[],
  book: SinkBook,
): Step | undefined {
  const free = Object.fromEntries(among.map((klass) => [klass, spare(classes[klass])])) as Partial<
    Record<JournalClass, Segment[]>
  >;
  const delivered = byAge(Object.values(free).flat()).find(
    (segment) => !book.need(segment.name.klass, segment.present),
  );
  if (delivered) return { act: 'remove', segment: delivered };
  const whole = byAge(free.waveforms ?? []).find((segment) => !segment.thinned);
  if (whole) return { act: 'thin', segment: whole };
  const closed = among.flatMap((klass) => byAge(classes[klass].filter((segment) => !segment.open)));
  const segment = among.flatMap((klass) => byAge(free[klass] ?? []))[0] ?? closed[0];
  return segment && { act: 'remove', segment };
}

/** As long as a strip that is read by eye. */
const stretchMs = 10_000;

/** Of undelivered waveforms every second stretch stays: half of the room, and whole strips of every device. */
export const staysThinned = ({ facts }: KeptFrame): boolean =>
  Math.floor(facts.firstAtMs / stretchMs) % 2 === 0;

export interface Going {
  readonly why: 'bound' | 'thinned';
  readonly segment: Segment;
  /** All of these numbers go. */
  readonly numbers: Ranges;
  readonly frames: readonly KeptFrame[];
  readonly body: (frame: KeptFrame) => Uint8Array | undefined;
}

/** What goes undelivered with these batches of a segment, parted into stretches that the same sinks still need. */
export function lossesWith({ why, segment, numbers, frames, body }: Going, book: SinkBook): JournalLoss[] {
  const { klass } = segment.name;
  const going = intersection(segment.present, numbers);
  const needs = book.of(klass).map(({ id }) => [id, minus(going, book.delivered(id, klass))] as const);
  const cuts = [...new Set(needs.flatMap(([, ranges]) => ranges.flat()))].toSorted((a, b) => a - b);
  return cuts.slice(1).flatMap((to, index) => {
    const from = cuts[index] ?? to;
    const sinks = needs.filter(([, ranges]) => has(ranges, from)).map(([id]) => id);
    const range: Ranges = intersection(going, [[from, to]]);
    const inside = frames.filter(({ number }) => has(range, number));
    if (sinks.length === 0 || inside.length === 0) return [];
    const devices = new Contents();
    for (const frame of inside) {
      const bytes = body(frame);
      if (bytes) devices.add(bytes);
    }
    const stretch = { klass, fromNumber: from, toNumber: to, ...contentOf(inside) };
    return [{ ...stretch, why, sinks, devices: devices.all }];
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
