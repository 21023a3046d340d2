/**
 * Turns blocks (fresh, many series) into chunks (one series, at most one span of time). Works in slices of bounded size, each
 * its own transaction that also says how far it came, so it can stop and go on anywhere.
 */
import type { Fault } from '../../model/fault.ts';
import { chunkSpanMs, takeChunk } from './chunks.ts';
import { Columns } from './columns.ts';
import { DamageTally } from './damage.ts';
import { seriesKey } from '../../model/observation.ts';
import { Body, BodyWriter, nobody, ownerOf } from './packing.ts';
import type { SeriesBook } from './series-book.ts';
import type { BlockExtent, Entry, Extent, StoreFile } from './store-file.ts';

/** A chunk holds at most this many, so that reading one is quick however fast the series is. */
const chunkObservations = 16_384;
/** A chunk smaller than this takes in what comes after it. */
const smallChunk = 2_048;
/** Some 25 milliseconds' work. */
const sliceObservations = 50_000;
const level = 3;

interface Part extends Entry {
  readonly block: number;
}

export class Compaction {
  private readonly file: StoreFile;
  private readonly book: SeriesBook;
  private readonly damage: DamageTally;
  private readonly through: number;
  /** What is left to do, by series. */
  private parts: Part[] = [];
  private readonly writer = new BodyWriter();
  private readonly merged = new Columns();
  /** Used again slice after slice: fresh ones for each would be garbage by the megabyte. */
  private readonly spare: Columns[] = [];

  /** Of the blocks that stand now; resumes one that was interrupted. */
  constructor(file: StoreFile, book: SeriesBook, told: (fault: Fault) => void) {
    this.file = file;
    this.book = book;
    this.damage = new DamageTally(file.damaged, told);
    const running = file.compacted.throughBlock;
    this.through = running > 0 ? running : Math.max(0, ...file.blocks.map((block) => block.id));
    for (const block of this.blocks())
      for (const entry of file.directory(block.id))
        if (entry.series >= file.compacted.beforeSeries) this.parts.push({ ...entry, block: block.id });
    this.parts.sort((a, b) => a.series - b.series || a.block - b.block || a.offset - b.offset);
  }

  /** Does one slice; true when all is done. Returns through `stored` how many observations turned out doubled. */
  slice(): { readonly done: boolean; readonly doubled: number } {
    const end = this.sliceEnd();
    const slice = this.parts.slice(0, end);
    const done = end === this.parts.length;
    const compacted = done
      ? { throughBlock: 0, beforeSeries: 0 }
      : { throughBlock: this.through, beforeSeries: this.parts[end]?.series ?? 0 };
    const doubled = this.file.write(() => {
      const lost = this.writeSlice(slice);
      if (done)
        for (const block of this.blocks()) this.file.sql('DELETE FROM blocks WHERE id = ?').run(block.id);
      this.file.setSealed('compacted', compacted);
      return lost;
    });
    if (done) for (const block of this.blocks()) this.file.blocks.splice(this.file.blocks.indexOf(block), 1);
    this.file.compacted = compacted;
    this.damage.tell();
    this.parts = this.parts.slice(end);
    return { done, doubled };
  }

  private blocks(): readonly BlockExtent[] {
    return this.file.blocks.filter((block) => block.id <= this.through);
  }

  /** Whole series only, so that progress is one number. */
  private sliceEnd(): number {
    let observations = 0;
    for (const [at, part] of this.parts.entries()) {
      if (observations >= sliceObservations && part.series !== this.parts[at - 1]?.series) return at;
      observations += part.observations;
    }
    return this.parts.length;
  }

  /** Opens one block after the other; what is in memory is the slice's own rows. */
  private writeSlice(slice: readonly Part[]): number {
    const collected = new Map<number, Columns>();
    const spare = [...this.spare];
    // A slice that the disk refused has left its rows in them.
    for (const rows of spare) rows.clear();
    let doubled = 0;
    for (const [block, parts] of Map.groupBy(slice, (part) => part.block)) {
      const body = this.openBlock(block);
      for (const part of parts) {
        const rows = collected.get(part.series) ?? spare.pop() ?? this.another();
        collected.set(part.series, rows);
        const before = rows.length;
        this.take(body, part, rows);
        doubled += part.observations - (rows.length - before);
      }
    }
    for (const [series, rows] of collected) {
      const before = rows.length;
      rows.settle();
      doubled += before - rows.length + this.writeSeries(series, rows);
    }
    return doubled;
  }

