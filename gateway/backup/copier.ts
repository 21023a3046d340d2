/**
 * Keeps a second folder that can be started from when the first is gone. Each pass adds the batches that are on disk
 * by now and what changed in the registry; the stores that are filled from the journal are copied whole now and then,
 * and until then the copy keeps every segment since. At any moment the folder is a state this gateway was in.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import { committedPart, copyHeads, copyPositions, segmentsIn, type CopiedHeads } from '../../journal/copy.ts';
import { syncFolder, writeAll } from '../../journal/files.ts';
import { parseHeadFile } from '../../journal/head.ts';
import { readIdentity } from '../../journal/identity.ts';
import { readPositions } from '../../journal/positions.ts';
import { count, minus, none, union } from '../../journal/ranges.ts';
import { journalClasses, type JournalClass, type Ranges } from '../../journal/types.ts';
import {
  readCopyState,
  readMark,
  writeCopyState,
  writeMark,
  type CopiedSegment,
  type CopyState,
} from './copy-state.ts';
import { copyMark, dataFiles, journalFolder, nameOf, registryFile, reserveFile } from './data-folder.ts';
import { copyDatabase } from './databases.ts';
import { sha256Of } from './digest.ts';
import { followRows } from './follow-rows.ts';

export interface CopierOptions {
  readonly data: string;
  /** The second folder: it must be there, so that a disk that is not mounted is noticed. */
  readonly to: string;
  /** The stores are copied whole when their copy is this old. */
  readonly storesEveryMs: number;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Called between pieces of work, so that the thread can show that it lives. */
  readonly breathe: () => Promise<void>;
}

/** A class that has nothing yet begins at 0. */
type Numbers = Record<JournalClass, number>;

/** Copies of the stores under way. */
interface StoresCopy {
  readonly atMs: number;
  /** Batches below these numbers, where no segment of the copy has them, are in the stores. */
  readonly base: Readonly<Numbers>;
  /** Segments that were there when it began. */
  readonly listed: ReadonlySet<string>;
  readonly sums: Record<string, string>;
  state: 'copying' | 'ready' | 'failed';
  failed?: unknown;
}

export class Copier {
  private readonly options: CopierOptions;
  private readonly from: string;
  private readonly into: string;
  private stores: StoresCopy | undefined;

  constructor(options: CopierOptions) {
    this.options = options;
    this.from = join(options.data, journalFolder);
    this.into = join(options.to, journalFolder);
  }

  /**
   * Brings the copy to now; answers the moment everything on disk of which is in it. Throws a Fault, or the system's
   * error: then the copy stands where it stood, and the next pass goes on.
   */
  async pass(): Promise<{ readonly atMs: number }> {
    // Read each time: another disk may stand there now, or none.
    const state = this.begin();
    const atMs = this.options.clock.nowMs();
    const { epoch } = readIdentity(this.from);
    if (state.epoch !== undefined && epoch !== state.epoch)
      throw new Fault('BACKUP_COPY_FOREIGN', { cause: 'the journal is another one than the copy’s' });
    // Only what was finished before the heads are read: the heads must say at least what the stores have.
    const finished = this.stores?.state === 'copying' ? undefined : this.stores;
    // Some of them are filled from the journal too: the heads must say at least what they have.
    for (const file of dataFiles(this.options.data).books) await this.follow(file);
    const before = readPositions(this.from);
    const heads = copyHeads(this.from);
    const added = { ...state, segments: await this.addBatches(state.segments, heads.next) };
    this.putHeads(heads);
    const held = finished ? this.takeStores(added, finished) : added;
    if (this.storesDue(held, heads.next, atMs)) this.beginStores(heads, atMs);
    copyPositions(this.from, this.into, before);
    this.plainFile(`${journalFolder}/journal.json`);
    const plain = this.copyPlain(state.plain);
    await this.follow(registryFile);
    writeCopyState(this.options.to, { ...held, epoch, atMs, plain });
    this.prune(held.segments);
    return { atMs };
  }

