/**
 * A data folder as it stood at one moment, taken beside a gateway at work. What is filled from the journal is copied
 * before the journal's heads are read, the registry just before, so the whole is a state after a power cut: no store
 * has what the journal has not, and a start on it goes on from there.
 */
import {
  copyFileSync,
  createReadStream,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  statfsSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { Fault } from '../../model/fault.ts';
import { committedPart, copyHeads, copyPositions, segmentsIn } from '../../journal/copy.ts';
import { readPositions, positionsFile } from '../../journal/positions.ts';
import { copyDatabase } from './databases.ts';
import { dataFiles, journalFolder, nameOf, registryFile, reserveFile, stagingFolder } from './data-folder.ts';

export interface SnapshotEntry {
  /** Path within the data folder, with `/`. */
  readonly name: string;
  load(): { readonly bytes: number; readonly content: Readable };
}

export interface SnapshotOptions {
  readonly data: string;
  readonly signal: AbortSignal;
  /** Share of the databases that is copied, 0 to 1. */
  readonly progress: (share: number, says: string) => void;
}

export interface Snapshot extends Disposable {
  readonly entries: readonly SnapshotEntry[];
}

/** Spared on the data disk while databases are copied: alarms and journal come first. */
const spareBytes = 64 * 1024 * 1024;

/** Throws BACKUP_SOURCE or BACKUP_WRITE; what it laid down is then taken away. */
export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { data } = options;
  const staging = join(data, stagingFolder);
  rmSync(staging, { recursive: true, force: true });
  const clear = (): void => rmSync(staging, { recursive: true, force: true });
  try {
    mkdirSync(join(staging, journalFolder), { recursive: true, mode: 0o700 });
    const entries = await collect(options, staging);
    return { entries, [Symbol.dispose]: clear };
  } catch (error) {
    clear();
    throw error;
  }
}

async function collect(
  { data, signal, progress }: SnapshotOptions,
  staging: string,
): Promise<SnapshotEntry[]> {
  const journal = join(data, journalFolder);
  const linked = new Set<string>();
  const linkSegments = (): void => {
    for (const { file } of segmentsIn(journal)) {
      if (linked.has(file) || !link(join(journal, file), join(staging, journalFolder, file))) continue;
      linked.add(file);
    }
  };
  linkSegments();
  const before = readPositions(journal);
  const { stores, books, plain } = dataFiles(data);
  const databases = [...stores, ...books];
  demandRoom(data, [...databases, registryFile]);
  const kept = plain.filter((file) => link(join(data, file), staged(staging, file)));

  for (const [index, file] of databases.entries()) {
    await copyDatabase(join(data, file), staged(staging, file), {
      what: nameOf(file),
      progress: (share) => {
        signal.throwIfAborted();
        // A segment that a store has now may go any moment: it is held before.
        linkSegments();
        progress((index + share) / (databases.length + 1), `copying ${nameOf(file)}`);
      },
    });
  }
  const reserve = readIfThere(join(data, reserveFile));
  await copyDatabase(join(data, registryFile), staged(staging, registryFile), {
    what: nameOf(registryFile),
    progress: (share) => {
      signal.throwIfAborted();
      linkSegments();
      progress((databases.length + share) / (databases.length + 1), `copying ${nameOf(registryFile)}`);
    },
  });
  const heads = copyHeads(journal);
  linkSegments();
  copyPositions(journal, join(staging, journalFolder), before);
  const identity = readIfThere(join(journal, 'journal.json'));

  const within = (file: string): string => `${journalFolder}/${file}`;
  return [
    ...[registryFile, ...databases, ...kept, within(positionsFile)].map((file) =>
      ofFile(file, join(staging, file)),
    ),
    ...(reserve ? [ofBytes(reserveFile, () => reserve)] : []),
    ...(identity ? [ofBytes(within('journal.json'), () => identity)] : []),
    ...heads.files.map(({ file, bytes }) => ofBytes(within(file), () => bytes)),
    ...segmentsIn(join(staging, journalFolder)).map(({ file, name }) =>
      ofBytes(within(file), () => {
        const bytes = readFileSync(join(staging, journalFolder, file));
        return bytes.subarray(0, committedPart(bytes, file, heads.next[name.klass]).bytes);
      }),
    ),
  ];
}

/** Also the folder it stands in. */
function staged(staging: string, file: string): string {
  const path = join(staging, file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return path;
}

/** A second name keeps the bytes when the first is taken away. False when it has gone already. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    // File systems without second names.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw error;
    copyFileSync(from, to);
    return true;
  }
}

function demandRoom(data: string, databases: readonly string[]): void {
  const { bavail, bsize } = statfsSync(data);
  const wanted = databases.reduce(
    (sum, file) => sum + (statSync(join(data, file), { throwIfNoEntry: false })?.size ?? 0),
    spareBytes,
  );
  if (bavail * bsize >= wanted) return;
  const cause = `the disk of the data folder must have ${Math.ceil(wanted / 1_048_576)} MiB free for a moment`;
  throw new Fault('BACKUP_WRITE', { cause });
}

const ofFile = (name: string, path: string): SnapshotEntry => ({
  name,
  load: () => {
    const bytes = statSync(path).size;
    // As it was: what grows behind it meanwhile belongs to the next backup.
    return { bytes, content: bytes === 0 ? Readable.from([]) : createReadStream(path, { end: bytes - 1 }) };
  },
});

const ofBytes = (name: string, read: () => Buffer): SnapshotEntry => ({
  name,
  load: () => {
    const bytes = read();
    return { bytes: bytes.length, content: Readable.from(bytes.length === 0 ? [] : [bytes]) };
  },
});

const readIfThere = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};
