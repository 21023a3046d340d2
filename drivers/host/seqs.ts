import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Chance } from '../../model/ids.ts';

/** A block is on disk before a number of it is used, so no crash makes a number come twice. */
export const blockSize = 10_000;
const fileName = 'seqs.json';

interface Kept {
  readonly version: 1;
  readonly boot: string;
  /** Per counter the first number not reserved. */
  readonly reserved: Readonly<Record<string, number>>;
}

export interface Seqs {
  /** The boot id of everything this host sends. Changes only when numbers can no longer be reserved. */
  readonly boot: string;
  /** Reserves the counter's first block, or waits for the one under way; resolves also when the disk refuses (then the boot is of memory alone). */
  open(counter: string): Promise<void>;
  /** The next number. Never waits. */
  take(counter: string): number;
  /** Takes `count` at once; the first of them. */
  takeMany(counter: string, count: number): number;
}

interface Counter {
  next: number;
  reserved: number;
  /** A reservation is being written. */
  asking: boolean;
}

export interface SeqOptions {
  readonly folder: string;
  /** The journal's epoch; undefined when there is no journal to give one. */
  readonly epoch: string | undefined;
  readonly chance: Chance;
  /** The boot changed: births must be said again under the new one. */
  readonly rebooted: () => void;
  readonly failed: (cause: unknown) => void;
}

/** Counters of a boot, from blocks reserved on disk (written aside, synced, renamed, folder synced). */
export async function openSeqs({ folder, epoch, chance, rebooted, failed }: SeqOptions): Promise<Seqs> {
  const kept = epoch === undefined ? undefined : await readKept(folder, epoch, failed);
  const counters = new Map<string, Counter>();
  const reserved: Record<string, number> = { ...kept?.reserved };
  // Without its counters an epoch must not be used again: the numbers it gave out are not known.
  let boot = kept?.boot ?? (epoch === undefined ? `m${chance.hex(64)}` : `${epoch}-${chance.hex(32)}`);
  let onDisk = epoch !== undefined;
  let writing: Promise<void> = Promise.resolve();

  /** From here on nothing is read back: a random boot can never come twice. */
  const leaveDisk = (): void => {
    onDisk = false;
    boot = `m${chance.hex(64)}`;
    for (const counter of counters.values()) Object.assign(counter, { next: 0, reserved: Infinity });
    rebooted();
  };

  const reserve = (name: string, counter: Counter): Promise<void> => {
    const upTo = Math.max(counter.reserved, counter.next) + blockSize;
    reserved[name] = upTo;
    writing = writing.then(async () => {
      if (!onDisk) return;
      await writeKept(folder, { version: 1, boot, reserved });
      counter.reserved = upTo;
    });
    counter.asking = true;
    writing = writing
      .catch((cause: unknown) => failed(cause))
      .then(() => {
        counter.asking = false;
      });
    return writing;
  };

  const counterOf = (name: string): Counter => {
    const known = counters.get(name);
    if (known) return known;
    const first = reserved[name] ?? 0;
    const made: Counter = { next: first, reserved: onDisk ? first : Infinity, asking: false };
    counters.set(name, made);
    return made;
  };

  const takeMany = (name: string, count: number): number => {
    const counter = counterOf(name);
    if (counter.next + count > counter.reserved) leaveDisk();
    const first = counter.next;
    counter.next += count;
    // Ahead of need, and again after a failure: a hung disk has half a block of time.
    if (!counter.asking && counter.reserved - counter.next < blockSize / 2) void reserve(name, counter);
    return first;
  };

  return {
    get boot() {
      return boot;
    },
    open: async (name) => {
      const counter = counterOf(name);
      if (onDisk && counter.reserved === counter.next) await reserve(name, counter);
      else await writing;
    },
    take: (name) => takeMany(name, 1),
    takeMany,
  };
}

async function readKept(
  folder: string,
  epoch: string,
  failed: (cause: unknown) => void,
): Promise<Kept | undefined> {
  const text = await readFile(join(folder, fileName), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as Kept;
    return kept.version === 1 && kept.boot.startsWith(epoch) ? kept : undefined;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

async function writeKept(folder: string, kept: Kept): Promise<void> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, fileName);
  const aside = await open(`${path}.new`, 'w');
  await aside.writeFile(JSON.stringify(kept));
  await aside.sync();
  await aside.close();
  await rename(`${path}.new`, path);
  const directory = await open(folder, 'r');
  await directory.sync();
  await directory.close();
}
