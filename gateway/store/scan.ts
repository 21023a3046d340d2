/** Reads stretches of time: chunks, blocks and head put together, in order, each observation once. */
import type { Fault } from '../../model/fault.ts';
import { seriesKey } from '../../model/observation.ts';
import { Columns } from './columns.ts';
import { hourMs } from './compact.ts';
import { correctRows } from './correct-rows.ts';
import type { CorrectionBook } from './corrections.ts';
import { DamageTally } from './damage.ts';
import type { Head } from './head.ts';
import { Body } from './packing.ts';
import type { SeriesBook } from './series-book.ts';
import type { BlockExtent, Entry, Extent, StoreFile } from './store-file.ts';
import type { SeriesSpan } from './types.ts';

type Interval = readonly [fromMs: number, toMs: number];

/** The series asked for, each with its stretches of time, ascending and apart. */
export interface Wanted {
  readonly series: ReadonlyMap<number, readonly Interval[]>;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Rows in order; only series that have any. Good until the next window is asked for. */
  readonly rows: ReadonlyMap<number, Columns>;
}

export interface Sources {
  readonly file: StoreFile;
  readonly head: Head;
  readonly book: SeriesBook;
  readonly corrections: CorrectionBook;
  readonly told: (fault: Fault) => void;
}

const dayMs = 24 * hourMs;
const openBlocks = 16;

/** A metric may be named alone (every channel) or as `METRIC/channel`. */
export function wantedSeries(book: SeriesBook, spans: readonly SeriesSpan[]): Wanted {
  const series = new Map<number, Interval[]>();
  for (const span of spans) {
    if (!(span.toMs > span.fromMs)) continue;
    const metrics = span.metrics && new Set(span.metrics);
    for (const id of book.known(span.device)?.ids ?? []) {
      const { metric = '', channel = '' } = book.all[id] ?? {};
      if (metrics && !metrics.has(metric) && !metrics.has(seriesKey(metric, channel))) continue;
      series.set(id, [...(series.get(id) ?? []), [span.fromMs, span.toMs]]);
    }
  }
  let fromMs = Infinity;
  let toMs = -Infinity;
  for (const [id, intervals] of series) {
    const merged = mergeIntervals(intervals);
    series.set(id, merged);
    fromMs = Math.min(fromMs, merged[0]?.[0] ?? Infinity);
    toMs = Math.max(toMs, merged.at(-1)?.[1] ?? -Infinity);
  }
  return { series: new Map([...series].sort(([a], [b]) => a - b)), fromMs, toMs };
}

export class Scanner {
  private readonly from: Sources;
  private readonly damage: DamageTally;
  private readonly scratch = new Columns();
  /** Columns of the window before: used again for the next, since whoever asked for that one is done with them. */
  private readonly spare: Columns[] = [];
  private readonly given: Columns[] = [];
  private readonly opened = new Map<number, { readonly entries: readonly Entry[]; readonly body?: Body }>();

  constructor(sources: Sources) {
    this.from = sources;
    this.damage = new DamageTally(sources.told);
  }

  /**
   * Goes through the wanted rows in windows of at most about `mostRows`, oldest first, skipping gaps. Each window is
   * read at one stroke; between windows the store may go on.
   */
  *windows(wanted: Wanted, fromMs: number, mostRows: number): Generator<Window> {
    let lengthMs = hourMs;
    let at = this.nextDataAt(wanted, Math.max(fromMs, wanted.fromMs));
    while (at < wanted.toMs) {
      let end = windowEnd(at, lengthMs, wanted.toMs);
      while (lengthMs > 1_000 && this.estimate(wanted, at, end) > mostRows) {
        lengthMs /= 2;
        end = windowEnd(at, lengthMs, wanted.toMs);
      }
      yield { fromMs: at, toMs: end, rows: this.read(wanted, at, end) };
      lengthMs = Math.min(dayMs, lengthMs * 2);
      at = this.nextDataAt(wanted, end);
    }
  }

