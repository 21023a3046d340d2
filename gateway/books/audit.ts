/**
 * The audit of the books: what was received, kept, stored, ledgered, quarantined and recognised as duplicate, by
 * device and hour, each from its own place, and whether the sums agree. It only reads, so a running gateway's folder
 * may be audited: what one database has and another has not yet is read from the journal, which keeps it until then.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Contents } from '../../journal/content.ts';
import { inspectJournal, readBatches } from '../../journal/inspect.ts';
import { count, minus } from '../../journal/ranges.ts';
import { hourMs } from '../../journal/tally.ts';
import type { Ranges } from '../../journal/types.ts';
import type { LossEntry } from '../rows/tables.ts';
import { countRows, type RowCounts } from '../store/count-rows.ts';
import { balance, type Balance, type Gathered } from './balance.ts';
import { lineOf } from './books.ts';
import { booksFile, readCells, readDelivered } from './books-file.ts';
import type { LedgerLine } from './types.ts';

export interface AuditAsk {
  /** The gateway's data folder. */
  readonly folder: string;
  /** By receipt; whole hours are audited. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly device?: string | undefined;
  readonly nowMs: number;
  /** What is older the historian has let go of; not compared. */
  readonly retentionMs: number;
  /** Share that is done; may throw to call the audit off. */
  readonly breathe: (share: number) => void;
}

/** A batch may reach its sink and leave the journal while it is looked for; then all is looked at once more. */
const mostTries = 4;
const mostCells = 10_000_000;

/** Throws the system's error when the folder holds no gateway's data. */
export function auditBooks(ask: AuditAsk): Balance {
  for (let tries = 1; ; tries++) {
    const gathered = gather(ask);
    if (gathered.vanished.length === 0 || tries === mostTries) return balance(gathered, ask);
  }
}

function gather(ask: AuditAsk): Gathered & { readonly vanished: readonly string[] } {
  const { folder, fromMs, toMs, device } = ask;
  const span = {
    fromHour: Math.floor(fromMs / hourMs),
    toHour: Math.ceil(toMs / hourMs),
    ...(device === undefined ? {} : { device }),
  };
  const historian = read(join(folder, 'historian', 'historian.db'), (database) => ({
    delivered: readDelivered(database).numerics,
    counts: countRows(
      database,
      { fromMs: span.fromHour * hourMs, toMs: span.toHour * hourMs, device },
      ask.breathe,
    ),
  }));
  const books = read(join(folder, 'books', booksFile), (database) => ({
    delivered: readDelivered(database).numerics,
    cells: readCells(database, { ...span, limit: mostCells }),
    lines: copiedLines(database),
  }));
  const ledger = read(join(folder, 'registry', 'rows.db'), ledgerLines);
  const journal = join(folder, 'journal');
  const ahead = contentsOf(journal, minus(books.delivered, historian.delivered));
  const behind = contentsOf(journal, minus(historian.delivered, books.delivered));
  return {
    cells: books.cells,
    copied: books.lines,
    ledger,
    ...(historian.counts satisfies RowCounts),
    waiting: ahead.contents,
    unentered: behind.contents,
    missing: inspectJournal(journal).losses,
    vanished: [...ahead.vanished, ...behind.vanished],
  };
}

/** One read transaction, so that what is counted and how far it goes belong together. */
function read<T>(path: string, use: (database: DatabaseSync) => T): T {
  if (!existsSync(path)) throw new Error(`there is no ${path}`);
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    database.exec('BEGIN');
    return use(database);
  } finally {
    database.close();
  }
}

function contentsOf(folder: string, ranges: Ranges): { contents: Contents; vanished: string[] } {
  const contents = new Contents();
  let found = 0;
  for (const { body } of readBatches(folder, 'numerics', ranges)) {
    contents.add(body);
    found += 1;
  }
  const gone = count(ranges) - found;
  return { contents, vanished: gone === 0 ? [] : [`${gone} batches are not in the journal`] };
}

const ledgerLines = (database: DatabaseSync): LedgerLine[] =>
  database
    .prepare('SELECT number, body FROM losses ORDER BY number')
    .all()
    .map((row) => lineOf(row['number'] as number, JSON.parse(row['body'] as string) as LossEntry));

const copiedLines = (database: DatabaseSync): LedgerLine[] =>
  database
    .prepare('SELECT number, hour, device, fromMs, toMs, observations, why, class AS klass, sinks FROM lines')
    .all()
    .map(
      (row) => ({ ...row, sinks: String(row['sinks']).split(',').filter(Boolean) }) as unknown as LedgerLine,
    );
