/** The books on disk: what was counted and kept by device and hour, a copy of the ledger's lines, and how far it read. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { add } from '../../journal/ranges.ts';
import type { DeviceContent } from '../../journal/content.ts';
import type { TallyRow } from '../../journal/tally.ts';
import { journalClasses, type JournalClass, type Ranges } from '../../journal/types.ts';
import type { Fault } from '../../model/fault.ts';
import { openDatabase, transaction } from '../store/sqlite.ts';
import type { BooksCell, BooksPage, LedgerLine } from './types.ts';

export const booksFile = 'books.db';

const migrations = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE counted (hour INTEGER NOT NULL, device TEXT NOT NULL, class TEXT NOT NULL, run INTEGER NOT NULL,
     received INTEGER NOT NULL, duplicate INTEGER NOT NULL, historical INTEGER NOT NULL, quarantined INTEGER NOT NULL,
     PRIMARY KEY (hour, device, class, run)) WITHOUT ROWID;
   CREATE TABLE kept (hour INTEGER NOT NULL, device TEXT NOT NULL, class TEXT NOT NULL, messages INTEGER NOT NULL,
     observations INTEGER NOT NULL, historical INTEGER NOT NULL, PRIMARY KEY (hour, device, class)) WITHOUT ROWID;
   CREATE TABLE lines (number INTEGER PRIMARY KEY, hour INTEGER NOT NULL, device TEXT NOT NULL, fromMs REAL NOT NULL,
     toMs REAL NOT NULL, observations INTEGER NOT NULL, why TEXT NOT NULL, class TEXT NOT NULL, sinks TEXT NOT NULL);
   CREATE INDEX linesByHour ON lines (hour, device);
   CREATE TABLE delivered (class TEXT NOT NULL, fromNumber INTEGER NOT NULL, toNumber INTEGER NOT NULL,
     PRIMARY KEY (class, fromNumber)) WITHOUT ROWID;`,
];

export interface CountedRow extends TallyRow {
  readonly klass: JournalClass;
  readonly run: number;
}
export interface KeptRow extends Pick<
  DeviceContent,
  'device' | 'hour' | 'messages' | 'observations' | 'historical'
> {
  readonly klass: JournalClass;
}

export class BooksFile {
  readonly damage: Fault | undefined;
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  /** Throws FORMAT_TOO_NEW or DATABASE_OPEN. A damaged file is set aside: the books then begin anew. */
  constructor(path: string, nowMs: number) {
    const opened = openDatabase({
      path,
      what: 'the books',
      migrations,
      cacheKib: 1_024,
      checkUpToBytes: 64 * 1024 * 1024,
      nowMs,
    });
    this.database = opened.database;
    this.damage = opened.damage;
  }

  /** The batches that are in the books; none of another journal's. */
  delivered(epoch: string): Record<JournalClass, Ranges> {
    if (this.meta('epoch') !== epoch) {
      transaction(this.database, () => {
        this.sql('DELETE FROM delivered').run();
        this.setMeta('epoch', epoch);
      });
    }
    return readDelivered(this.database);
  }

  /** Enters what was counted and kept, and that these batches are in: all or nothing. */
  enter(entries: {
    readonly counted: Iterable<CountedRow>;
    readonly kept: Iterable<KeptRow>;
    readonly delivered: Readonly<Record<JournalClass, Ranges>>;
  }): void {
    transaction(this.database, () => {
      for (const row of entries.counted) this.count(row);
      const keep = this.sql(
        `INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET messages = messages + excluded.messages,
           observations = observations + excluded.observations, historical = historical + excluded.historical`,
      );
      for (const { hour, device, klass, messages, observations, historical } of entries.kept)
        keep.run(hour, device, klass, messages, observations, historical);
      for (const klass of journalClasses) {
        this.sql('DELETE FROM delivered WHERE class = ?').run(klass);
        for (const [from, to] of entries.delivered[klass])
          this.sql('INSERT INTO delivered VALUES (?, ?, ?)').run(klass, from, to);
      }
    });
  }

  /** Copies lines of the loss ledger; they say, too, what was counted by then. */
  copy(lines: readonly LedgerLine[]): void {
    transaction(this.database, () => {
      const put = this.sql('INSERT OR REPLACE INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
      for (const line of lines) {
        const { number, hour, device, fromMs, toMs, observations, why, klass, sinks, counted } = line;
        put.run(number, hour, device, fromMs, toMs, observations, why, klass, sinks.join(','));
        if (counted) this.count({ ...counted, device, hour, klass });
      }
      const last = lines.at(-1);
      if (last) this.setMeta('lines', String(Math.max(last.number, this.copiedLines)));
    });
  }

  /** Number of the last line that was copied. */
  get copiedLines(): number {
    return Number(this.meta('lines') ?? 0);
  }

  /** Cells by hour and device, oldest first. */
  page({ fromHour, toHour, device, after, limit }: BooksPage): BooksCell[] {
    return readCells(this.database, { fromHour, toHour, device, after, limit });
  }

  /** Forgets hours before this one; lines stay as long as the ledger has them. */
  forget(beforeHour: number): void {
    transaction(this.database, () => {
      for (const table of ['counted', 'kept'])
        this.sql(`DELETE FROM ${table} WHERE hour < ?`).run(beforeHour);
    });
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }

  /** Counters only grow: of two the greater is the newer. */
  private count({
    hour,
    device,
    klass,
    run,
    received,
    duplicate,
    historical,
    quarantined,
  }: CountedRow): void {
    this.sql(
      `INSERT INTO counted VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
         received = max(received, excluded.received), duplicate = max(duplicate, excluded.duplicate),
         historical = max(historical, excluded.historical), quarantined = max(quarantined, excluded.quarantined)`,
    ).run(hour, device, klass, run, received, duplicate, historical, quarantined);
  }

  private meta(name: string): string | undefined {
    return this.sql('SELECT value FROM meta WHERE name = ?').get(name)?.['value'] as string | undefined;
  }

  private setMeta(name: string, value: string): void {
    this.sql('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(name, value);
  }

  private sql(text: string): StatementSync {
    let statement = this.statements.get(text);
    if (!statement) this.statements.set(text, (statement = this.database.prepare(text)));
    return statement;
  }
}

/** Also of a database that is only read. */
export function readDelivered(database: DatabaseSync): Record<JournalClass, Ranges> {
  const delivered: Record<JournalClass, Ranges> = { alarm: [], numerics: [], raw: [], waveforms: [] };
  for (const row of database.prepare('SELECT * FROM delivered').iterate()) {
    const klass = row['class'] as JournalClass;
    delivered[klass] = add(delivered[klass], row['fromNumber'] as number, row['toNumber'] as number);
  }
  return delivered;
}

/** One cell a device and hour, over all classes and runs. Also of a database that is only read. */
export function readCells(database: DatabaseSync, page: BooksPage): BooksCell[] {
  const [afterHour, afterDevice] = page.after ?? [-1, ''];
  return database
    .prepare(
      `SELECT hour, device, sum(received) AS received, sum(kept) AS kept, sum(stowed) AS stowed, sum(ledgered) AS ledgered,
         sum(quarantined) AS quarantined, sum(duplicate) AS duplicate, sum(historicalKept) AS historicalKept,
         sum(historicalDuplicate) AS historicalDuplicate FROM (
           SELECT hour, device, received, 0 AS kept, 0 AS stowed, 0 AS ledgered, quarantined, duplicate,
             0 AS historicalKept, historical AS historicalDuplicate FROM counted
           UNION ALL SELECT hour, device, 0, observations, iif(class = 'numerics', observations, 0), 0, 0, 0, historical, 0
             FROM kept
           UNION ALL SELECT hour, device, 0, 0, 0, observations, 0, 0, 0, 0 FROM lines WHERE why = 'unrecorded')
       WHERE hour >= $from AND hour < $to AND ($device IS NULL OR device = $device) AND device <> '*'
         AND (hour > $afterHour OR (hour = $afterHour AND device > $afterDevice))
       GROUP BY hour, device ORDER BY hour, device LIMIT $limit`,
    )
    .all({
      from: page.fromHour,
      to: page.toHour,
      device: page.device ?? null,
      afterHour,
      afterDevice,
      limit: page.limit,
    }) as unknown as BooksCell[];
}