  /** The first instant at or after `atMs` that may hold something; Infinity when none does. */
  private nextDataAt(wanted: Wanted, atMs: number): number {
    const { file, head } = this.from;
    let next = head.length > 0 && head.toMs >= atMs ? Math.max(head.fromMs, atMs) : Infinity;
    for (const block of file.blocks)
      if (block.toMs >= atMs) next = Math.min(next, Math.max(block.fromMs, atMs));
    const first = file.sql(
      'SELECT fromMs FROM chunks WHERE series = ? AND fromMs > ? AND toMs >= ? ORDER BY fromMs LIMIT 1',
    );
    for (const series of wanted.series.keys()) {
      if (next <= atMs) break;
      const row = first.get(series, atMs - hourMs, atMs);
      if (row) next = Math.min(next, Math.max(row['fromMs'] as number, atMs));
    }
    return next;
  }

  private estimate(wanted: Wanted, fromMs: number, toMs: number): number {
    const { file, head } = this.from;
    let rows = head.length * shareOf({ fromMs: head.fromMs, toMs: head.toMs }, fromMs, toMs);
    const share = wanted.series.size / Math.max(1, this.from.book.count);
    rows *= share;
    for (const block of file.blocks) {
      const wide = block.seriesTo - block.seriesFrom + 1;
      const asked = Math.min(1, wanted.series.size / wide);
      if (touches(block, wanted)) rows += block.observations * asked * shareOf(block, fromMs, toMs);
    }
    for (const series of wanted.series.keys())
      for (const chunk of this.chunks(series, fromMs, toMs))
        rows += chunk.observations * shareOf(chunk, fromMs, toMs);
    return rows;
  }

  private chunks(series: number, fromMs: number, toMs: number): Extent[] {
    return this.from.file
      .sql(
        `SELECT id, fromMs, toMs, observations FROM chunks
         WHERE series = ? AND fromMs > ? AND fromMs < ? AND toMs >= ? ORDER BY fromMs`,
      )
      .all(series, fromMs - hourMs, toMs, fromMs) as unknown as Extent[];
  }

  private read(wanted: Wanted, fromMs: number, toMs: number): ReadonlyMap<number, Columns> {
    const found = new Map<number, Columns>();
    this.spare.push(...this.given.splice(0));
    const add = (series: number): void => {
      let rows = found.get(series);
      if (!rows) found.set(series, (rows = this.columns()));
      for (const [from, to] of wanted.series.get(series) ?? [])
        rows.append(
          this.scratch,
          this.scratch.firstAt(Math.max(from, fromMs)),
          this.scratch.firstAt(Math.min(to, toMs)),
        );
    };
    for (const series of wanted.series.keys())
      for (const chunk of this.chunks(series, fromMs, toMs)) if (this.readChunk(chunk)) add(series);
    for (const block of this.from.file.blocks) {
      if (block.toMs < fromMs || block.fromMs >= toMs || !touches(block, wanted)) continue;
      const { entries, body } = this.open(block);
      for (const entry of entries) {
        if (entry.toMs < fromMs || entry.fromMs >= toMs || !wanted.series.has(entry.series)) continue;
        if (this.isCompacted(block, entry.series)) continue;
        if (this.take(body, entry, entry.offset)) add(entry.series);
      }
    }
    this.readHead(wanted, [fromMs, toMs], found);
    this.damage.tell();
    for (const [series, rows] of found) {
      if (rows.length === 0) found.delete(series);
      else this.finish(series, rows, [fromMs, toMs]);
    }
    return found;
  }

  /** In order, each once, and under what people said of them. */
  private finish(series: number, rows: Columns, [fromMs, toMs]: Interval): void {
    rows.settle();
    const { device = '', metric = '', channel } = this.from.book.all[series] ?? {};
    correctRows(rows, this.from.corrections.of(device, seriesKey(metric, channel), fromMs, toMs));
  }

