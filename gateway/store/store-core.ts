/**
 * The embedded store itself, without thread or timers: takes batches, writes, compacts, deletes what is too old and
 * answers. Its worker feeds it and says when.
 */
import { join } from 'node:path';
import { Fault } from '../../model/fault.ts';
import type { JournalClass, Ranges } from '../../journal/types.ts';
import { add, has } from '../../journal/ranges.ts';
import { readObservationBatch, isObservationBatch } from '../../journal/observation-batch.ts';
import { Compaction } from './compact.ts';
import { CorrectionBook } from './corrections.ts';
import { flushHead } from './flush.ts';
import { Head } from './head.ts';
import type {
  AggregateColumns,
  HistorianAlive,
  HistorianSettings,
  RowColumns,
} from './historian-protocol.ts';
import { DamageTally, type Damaged } from './damage.ts';
import { Expiry } from './expire.ts';
import { aggregate, type AggregateAsk } from './figures.ts';
import { linesOf, type LineAsk } from './lines.ts';
import { clampLimit, correct, latest, range, type Breathe } from './queries.ts';
import { SeriesBook } from './series-book.ts';
import { causeOf } from './sqlite.ts';
import { StoreFile } from './store-file.ts';
import { noProgress, Witness, type Progress } from './witness.ts';
import type { Correction, KeptCorrection, LinePage, SeriesSpan } from './types.ts';

const mostTextChars = 4_000_000;
const cacheKib = 2_048;
const checkUpToBytes = 256 * 1024 * 1024;
const shrinkPages = 200;
/** Free pages (4 KiB) the file may keep for the next blocks. */
const sparePages = 64;

export class StoreCore {
  private readonly settings: HistorianSettings;
  private readonly told: (fault: Fault) => void;
  private readonly file: StoreFile;
  private readonly book = new SeriesBook();
  private readonly people: CorrectionBook;
  private readonly head: Head;
  private readonly delivered: Map<JournalClass, Ranges>;
  /** Delivered, and what the head holds beside. */
  private readonly takenBatches = new Map<JournalClass, Ranges>();
  /** Batches were taken since the last write, if only ones without observations. */
  unwritten = false;
  private readonly witness: Witness;
  private progress: Progress;
  private compaction: Compaction | undefined;
  private readonly expiry: Expiry;
  private stored: number;
  private newestAtMs = 0;

  constructor(settings: HistorianSettings, nowMs: number, told: (fault: Fault) => void) {
    this.settings = settings;
    this.told = told;
    this.file = new StoreFile({
      path: join(settings.folder, 'historian.db'),
      cacheKib,
      checkUpToBytes,
      nowMs,
    });
    this.people = new CorrectionBook(
      { path: join(settings.folder, 'corrections.db'), checkUpToBytes, nowMs },
      settings.corrections,
    );
    for (const damage of [this.file.damage, this.people.damage]) if (damage) told(damage);
    this.witness = new Witness(join(settings.folder, 'historian.progress'));
    if (this.file.damage) this.witness.write(noProgress);
    const unread = this.file.meta('progress') === undefined ? noProgress : this.witness.read();
    this.progress = this.file.sealed<Progress>('progress') ?? unread;
    this.tellDamage([...this.file.loadBook(this.book), ...this.people.broken]);
    this.head = new Head(settings.headObservations);
    this.delivered = this.file.loadDelivered(settings.epoch);
    for (const [klass, ranges] of this.delivered) this.takenBatches.set(klass, ranges);
    this.stored = this.file.count();
    this.expiry = new Expiry(this.file, this.book, settings.retention);
  }

  /** Whether the body can be taken without writing first; an empty head takes any. */
  fits(observations: number): boolean {
    const { head } = this;
    const room = head.length + observations <= head.capacity && head.textChars < mostTextChars;
    return head.length === 0 || room;
  }

  get waiting(): number {
    return this.head.length;
  }

  /** Takes a batch into memory: from then on queries find it. A batch that is stored already is left out. */
  append(klass: JournalClass, number: number, body: Uint8Array): void {
    const taken = this.takenBatches.get(klass) ?? [];
    // What comes again is confirmed again with the next write.
    this.unwritten = true;
    if (has(taken, number)) return;
    if (isObservationBatch(body)) {
      this.take(klass, number, body);
    }
    this.takenBatches.set(klass, add(taken, number, number + 1));
  }

  /** Writes what is in memory. When it throws, it is still there. */
  flush(): void {
    const { flushes, observations: before } = this.progress;
    const { blocks, observations, progress } = flushHead(this.file, this.book, this.head, {
      delivered: this.takenBatches,
      progress: { flushes: flushes + 1, observations: before, atMs: this.newestAtMs },
    });
    this.file.blocks.push(...blocks);
    this.stored += observations;
    this.progress = progress;
    // Until it is on disk nothing is called delivered; it is tried again with an empty head.
    this.unwritten = true;
    this.witness.write(progress);
    this.unwritten = false;
    for (const [klass, ranges] of this.takenBatches) this.delivered.set(klass, ranges);
  }

