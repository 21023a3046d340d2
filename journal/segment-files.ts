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
import { FrameIndex } from './frame-index.ts';
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

/** Indexes in memory at most, and batches in them, beside those of segments being filled. */
const mostIndexes = 16;
const mostFrames = 200_000;
/** Read at once while headers are walked: many small batches, or one header of a large one. */
const pieceBytes = 4096;

/** The system is short of something for the moment: nothing is said about the file. */
const passing: readonly string[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'];

/** Reads single batches of segments. Where they lie is kept for open segments and for the few used last. */
export class SegmentFiles {
  private readonly folder: string;
  private readonly faulty: (error: unknown) => void;
  private readonly indexes = new Map<string, { readonly segment: Segment; readonly index: FrameIndex }>();

  constructor(folder: string, faulty: (error: unknown) => void) {
    this.folder = folder;
    this.faulty = faulty;
  }

  frameOf(segment: Segment, number: number): KeptFrame | undefined {
    return this.indexOf(segment).find(number);
  }

  framesOf(segment: Segment): readonly KeptFrame[] {
    return this.indexOf(segment).all();
  }

  /** The writer put these behind the others. */
  grown(segment: Segment, frames: readonly KeptFrame[]): void {
    const known = this.indexes.get(segment.file)?.index;
    for (const frame of known ? frames : []) known?.push(frame);
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

  private indexOf(segment: Segment): FrameIndex {
    const known = this.indexes.get(segment.file) ?? { segment, index: this.readIndex(segment) };
    this.indexes.delete(segment.file);
    this.indexes.set(segment.file, known);
    let frames = 0;
    for (const { index } of this.indexes.values()) frames += index.length;
    for (const [file, other] of this.indexes) {
      if (this.indexes.size <= mostIndexes && frames <= mostFrames) break;
      if (other.segment.open || other === known) continue;
      this.indexes.delete(file);
      frames -= other.index.length;
    }
    return known.index;
  }

  /** Walks the headers; steps over what is damaged. */
  private readIndex(segment: Segment): FrameIndex {
    const salt = saltOf(segment.file);
    const index = new FrameIndex();
    this.withFile(segment.file, (fd) => {
      const piece = Buffer.alloc(pieceBytes);
      let pieceAt = 0;
      let pieceEnd = 0;
      // Not further than is known to be on disk: behind it a writer may be at work.
      for (let at = segmentHeaderBytes; at < segment.bytes;) {
        if (at + frameHeaderBytes > pieceEnd) {
          pieceAt = at;
          pieceEnd = at + readSync(fd, piece, 0, pieceBytes, at);
          if (pieceEnd - at < frameHeaderBytes) return;
        }
        const header = readFrameHeader(piece.subarray(0, pieceEnd - pieceAt), at - pieceAt, salt);
        if (header && header.number >= 0 && (segment.open || has(segment.present, header.number))) {
          index.push({ number: header.number, offset: at, length: header.length, facts: header.facts });
        }
        at += header ? frameBytes(header.length) : 16;
      }
    });
    return index;
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
