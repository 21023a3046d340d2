import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder, writeAll } from './files.ts';
import { frameBytes, segmentHeaderBytes } from './format.ts';
import type { KeptFrame } from './messages.ts';

/** Half-written copies end so; the next start takes them away. */
export const thinnedEnd = '.thinned';

/**
 * Writes a closed segment again with these of its batches only, its header and snapshot as they were, and puts it in
 * the place of the old one: a power cut leaves the one or the other. Answers its bytes. Throws the system's error.
 */
export function rewriteSegment(
  folder: string,
  file: string,
  all: readonly KeptFrame[],
  stay: readonly KeptFrame[],
): number {
  const bytes = readFileSync(join(folder, file));
  const begin = Math.min(...all.map(({ offset }) => offset));
  const parts = [
    bytes.subarray(0, Math.max(segmentHeaderBytes, begin)),
    ...stay.map(({ offset, length }) => bytes.subarray(offset, offset + frameBytes(length))),
  ];
  const fresh = join(folder, file + thinnedEnd);
  const fd = openSync(fresh, 'w', 0o600);
  let at = 0;
  try {
    for (const part of parts) {
      writeAll(fd, part, at);
      at += part.length;
    }
    fsyncSync(fd);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, join(folder, file));
  syncFolder(folder);
  return at;
}
