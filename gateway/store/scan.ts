/** Reads stretches of time: chunks, blocks and head put together, in order, each observation once. */
import type { Fault } from '../../model/fault.ts';
import { seriesKey } from '../../model/observation.ts';
import { chunksBetween, chunkSpanMs, recentChunk, takeChunk } from './chunks.ts';
import { Columns } from './columns.ts';
import { correctRows } from './correct-rows.ts';
import type { CorrectionBook } from './corrections.ts';
import { DamageTally } from './damage.ts';
import type { Head } from './head.ts';
import { Body, nobody, type Wish } from './packing.ts';
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
  /** Rows in order, each once; only series that have any. Good until the next window is asked for. */
  readonly rows: ReadonlyMap<number, Columns>;
}

/** What a scan needs. */
export interface ScanSources {
  readonly file: StoreFile;
  readonly head: Head;
  readonly book: SeriesBook;
  readonly corrections: Pick<CorrectionBook, 'of'>;
  readonly told: (fault: Fault) => void;
}

export interface Sources extends ScanSources {
  readonly corrections: CorrectionBook;
}

const dayMs = 86_400_000;
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

/** Some rows of one series, in order, each once. */
export interface Stretch {
  readonly series: number;
  readonly rows: Columns;
}

interface Joining {
  readonly pieces: readonly Piece[];
  readonly rows: Columns;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One stretch of a series as it lies somewhere, its rows in order and each once. */
interface Piece {
  readonly fromMs: number;
  readonly toMs: number;
  readonly observations: number;
  /** For whoever tells that it is damaged. */
  readonly what: string;
  /** If it is one: a damaged one is taken out of the way later. */
  readonly chunk?: Extent;
  /** Its whole rows, if they lie ready for reading; throws when they are damaged. */
  readonly rows?: () => Columns;
  /** Appends its rows, or just their values if whole ones are had from `rows`; throws when they are damaged. */
  readonly take: (target: Columns, wish: Wish) => void;
}

export class Scanner {
  private readonly from: ScanSources;
  private readonly wish: Wish;
  private readonly damage: DamageTally;
  private readonly scratch = new Columns();
  /** Columns of the window before: used again for the next, since whoever asked for that one is done with them. */
  private readonly spare: Columns[] = [];
  private readonly given: Columns[] = [];
  private readonly opened = new Map<number, { readonly entries: readonly Entry[]; readonly body?: Body }>();

  /** With the wish `values` only time, flags, reason and value of the rows are good. */
  constructor(sources: ScanSources, wish: Wish) {
    this.from = sources;
    this.wish = wish;
    this.damage = new DamageTally(sources.file.damaged, sources.told);
  }

  /**
   * Goes through the wanted rows in windows of at most about `mostRows`, oldest first, skipping gaps. Each window is
   * read at one stroke; between windows the store may go on.
   */
  *windows(wanted: Wanted, fromMs: number, mostRows: number): Generator<Window> {
    for (const [from, to] of this.bounds(wanted, fromMs, mostRows)) {
      const rows = new Map<number, Columns>();
      this.spare.push(...this.given.splice(0));
      for (const [series, pieces] of this.pieces(wanted, from, to)) {
        const found = this.columns();
        this.join(wanted, series, { pieces, rows: found, fromMs: from, toMs: to });
        if (found.length > 0) rows.set(series, found);
      }
      this.damage.tell();
      yield { fromMs: from, toMs: to, rows };
    }
  }

  /**
   * The same for those who need one series at a time: its rows of the window, good until the next stretch. Only at a
   * `breath` the store may go on.
   */
  *stretches(wanted: Wanted, mostRows: number): Generator<Stretch | 'breath'> {
    const rows = new Columns();
    for (const [from, to] of this.bounds(wanted, wanted.fromMs, mostRows)) {
      this.spare.push(...this.given.splice(0));
      for (const [series, pieces] of this.pieces(wanted, from, to)) {
        rows.clear();
        this.join(wanted, series, { pieces, rows, fromMs: from, toMs: to });
        if (rows.length > 0) yield { series, rows };
      }
      this.damage.tell();
      yield 'breath';
    }
  }

