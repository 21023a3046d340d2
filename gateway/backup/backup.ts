import { readFileSync, rmSync, renameSync, statSync, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import { causeOf as systemCause, syncFolder } from '../../journal/files.ts';
import { writeArchive } from './archive.ts';
import { configFile, isDataFolder } from './data-folder.ts';
import { checkSecret, type BackupSecret } from './sealed-file.ts';
import { takeSnapshot, type SnapshotEntry } from './snapshot.ts';

export interface BackupOptions {
  /** The data folder; its gateway may run. */
  readonly data: string;
  /** The configuration it runs with, if there is a file. */
  readonly config?: string;
  /** Must not exist. */
  readonly to: string;
  readonly secret: BackupSecret;
  readonly version: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly signal: AbortSignal;
  readonly progress: (share: number, says: string) => void;
}

export interface BackupMade {
  readonly file: string;
  readonly bytes: number;
  readonly entries: number;
  readonly madeAtMs: number;
}

/** Share of the work that copying the databases is, about; packing is the rest. */
const copyingShare = 0.4;

/**
 * Makes one encrypted file of everything a gateway keeps. The file has its name only when it is whole and on disk.
 * Throws BACKUP_KEY, BACKUP_SOURCE or BACKUP_WRITE; an AbortError when it was called off.
 */
export async function makeBackup(options: BackupOptions): Promise<BackupMade> {
  const { data, to, secret, clock, chance, version, signal, progress } = options;
  checkSecret(secret);
  if (!isDataFolder(data))
    throw new Fault('BACKUP_SOURCE', { what: data, cause: 'it is no data folder of Vigil' });
  if (existsSync(to)) throw new Fault('BACKUP_WRITE', { cause: `${to} is there already` });
  const part = `${to}.part`;
  const madeAtMs = clock.nowMs();
  using snapshot = await takeSnapshot({
    data,
    signal,
    progress: (share, says) => progress(share * copyingShare, says),
  });
  const entries = [...configOf(options), ...snapshot.entries];
  try {
    rmSync(part, { force: true });
    const manifest = await writeArchive(part, {
      entries,
      secret,
      chance,
      madeBy: version,
      madeAtMs,
      signal,
      next: (entry) => {
        const share = entry / entries.length;
        progress(
          copyingShare + share * (1 - copyingShare),
          `packing ${entry + 1} of ${entries.length} files`,
        );
      },
    });
    renameSync(part, to);
    syncFolder(resolve(to, '..'));
    return { file: to, bytes: statSync(to).size, entries: manifest.entries.length, madeAtMs };
  } catch (error) {
    rmSync(part, { force: true });
    const { syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined || signal.aborted) throw error;
    throw new Fault('BACKUP_WRITE', { cause: systemCause(error) }, { cause: error });
  }
}

/** As it is, secrets too: the file is encrypted, and a clean host must be able to start with it. */
function configOf({ config }: BackupOptions): SnapshotEntry[] {
  if (config === undefined) return [];
  const bytes = readFileSync(config);
  return [{ name: configFile, load: () => ({ bytes: bytes.length, content: Readable.from([bytes]) }) }];
}
