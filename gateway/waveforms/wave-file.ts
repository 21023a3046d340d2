/** The waveforms' SQLite file: series, chunks (one series, at most ten minutes) with their bodies apart, strips, positions. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { statSync } from 'node:fs';
import type { Fault } from '../../model/fault.ts';
import { add } from '../../journal/ranges.ts';
import type { Ranges } from '../../journal/types.ts';
import { openDatabase, transaction, type DatabaseSpec } from '../store/sqlite.ts';
import { packRuns, type Run } from './codec.ts';
import type { StripOrder } from './protocol.ts';
import { packSeconds, secondsOf } from './reduce.ts';
import { endMs, type WaveForm } from './runs.ts';

const migrations = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE series (id INTEGER PRIMARY KEY, device TEXT NOT NULL, metric TEXT NOT NULL, channel TEXT NOT NULL);
   CREATE TABLE chunks (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, fromMs REAL NOT NULL, toMs REAL NOT NULL,
     blocks INTEGER NOT NULL, samples INTEGER NOT NULL, periodUs REAL NOT NULL, gain REAL NOT NULL, offset REAL NOT NULL,
     marks INTEGER NOT NULL, seconds BLOB NOT NULL);
   CREATE INDEX chunksBySeries ON chunks (series, fromMs);
   CREATE INDEX chunksByTime ON chunks (toMs, blocks, samples);
   CREATE TABLE bodies (chunk INTEGER PRIMARY KEY, body BLOB NOT NULL);
   CREATE TABLE strips (alarm TEXT PRIMARY KEY, ward TEXT NOT NULL, bed TEXT NOT NULL, encounter TEXT,
     raisedAtMs REAL NOT NULL, fromMs REAL NOT NULL, toMs REAL NOT NULL, devices TEXT NOT NULL) WITHOUT ROWID;
   CREATE INDEX stripsByTime ON strips (toMs);
   CREATE TABLE cuts (id INTEGER PRIMARY KEY, alarm TEXT NOT NULL, series INTEGER NOT NULL, fromMs REAL NOT NULL,
     toMs REAL NOT NULL, samples INTEGER NOT NULL, periodUs REAL NOT NULL, gain REAL NOT NULL, offset REAL NOT NULL,
     marks INTEGER NOT NULL, body BLOB NOT NULL);
   CREATE INDEX cutsByAlarm ON cuts (alarm);
   CREATE TABLE delivered (fromNumber INTEGER PRIMARY KEY, toNumber INTEGER NOT NULL);`,
];
const cacheKib = 4_096;
const checkUpToBytes = 64 * 1024 * 1024;

/** A chunk without its samples. */
export interface Chunk extends WaveForm {
  readonly id: number;
  readonly series: number;
  readonly fromMs: number;
  /** End of the last sample. */
  readonly toMs: number;
  readonly blocks: number;
  readonly samples: number;
  /** packSeconds; only where they were asked for. */
  readonly seconds?: Uint8Array;
}

/** A stretch of a strip, cut out of a chunk before that was deleted. */
export interface Cut extends WaveForm {
  readonly series: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly samples: number;
  readonly body: Uint8Array;
}

export interface WaveSeries {
  readonly id: number;
  readonly device: string;
  readonly metric: string;
  readonly channel: string;
}

const chunkColumns = 'id, series, fromMs, toMs, blocks, samples, periodUs, gain, offset, marks';

export class WaveFile {
  readonly damage: Fault | undefined;
  private readonly path: string;
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(spec: Pick<DatabaseSpec, 'path' | 'nowMs'>) {
    this.path = spec.path;
    const opened = openDatabase({ ...spec, what: 'the waveforms', migrations, cacheKib, checkUpToBytes });
    this.database = opened.database;
    this.damage = opened.damage;
  }

  /** A prepared statement, made once. */
  sql(text: string): StatementSync {
    let statement = this.statements.get(text);
    if (!statement) this.statements.set(text, (statement = this.database.prepare(text)));
    return statement;
  }

  write<T>(run: () => T): T {
    return transaction(this.database, run);
  }

