/** The historian's SQLite file: series, blocks (fresh, many series), chunks (one series and hour), latest, positions. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { statSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Fault } from '../../model/fault.ts';
import { add } from '../../journal/ranges.ts';
import type { JournalClass, Ranges } from '../../journal/types.ts';
import type { Damaged } from './damage.ts';
import { openDatabase, transaction, type DatabaseSpec } from './sqlite.ts';
import type { Columns, TextValue } from './columns.ts';
import type { LatestRow, Series, SeriesBook } from './series-book.ts';

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
  // Checksums of what names a patient's device or stands on a tile; null in rows of before.
  `ALTER TABLE series ADD COLUMN sum INTEGER;
   ALTER TABLE latest ADD COLUMN sum INTEGER;
   CREATE TABLE damaged AS SELECT * FROM chunks WHERE 0;`,
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
  // The last one is the checksum.
  const numbers = new Float64Array(entries.length * entryNumbers + 1);
  entries.forEach((entry, index) =>
    numbers.set(
      [entry.series, entry.offset, entry.observations, entry.fromMs, entry.toMs],
      index * entryNumbers,
    ),
  );
  const bytes = new Uint8Array(numbers.buffer);
  new DataView(numbers.buffer).setFloat64(bytes.length - 8, crc32(bytes.subarray(0, bytes.length - 8)), true);
  return bytes;
};

/** Throws when it is damaged. */
export function readDirectory(bytes: Uint8Array): Entry[] {
  const all = new Float64Array(bytes.slice().buffer);
  const sealed = all.length % entryNumbers === 1;
  if (sealed && all.at(-1) !== crc32(bytes.subarray(0, bytes.length - 8)))
    throw new RangeError('its directory is damaged');
  const numbers = sealed ? all.subarray(0, -1) : all;
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
  /** Damaged stretches that were told since the start. */
  readonly damaged = new Set<string>();
  /** Damaged chunks that are still in the way. */
  readonly broken = new Map<number, Extent>();
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
    // Unreadable: all blocks are compacted anew, and what was done already is found twice and kept once.
    this.compacted = this.sealed<Compacted>('compacted') ?? { throughBlock: 0, beforeSeries: 0 };
    for (const row of this.sql('SELECT id, fromMs, toMs, receivedToMs, observations FROM blocks').iterate()) {
      const entries = this.directory(row['id'] as number);
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

  /** A value of `meta` with its checksum; undefined when there is none or it is damaged. */
  sealed<T>(name: string): T | undefined {
    return unsealed<T>(this.meta(name));
  }

  setSealed(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    this.setMeta(name, `${crc32(text)}\n${text}`);
  }

  addSeries({ id, device, metric, channel }: Series): void {
    const sum = sumOf(id, device, metric, channel);
    this.sql('INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?)').run(id, device, metric, channel, sum);
  }

  /** Series and newest values; answers what is damaged and was left out. */
  loadBook(book: SeriesBook): readonly Damaged[] {
    const damaged: Damaged[] = [];
    for (const row of this.sql('SELECT * FROM series').iterate()) {
      const series = {
        id: row['id'] as number,
        device: row['device'] as string,
        metric: row['metric'] as string,
        channel: row['channel'] as string,
      };
      if (isSum(row['sum'], series.id, series.device, series.metric, series.channel)) book.add(series);
      else damaged.push(this.ofSeries(series.id));
    }
    for (const row of this.sql('SELECT * FROM latest').iterate()) {
      if (book.all[row['series'] as number] === undefined) continue;
      const { sum, ...columns } = row;
      if (!isSum(sum, ...Object.values(columns))) {
        const atMs = row['takenAtMs'] as number;
        damaged.push({ what: `latest ${row['series']}`, observations: 1, fromMs: atMs, toMs: atMs });
        continue;
      }
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
    return damaged;
  }

  /** All that is kept of a series whose name is damaged: nobody can be told it is his. */
  private ofSeries(id: number): Damaged {
    const row = this.sql(
      'SELECT total(observations) AS n, min(fromMs) AS a, max(toMs) AS b FROM chunks WHERE series = ?',
    ).get(id);
    const [fromMs, toMs] = [(row?.['a'] as number | null) ?? 0, (row?.['b'] as number | null) ?? 0];
    return { what: `series ${id}`, observations: Math.max(1, row?.['n'] as number), fromMs, toMs };
  }

  putLatest(series: number, row: LatestRow): void {
    const columns = [
      series,
      row.takenAtMs,
      row.receivedAtMs,
      Number.isNaN(row.value) ? null : row.value,
      row.flags,
      row.reason,
      row.seq,
      row.boot,
      row.text === undefined ? null : JSON.stringify(row.text),
    ];
    this.sql('INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      ...columns,
      sumOf(...columns),
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
    // Numbers that damage has made larger would leave batches out for ever; none are read again.
    if (this.sealed('delivered') !== this.deliveredSum()) return delivered;
    for (const row of this.sql('SELECT * FROM delivered').iterate()) {
      const klass = row['class'] as JournalClass;
      const known = delivered.get(klass) ?? [];
      delivered.set(klass, add(known, row['fromNumber'] as number, row['toNumber'] as number));
    }
    return delivered;
  }

  putDelivered(delivered: ReadonlyMap<JournalClass, Ranges>): void {
    this.sql('DELETE FROM delivered').run();
    for (const [klass, ranges] of delivered)
      for (const [from, to] of ranges)
        this.sql('INSERT INTO delivered VALUES (?, ?, ?)').run(klass, from, to);
    this.setSealed('delivered', this.deliveredSum());
  }

  private deliveredSum(): number {
    return sumOf(
      ...this.sql('SELECT * FROM delivered ORDER BY class, fromNumber').all().flatMap(Object.values),
    );
  }

  /** The same of all chunks of a series whose name is damaged, and of a newest value: told once, not at each start. */
  keepSeriesAside({ what }: Damaged): void {
    const [kind, id = ''] = what.split(' ');
    if (kind === 'latest') this.sql('DELETE FROM latest WHERE series = ?').run(Number(id));
    if (kind !== 'series') return;
    this.sql('INSERT INTO damaged SELECT * FROM chunks WHERE series = ?').run(Number(id));
    for (const table of ['chunks', 'latest'])
      this.sql(`DELETE FROM ${table} WHERE series = ?`).run(Number(id));
    this.sql('DELETE FROM series WHERE id = ?').run(Number(id));
  }

  /** Takes a damaged chunk out of the way of queries; its bytes stay for whoever may still read them. */
  keepAside({ id }: Extent): void {
    this.sql('INSERT INTO damaged SELECT * FROM chunks WHERE id = ?').run(id);
    this.sql('DELETE FROM chunks WHERE id = ?').run(id);
    this.broken.delete(id);
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

  /** Nothing when it is damaged: whoever opens the block finds and tells it. */
  directory(block: number): Entry[] {
    const row = this.sql('SELECT directory FROM blocks WHERE id = ?').get(block);
    try {
      return row ? readDirectory(row['directory'] as Uint8Array) : [];
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return [];
    }
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

/** A sealed value of `meta` as it stands there; undefined when there is none or it is damaged. */
export function unsealed<T>(value = ''): T | undefined {
  const [sum, text] = value.split('\n');
  return text !== undefined && Number(sum) === crc32(text) ? (JSON.parse(text) as T) : undefined;
}

const sumOf = (...columns: readonly unknown[]): number => crc32(JSON.stringify(columns));
/** Rows of before there were sums have none. */
const isSum = (sum: unknown, ...columns: readonly unknown[]): boolean =>
  sum === null || sum === sumOf(...columns);
