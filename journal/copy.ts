/**
 * What a copy of an open journal's folder is made of, looked at from outside while its writer goes on: first the
 * positions of the sinks, then the heads, then segments as far as those heads say. Taken in this order the copy is a
 * state this journal was in, as after a power cut: no sink has more than it, and no head says more than is there.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { frameBytes, inWritingOrder, parseSegmentFile, type SegmentName } from './format.ts';
import { parseHead, parseHeadFile } from './head.ts';
import { readPositions, writePositions, type ReadPositions } from './positions.ts';
import { add, none } from './ranges.ts';
import { scanSegment } from './scan.ts';
import { journalClasses, type JournalClass, type Ranges } from './types.ts';

export interface CopiedHeads {
  readonly files: readonly { readonly file: string; readonly bytes: Buffer }[];
  /** Number after the last batch on disk, per class. */
  readonly next: Readonly<Record<JournalClass, number>>;
}

/** A slot is written in place: one that is caught half-written is looked at again. */
const mostLooks = 50;

/** All head files as they stand. One that stays damaged is taken as it is. Throws the system's error. */
export function copyHeads(folder: string): CopiedHeads {
  for (let look = 1; ; look++) {
    const files: { file: string; bytes: Buffer }[] = [];
    const next = Object.fromEntries(journalClasses.map((klass) => [klass, 0])) as Record<
      JournalClass,
      number
    >;
    let whole = true;
    for (const file of readdirSync(folder).filter(parseHeadFile)) {
      const bytes = readIfThere(join(folder, file));
      if (!bytes) continue;
      const { counts, damaged } = parseHead(bytes);
      whole &&= damaged.length === 0;
      for (const klass of journalClasses) next[klass] = Math.max(next[klass], counts[klass]?.next ?? 0);
      files.push({ file, bytes });
    }
    // A writer that is replaced takes its old head away behind the new one.
    if ((whole && files.length > 0) || look === mostLooks) return { files, next };
  }
}

export interface FolderSegment {
  readonly file: string;
  readonly name: SegmentName;
}

/** The segments of a folder, in writing order. */
export const segmentsIn = (folder: string): FolderSegment[] =>
  readdirSync(folder)
    .flatMap((file) => {
      const name = parseSegmentFile(file);
      return name ? [{ file, name }] : [];
    })
    .toSorted((a, b) => inWritingOrder(a.name, b.name));

export interface CommittedPart {
  /** Bytes of the segment that belong into the copy: up to the end of the last whole batch that counts; 0: none. */
  readonly bytes: number;
  readonly present: Ranges;
}

/** How much of a segment is on disk for good, by heads read before it was. */
export function committedPart(bytes: Buffer, file: string, next: number): CommittedPart {
  let end = 0;
  let present: Ranges = none;
  for (const { header, offset, whole } of scanSegment(bytes, file).frames) {
    if (!whole || header.number >= next) continue;
    end = offset + frameBytes(header.length);
    present = add(present, header.number, header.number + 1);
  }
  return { bytes: end, present };
}

/**
 * Lays the small file of positions into a copy: what the sinks had then, and what is gone now. Files that were about
 * to be taken away are not named, because the copy may still need them.
 */
export function copyPositions(folder: string, into: string, before: ReadPositions): void {
  const { gone, thinned } = readPositions(folder);
  writePositions(into, { gone, thinned, deleting: [], sinks: before.sinks });
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
