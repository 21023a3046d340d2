import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { causeOf } from './files.ts';
import {
  frameBytes,
  frameHeaderBytes,
  readBody,
  readFrameHeader,
  saltOf,
  segmentHeaderBytes,
  type SegmentName,
  type SnapshotState,
} from './format.ts';
import type { KeptFrame } from './messages.ts';
import { has } from './ranges.ts';
import type { Ranges } from './types.ts';

/** What is known of a segment while the journal is open. */
export interface Segment {
  readonly file: string;
  readonly name: SegmentName;
  bytes: number;
  /** A writer still fills it. */
  open: boolean;
  /** Whole batches that count. */
  present: Ranges;
  readonly snapshot: SnapshotState;
  readonly snapshotOffset: number | undefined;
  readonly recoverFrom: number;
  lastAtMs: number;
  /** Every second stretch of what was not delivered is gone from it. */
  thinned: boolean;
}

/** Indexes in memory at most, beside those of segments being filled. */
const mostIndexes = 16;

/** The system is short of something for the moment: nothing is said about the file. */
const passing: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'];

/** Reads single batches of segments. Where they lie is kept for open segments and for the few used last. */
export class SegmentFiles {
  private readonly folder: string;
  private readonly faulty: (error: unknown) => void;
  private readonly indexes = new Map<string, { readonly segment: Segment; readonly frames: KeptFrame[] }>();

  constructor(folder: string, faulty: (error: unknown) => void) {
    this.folder = folder;
    this.faulty = faulty;
  }

  frameOf(segment: Segment, number: number): KeptFrame | undefined {
    const frames = this.framesOf(segment);
    const direct = frames[number - (frames[0]?.number ?? 0)];
    return direct?.number === number ? direct : frames.find((frame) => frame.number === number);
  }

  framesOf(segment: Segment): readonly KeptFrame[] {
    const known = this.indexes.get(segment.file) ?? { segment, frames: this.readIndex(segment) };
    this.indexes.delete(segment.file);
    this.indexes.set(segment.file, known);
    for (const [file, other] of this.indexes) {
      if (this.indexes.size <= mostIndexes) break;
      if (!other.segment.open) this.indexes.delete(file);
    }
    return known.frames;
  }

  /** The writer put these behind the others. */
  grown(segment: Segment, frames: readonly KeptFrame[]): void {
    const known = this.indexes.get(segment.file)?.frames;
    const last = known?.at(-1)?.number ?? -1;
    known?.push(...frames.filter(({ number }) => number > last));
  }

  forget(file: string): void {
    this.indexes.delete(file);
  }

  /**
   * Undefined when it is damaged or the disk will not give it. The body has memory of its own, of exactly its length.
   * Throws what is passing.
   */
  readFrame(file: string, at: { readonly offset: number; readonly number: number }): Uint8Array | undefined {
    const salt = saltOf(file);
    return this.withFile(file, (fd) => {
      const head = Buffer.alloc(frameHeaderBytes);
      readSync(fd, head, 0, frameHeaderBytes, at.offset);
      const header = readFrameHeader(head, 0, salt);
      if (header?.number !== at.number) return undefined;
      const bytes = Buffer.alloc(frameBytes(header.length));
      if (readSync(fd, bytes, 0, bytes.length, at.offset) !== bytes.length) return undefined;
      const body = readBody(bytes, 0, header);
      return body && new Uint8Array(body);
    });
  }

  /** Walks the headers; steps over what is damaged. */
  private readIndex(segment: Segment): KeptFrame[] {
    const salt = saltOf(segment.file);
    const frames: KeptFrame[] = [];
    this.withFile(segment.file, (fd) => {
      const bytes = Buffer.alloc(frameHeaderBytes);
      // Not further than is known to be on disk: behind it a writer may be at work.
      for (let at = segmentHeaderBytes; at < segment.bytes;) {
        if (readSync(fd, bytes, 0, frameHeaderBytes, at) < frameHeaderBytes) return;
        const header = readFrameHeader(bytes, 0, salt);
        if (header && header.number >= 0 && (segment.open || has(segment.present, header.number))) {
          frames.push({ number: header.number, offset: at, length: header.length, facts: header.facts });
        }
        at += header ? frameBytes(header.length) : 16;
      }
    });
    return frames;
  }

  private withFile<T>(file: string, use: (fd: number) => T): T | undefined {
    try {
      const fd = openSync(join(this.folder, file), 'r');
      try {
        return use(fd);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      this.faulty(error);
      if (passing.includes(causeOf(error))) throw error;
      return undefined;
    }
  }
}
