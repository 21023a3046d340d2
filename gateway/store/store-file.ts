/** The historian's SQLite file: series, blocks (fresh, many series), chunks (one series and hour), latest, positions. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { statSync } from 'node:fs';
import type { Fault } from '../../model/fault.ts';
import { add } from '../../journal/ranges.ts';
import type { JournalClass, Ranges } from '../../journal/types.ts';
import { openDatabase, transaction, type DatabaseSpec } from './sqlite.ts';
import type { Columns, TextValue } from './columns.ts';
import type { LatestRow, SeriesBook } from './series-book.ts';

const migrations = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE series (id INTEGER PRIMARY KEY, device TEXT NOT NULL, metric TEXT NOT NULL, channel TEXT NOT NULL);
   CREATE TABLE blocks (id INTEGER PRIMARY KEY AUTOINCREMENT, fromMs REAL NOT NULL, toMs REAL NOT NULL, receivedToMs REAL NOT NULL,
     observations INTEGER NOT NULL, directory BLOB NOT NULL, body BLOB NOT NULL);
   CREATE TABLE chunks (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, fromMs REAL NOT NULL, toMs REAL NOT NULL,
     receivedToMs REAL NOT NULL, observations INTEGER NOT NULL, body BLOB NOT NULL);
   CREATE INDEX chunksBySeries ON chunks (series, fromMs, toMs, observations);
   CREATE INDEX chunksByTime ON chunks (toMs, receivedToMs);
   CREATE TABLE latest (series INTEGER PRIMARY KEY, takenAtMs REAL NOT NULL, receivedAtMs REAL NOT NULL, value REAL,
     flags INTEGER NOT NULL, reason INTEGER NOT NULL, seq REAL NOT NULL, boot TEXT NOT NULL, text TEXT);
   CREATE TABLE delivered (class TEXT NOT NULL, fromNumber INTEGER NOT NULL, toNumber INTEGER NOT NULL,
     PRIMARY KEY (class, fromNumber)) WITHOUT ROWID;`,
  // Null: `body` is of the first version and holds all.
  'ALTER TABLE chunks ADD COLUMN sources BLOB;',
];

/** What a chunk or block covers: `toMs` is its last observation. */
export interface Extent {
  readonly id: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly observations: number;
}

export interface BlockExtent extends Extent {
  readonly receivedToMs: number;
  readonly seriesFrom: number;
  readonly seriesTo: number;
}

/** The part of one series in a block: where its bytes stand and what they cover. */
export interface Entry {
  readonly series: number;
  readonly offset: number;
  readonly observations: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** How far a compaction has come: blocks up to `throughBlock` hold nothing new of series below `beforeSeries`. */
export interface Compacted {
  readonly throughBlock: number;
  readonly beforeSeries: number;
}

const entryNumbers = 5;

export const packDirectory = (entries: readonly Entry[]): Uint8Array => {
  const numbers = new Float64Array(entries.length * entryNumbers);
  entries.forEach((entry, index) =>
    numbers.set(
      [entry.series, entry.offset, entry.observations, entry.fromMs, entry.toMs],
      index * entryNumbers,
    ),
  );
  return new Uint8Array(numbers.buffer);
};

export function readDirectory(bytes: Uint8Array): Entry[] {
  const numbers = new Float64Array(bytes.slice().buffer);
  return Array.from({ length: numbers.length / entryNumbers }, (_, index) => {
    const [series = 0, offset = 0, observations = 0, fromMs = 0, toMs = 0] = numbers.subarray(
      index * entryNumbers,
      (index + 1) * entryNumbers,
    );
    return { series, offset, observations, fromMs, toMs };
  });
}

export class StoreFile {
  readonly damage: Fault | undefined;
  readonly blocks: BlockExtent[] = [];
  /** Chunks opened last, as a page that goes on wants them again. What is written may change them. */
  readonly recent = new Map<number, Columns>();
  /** Bodies opened since the start. */
  readonly reads = { chunks: 0, sources: 0, blocks: 0 };
  compacted: Compacted = { throughBlock: 0, beforeSeries: 0 };
  private readonly path: string;
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(spec: Omit<DatabaseSpec, 'migrations' | 'what'>) {
    this.path = spec.path;
    const opened = openDatabase({ ...spec, what: 'the historian', migrations });
    this.database = opened.database;
    this.damage = opened.damage;
    this.compacted = JSON.parse(this.meta('compacted') ?? '{"throughBlock":0,"beforeSeries":0}') as Compacted;
    for (const row of this.sql(
      'SELECT id, fromMs, toMs, receivedToMs, observations, directory FROM blocks',
    ).iterate()) {
      const entries = readDirectory(row['directory'] as Uint8Array);
      this.blocks.push(extentOf(row as unknown as Omit<BlockExtent, 'seriesFrom' | 'seriesTo'>, entries));
    }
  }

  /** A prepared statement, made once. */
  sql(text: string): StatementSync {
    let statement = this.statements.get(text);
    if (!statement) this.statements.set(text, (statement = this.database.prepare(text)));
    return statement;
  }

  write<T>(run: () => T): T {
    this.recent.clear();
    return transaction(this.database, run);
  }

