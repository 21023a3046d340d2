import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { Fault } from '../../model/fault.ts';
import { syncFolder, writeAll } from '../../journal/files.ts';
import { readArchive, type Manifest } from './archive.ts';
import { configFile } from './data-folder.ts';
import { demandKnownFormats, lookAt, type Restored } from './restored.ts';
import type { BackupSecret } from './sealed-file.ts';

export interface RestoreOptions {
  readonly from: string;
  /** Becomes the data folder; must not exist, or be empty. */
  readonly to: string;
  readonly secret: BackupSecret;
  readonly progress: (share: number, says: string) => void;
}

const checkingShare = 0.4;

/**
 * Restores a backup into an empty folder. The whole file is read and compared first; nothing is written unless all of
 * it is as it was made. Throws BACKUP_CHANGED, BACKUP_KEY, FORMAT_TOO_NEW, RESTORE_TARGET or BACKUP_WRITE.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { from, secret, progress } = options;
  const to = resolve(options.to);
  demandEmpty(to);
  const size = statSync(from, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new Fault('BACKUP_CHANGED', { cause: `there is no file ${from}` });
  const checked = await readArchive(from, {
    secret,
    entry: async (_name, content) => {
      for await (const _part of content);
    },
    read: (bytes) => progress((bytes / size) * checkingShare, 'checking the whole file'),
  });
  demandRoom(to, checked);
  const made = !existsSync(to);
  try {
    mkdirSync(to, { recursive: true, mode: 0o700 });
    const written = await readArchive(from, {
      secret,
      entry: (name, content) => writeEntry(to, name, content),
      read: (bytes) => progress(checkingShare + (bytes / size) * (1 - checkingShare), 'writing'),
    });
    if (JSON.stringify(written) !== JSON.stringify(checked))
      throw new Fault('BACKUP_CHANGED', { cause: 'it changed while it was read' });
    pointConfigTo(to);
    syncFolder(to);
    demandKnownFormats(to);
    return { ...lookAt(to), madeAtMs: checked.madeAtMs, madeBy: checked.madeBy };
  } catch (error) {
    for (const file of readdirSync(to)) rmSync(join(to, file), { recursive: true, force: true });
    if (made) rmSync(to, { recursive: true, force: true });
    throw error;
  }
}

/** Throws RESTORE_TARGET unless the folder is missing or empty. */
export function demandEmpty(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) throw new Fault('RESTORE_TARGET', { folder, cause: 'it is no folder' });
  if (readdirSync(folder).length > 0) throw new Fault('RESTORE_TARGET', { folder, cause: 'it is not empty' });
}

function demandRoom(to: string, { entries }: Manifest): void {
  let there = to;
  while (!existsSync(there)) there = dirname(there);
  const { bavail, bsize } = statfsSync(there);
  const wanted = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (bavail * bsize < wanted)
    throw new Fault('RESTORE_TARGET', {
      folder: to,
      cause: `it needs ${Math.ceil(wanted / 1_048_576)} MiB free`,
    });
}

async function writeEntry(to: string, name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  const path = join(to, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'wx', 0o600);
  try {
    let at = 0;
    for await (const part of content) {
      writeAll(fd, part, at);
      at += part.length;
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The restored configuration names its new data folder; all else in it stays as it was written. */
export function pointConfigTo(folder: string): void {
  const file = join(folder, configFile);
  if (!existsSync(file)) return;
  const document = parseDocument(readFileSync(file, 'utf8'));
  document.set('data', folder);
  writeFileSync(file, document.toString(), { mode: 0o600 });
}
