/** A SQLite file in use by somebody else, copied as it stood at one moment. */
import { chmodSync, rmSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { Fault } from '../../model/fault.ts';
import { causeOf } from '../store/sqlite.ts';

/** Pages copied at a time, in a thread of the system's pool; between two steps whoever waits is heard. */
const pagesPerStep = 2_000;

export interface CopyOptions {
  /** In words, for a fault: "the historian". */
  readonly what: string;
  /** Share that is done, 0 to 1. Throwing from it gives the copy up. */
  readonly progress?: (share: number) => void;
}

/**
 * Copies it page by page under a read transaction: the copy is the state of the moment it began, whatever is written
 * meanwhile, and its writer never waits. Throws BACKUP_SOURCE when it cannot be read.
 */
export async function copyDatabase(from: string, to: string, { what, progress }: CopyOptions): Promise<void> {
  const source = openRead(from, what);
  try {
    // The first question begins the transaction; the backup then sees what it sees, and never begins anew.
    source.exec('BEGIN');
    source.prepare('SELECT count(*) FROM sqlite_master').get();
    rmSync(to, { force: true });
    let stopped: unknown;
    await backup(source, to, {
      rate: pagesPerStep,
      progress: ({ totalPages, remainingPages }) => {
        try {
          if (stopped === undefined) progress?.(1 - remainingPages / Math.max(1, totalPages));
        } catch (error) {
          stopped = error;
        }
      },
    });
    if (stopped !== undefined) throw stopped;
    alone(to);
  } catch (error) {
    rmSync(to, { force: true });
    if (error instanceof Fault || (error as Error).name === 'AbortError') throw error;
    if (isRoom(error)) throw new Fault('BACKUP_WRITE', { cause: causeOf(error) }, { cause: error });
    throw new Fault('BACKUP_SOURCE', { what, cause: causeOf(error) }, { cause: error });
  } finally {
    source.close();
  }
}

/** One file without companions: a folder on the network cannot hold what WAL needs. */
function alone(path: string): void {
  chmodSync(path, 0o600);
  const copy = new DatabaseSync(path);
  try {
    copy.exec('PRAGMA journal_mode = DELETE');
  } finally {
    copy.close();
  }
}

function openRead(path: string, what: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true });
  } catch (error) {
    throw new Fault('BACKUP_SOURCE', { what, cause: causeOf(error) }, { cause: error });
  }
}

/** SQLITE_FULL: the copy's disk, the source is only read. */
const isRoom = (error: unknown): boolean => (error as { errcode?: unknown }).errcode === 13;