  meta(name: string): string | undefined {
    return this.sql('SELECT value FROM meta WHERE name = ?').get(name)?.['value'] as string | undefined;
  }

  setMeta(name: string, value: string): void {
    this.sql('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(name, value);
  }

  loadBook(book: SeriesBook): void {
    for (const row of this.sql('SELECT id, device, metric, channel FROM series').iterate())
      book.add({
        id: row['id'] as number,
        device: row['device'] as string,
        metric: row['metric'] as string,
        channel: row['channel'] as string,
      });
    for (const row of this.sql('SELECT * FROM latest').iterate()) {
      const text = row['text'] as string | null;
      book.setLatest(row['series'] as number, {
        takenAtMs: row['takenAtMs'] as number,
        receivedAtMs: row['receivedAtMs'] as number,
        value: (row['value'] as number | null) ?? NaN,
        flags: row['flags'] as number,
        reason: row['reason'] as number,
        seq: row['seq'] as number,
        boot: row['boot'] as string,
        text: text === null ? undefined : (JSON.parse(text) as TextValue),
      });
    }
  }

  putLatest(series: number, row: LatestRow): void {
    this.sql('INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      series,
      row.takenAtMs,
      row.receivedAtMs,
      Number.isNaN(row.value) ? null : row.value,
      row.flags,
      row.reason,
      row.seq,
      row.boot,
      row.text === undefined ? null : JSON.stringify(row.text),
    );
  }

  /** The batches whose observations are in this file; none of another journal's. */
  loadDelivered(epoch: string): Map<JournalClass, Ranges> {
    const delivered = new Map<JournalClass, Ranges>();
    if (this.meta('epoch') !== epoch) {
      this.write(() => {
        this.sql('DELETE FROM delivered').run();
        this.setMeta('epoch', epoch);
      });
      return delivered;
    }
    for (const row of this.sql('SELECT * FROM delivered').iterate()) {
      const klass = row['class'] as JournalClass;
      const known = delivered.get(klass) ?? [];
      delivered.set(klass, add(known, row['fromNumber'] as number, row['toNumber'] as number));
    }
    return delivered;
  }

  putDelivered(klass: JournalClass, ranges: Ranges): void {
    this.sql('DELETE FROM delivered WHERE class = ?').run(klass);
    for (const [from, to] of ranges) this.sql('INSERT INTO delivered VALUES (?, ?, ?)').run(klass, from, to);
  }

  /** Observations in the file. A compaction that has not ended counts each once. */
  count(): number {
    const chunks = this.sql('SELECT total(observations) AS n FROM chunks').get()?.['n'] as number;
    let blocks = 0;
    for (const block of this.blocks) {
      if (block.id > this.compacted.throughBlock || this.compacted.beforeSeries === 0)
        blocks += block.observations;
      else
        for (const entry of this.directory(block.id))
          if (entry.series >= this.compacted.beforeSeries) blocks += entry.observations;
    }
    return chunks + blocks;
  }

  directory(block: number): Entry[] {
    const row = this.sql('SELECT directory FROM blocks WHERE id = ?').get(block);
    return row ? readDirectory(row['directory'] as Uint8Array) : [];
  }

  addBlock(block: { entries: readonly Entry[]; receivedToMs: number; body: Uint8Array }): BlockExtent {
    const { entries, receivedToMs } = block;
    const fromMs = Math.min(...entries.map((entry) => entry.fromMs));
    const toMs = Math.max(...entries.map((entry) => entry.toMs));
    const observations = entries.reduce((sum, entry) => sum + entry.observations, 0);
    const { lastInsertRowid } = this.sql(
      'INSERT INTO blocks (fromMs, toMs, receivedToMs, observations, directory, body) VALUES (?, ?, ?, ?, ?, ?)',
    ).run(fromMs, toMs, receivedToMs, observations, packDirectory(entries), block.body);
    return extentOf({ id: Number(lastInsertRowid), fromMs, toMs, receivedToMs, observations }, entries);
  }

  /** Bytes on disk, the write-ahead log included. */
  bytes(): number {
    let bytes = 0;
    for (const end of ['', '-wal']) bytes += statSync(this.path + end, { throwIfNoEntry: false })?.size ?? 0;
    return bytes;
  }

  /** Gives freed pages back to the disk, at most `pages` at once and down to `keep`; true when no more are to go. */
  shrink(pages: number, keep = 0): boolean {
    const free = Object.values(this.sql('PRAGMA freelist_count').get() ?? {})[0] as number;
    const most = Math.min(pages, free - keep);
    if (most > 0) this.database.exec(`PRAGMA incremental_vacuum(${most})`);
    return free - keep <= pages;
  }

  checkpoint(): void {
    this.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }
}

const extentOf = (
  row: Omit<BlockExtent, 'seriesFrom' | 'seriesTo'>,
  entries: readonly Entry[],
): BlockExtent => ({
  id: row.id,
  fromMs: row.fromMs,
  toMs: row.toMs,
  receivedToMs: row.receivedToMs,
  observations: row.observations,
  seriesFrom: entries[0]?.series ?? 0,
  seriesTo: entries.at(-1)?.series ?? 0,
});