  /** Takes chunks that were found damaged out of the way. */
  setAside(): void {
    const { broken } = this.file;
    if (broken.size === 0) return;
    const chunks = [...broken.values()];
    this.file.write(() => {
      for (const chunk of chunks) this.file.keepAside(chunk);
    });
    for (const { observations } of chunks) this.stored -= observations;
  }

  deliveredRanges(): Partial<Record<JournalClass, Ranges>> {
    return { alarm: [], numerics: [], ...listed(this.delivered) };
  }

  get compactionDue(): boolean {
    if (this.compaction || this.file.compacted.throughBlock > 0) return true;
    const { blocks } = this.file;
    if (blocks.length >= this.settings.compactBlocks) return true;
    return blocks.reduce((sum, block) => sum + block.observations, 0) >= this.settings.compactObservations;
  }

  /** One slice; true when nothing is left. */
  compactStep(): boolean {
    if (!this.compaction && this.file.blocks.length === 0) return true;
    this.compaction ??= new Compaction(this.file, this.book, this.told);
    const { done, doubled } = this.compaction.slice();
    this.stored -= doubled;
    if (done) this.compaction = undefined;
    return done;
  }

  /** Gives some of the room that was freed back to the disk; true when what is left is kept for the next blocks. */
  shrinkStep(): boolean {
    return this.file.shrink(shrinkPages, sparePages);
  }

  /** Deletes some of what is older than its retention; true when nothing is left. */
  expireStep(nowMs: number): boolean {
    const compacting = this.compaction !== undefined || this.file.compacted.throughBlock > 0;
    const before = this.expiry.deleted;
    const done = this.expiry.step(nowMs, compacting ? 'chunks only' : 'with blocks');
    this.stored -= this.expiry.deleted - before;
    if (done) this.expiry.forget(this.head, nowMs);
    return done;
  }

  range(
    ask: { readonly spans: readonly SeriesSpan[]; readonly limit: number; readonly after?: string },
    breathe: Breathe,
  ): Promise<RowColumns> {
    return range(this.sources, { ...ask, limit: clampLimit(ask.limit, this.settings) }, breathe);
  }

  async lines(ask: LineAsk & { readonly limit: number }, breathe: Breathe): Promise<LinePage> {
    return linesOf(await this.range(ask, breathe), ask);
  }

  latest(devices: readonly string[]): RowColumns {
    return latest(this.sources, devices);
  }

  correct(correction: Correction): 'corrected' | 'absent' {
    return correct(this.sources, correction);
  }

  corrections(spans: readonly SeriesSpan[]): readonly KeptCorrection[] {
    return this.people.all(spans);
  }

  aggregate(ask: AggregateAsk, breathe: Breathe): Promise<AggregateColumns> {
    return aggregate(this.sources, ask, { rows: this.settings.aggregateRows, breathe });
  }

  status(): Omit<HistorianAlive, 'writing'> {
    return {
      series: this.book.count,
      stored: this.stored + this.head.length,
      expired: this.expiry.deleted,
      bytes: this.file.bytes(),
      taken: listed(this.takenBatches),
      newestAtMs: this.newestAtMs,
    };
  }

  /** Bodies opened since the start, to show that a query opens no more than it must. */
  get reads(): Readonly<StoreFile['reads']> {
    return { ...this.file.reads };
  }

  checkpoint(): void {
    this.file.checkpoint();
  }

  close(): void {
    this.people.close();
    this.file.close();
  }

  /** What is damaged or missing as the file is opened. */
  private tellDamage(found: readonly Damaged[]): void {
    const tally = new DamageTally(this.file.damaged, this.told);
    for (const damaged of found) tally.add(damaged, new RangeError('a row is damaged'));
    tally.tell();
    if (found.length > 0)
      this.file.write(() => {
        for (const damaged of found) this.file.keepSeriesAside(damaged);
      });
    for (const block of this.file.blocks) {
      const unread = block.observations > 0 && this.file.directory(block.id).length === 0;
      if (unread)
        tally.add({ ...block, what: `block ${block.id}` }, new RangeError('its directory is damaged'));
    }
    tally.tell();
    const sure = this.witness.read();
    const { flushes, observations, atMs } = this.progress;
    if (sure.flushes <= flushes) return;
    const lost = { observations: sure.observations - observations, fromMs: atMs, toMs: sure.atMs };
    tally.add(
      { ...lost, what: `progress ${sure.flushes}` },
      new RangeError('its write-ahead log was cut short'),
    );
    tally.tell();
  }

  /** A body that cannot be read would come again for ever: it is told and passed by; the journal still has it. */
  private take(klass: JournalClass, number: number, body: Uint8Array): void {
    try {
      const batch = readObservationBatch(body);
      this.head.append(batch, this.book);
      for (const at of batch.receivedAtMs) if (at > this.newestAtMs) this.newestAtMs = at;
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      this.told(new Fault('STORE_BODY', { klass, number, cause: causeOf(error) }));
    }
  }

  private get sources() {
    const { file, head, book, people, told } = this;
    return { file, head, book, corrections: people, told };
  }
}

const listed = (sets: ReadonlyMap<JournalClass, Ranges>): Partial<Record<JournalClass, Ranges>> =>
  Object.fromEntries(sets);