  private another(): Columns {
    const columns = new Columns();
    this.spare.push(columns);
    return columns;
  }

  private openBlock(block: number): Body | undefined {
    const row = this.file.sql('SELECT body FROM blocks WHERE id = ?').get(block);
    try {
      return row && new Body(row['body'] as Uint8Array, nobody);
    } catch (error) {
      // Told with each of its parts.
      if (!(error instanceof Error)) throw error;
      return undefined;
    }
  }

  private take(body: Body | undefined, part: Part, rows: Columns): void {
    const before = rows.length;
    if (!body && this.file.damaged.has(`block ${part.block}`)) return;
    try {
      if (!body) throw new RangeError('its body cannot be opened');
      body.take(rows, part.offset, 'rows');
    } catch (error) {
      rows.length = before;
      this.damage.add({ ...part, what: `block ${part.block} series ${part.series}` }, error);
    }
  }

  /** Adds the collected rows to the chunks of the series, span by span; returns how many were there already. */
  private writeSeries(series: number, fresh: Columns): number {
    let doubled = 0;
    for (let from = 0; from < fresh.length;) {
      const spanMs = Math.floor((fresh.taken[from] ?? 0) / chunkSpanMs) * chunkSpanMs;
      // Where a span is lost in the rounding of an absurd instant, one row at a time still comes to an end.
      const to = Math.max(from + 1, fresh.firstAt(spanMs + chunkSpanMs));
      doubled += this.writeSpan(series, fresh, { spanMs, from, to });
      from = to;
    }
    return doubled;
  }

  private writeSpan(
    series: number,
    fresh: Columns,
    span: { spanMs: number; from: number; to: number },
  ): number {
    const { spanMs, from, to } = span;
    const old = this.chunksToMerge(series, spanMs, fresh.taken[from] ?? 0, fresh.taken[to - 1] ?? 0);
    const { merged } = this;
    merged.clear();
    const before = old.reduce((sum, chunk) => sum + chunk.observations, 0);
    for (const chunk of old) this.readChunk(series, chunk, merged);
    merged.append(fresh, from, to);
    merged.settle();
    for (const chunk of old) this.file.sql('DELETE FROM chunks WHERE id = ?').run(chunk.id);
    for (let at = 0; at < merged.length; at += chunkObservations)
      this.writeChunk(series, merged, at, Math.min(at + chunkObservations, merged.length));
    return before + (to - from) - merged.length;
  }

  /** Chunks of the span that overlap in time, and the last one before while it is small. */
  private chunksToMerge(series: number, spanMs: number, fromMs: number, toMs: number): Extent[] {
    const chunks = this.file
      .sql(
        `SELECT id, fromMs, toMs, observations FROM chunks
         WHERE series = ? AND fromMs >= ? AND fromMs < ? ORDER BY fromMs`,
      )
      .all(series, spanMs, spanMs + chunkSpanMs) as unknown as Extent[];
    return chunks.filter((chunk, index) => {
      const overlaps = chunk.toMs >= fromMs && chunk.fromMs <= toMs;
      const nextFromMs = chunks[index + 1]?.fromMs ?? Infinity;
      const before = chunk.toMs < fromMs && nextFromMs > toMs;
      return overlaps || (before && chunk.observations < smallChunk);
    });
  }

  private readChunk(id: number, chunk: Extent, target: Columns): void {
    const series = this.book.all[id];
    if (!series) return;
    try {
      takeChunk(this.file, series, chunk, { target, wish: 'rows' });
    } catch (error) {
      this.damage.add({ ...chunk, what: `chunk ${chunk.id}` }, error);
      this.file.keepAside(chunk);
    }
  }

  private writeChunk(series: number, rows: Columns, from: number, to: number): void {
    let receivedToMs = -Infinity;
    for (let row = from; row < to; row++)
      if ((rows.received[row] ?? 0) > receivedToMs) receivedToMs = rows.received[row] ?? 0;
    const { device = '', metric = '', channel } = this.book.all[series] ?? {};
    const owner = ownerOf(device, seriesKey(metric, channel), rows.taken[from] ?? 0);
    const { values, sources } = this.writer.chunk(rows, [from, to], level, owner);
    this.file
      .sql(
        `INSERT INTO chunks (series, fromMs, toMs, receivedToMs, observations, body, sources)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(series, rows.taken[from] ?? 0, rows.taken[to - 1] ?? 0, receivedToMs, to - from, values, sources);
  }
}
