/** Looks at a data folder nobody has opened: what a start will find in it. Reads only. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../model/fault.ts';
import { journalClasses, type JournalClass, type Ranges } from '../../journal/types.ts';
import { add, minus, none } from '../../journal/ranges.ts';
import { inspectJournal, observationsIn } from '../../journal/inspect.ts';
import { migrations } from '../rows/schema.ts';
import { causeOf } from '../store/sqlite.ts';
import { readDirectory, type Compacted } from '../store/store-file.ts';
import { dataFiles, journalFolder, nameOf, registryFile } from './data-folder.ts';

export interface Restored {
  readonly folder: string;
  readonly madeAtMs: number;
  /** Version of Vigil, where the backup tells it. */
  readonly madeBy?: string;
  /** In the historian, and in the journal and not yet there. */
  readonly observations: number;
  /** Alarms of which the log tells, and audit records. */
  readonly alarms: number;
  readonly audited: number;
  /** The newest instant in it, ms; 0 when there is none. */
  readonly lastAtMs: number;
  /** What is damaged in it, in words. */
  readonly damage: readonly string[];
}

/** Throws FORMAT_TOO_NEW when a later Vigil wrote the journal or the registry. */
export function demandKnownFormats(folder: string): void {
  inspectJournal(join(folder, journalFolder));
  const found = withDatabase(join(folder, registryFile), (database) =>
    Number(Object.values(database.prepare('PRAGMA user_version').get() ?? {})[0] ?? 0),
  );
  if (found > migrations.length)
    throw new Fault('FORMAT_TOO_NEW', { what: nameOf(registryFile), found, known: migrations.length });
}

export function lookAt(folder: string): Omit<Restored, 'madeAtMs' | 'madeBy'> {
  const journal = inspectJournal(join(folder, journalFolder));
  const damage = [
    ...journal.faults.map(({ message }) => message),
    ...journal.losses.map(
      ({ klass, fromNumber, toNumber, observations }) =>
        `journal: batches ${fromNumber} to ${toNumber - 1} of ${klass} are missing (${observations} observations)`,
    ),
    ...databasesOf(folder).flatMap((file) => damageOf(join(folder, file), nameOf(file))),
  ];
  const registry = withDatabase(join(folder, registryFile), logFigures) ?? {
    alarms: 0,
    audited: 0,
    lastAtMs: 0,
  };
  const stored = historianFigures(join(folder, 'historian', 'historian.db'));
  const waiting = observationsIn(join(folder, journalFolder), (klass, present) =>
    klass === 'alarm' || klass === 'numerics' ? minus(present, stored.delivered[klass] ?? none) : none,
  );
  return {
    folder,
    observations: stored.observations + waiting.observations,
    alarms: registry.alarms,
    audited: registry.audited,
    lastAtMs: Math.max(registry.lastAtMs, waiting.lastAtMs, stored.lastAtMs),
    damage,
  };
}

function databasesOf(folder: string): string[] {
  const { stores, books } = dataFiles(folder);
  return [registryFile, ...stores, ...books];
}

function logFigures(database: DatabaseSync): { alarms: number; audited: number; lastAtMs: number } {
  const ask = (sql: string): number => Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
  return {
    alarms: ask('SELECT count(DISTINCT alarm) FROM alarm_log'),
    audited: ask('SELECT count(*) FROM audit'),
    lastAtMs: Math.max(ask('SELECT max(atMs) FROM alarm_log'), ask('SELECT max(atMs) FROM audit')),
  };
}

/** A store that cannot be read holds nothing for a start: what the journal has is read again. */
function historianFigures(path: string): {
  observations: number;
  lastAtMs: number;
  delivered: Partial<Record<JournalClass, Ranges>>;
} {
  const nothing = { observations: 0, lastAtMs: 0, delivered: {} };
  if (!existsSync(path)) return nothing;
  try {
    return withDatabase(path, (database) => {
      const delivered: Partial<Record<JournalClass, Ranges>> = {};
      for (const row of database.prepare('SELECT class, fromNumber, toNumber FROM delivered').all()) {
        const klass = journalClasses.find((known) => known === row['class']);
        if (klass)
          delivered[klass] = add(
            delivered[klass] ?? none,
            Number(row['fromNumber']),
            Number(row['toNumber']),
          );
      }
      const last = database.prepare('SELECT max(receivedAtMs) AS at FROM latest').get()?.['at'];
      return { observations: observationsOf(database), lastAtMs: Number(last ?? 0), delivered };
    });
  } catch {
    return nothing;
  }
}

/** Where a compaction was under way, what it has put into chunks is left out of its blocks. */
function observationsOf(database: DatabaseSync): number {
  const chunks = Number(database.prepare('SELECT total(observations) AS n FROM chunks').get()?.['n'] ?? 0);
  const said = database.prepare("SELECT value FROM meta WHERE name = 'compacted'").get()?.['value'];
  const { throughBlock, beforeSeries } = JSON.parse(
    typeof said === 'string' ? said : '{"throughBlock":0,"beforeSeries":0}',
  ) as Compacted;
  let blocks = 0;
  for (const row of database.prepare('SELECT id, directory FROM blocks').iterate())
    for (const { series, observations } of readDirectory(row['directory'] as Uint8Array))
      if (Number(row['id']) > throughBlock || series >= beforeSeries) blocks += observations;
  return chunks + blocks;
}

/** Pages of larger files are checked as they are read. */
const checkUpToBytes = 1024 * 1024 * 1024;

function damageOf(path: string, what: string): string[] {
  if (!existsSync(path)) return [`${what} is missing`];
  if (statSync(path).size > checkUpToBytes) return [];
  try {
    const word = withDatabase(
      path,
      (database) => Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0],
    );
    return word === 'ok' ? [] : [`${what}: ${String(word).split('\n')[0]}`];
  } catch (error) {
    return [`${what}: ${causeOf(error)}`];
  }
}

function withDatabase<T>(path: string, use: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return use(database);
  } finally {
    database.close();
  }
}
