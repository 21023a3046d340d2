/** What every SQLite file of the gateway needs: durable settings, versions, damage recognised and set aside. */
import { DatabaseSync } from 'node:sqlite';
import { chmodSync, existsSync, renameSync, statSync } from 'node:fs';
import { Fault } from '../../model/fault.ts';

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** Set when a damaged file was set aside and an empty one begun. */
  readonly damage?: Fault;
}

export interface DatabaseSpec {
  readonly path: string;
  /** What it is, in words: "the historian". */
  readonly what: string;
  /** Steps from version n to n + 1, in order; each one runs in the opening transaction. */
  readonly migrations: readonly string[];
  /** Pages kept in memory, KiB. */
  readonly cacheKib: number;
  /** Checked page by page at start up to this size; larger files are checked as they are read. */
  readonly checkUpToBytes: number;
  /** For the name of a file set aside. */
  readonly nowMs: number;
  /** Beside its owner: nothing is written, set aside or brought forward, and all that is read is of one moment. */
  readonly toRead?: boolean;
}

/**
 * Opens a database in WAL mode with synchronous=FULL and brings it to the newest version. A damaged file is renamed
 * and an empty one begun. Throws FORMAT_TOO_NEW, or DATABASE_OPEN when the disk refuses.
 */
export function openDatabase(spec: DatabaseSpec): OpenedDatabase {
  if (spec.toRead === true) return { database: openAlongside(spec) };
  try {
    return { database: openOnce(spec) };
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (!isDamage(error))
      throw new Fault('DATABASE_OPEN', { what: spec.what, cause: causeOf(error) }, { cause: error });
    const damage = setAside(spec, causeOf(error));
    return { database: openOnce(spec), damage };
  }
}

/** Renames a damaged database and its companions; the fault says where it is. */
export function setAside(spec: DatabaseSpec, cause: string): Fault {
  const aside = `${spec.path}.damaged-${Math.floor(spec.nowMs)}`;
  for (const end of ['', '-wal', '-shm'])
    if (existsSync(spec.path + end)) renameSync(spec.path + end, aside + end);
  return new Fault('DATABASE_CORRUPT', {
    what: spec.what,
    cause,
    file: aside.slice(aside.lastIndexOf('/') + 1),
  });
}

function openAlongside({ path, what, cacheKib, migrations }: DatabaseSpec): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    database.exec(`PRAGMA busy_timeout = 2000; PRAGMA cache_size = -${cacheKib}; BEGIN`);
    const found = Number(Object.values(database.prepare('PRAGMA user_version').get() ?? {})[0] ?? 0);
    if (found > migrations.length)
      throw new Fault('FORMAT_TOO_NEW', { what, found, known: migrations.length });
    return database;
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('DATABASE_OPEN', { what, cause: causeOf(error) }, { cause: error });
  }
}

function openOnce(spec: DatabaseSpec): DatabaseSync {
  const database = new DatabaseSync(spec.path);
  try {
    // Its log takes the same mode (sqlite.org/wal.html): patients' data are the gateway's alone.
    chmodSync(spec.path, 0o600);
    database.exec(`PRAGMA busy_timeout = 2000; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL; PRAGMA cache_size = -${spec.cacheKib}; PRAGMA wal_autocheckpoint = 1000;
      PRAGMA journal_size_limit = 8388608; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF`);
    check(database, spec);
    migrate(database, spec);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function check(database: DatabaseSync, spec: DatabaseSpec): void {
  if (statSync(spec.path).size > spec.checkUpToBytes) return;
  const found = database.prepare('PRAGMA quick_check(1)').get();
  const word = found && Object.values(found)[0];
  if (word !== 'ok') throw new Damage(String(word).split('\n')[0]);
}

function migrate(database: DatabaseSync, spec: DatabaseSpec): void {
  const found = Number(Object.values(database.prepare('PRAGMA user_version').get() ?? {})[0] ?? 0);
  const known = spec.migrations.length;
  if (found > known) throw new Fault('FORMAT_TOO_NEW', { what: spec.what, found, known });
  if (found === known) return;
  transaction(database, () => {
    for (const step of spec.migrations.slice(found)) database.exec(step);
    database.exec(`PRAGMA user_version = ${known}`);
  });
}

/** Runs in one transaction; whatever is thrown undoes it. */
export function transaction<T>(database: DatabaseSync, run: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = run();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk may have undone the transaction already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

class Damage extends Error {}

const primaryCode = (error: unknown): number => {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' ? code & 0xff : -1;
};

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html). */
export const isDamage = (error: unknown): boolean =>
  error instanceof Damage || primaryCode(error) === 11 || primaryCode(error) === 26;

/** In words for a fault; never the statement, which may hold names. */
export function causeOf(error: unknown): string {
  const word = resultWords.get(primaryCode(error));
  if (word) return word;
  return error instanceof Error ? error.message.slice(0, 200) : String(error).slice(0, 200);
}

const resultWords = new Map([
  [10, 'the disk reported an error'],
  [11, 'the file is damaged'],
  [13, 'the disk is full'],
  [14, 'the file cannot be opened'],
  [26, 'the file is no database'],
]);