  series(): WaveSeries[] {
    return this.sql('SELECT id, device, metric, channel FROM series').all() as unknown as WaveSeries[];
  }

  addSeries({ id, device, metric, channel }: WaveSeries): void {
    this.sql('INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?)').run(id, device, metric, channel);
  }

  /** Chunks of a series that touch the span, oldest first; with their seconds where a question needs no more. */
  chunksOf(
    series: number,
    [fromMs, toMs]: readonly [number, number],
    { longestMs, detail }: { readonly longestMs: number; readonly detail: 'seconds' | 'none' },
  ): Chunk[] {
    const columns = detail === 'seconds' ? `${chunkColumns}, seconds` : chunkColumns;
    const rows = this.sql(
      `SELECT ${columns} FROM chunks WHERE series = ? AND fromMs > ? AND fromMs < ? AND toMs > ? ORDER BY fromMs, id`,
    ).all(series, fromMs - longestMs, toMs, fromMs);
    return rows as unknown as Chunk[];
  }

  /** Undefined when the chunk was deleted meanwhile. */
  body(chunk: number): Uint8Array | undefined {
    return this.sql('SELECT body FROM bodies WHERE chunk = ?').get(chunk)?.['body'] as Uint8Array | undefined;
  }

  /** Stores runs of one form, in the order of time and not longer than the longest chunk. */
  addChunk(series: number, form: WaveForm, { runs, blocks }: { runs: readonly Run[]; blocks: number }): void {
    const [first] = runs;
    if (!first) return;
    const { periodUs, gain, offset, marks } = form;
    const toMs = Math.max(...runs.map((run) => endMs(run, periodUs)));
    const samples = runs.reduce((sum, run) => sum + run.samples.length, 0);
    const { lastInsertRowid } = this.sql(
      `INSERT INTO chunks (series, fromMs, toMs, blocks, samples, periodUs, gain, offset, marks, seconds)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      series,
      first.fromMs,
      toMs,
      blocks,
      samples,
      periodUs,
      gain,
      offset,
      marks,
      packSeconds(secondsOf(runs, periodUs)),
    );
    this.sql('INSERT INTO bodies VALUES (?, ?)').run(lastInsertRowid, packRuns(runs));
  }

  /** The chunks that end first: those that ended before `beforeMs`, or any. */
  oldest(beforeMs: number, limit: number): Chunk[] {
    const rows = this.sql(`SELECT ${chunkColumns} FROM chunks WHERE toMs < ? ORDER BY toMs LIMIT ?`).all(
      beforeMs,
      limit,
    );
    return rows as unknown as Chunk[];
  }

  deleteChunk({ id }: Chunk): void {
    this.sql('DELETE FROM chunks WHERE id = ?').run(id);
    this.sql('DELETE FROM bodies WHERE chunk = ?').run(id);
  }

  /** The first order for an alarm stands; answers how many were added. */
  addStrip(strip: StripOrder): number {
    const { changes } = this.sql('INSERT OR IGNORE INTO strips VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
      strip.alarm,
      strip.ward,
      strip.bed,
      strip.encounter ?? null,
      strip.raisedAtMs,
      strip.fromMs,
      strip.toMs,
      JSON.stringify(strip.devices),
    );
    return Number(changes);
  }

  strip(alarm: string): StripOrder | undefined {
    const row = this.sql('SELECT * FROM strips WHERE alarm = ?').get(alarm);
    return row && stripOf(row);
  }

  /** Strips whose span touches it. */
  stripsIn(fromMs: number, toMs: number, longestMs: number): StripOrder[] {
    return this.sql('SELECT * FROM strips WHERE toMs > ? AND toMs < ? AND fromMs < ?')
      .all(fromMs, toMs + longestMs, toMs)
      .map(stripOf);
  }

  addCut(alarm: string, cut: Omit<Cut, 'body' | 'fromMs' | 'toMs' | 'samples'> & { run: Run }): number {
    const { series, periodUs, gain, offset, marks, run } = cut;
    const body = packRuns([run]);
    this.sql(
      `INSERT INTO cuts (alarm, series, fromMs, toMs, samples, periodUs, gain, offset, marks, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      alarm,
      series,
      run.fromMs,
      endMs(run, periodUs),
      run.samples.length,
      periodUs,
      gain,
      offset,
      marks,
      body,
    );
    return body.length;
  }

  cutsOf(alarm: string): Cut[] {
    return this.sql('SELECT * FROM cuts WHERE alarm = ? ORDER BY fromMs').all(alarm) as unknown as Cut[];
  }

  /** Alarm ids, the longest kept first. */
  oldestStrips(beforeMs: number, limit: number): string[] {
    return this.sql('SELECT alarm FROM strips WHERE toMs < ? ORDER BY toMs LIMIT ?')
      .all(beforeMs, limit)
      .map((row) => row['alarm'] as string);
  }

  deleteStrip(alarm: string): void {
    this.sql('DELETE FROM cuts WHERE alarm = ?').run(alarm);
    this.sql('DELETE FROM strips WHERE alarm = ?').run(alarm);
  }

  totals(): { blocks: number; samples: number } {
    const row = this.sql('SELECT total(blocks) AS blocks, total(samples) AS samples FROM chunks').get();
    return { blocks: Number(row?.['blocks']), samples: Number(row?.['samples']) };
  }

  stripTotals(): { strips: number; stripBytes: number } {
    const strips = this.sql('SELECT count(*) AS strips FROM strips').get();
    const cuts = this.sql('SELECT total(length(body)) AS bytes FROM cuts').get();
    return { strips: Number(strips?.['strips']), stripBytes: Number(cuts?.['bytes']) };
  }

  /** The batches whose blocks are in this file; none of another journal's. */
  loadDelivered(epoch: string): Ranges {
    const found = this.sql("SELECT value FROM meta WHERE name = 'epoch'").get()?.['value'];
    if (found !== epoch) {
      this.write(() => {
        this.sql('DELETE FROM delivered').run();
        this.sql("INSERT OR REPLACE INTO meta VALUES ('epoch', ?)").run(epoch);
      });
      return [];
    }
    let delivered: Ranges = [];
    for (const row of this.sql('SELECT * FROM delivered').iterate())
      delivered = add(delivered, row['fromNumber'] as number, row['toNumber'] as number);
    return delivered;
  }

  putDelivered(ranges: Ranges): void {
    this.sql('DELETE FROM delivered').run();
    for (const [from, to] of ranges) this.sql('INSERT INTO delivered VALUES (?, ?)').run(from, to);
  }

  /** Bytes on disk, the write-ahead log included. */
  bytes(): number {
    let bytes = 0;
    for (const end of ['', '-wal']) bytes += statSync(this.path + end, { throwIfNoEntry: false })?.size ?? 0;
    return bytes;
  }

  /** Bytes that hold something: freed pages are used again. */
  usedBytes(): number {
    return (this.pragma('page_count') - this.pragma('freelist_count')) * this.pragma('page_size');
  }

  /**
   * Gives freed pages back to the disk, at most `pages` at once, when they are a quarter of the file: fewer are used
   * again by what comes next.
   */
  shrink(pages: number): void {
    if (this.pragma('freelist_count') * 4 < this.pragma('page_count')) return;
    this.database.exec(`PRAGMA incremental_vacuum(${pages})`);
  }

  private pragma(name: 'page_count' | 'freelist_count' | 'page_size'): number {
    return Object.values(this.sql(`PRAGMA ${name}`).get() ?? {})[0] as number;
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }
}

const stripOf = (row: Record<string, unknown>): StripOrder => ({
  alarm: row['alarm'] as string,
  ward: row['ward'] as string,
  bed: row['bed'] as string,
  ...(row['encounter'] === null ? {} : { encounter: row['encounter'] as string }),
  raisedAtMs: row['raisedAtMs'] as number,
  fromMs: row['fromMs'] as number,
  toMs: row['toMs'] as number,
  devices: JSON.parse(row['devices'] as string) as string[],
});
