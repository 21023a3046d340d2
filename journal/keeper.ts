/**
 * Knows every segment of the folder: what it holds, which sinks still need it, and when it may go. Lives in the
 * lanes' thread. Positions of sinks and the record of deletions are one small file, replaced as a whole.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue, CatalogueSegment } from './catalogue.ts';
import type { Committed } from './class-writer.ts';
import { syncFolder } from './files.ts';
import { inWritingOrder, parseSegmentFile, segmentHeaderBytes } from './format.ts';
import type { KeptFrame, OpenedSegment } from './messages.ts';
import { writePositions, type KnownSink, type ReadPositions } from './positions.ts';
import { add, count, has, minus, none, union } from './ranges.ts';
import { lossesWith, nextStep, spare, staysThinned, type Going } from './retention.ts';
import { SegmentFiles, type Segment } from './segment-files.ts';
import { SinkBook } from './sink-book.ts';
import { rewriteSegment } from './thinning.ts';
import {
  givenUpOrder,
  journalClasses,
  type BodyFacts,
  type JournalClass,
  type JournalLoss,
  type JournalStat,
  type Ranges,
  type SinkSpec,
} from './types.ts';

export interface Entry {
  readonly number: number;
  readonly facts: BodyFacts;
  readonly length: number;
}

export interface KeeperOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly classBytes: Partial<Record<JournalClass, number>>;
  readonly segmentBytes: number;
  readonly lost: (loss: JournalLoss) => void;
  readonly faulty: (error: unknown) => void;
}

type PerClass<T> = Record<JournalClass, T>;
const perClass = <T>(make: (klass: JournalClass) => T): PerClass<T> =>
  Object.fromEntries(journalClasses.map((klass) => [klass, make(klass)])) as PerClass<T>;

export class Keeper {
  private readonly options: KeeperOptions;
  private readonly segments: PerClass<Segment[]>;
  private readonly files: SegmentFiles;
  private gone: PerClass<Ranges>;
  private deleting: readonly string[] = [];
  private unsaved = false;
  private failing = false;
  readonly present: PerClass<Ranges>;
  readonly next: PerClass<number>;
  readonly book: SinkBook;

  constructor(options: KeeperOptions, read: Catalogue, positions: ReadPositions) {
    this.options = options;
    this.files = new SegmentFiles(options.folder, options.faulty);
    this.unsaved = positions.fault !== undefined;
    this.gone = perClass((klass) => positions.gone[klass] ?? none);
    this.book = new SinkBook(positions.sinks);
    this.segments = perClass((klass) =>
      read.classes[klass].segments
        .filter(({ file }) => !positions.deleting.includes(file))
        .map((segment) => found(segment))
        .map((segment) =>
          positions.thinned.includes(segment.file)
            ? { ...segment, thinned: true, present: minus(segment.present, this.gone[klass]) }
            : segment,
        ),
    );
    this.present = perClass((klass) =>
      this.segments[klass].reduce<Ranges>((all, segment) => union(all, segment.present), none),
    );
    this.next = perClass((klass) => read.classes[klass].next.next);
    for (const klass of journalClasses) {
      this.neverConfirmed(klass, minus(read.classes[klass].doubtful, this.present[klass]));
    }
    for (const file of positions.deleting) rmSync(join(options.folder, file), { force: true });
  }

  /** The caller was told of these and need not be told again. */
  account(losses: readonly JournalLoss[]): void {
    for (const { klass, fromNumber, toNumber } of losses) {
      this.gone[klass] = add(this.gone[klass], fromNumber, toNumber);
      this.unsaved = true;
    }
  }

  /** The segments that say so may go before the numbers are looked for again. */
  private neverConfirmed(klass: JournalClass, ranges: Ranges): void {
    const all = ranges.reduce<Ranges>((gone, [from, to]) => add(gone, from, to), this.gone[klass]);
    if (count(all) === count(this.gone[klass])) return;
    this.gone[klass] = all;
    this.unsaved = true;
  }

  undelivered(klass: JournalClass, sink: KnownSink): Ranges {
    return sink.classes.includes(klass) ? minus(this.present[klass], sink.delivered[klass] ?? none) : none;
  }

  joined(spec: SinkSpec): void {
    this.book.joined({ id: spec.id, classes: spec.classes, delivered: spec.delivered });
    this.unsaved = true;
  }

  forget(sink: string): void {
    if (this.book.forget(sink)) this.unsaved = true;
    this.tidy();
  }

  delivered(id: string, klass: JournalClass, ranges: Ranges): void {
    if (this.book.deliver(id, klass, ranges)) this.unsaved = true;
  }

  /** A writer says what it fills. What this thread has not heard of, having begun later, is read from the file. */
  opened(klass: JournalClass, opened: OpenedSegment): void {
    const { file, snapshot, recoverFrom, bytes } = opened;
    const name = parseSegmentFile(file);
    if (!name) return;
    this.neverConfirmed(klass, [opened.doubtful]);
    const known = this.segments[klass].find((segment) => segment.file === file);
    const segment: Segment = {
      file,
      name,
      bytes,
      open: true,
      present: none,
      snapshot,
      snapshotOffset: snapshot === 'present' ? segmentHeaderBytes : undefined,
      recoverFrom,
      lastAtMs: 0,
      thinned: false,
    };
    const all = this.segments[klass].filter((other) => other !== known);
    this.segments[klass] = [...all, segment].toSorted((a, b) => inWritingOrder(a.name, b.name));
    this.files.forget(file);
    const frames = this.files.framesOf(segment);
    if (frames.length > 0) this.kept(klass, { file, bytes, frames: [...frames] });
  }

  kept(klass: JournalClass, { file, bytes, frames }: Pick<Committed, 'file' | 'bytes' | 'frames'>): void {
    const segment = this.segments[klass].find((known) => known.file === file);
    const from = frames[0]?.number ?? 0;
    if (!segment) return;
    segment.bytes = Math.max(segment.bytes, bytes);
    segment.present = add(segment.present, from, from + frames.length);
    segment.lastAtMs = frames.reduce((last, frame) => Math.max(last, frame.facts.lastAtMs), segment.lastAtMs);
    this.files.grown(segment, frames);
    // A writer given up kept them after all.
    if (has(this.gone[klass], from))
      this.gone[klass] = minus(this.gone[klass], [[from, from + frames.length]]);
    this.present[klass] = add(this.present[klass], from, from + frames.length);
    this.next[klass] = Math.max(this.next[klass], from + frames.length);
  }

  closed(klass: JournalClass, file: string, bytes: number): void {
    const segment = this.segments[klass].find((known) => known.file === file);
    if (!segment) return;
    segment.open = false;
    segment.bytes = bytes;
    this.tidy();
  }

  /** Its writer died: nothing more comes. */
  abandoned(klass: JournalClass, file: string): void {
    const segment = this.segments[klass].find((known) => known.file === file);
    if (segment) segment.open = false;
  }

  /** Facts of a batch without its body. */
  entry(klass: JournalClass, number: number): Entry | undefined {
    const segment = this.segmentOf(klass, number);
    if (!segment) return undefined;
    return this.now(() => this.files.frameOf(segment, number));
  }

  /**
   * Reads a batch from disk. A damaged one is told, taken out of what is there, and undefined; `later`: the system
   * is short of something, and it may be asked for again.
   */
  read(
    klass: JournalClass,
    number: number,
  ): { readonly body: Uint8Array; readonly facts: BodyFacts } | 'later' | undefined {
    const segment = this.segmentOf(klass, number);
    if (!segment) return undefined;
    const found = this.now(() => {
      const frame = this.files.frameOf(segment, number);
      return { frame, body: frame && this.files.readFrame(segment.file, frame) };
    });
    if (!found) return 'later';
    const { frame, body } = found;
    if (body && frame) return { body, facts: frame.facts };
    this.tellDamaged(segment, number, frame?.facts);
    return undefined;
  }

  private tellDamaged(segment: Segment, number: number, facts: BodyFacts = unknownFacts): void {
    const { klass } = segment.name;
    const range: Ranges = [[number, number + 1]];
    const sinks = this.book.lacking(klass, range);
    segment.present = minus(segment.present, range);
    this.present[klass] = minus(this.present[klass], range);
    const loss: JournalLoss = {
      klass,
      fromNumber: number,
      toNumber: number + 1,
      ...facts,
      why: 'corrupt',
      sinks,
    };
    this.account([loss]);
    this.options.lost(loss);
  }

  /** Undefined when the system is short of something; the files have told it. */
  private now<T>(use: () => T): T | undefined {
    try {
      return use();
    } catch {
      return undefined;
    }
  }

  /** The newest readable snapshot of a class and where the bodies after it begin. */
  recoverPoint(klass: JournalClass): { readonly snapshot: Uint8Array | undefined; readonly from: number } {
    for (const segment of this.segments[klass].toReversed()) {
      if (segment.snapshotOffset === undefined) continue;
      const at = { offset: segment.snapshotOffset, number: -1 };
      const snapshot = this.now(() => this.files.readFrame(segment.file, at));
      if (snapshot) return { snapshot, from: segment.recoverFrom };
    }
    return { snapshot: undefined, from: 0 };
  }

  get bytes(): number {
    return journalClasses.reduce((sum, klass) => sum + this.bytesOf(klass), 0);
  }
  bytesOf(klass: JournalClass): number {
    return this.segments[klass].reduce((sum, segment) => sum + segment.bytes, 0);
  }
  segmentsOf(klass: JournalClass): number {
    return this.segments[klass].length;
  }

  /** Takes away what nobody needs, then what the bound demands. */
  tidy(): void {
    const free = journalClasses.flatMap((klass) =>
      this.book.of(klass).length === 0
        ? []
        : spare(this.segments[klass]).filter(({ present }) => !this.book.need(klass, present)),
    );
    this.remove(free);
    for (const klass of givenUpOrder) {
      while (this.shareOf(klass) > 1) if (!this.makeRoom([klass])) break;
    }
    while (this.shareOf('all') > 1) if (!this.makeRoom(givenUpOrder)) return;
  }

  /** The bound nearest to being reached. */
  get fullest(): JournalStat['fullest'] {
    return (['all', ...givenUpOrder] as const)
      .map((of) => ({ share: this.shareOf(of), of }))
      .reduce((most, one) => (one.share > most.share ? one : most));
  }

  /** Room in use of a bound, with what the segments now being filled may still take; 0 without a bound. */
  private shareOf(of: JournalClass | 'all'): number {
    const { maxBytes, classBytes } = this.options;
    const classes: readonly JournalClass[] = of === 'all' ? journalClasses : [of];
    const bound = of === 'all' ? maxBytes : (classBytes[of] ?? Infinity);
    const bytes = classes.reduce((sum, klass) => sum + this.bytesOf(klass) + this.reserve(klass), 0);
    return bytes / bound;
  }

  /** False when there is nothing more to give up. */
  private makeRoom(among: readonly JournalClass[]): boolean {
    const step = nextStep(this.segments, among, this.book);
    if (!step) return false;
    if (step.act === 'thin') this.thin(step.segment);
    else {
      this.tellLost('bound', step.segment, step.segment.present);
      this.remove([step.segment]);
    }
    return true;
  }

  private tellLost(why: Going['why'], segment: Segment, numbers: Ranges): void {
    const body = (frame: KeptFrame) => this.now(() => this.files.readFrame(segment.file, frame));
    const going = { why, segment, numbers, frames: this.files.framesOf(segment), body };
    lossesWith(going, this.book).forEach(this.options.lost);
  }

  /**
   * Half of what is undelivered goes, and all that is delivered. What goes is on record first: a crash before the file
   * is replaced leaves batches in it that do not count any more. A disk that will not take the copy loses no batch yet.
   */
  private thin(segment: Segment): void {
    const { klass } = segment.name;
    segment.thinned = true;
    const frames = this.now(() => this.files.framesOf(segment)) ?? [];
    const needed = (number: number): boolean => this.book.need(klass, [[number, number + 1]]);
    const stay = frames.filter((frame) => staysThinned(frame) && needed(frame.number));
    const numbers = minus(
      segment.present,
      stay.reduce<Ranges>((all, { number }) => add(all, number, number + 1), none),
    );
    if (stay.length === 0 || numbers.length === 0) return;
    this.tellLost('thinned', segment, numbers);
    for (const [from, to] of numbers) this.gone[klass] = add(this.gone[klass], from, to);
    segment.present = minus(segment.present, numbers);
    this.present[klass] = minus(this.present[klass], numbers);
    this.unsaved = true;
    this.save();
    try {
      segment.bytes = rewriteSegment(this.options.folder, segment.file, frames, stay);
    } catch (error) {
      this.options.faulty(error);
    }
    this.files.forget(segment.file);
  }

  /** Writes positions and deletions if they changed. A failure is told; it costs a repeated delivery at most. */
  save(): void {
    if (!this.unsaved) return;
    try {
      writePositions(this.options.folder, {
        gone: this.gone,
        deleting: this.deleting,
        thinned: this.segments.waveforms.filter(({ thinned }) => thinned).map(({ file }) => file),
        sinks: this.book.all,
      });
      this.unsaved = false;
      this.failing = false;
    } catch (error) {
      if (!this.failing) this.options.faulty(error);
      this.failing = true;
    }
  }

  /** Room that the segment now being filled may still take. */
  private reserve(klass: JournalClass): number {
    const { segmentBytes } = this.options;
    return this.segments[klass].reduce(
      (sum, { open, bytes }) => sum + (open ? Math.max(0, segmentBytes - bytes) : 0),
      0,
    );
  }

  /** The record first, on disk, then the files: a crash between finds the rest to take away, and no loss. */
  private remove(victims: readonly Segment[]): void {
    if (victims.length === 0) return;
    for (const { name, present } of victims) {
      const { klass } = name;
      const all = this.segments[klass];
      const behind = all.find((segment) => inWritingOrder(segment.name, name) > 0);
      const until = Math.max(
        present.at(-1)?.[1] ?? name.first,
        Math.min(behind?.name.first ?? 0, this.next[klass]),
      );
      this.gone[klass] = add(this.gone[klass], name.first, until);
      this.present[klass] = minus(this.present[klass], present);
      this.segments[klass] = all.filter((segment) => segment.name !== name);
    }
    this.deleting = victims.map(({ file }) => file);
    this.unsaved = true;
    this.save();
    try {
      for (const { file } of victims) {
        this.files.forget(file);
        rmSync(join(this.options.folder, file), { force: true });
      }
      syncFolder(this.options.folder);
      this.deleting = [];
    } catch (error) {
      this.options.faulty(error);
    }
  }

  private segmentOf(klass: JournalClass, number: number): Segment | undefined {
    return this.segments[klass].findLast((segment) => has(segment.present, number));
  }
}

const unknownFacts: BodyFacts = { messages: 0, observations: 0, firstAtMs: 0, lastAtMs: 0 };

const found = (segment: CatalogueSegment): Segment => ({
  file: segment.file,
  name: segment.name,
  bytes: segment.bytes,
  open: false,
  present: segment.present,
  snapshot: segment.header?.snapshot ?? (segment.snapshot ? 'present' : 'missing'),
  snapshotOffset: segment.snapshot?.whole ? segment.snapshot.offset : undefined,
  recoverFrom: segment.header?.recoverFrom ?? 0,
  thinned: false,
  lastAtMs: Math.max(0, ...segment.frames.map((frame) => frame.header.facts.lastAtMs)),
});
