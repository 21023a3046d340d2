/**
 * What a start finds in the folder: the segments of each class, what of them is whole, and what is missing when the
 * heads, the neighbours and the record of deletions are compared. Reads only.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../model/fault.ts';
import { formatVersion, inWritingOrder, parseSegmentFile, type SegmentName } from './format.ts';
import { emptyHead, parseHeadFile, readHead, type HeadCount } from './head.ts';
import { add, endOf, intersection, minus, none } from './ranges.ts';
import { scanSegment, type Frame, type SegmentScan } from './scan.ts';
import { journalClasses, type JournalClass, type JournalLoss, type Ranges } from './types.ts';

export interface CatalogueSegment extends SegmentScan {
  readonly file: string;
  readonly name: SegmentName;
  readonly bytes: number;
  /** Whole batches that count; what a later segment wrote again is left out. */
  readonly present: Ranges;
  /** Numbers from here on belong to later segments. */
  readonly before: number;
}

export interface ClassCatalogue {
  readonly segments: readonly CatalogueSegment[];
  readonly present: Ranges;
  /** Numbers that were never confirmed. */
  readonly doubtful: Ranges;
  readonly head: HeadCount;
  /** What the next writer goes on from. */
  readonly next: HeadCount;
}

export interface Catalogue {
  readonly epoch: string | undefined;
  readonly classes: Readonly<Record<JournalClass, ClassCatalogue>>;
  readonly heads: readonly string[];
  readonly lastWriter: number;
  readonly clean: boolean;
  readonly faults: readonly Fault[];
}

/** Throws Fault FORMAT_TOO_NEW, or the system's error when the folder cannot be read. */
export function readCatalogue(folder: string, knownEpoch: string | undefined): Catalogue {
  const files = readdirSync(folder);
  const faults: Fault[] = [];
  const names = files
    .flatMap((file) => {
      const name = parseSegmentFile(file);
      return name ? [{ file, name }] : [];
    })
    .toSorted((a, b) => inWritingOrder(a.name, b.name));
  const epoch = knownEpoch ?? names.at(-1)?.name.epoch;
  for (const { file, name } of names) {
    if (name.epoch !== epoch) faults.push(damaged(file, 0, 'of another journal, left alone'));
  }

  const heads = readHeads(folder, files, faults);
  const own = names.filter(({ name }) => name.epoch === epoch);
  if (own.length > 0 && heads.files.length === 0) faults.push(damaged('head', 0, 'missing'));
  const classes = Object.fromEntries(
    journalClasses.map((klass) => {
      const ofClass = own.filter(({ name }) => name.klass === klass);
      const head = heads.counts[klass] ?? emptyHead;
      const found = readClass(folder, ofClass, head, faults);
      return [klass, heads.certain.has(klass) ? withoutUnconfirmed(found) : found];
    }),
  ) as Record<JournalClass, ClassCatalogue>;
  return {
    epoch,
    classes,
    heads: heads.files,
    lastWriter: Math.max(heads.lastWriter, ...names.map(({ name }) => name.writer)),
    clean: heads.closed || (own.length === 0 && heads.files.length === 0),
    faults,
  };
}

function readHeads(
  folder: string,
  files: readonly string[],
  faults: Fault[],
): {
  files: string[];
  lastWriter: number;
  closed: boolean;
  counts: Partial<Record<JournalClass, HeadCount>>;
  /** Classes whose head is whole. */
  certain: ReadonlySet<JournalClass>;
} {
  const heads = files
    .flatMap((file) => {
      const name = parseHeadFile(file);
      return name ? [{ file, ...name }] : [];
    })
    .toSorted((a, b) => a.writer - b.writer || a.serial - b.serial);
  const counts: Partial<Record<JournalClass, HeadCount>> = {};
  const uncertain = new Set<JournalClass>();
  let closed = false;
  for (const { file } of heads) {
    const read = readHead(folder, file);
    if (read.tooNew !== undefined) throw tooNew(file, read.tooNew);
    closed = read.closed;
    for (const klass of read.damaged) {
      faults.push(damaged(file, 0, `head of ${klass}`));
      uncertain.add(klass);
    }
    for (const klass of journalClasses) {
      const count = read.counts[klass];
      if (count && count.next >= (counts[klass]?.next ?? 0)) counts[klass] = count;
    }
  }
  return {
    files: heads.map(({ file }) => file),
    lastWriter: heads.at(-1)?.writer ?? 0,
    closed,
    counts,
    certain: new Set(journalClasses.filter((klass) => counts[klass] && !uncertain.has(klass))),
  };
}

