import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../model/fault.ts';

/**
 * Keeps a second process, and a second opening in this one, out of the folder. Node has no file locks of its own;
 * SQLite's are the system's, so they end with the process however it ends. Throws Fault JOURNAL_LOCKED.
 */
export function lockFolder(folder: string): () => void {
  const database = new DatabaseSync(join(folder, 'lock'));
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new Fault('JOURNAL_LOCKED', { folder }, { cause: error });
  }
  return () => database.close();
}
