import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Fault } from '../../model/fault.ts';
import { committedPart, segmentsIn } from '../../journal/copy.ts';
import { syncFolder } from '../../journal/files.ts';
import { parseHeadFile } from '../../journal/head.ts';
import { positionsFile } from '../../journal/positions.ts';
import { readCopyState } from './copy-state.ts';
import { dataFiles, journalFolder, registryFile, reserveFile } from './data-folder.ts';
import { sha256Of } from './digest.ts';
import { demandEmpty } from './restore.ts';
import { demandKnownFormats, lookAt, type Restored } from './restored.ts';

export interface RestoreCopyOptions {
  /** What `backup.copyTo` named. */
  readonly from: string;
  readonly to: string;
  readonly progress: (share: number, says: string) => void;
}

/**
 * Makes a data folder of the second folder. Batches and the registry are checked by what they hold of themselves, the
 * stores by their sums; a store that differs is refused. Throws BACKUP_CHANGED, FORMAT_TOO_NEW or RESTORE_TARGET.
 */
export async function restoreCopy({ from, to: target, progress }: RestoreCopyOptions): Promise<Restored> {
  const to = resolve(target);
  demandEmpty(to);
  const state = readCopyState(from);
  if (!state || state.storesAtMs === 0)
    throw new Fault('BACKUP_CHANGED', { cause: `${from} holds no copy that was ended once` });
  for (const [file, sum] of Object.entries({ ...state.coming, ...state.stores })) {
    progress(0, `checking ${file}`);
    const found = existsSync(join(from, file)) ? await sha256Of(join(from, file)) : undefined;
    if (found !== sum && (found === undefined || found !== state.coming[file]))
      throw new Fault('BACKUP_CHANGED', { cause: `${file} is not as it was copied` });
  }
  demandKnownFormats(from);
  const made = !existsSync(to);
  try {
    const journal = join(from, journalFolder);
    const small = ['journal.json', positionsFile, ...readdirSync(journal).filter(parseHeadFile)];
    const { stores, books, plain } = dataFiles(from);
    const whole = [
      ...[registryFile, reserveFile, ...stores, ...books, ...plain],
      ...small.map((file) => `${journalFolder}/${file}`),
    ].filter((file) => existsSync(join(from, file)));
    const segments = segmentsIn(journal);
    for (const [index, file] of whole.entries()) {
      progress(index / (whole.length + segments.length), `copying ${file}`);
      copyFileSync(join(from, file), within(to, file));
      synced(join(to, file));
    }
    for (const [index, { file }] of segments.entries()) {
      progress((whole.length + index) / (whole.length + segments.length), 'copying the journal');
      const bytes = readFileSync(join(journal, file));
      // A pass that was cut off may have left a piece of a batch.
      const path = within(to, `${journalFolder}/${file}`);
      writeFileSync(path, bytes.subarray(0, committedPart(bytes, file, Infinity).bytes), {
        mode: 0o600,
        flush: true,
      });
    }
    syncFolder(join(to, journalFolder));
    syncFolder(to);
    return { ...lookAt(to), madeAtMs: state.atMs };
  } catch (error) {
    if (existsSync(to))
      for (const file of readdirSync(to)) rmSync(join(to, file), { recursive: true, force: true });
    if (made) rmSync(to, { recursive: true, force: true });
    throw error;
  }
}

function within(folder: string, file: string): string {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return path;
}

function synced(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