  private columns(): Columns {
    const columns = this.spare.pop() ?? new Columns();
    columns.clear();
    this.given.push(columns);
    return columns;
  }

  private readHead(wanted: Wanted, [fromMs, toMs]: Interval, found: Map<number, Columns>): void {
    const { head, book } = this.from;
    if (head.length === 0 || head.toMs < fromMs || head.fromMs >= toMs) return;
    const asked = new Uint8Array(book.all.length);
    for (const series of wanted.series.keys()) asked[series] = 1;
    for (let row = 0; row < head.length; row++) {
      const series = head.series[row] ?? 0;
      const taken = head.taken[row] ?? 0;
      if (asked[series] === 0 || taken < fromMs || taken >= toMs) continue;
      if (!wanted.series.get(series)?.some(([from, to]) => taken >= from && taken < to)) continue;
      let rows = found.get(series);
      if (!rows) found.set(series, (rows = this.columns()));
      head.copyTo(rows, row);
    }
  }

  private isCompacted(block: BlockExtent, series: number): boolean {
    const { throughBlock, beforeSeries } = this.from.file.compacted;
    return block.id <= throughBlock && series < beforeSeries;
  }

  private readChunk(chunk: Extent): boolean {
    const row = this.from.file.sql('SELECT body FROM chunks WHERE id = ?').get(chunk.id);
    return row !== undefined && this.take(() => new Body(row['body'] as Uint8Array), chunk, 0);
  }

  private open(block: BlockExtent): { readonly entries: readonly Entry[]; readonly body?: Body } {
    const known = this.opened.get(block.id);
    if (known) return known;
    const row = this.from.file.sql('SELECT directory, body FROM blocks WHERE id = ?').get(block.id);
    const entries = this.from.file.directory(block.id);
    let body: Body | undefined;
    try {
      if (row) body = new Body(row['body'] as Uint8Array);
    } catch (error) {
      this.damage.add(block, error);
    }
    const opened = { entries: body ? entries : [], body };
    this.opened.set(block.id, opened);
    const [oldest] = this.opened.keys();
    if (this.opened.size > openBlocks && oldest !== undefined) this.opened.delete(oldest);
    return opened;
  }

  /** Reads rows into the scratch; false when they are damaged, which is told, and the rest is served. */
  private take(body: Body | (() => Body) | undefined, extent: Omit<Extent, 'id'>, offset: number): boolean {
    this.scratch.clear();
    try {
      const opened = typeof body === 'function' ? body() : body;
      opened?.take(this.scratch, offset);
      return opened !== undefined;
    } catch (error) {
      this.damage.add(extent, error);
      return false;
    }
  }
}

/** Ends on a full hour where it can, so that a chunk is opened for one window only. */
function windowEnd(atMs: number, lengthMs: number, toMs: number): number {
  const end = atMs + lengthMs;
  const hour = Math.floor(end / hourMs) * hourMs;
  return Math.min(toMs, lengthMs >= hourMs && hour > atMs ? hour : end);
}

function touches(block: BlockExtent, wanted: Wanted): boolean {
  for (const series of wanted.series.keys())
    if (series >= block.seriesFrom && series <= block.seriesTo) return true;
  return false;
}

/** Which part of an extent lies in a stretch of time. */
function shareOf(extent: { fromMs: number; toMs: number }, fromMs: number, toMs: number): number {
  if (extent.toMs < fromMs || extent.fromMs >= toMs) return 0;
  const length = extent.toMs - extent.fromMs;
  if (!(length > 0)) return 1;
  return (Math.min(toMs, extent.toMs) - Math.max(fromMs, extent.fromMs)) / length;
}

function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const merged: Interval[] = [];
  for (const [from, to] of [...intervals].sort(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last && from <= last[1]) merged[merged.length - 1] = [last[0], Math.max(last[1], to)];
    else merged.push([from, to]);
  }
  return merged;
}