function readClass(
  folder: string,
  files: readonly { readonly file: string; readonly name: SegmentName }[],
  head: HeadCount,
  faults: Fault[],
): ClassCatalogue {
  const segments: CatalogueSegment[] = [];
  let present: Ranges = none;
  let doubtful: Ranges = none;
  let last: Frame | undefined;
  for (const [index, { file, name }] of files.entries()) {
    const scan = readSegment(folder, file);
    if (!scan) {
      faults.push(damaged(file, 0, 'cannot be read'));
      continue;
    }
    if (scan.header && scan.header.version > formatVersion) throw tooNew(file, scan.header.version);
    const next = files[index + 1]?.name;
    const before = next?.first ?? Infinity;
    let own: Ranges = none;
    for (const frame of scan.frames) {
      const { number } = frame.header;
      if (!frame.whole || number < name.first || number >= before) continue;
      own = add(own, number, number + 1);
      if (number >= (last?.header.number ?? 0)) last = frame;
    }
    for (const { fromByte, toByte, cause } of scan.damage) {
      faults.push(damaged(file, fromByte, `${cause}, to byte ${toByte}`));
    }
    if (scan.header) doubtful = add(doubtful, scan.header.doubtfulFrom, scan.header.doubtfulTo);
    segments.push({ ...scan, file, name, bytes: statSync(join(folder, file)).size, present: own, before });
    present = own.reduce<Ranges>((all, [from, to]) => add(all, from, to), present);
  }
  return { segments, present, doubtful, head, next: goesOnFrom(head, last, segments.at(-1)) };
}

/**
 * A batch more than the head says is kept: the segment was synced, the head was not any more. Behind a gap that lies
 * beyond the head, a torn group of batches that nobody was told of: none of it counts, and its numbers are used again.
 */
function withoutUnconfirmed(found: ClassCatalogue): ClassCatalogue {
  const { head, present } = found;
  const end = Math.max(head.next, endOf(present, head.next));
  if ((present.at(-1)?.[1] ?? 0) <= end) return found;
  const counts = (ranges: Ranges): Ranges => intersection(ranges, [[0, end]]);
  const segments = found.segments.map((segment) => ({ ...segment, present: counts(segment.present) }));
  const last = framesIn(found, end - 1, end).findLast(({ whole }) => whole);
  return { ...found, segments, present: counts(present), next: goesOnFrom(head, last, segments.at(-1)) };
}

function goesOnFrom(
  head: HeadCount,
  last: Frame | undefined,
  newest: CatalogueSegment | undefined,
): HeadCount {
  const found = last ? behind(last) : emptyHead;
  const most = found.next > head.next ? found : head;
  // A segment that opened behind numbers of a hung writer and holds nothing yet: they stay reserved.
  const first = newest?.name.first ?? 0;
  return first > most.next ? { ...most, next: first } : most;
}

export const behind = ({ header }: Frame): HeadCount => ({
  next: header.number + 1,
  messages: header.messagesBefore + header.facts.messages,
  observations: header.observationsBefore + header.facts.observations,
  lastAtMs: header.facts.lastAtMs,
});

export function readSegment(folder: string, file: string): SegmentScan | undefined {
  try {
    return scanSegment(readFileSync(join(folder, file)), file);
  } catch {
    return undefined;
  }
}

/**
 * The losses of a class: what was confirmed and is neither there nor accounted for. `accounted` holds what was
 * deleted on purpose or told before; undefined when that is not known. Sinks are filled in by the caller.
 */
export function missingOf(
  klass: JournalClass,
  found: ClassCatalogue,
  accounted: Ranges | undefined,
): Omit<JournalLoss, 'sinks'>[] {
  const from = accounted ? 0 : (found.segments[0]?.name.first ?? found.head.next);
  const expected = add(none, from, Math.max(found.head.next, found.present.at(-1)?.[1] ?? 0));
  const missing = minus(minus(minus(expected, found.present), accounted ?? none), found.doubtful);
  return missing
    .flatMap((range) => splitByCause(found, range))
    .map(([why, ...range]) => ({
      klass,
      fromNumber: range[0],
      toNumber: range[1],
      ...contentOf(found, range),
      why,
    }));
}

