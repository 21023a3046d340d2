/**
 * The head file: how many batches of each class are on disk, written after the segment and before anybody is told.
 * Two slots a class, each in a block of its own, written in turn: a torn write leaves the other. Each writer has its
 * own file, so one that hangs in a system call cannot move another's head back.
 */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { syncFolder, writeAll } from './files.ts';
import { formatVersion } from './format.ts';
import { journalClasses, type JournalClass } from './types.ts';

const headMagic = 0x31484a56; // "VJH1"
const blockBytes = 4096;
const slotBytes = 512;

/** `next`: the number after the last batch on disk; the sums are over all batches before it. */
export interface HeadCount {
  readonly next: number;
  readonly messages: number;
  readonly observations: number;
  readonly lastAtMs: number;
}
export type HeadCounts = Readonly<Record<JournalClass, HeadCount>>;

export const emptyHead: HeadCount = { next: 0, messages: 0, observations: 0, lastAtMs: -Infinity };

export const headFile = (writer: number, serial: number): string =>
  `head-${String(writer).padStart(6, '0')}-${String(serial).padStart(6, '0')}`;
export const parseHeadFile = (file: string): { writer: number; serial: number } | undefined => {
  const [, writer, serial] = /^head-(\d{6,})-(\d{6,})$/.exec(file) ?? [];
  return writer === undefined ? undefined : { writer: Number(writer), serial: Number(serial) };
};

export class HeadWriter {
  private readonly fd: number;
  private readonly slot = Buffer.alloc(slotBytes);
  private readonly sequence = new Map<JournalClass, number>();

  /** Creates the file with the counts given, on disk when this returns. Throws the system's error. */
  constructor(folder: string, file: string, counts: HeadCounts) {
    this.fd = openSync(join(folder, file), 'wx', 0o600);
    try {
      writeAll(this.fd, Buffer.alloc(journalClasses.length * 2 * blockBytes), 0);
      for (const klass of journalClasses) {
        for (const _slot of [0, 1]) this.put(klass, counts[klass], false);
      }
      fdatasyncSync(this.fd);
      syncFolder(folder);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** On disk when it returns. Throws the system's error; the file must then be left alone. */
  write(klass: JournalClass, count: HeadCount): void {
    this.put(klass, count, false);
    fdatasyncSync(this.fd);
  }

  /** Says that the stop was a clean one, and closes. */
  finish(counts: HeadCounts): void {
    try {
      for (const klass of journalClasses) this.put(klass, counts[klass], true);
      fdatasyncSync(this.fd);
    } finally {
      this.dispose();
    }
  }

  dispose(): void {
    closeSync(this.fd);
  }

  private put(klass: JournalClass, count: HeadCount, closed: boolean): void {
    const index = journalClasses.indexOf(klass);
    const sequence = (this.sequence.get(klass) ?? 0) + 1;
    this.sequence.set(klass, sequence);
    const { slot } = this;
    slot.writeUInt32LE(headMagic, 0);
    slot.writeUInt32LE(formatVersion, 4);
    slot.writeUInt32LE(index, 8);
    slot.writeUInt32LE(closed ? 1 : 0, 12);
    slot.writeDoubleLE(sequence, 16);
    slot.writeDoubleLE(count.next, 24);
    slot.writeDoubleLE(count.messages, 32);
    slot.writeDoubleLE(count.observations, 40);
    slot.writeDoubleLE(count.lastAtMs, 48);
    slot.writeUInt32LE(crc32(slot.subarray(0, slotBytes - 4)), slotBytes - 4);
    const written = writeSync(this.fd, slot, 0, slotBytes, (index * 2 + (sequence & 1)) * blockBytes);
    if (written !== slotBytes) throw new Error('short write of the head');
  }
}

export interface HeadRead {
  readonly counts: Partial<Record<JournalClass, HeadCount>>;
  readonly closed: boolean;
  /** Classes of which a slot is damaged: the count is then the one before, or unknown. */
  readonly damaged: readonly JournalClass[];
  /** A version greater than ours. */
  readonly tooNew?: number;
}

export const readHead = (folder: string, file: string): HeadRead =>
  parseHead(readFileSync(join(folder, file)));

export function parseHead(bytes: Buffer): HeadRead {
  const counts: Partial<Record<JournalClass, HeadCount>> = {};
  const damaged: JournalClass[] = [];
  let closed = true;
  let tooNew: number | undefined;
  for (const [index, klass] of journalClasses.entries()) {
    const slots = [0, 1].map((slot) => readSlot(bytes, (index * 2 + slot) * blockBytes, index));
    if (slots.includes(undefined)) damaged.push(klass);
    const newest = slots
      .filter((slot) => slot !== undefined)
      .toSorted((a, b) => b.sequence - a.sequence)
      .at(0);
    if (newest) counts[klass] = newest.count;
    if (newest && newest.version > formatVersion) tooNew = newest.version;
    closed &&= newest?.closed ?? false;
  }
  return { counts, closed, damaged, ...(tooNew === undefined ? {} : { tooNew }) };
}

function readSlot(
  bytes: Buffer,
  at: number,
  index: number,
): { sequence: number; version: number; closed: boolean; count: HeadCount } | undefined {
  if (at + slotBytes > bytes.length) return undefined;
  const slot = bytes.subarray(at, at + slotBytes);
  if (slot.readUInt32LE(0) !== headMagic || slot.readUInt32LE(8) !== index) return undefined;
  if (crc32(slot.subarray(0, slotBytes - 4)) !== slot.readUInt32LE(slotBytes - 4)) return undefined;
  return {
    sequence: slot.readDoubleLE(16),
    version: slot.readUInt32LE(4),
    closed: slot.readUInt32LE(12) === 1,
    count: {
      next: slot.readDoubleLE(24),
      messages: slot.readDoubleLE(32),
      observations: slot.readDoubleLE(40),
      lastAtMs: slot.readDoubleLE(48),
    },
  };
}