  /** Finds the copy that is this data folder's own, or begins one in an empty folder. */
  private begin(): CopyState {
    const { data, to, chance } = this.options;
    if (!statSync(to, { throwIfNoEntry: false })?.isDirectory())
      throw new Fault('BACKUP_COPY', { cause: `${to} is not there` });
    const mark = readMark(data);
    const known = readCopyState(to);
    if (known) {
      if (mark?.id !== known.id)
        throw new Fault('BACKUP_COPY_FOREIGN', { cause: `${to} holds the copy of another data folder` });
      return known;
    }
    if (mark?.to === to)
      throw new Fault('BACKUP_COPY_FOREIGN', { cause: `${to} is empty, and was not: is it mounted?` });
    if (readdirSync(to).some((file) => file !== 'lost+found'))
      throw new Fault('BACKUP_COPY_FOREIGN', { cause: `${to} holds something else` });
    mkdirSync(this.into, { recursive: true, mode: 0o700 });
    const state: CopyState = {
      id: chance.hex(64),
      epoch: undefined,
      atMs: 0,
      storesAtMs: 0,
      base: numbers(() => 0),
      segments: {},
      stores: {},
      coming: {},
      plain: {},
    };
    writeCopyState(to, state);
    writeMark(data, { id: state.id, to });
    return state;
  }

  /** Adds to each segment's copy what is on disk by these heads. */
  private async addBatches(
    known: CopyState['segments'],
    next: Readonly<Numbers>,
  ): Promise<Record<string, CopiedSegment>> {
    const segments: Record<string, CopiedSegment> = { ...known };
    const all = segmentsIn(this.from);
    for (const [index, { file, name }] of all.entries()) {
      const copied = segments[file];
      const newest = !all.slice(index + 1).some((other) => other.name.klass === name.klass);
      // One that is closed is as long as its copy.
      if (copied && !newest && sizeOf(join(this.from, file)) === copied.bytes) continue;
      const bytes = readIfThere(join(this.from, file));
      if (!bytes) continue;
      const part = committedPart(bytes, file, next[name.klass]);
      if (copied && count(minus(copied.present, part.present)) > 0) {
        // Thinned: it was written anew, with fewer batches.
        replaceBytes(join(this.into, file), bytes.subarray(0, part.bytes));
        segments[file] = part;
      } else if (part.bytes > (copied?.bytes ?? 0)) {
        putBytes(join(this.into, file), bytes.subarray(copied?.bytes ?? 0, part.bytes), copied?.bytes ?? 0);
        segments[file] = part;
      }
      await this.options.breathe();
    }
    syncFolder(this.into);
    return segments;
  }

  /** Their copy is old, or batches went that it does not hold and no segment of the copy either. */
  private storesDue(
    { storesAtMs, base, segments }: CopyState,
    next: Readonly<Numbers>,
    nowMs: number,
  ): boolean {
    if (nowMs - storesAtMs >= this.options.storesEveryMs) return true;
    return journalClasses.some((klass) => {
      const wanted: Ranges = next[klass] > base[klass] ? [[base[klass], next[klass]]] : none;
      return count(minus(wanted, presentOf(segments, klass))) > 0;
    });
  }

  /** Copies them beside their old copies while passes go on: a large one takes longer than a copy may be old. */
  private beginStores({ next }: CopiedHeads, atMs: number): void {
    if (this.stores) return;
    const { data } = this.options;
    const listed = new Set(segmentsIn(this.from).map(({ file }) => file));
    const stores: StoresCopy = { atMs, base: next, listed, sums: {}, state: 'copying' };
    this.stores = stores;
    const copyAll = async (): Promise<void> => {
      for (const file of dataFiles(data).stores) {
        const path = this.place(file);
        await copyDatabase(join(data, file), `${path}.new`, { what: nameOf(file) });
        stores.sums[file] = await sha256Of(`${path}.new`);
      }
    };
    copyAll().then(
      () => (stores.state = 'ready'),
      (error: unknown) => {
        stores.failed = error;
        stores.state = 'failed';
      },
    );
  }