/** A gap inside a segment that shows damage is corrupt; a gap where no segment is, or a short one, is missing. */
function splitByCause(
  found: ClassCatalogue,
  [from, to]: readonly [number, number],
): ['corrupt' | 'missing', number, number][] {
  const parts: ['corrupt' | 'missing', number, number][] = [];
  let rest: Ranges = [[from, to]];
  for (const segment of found.segments) {
    if (!segment.damage.some(({ cause }) => cause !== 'header')) continue;
    const end = Math.min(segment.before, lastNumberWithin(found, segment) + 1);
    const here = intersection(rest, add(none, segment.name.first, end));
    rest = minus(rest, here);
    parts.push(...here.map(([a, b]) => ['corrupt', a, b] as ['corrupt', number, number]));
  }
  parts.push(...rest.map(([a, b]) => ['missing', a, b] as ['missing', number, number]));
  return parts.toSorted((a, b) => a[1] - b[1]);
}

/** How far a damaged segment can have reached: to its next neighbour, or to the head when it is the last. */
const lastNumberWithin = (found: ClassCatalogue, segment: CatalogueSegment): number =>
  segment.before === Infinity ? found.head.next - 1 : segment.before - 1;

/** Exact from the headers of the batches themselves, or from the running sums on both sides of the gap. */
function contentOf(
  found: ClassCatalogue,
  [from, to]: readonly [number, number],
): Pick<JournalLoss, 'messages' | 'observations' | 'firstAtMs' | 'lastAtMs'> {
  const before = sumsAt(found, from);
  const after = sumsAt(found, to);
  const known = before !== undefined && after !== undefined;
  const inside = framesIn(found, from, to);
  const exact = inside.length === to - from;
  return {
    messages: known ? after.messages - before.messages : sum(inside, 'messages'),
    observations: known ? after.observations - before.observations : sum(inside, 'observations'),
    firstAtMs: exact
      ? Math.min(...inside.map((frame) => frame.header.facts.firstAtMs))
      : (before?.atMs ?? after?.atMs ?? 0),
    lastAtMs: exact
      ? Math.max(...inside.map((frame) => frame.header.facts.lastAtMs))
      : (after?.atMs ?? before?.atMs ?? 0),
  };
}

const sum = (frames: readonly Frame[], what: 'messages' | 'observations'): number =>
  frames.reduce((total, frame) => total + frame.header.facts[what], 0);

const framesIn = (found: ClassCatalogue, from: number, to: number): Frame[] =>
  found.segments.flatMap((segment) =>
    segment.frames.filter(
      ({ header: { number } }) => number >= from && number < to && number < segment.before,
    ),
  );

interface Sums {
  readonly messages: number;
  readonly observations: number;
  /** Receipt nearest to the place; 0 when not known. */
  readonly atMs: number;
}

/** The running sums before batch `number`, from whichever of its neighbours is readable. */
function sumsAt(found: ClassCatalogue, number: number): Sums | undefined {
  if (number === 0) return { messages: 0, observations: 0, atMs: 0 };
  const [own] = framesIn(found, number, number + 1);
  if (own) {
    const { messagesBefore, observationsBefore, facts } = own.header;
    return { messages: messagesBefore, observations: observationsBefore, atMs: facts.firstAtMs };
  }
  const [previous] = framesIn(found, number - 1, number);
  if (previous) return sumsOf(behind(previous));
  if (number === found.head.next) return sumsOf(found.head);
  const header = found.segments.find((segment) => segment.name.first === number)?.header;
  return (
    header &&
    sumsOf({
      messages: header.messagesBefore,
      observations: header.observationsBefore,
      lastAtMs: header.lastAtMsBefore,
    })
  );
}

const sumsOf = ({ messages, observations, lastAtMs }: Omit<HeadCount, 'next'>): Sums => ({
  messages,
  observations,
  atMs: Number.isFinite(lastAtMs) ? lastAtMs : 0,
});

const damaged = (segment: string, offset: number, cause: string): Fault =>
  new Fault('JOURNAL_CORRUPT', { segment, offset, cause });

const tooNew = (what: string, found: number): Fault =>
  new Fault('FORMAT_TOO_NEW', { what, found, known: formatVersion });