  private *bounds(wanted: Wanted, fromMs: number, mostRows: number): Generator<Interval> {
    let lengthMs = chunkSpanMs;
    let at = this.nextDataAt(wanted, Math.max(fromMs, wanted.fromMs));
    while (at < wanted.toMs) {
      let end = windowEnd(at, lengthMs, wanted.toMs);
      while (lengthMs > 1_000 && this.estimate(wanted, at, end) > mostRows) {
        lengthMs /= 2;
        end = windowEnd(at, lengthMs, wanted.toMs);
      }
      yield [at, end];
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
      const row = first.get(series, atMs - chunkSpanMs, atMs);
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
      for (const chunk of chunksBetween(file, series, fromMs, toMs))
        rows += chunk.observations * shareOf(chunk, fromMs, toMs);
    return rows;
  }

  /** Where rows of the window lie, by series. */
  private pieces(wanted: Wanted, fromMs: number, toMs: number): ReadonlyMap<number, Piece[]> {
    const { file } = this.from;
    const pieces = new Map<number, Piece[]>();
    const add = (series: number, piece: Piece): void => {
      const known = pieces.get(series);
      if (known) known.push(piece);
      else pieces.set(series, [piece]);
    };
    for (const series of wanted.series.keys())
      for (const chunk of chunksBetween(file, series, fromMs, toMs))
        add(series, this.chunkPiece(series, chunk));
    for (const block of file.blocks) {
      if (block.toMs < fromMs || block.fromMs >= toMs || !touches(block, wanted)) continue;
      const { entries, body } = this.open(block);
      for (const entry of entries) {
        if (entry.toMs < fromMs || entry.fromMs >= toMs || !wanted.series.has(entry.series)) continue;
        if (this.isCompacted(block, entry.series)) continue;
        add(entry.series, {
          ...entry,
          what: `block ${block.id} series ${entry.series}`,
          take: (target, wish) => body?.take(target, entry.offset, wish),
        });
      }
    }
    for (const [series, rows] of this.headRows(wanted, [fromMs, toMs])) {
      const piece = { fromMs: rows.taken[0] ?? 0, toMs: rows.taken[rows.length - 1] ?? 0 };
      add(series, {
        ...piece,
        what: 'memory',
        observations: rows.length,
        rows: () => rows,
        take: (target) => target.append(rows, 0, rows.length),
      });
    }
    return pieces;
  }

  private chunkPiece(id: number, chunk: Extent): Piece {
    const { file, book } = this.from;
    const series = book.all[id] ?? { id, device: '', metric: '', channel: '' };
    return {
      ...chunk,
      what: `chunk ${chunk.id}`,
      chunk,
      rows: () => recentChunk(file, series, chunk),
      take: (target, wish) => takeChunk(file, series, chunk, { target, wish }),
    };
  }

  /** Pieces apart in time are taken as they are; those that overlap are put in order and each row kept once. */
  private join(wanted: Wanted, series: number, { pieces, rows, fromMs, toMs }: Joining): void {
    const { device = '', metric = '', channel } = this.from.book.all[series] ?? {};
    const said = this.from.corrections.of(device, seriesKey(metric, channel), fromMs, toMs);
    const wish = said.length > 0 ? 'rows' : this.wish;
    const intervals = (wanted.series.get(series) ?? []).map(([from, to]): Interval => [
      Math.max(from, fromMs),
      Math.min(to, toMs),
    ]);
    for (const together of overlapping(pieces)) {
      const [first] = together;
      if (!first) continue;
      if (together.length === 1) this.takeOne(first, { rows, intervals }, wish);
      else this.takeAll(together, { rows, intervals });
    }
    correctRows(rows, said);
  }

  private takeOne(
    piece: Piece,
    { rows, intervals }: { rows: Columns; intervals: readonly Interval[] },
    wish: Wish,
  ): void {
    if (wish === 'rows' && piece.rows) return this.pick(piece, rows, intervals);
    const inside = intervals.some(([from, to]) => piece.fromMs >= from && piece.toMs < to);
    const target = inside ? rows : this.scratch;
    if (!inside) target.clear();
    this.take(piece, target, wish);
    if (!inside) pickIntervals(target, rows, intervals, wish);
  }

  private takeAll(
    pieces: readonly Piece[],
    { rows, intervals }: { rows: Columns; intervals: readonly Interval[] },
  ): void {
    this.scratch.clear();
    const always: Interval = [-Infinity, Infinity];
    for (const piece of pieces)
      if (piece.rows) this.pick(piece, this.scratch, [always]);
      else this.take(piece, this.scratch, 'rows');
    this.scratch.settle();
    pickIntervals(this.scratch, rows, intervals, 'rows');
  }

  private pick(piece: Piece, target: Columns, intervals: readonly Interval[]): void {
    try {
      const rows = piece.rows?.();
      if (rows) pickIntervals(rows, target, intervals, 'rows');
    } catch (error) {
      this.broken(piece, error);
    }
  }

  /** Damage is told, and the rest is served. */
  private take(piece: Piece, target: Columns, wish: Wish): void {
    const before = target.length;
    try {
      piece.take(target, wish);
    } catch (error) {
      target.length = before;
      this.broken(piece, error);
    }
  }

  private broken(piece: Piece, error: unknown): void {
    this.damage.add(piece, error);
    if (piece.chunk) this.from.file.broken.set(piece.chunk.id, piece.chunk);
  }

  private columns(): Columns {
    const columns = this.spare.pop() ?? new Columns();
    columns.clear();
    this.given.push(columns);
    return columns;
  }

  private headRows(wanted: Wanted, [fromMs, toMs]: Interval): ReadonlyMap<number, Columns> {
    const { head, book } = this.from;
    const found = new Map<number, Columns>();
    if (head.length === 0 || head.toMs < fromMs || head.fromMs >= toMs) return found;
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
    for (const rows of found.values()) rows.settle();
    return found;
  }

  private isCompacted(block: BlockExtent, series: number): boolean {
    const { throughBlock, beforeSeries } = this.from.file.compacted;
    return block.id <= throughBlock && series < beforeSeries;
  }

  private open(block: BlockExtent): { readonly entries: readonly Entry[]; readonly body?: Body } {
    const known = this.opened.get(block.id);
    if (known) return known;
    const { file } = this.from;
    const row = file.sql('SELECT directory, body FROM blocks WHERE id = ?').get(block.id);
    const entries = file.directory(block.id);
    let body: Body | undefined;
    try {
      file.reads.blocks++;
      if (row) body = new Body(row['body'] as Uint8Array, nobody);
    } catch (error) {
      this.damage.add({ ...block, what: `block ${block.id}` }, error);
    }
    const opened = { entries: body ? entries : [], body };
    this.opened.set(block.id, opened);
    const [oldest] = this.opened.keys();
    if (this.opened.size > openBlocks && oldest !== undefined) this.opened.delete(oldest);
    return opened;
  }
}

/** Pieces in order of time, those that share an instant together. */
function overlapping(pieces: readonly Piece[]): readonly Piece[][] {
  const groups: Piece[][] = [];
  let toMs = -Infinity;
  for (const piece of pieces.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (piece.fromMs > toMs) groups.push([piece]);
    else groups.at(-1)?.push(piece);
    toMs = Math.max(toMs, piece.toMs);
  }
  return groups;
}

/** The rows of the intervals, which are ascending and apart. */
function pickIntervals(from: Columns, into: Columns, intervals: readonly Interval[], wish: Wish): void {
  for (const [fromMs, toMs] of intervals) {
    const first = from.firstAt(fromMs);
    const end = from.firstAt(toMs);
    if (wish === 'rows') into.append(from, first, end);
    else into.appendValues(from, first, end);
  }
}

/** Ends on a chunk's bound where it can, so that a chunk is opened for one window only. */
function windowEnd(atMs: number, lengthMs: number, toMs: number): number {
  const end = atMs + lengthMs;
  const bound = Math.floor(end / chunkSpanMs) * chunkSpanMs;
  return Math.min(toMs, lengthMs >= chunkSpanMs && bound > atMs ? bound : end);
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