  /**
   * Gives finished copies of the stores their names, now that the batches they can have are here: a store that has
   * more than the journal beside it would take new batches for old ones after a restore.
   */
  private takeStores(state: CopyState, stores: StoresCopy): CopyState {
    this.stores = undefined;
    if (stores.state === 'failed') throw stores.failed;
    const { to } = this.options;
    // Until the pass has ended the old ones and the new ones are right.
    writeCopyState(to, { ...state, coming: stores.sums });
    for (const file of Object.keys(stores.sums)) {
      for (const end of ['-wal', '-shm', '-journal']) rmSync(join(to, file + end), { force: true });
      renameSync(`${join(to, file)}.new`, join(to, file));
      syncFolder(dirname(join(to, file)));
    }
    // What had gone before the stores were copied is in them.
    const kept = Object.entries(state.segments).filter(
      ([file]) => stores.listed.has(file) || existsSync(join(this.from, file)),
    );
    const { atMs: storesAtMs, base, sums } = stores;
    return { ...state, segments: Object.fromEntries(kept), storesAtMs, base, stores: sums, coming: {} };
  }

  /** Takes away segments that the copy needs no more. */
  private prune(segments: CopyState['segments']): void {
    for (const { file } of segmentsIn(this.into)) if (!segments[file]) rmSync(join(this.into, file));
  }

  /** Where a file goes, its folder made. The disk may be taken away in the middle: nothing is begun in its place. */
  private place(file: string): string {
    const { to } = this.options;
    if (!existsSync(join(to, copyMark))) throw new Fault('BACKUP_COPY', { cause: `${to} is not there` });
    mkdirSync(dirname(join(to, file)), { recursive: true, mode: 0o700 });
    return join(to, file);
  }

  private putHeads({ files }: CopiedHeads): void {
    for (const { file, bytes } of files) replaceBytes(join(this.into, file), bytes);
    const names = new Set(files.map(({ file }) => file));
    for (const file of readdirSync(this.into).filter(parseHeadFile))
      if (!names.has(file)) rmSync(join(this.into, file), { force: true });
    syncFolder(this.into);
  }

  private copyPlain(known: CopyState['plain']): Record<string, string> {
    const { data } = this.options;
    const plain: Record<string, string> = {};
    for (const file of [...dataFiles(data).plain, reserveFile]) {
      const found = statSync(join(data, file), { throwIfNoEntry: false });
      if (!found) continue;
      const seen = `${found.size} ${found.mtimeMs}`;
      if (known[file] !== seen) this.plainFile(file);
      plain[file] = seen;
    }
    for (const file of Object.keys(known))
      if (plain[file] === undefined) rmSync(join(this.options.to, file), { force: true });
    return plain;
  }

  private plainFile(file: string): void {
    const { data } = this.options;
    const path = this.place(file);
    copyFileSync(join(data, file), `${path}.new`);
    syncFile(`${path}.new`);
    renameSync(`${path}.new`, path);
  }

  /** The reserve of the loss ledger before it: an entry on its way is then in both, never in neither. */
  private async follow(file: string): Promise<void> {
    const [source, copy] = [join(this.options.data, file), this.place(file)];
    if (followRows(source, copy) === 'followed') return;
    await copyDatabase(source, `${copy}.new`, { what: nameOf(file) });
    for (const end of ['-wal', '-shm', '-journal']) rmSync(copy + end, { force: true });
    renameSync(`${copy}.new`, copy);
    syncFolder(dirname(copy));
  }
}

const numbers = (make: () => number): Numbers =>
  Object.fromEntries(journalClasses.map((klass) => [klass, make()])) as Numbers;

const presentOf = (segments: CopyState['segments'], klass: JournalClass): Ranges =>
  Object.entries(segments)
    .filter(([file]) => file.startsWith(`${klass}-`))
    .reduce<Ranges>((all, [, { present }]) => union(all, present), none);

function putBytes(path: string, bytes: Uint8Array, at: number): void {
  const fd = openSync(path, existsSync(path) ? 'r+' : 'w', 0o600);
  try {
    writeAll(fd, bytes, at);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function replaceBytes(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.new`, bytes, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const readIfThere = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};
