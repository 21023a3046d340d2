/**
 * A small file beside the database that says how far it had come. SQLite ends the reading of a damaged write-ahead log at
 * the first bad frame and says nothing: what stood behind it, confirmed on disk before, would be missing unnoticed.
 */
import { closeSync, constants, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

export interface Progress {
  /** Writes of the head since the file was made. */
  readonly flushes: number;
  readonly observations: number;
  /** Newest receipt in them. */
  readonly atMs: number;
}

export const noProgress: Progress = { flushes: 0, observations: 0, atMs: 0 };
/** One write of a fixed length. */
const lineLength = 120;

export class Witness {
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** What was on disk for sure; nothing when the file is not there or half written. */
  read(): Progress {
    try {
      const [sum, text = ''] = readFileSync(this.path, 'utf8').trimEnd().split('\n');
      return Number(sum) === crc32(text) ? (JSON.parse(text) as Progress) : noProgress;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return noProgress;
      throw error;
    }
  }

  /** On disk when it returns. Throws the system's error. */
  write(progress: Progress): void {
    const text = JSON.stringify(progress);
    const descriptor = openSync(this.path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      writeSync(descriptor, `${crc32(text)}\n${text}`.padEnd(lineLength), 0);
      fdatasyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }
}
