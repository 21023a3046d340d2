import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Writes all of `bytes` at `at`, whatever the system takes at a time. Throws the system's error. */
export function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    const written = writeSync(fd, bytes, done, bytes.length - done, at + done);
    if (written === 0) throw new Error('the disk took nothing');
    done += written;
  }
}

/** A name made or taken away is on disk only when its folder is. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Replaces a small file as a whole: a power cut leaves the old one or the new one. */
export function replaceFile(folder: string, file: string, content: string): void {
  const fresh = join(folder, `${file}.new`);
  const fd = openSync(fresh, 'w', 0o600);
  try {
    writeAll(fd, Buffer.from(content), 0);
    fsyncSync(fd);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, join(folder, file));
  syncFolder(folder);
}

/** The system's word for what went wrong (ENOSPC), or the error's own. */
export const causeOf = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
