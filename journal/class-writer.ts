import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder, writeAll } from './files.ts';
import {
  frameBytes,
  saltOf,
  segmentFile,
  segmentHeaderBytes,
  writeFrame,
  writeSegmentHeader,
  type SegmentName,
  type SnapshotState,
} from './format.ts';
import type { HeadCount, HeadWriter } from './head.ts';
import type { KeptFrame, OpenedSegment, QueuedBody, Roll } from './messages.ts';
import type { BodyFacts, JournalClass } from './types.ts';

/** Most zeros laid down ahead in one go; no commit waits behind more than this. */
const mostAhead = 1 << 20;
const zeros = Buffer.alloc(mostAhead);
/** The write buffer is given back when a group needed more than this. */
const bufferBytes = 4 << 20;

export interface ClassWriterOptions {
  readonly folder: string;
  readonly epoch: string;
  readonly writer: number;
  readonly segmentBytes: number;
  readonly klass: JournalClass;
  /** Batches on disk before this writer. */
  readonly count: HeadCount;
  /** The first batch gets its number; above `count.next` when a writer given up may still keep those between. */
  readonly goesOn: HeadCount;
  /** Asked for at each commit, because a failed head is replaced. */
  readonly head: () => HeadWriter;
}

export interface Committed {
  readonly opened: OpenedSegment | undefined;
  readonly file: string;
  readonly bytes: number;
  readonly frames: readonly KeptFrame[];
}
export interface Closed {
  readonly file: string;
  readonly bytes: number;
}

interface Open {
  readonly fd: number;
  readonly file: string;
  readonly salt: number;
  /** End of what is known to be on disk. */
  used: number;
  /** End of what was written at all, zeros laid down ahead included. */
  allocated: number;
  readonly snapshot: SnapshotState;
  readonly recoverFrom: number;
  /** No more zeros: the disk is nearly full, or would not take them. */
  full: boolean;
}

/** Writes the segments of one class. All calls are synchronous and belong into a thread of their own. */
export class ClassWriter {
  private readonly options: ClassWriterOptions;
  private open: Open | undefined;
  private serial = 0;
  private buffer = Buffer.alloc(0);
  count: HeadCount;

  constructor(options: ClassWriterOptions) {
    this.options = options;
    this.count = options.goesOn;
  }

  /**
   * Writes the bodies behind each other and returns when they and the head are on disk. Only the first may open a
   * segment. Throws the system's error; the segment is then abandoned and nothing of the call counts.
   */
  commit(bodies: readonly QueuedBody[]): {
    readonly committed: Committed;
    readonly closed: Closed | undefined;
  } {
    const roll = bodies[0]?.roll;
    const closed = roll && this.open ? this.close() : undefined;
    const fresh = this.open === undefined;
    let headFailed = false;
    try {
      const segment = this.open ?? this.create(roll);
      this.open = segment;
      const begin = fresh ? this.opening(segment, roll) : Buffer.alloc(0);
      const { frames, end, count } = this.write(segment, begin, bodies);
      fdatasyncSync(segment.fd);
      if (fresh) syncFolder(this.options.folder);
      headFailed = true;
      this.options.head().write(this.options.klass, count);
      segment.used = end;
      this.count = count;
      const opened = fresh ? this.current : undefined;
      return { committed: { opened, file: segment.file, bytes: segment.allocated, frames }, closed };
    } catch (error) {
      throw new CommitFailed(error, this.abandon() ?? closed, headFailed);
    }
  }

  /** The segment being filled. */
  get current(): OpenedSegment | undefined {
    const { open } = this;
    if (!open) return undefined;
    return {
      file: open.file,
      snapshot: open.snapshot,
      recoverFrom: open.recoverFrom,
      bytes: open.used,
      doubtful: [this.options.count.next, this.options.goesOn.next],
    };
  }

  /** Lays zeros down ahead, so that a commit changes data only: syncing is then twice to three times as fast. */
  ahead(): void {
    const segment = this.open;
    if (!segment || segment.full) return;
    const { segmentBytes } = this.options;
    const step = Math.min(mostAhead, segmentBytes >> 4);
    if (segment.allocated + step > Math.min(segmentBytes, segment.used + 2 * step)) return;
    for (let bytes = step; bytes >= step >> 4; bytes >>= 2) {
      try {
        writeAll(segment.fd, zeros.subarray(0, bytes), segment.allocated);
        fdatasyncSync(segment.fd);
        segment.allocated += bytes;
        return;
      } catch {
        // Only what was laid down counts. When not even little is taken, the next commit itself will say so.
      }
    }
    segment.full = true;
  }

  /** Ends the segment at its last batch and gives the rest back to the disk. */
  close(): Closed | undefined {
    const segment = this.open;
    if (!segment) return undefined;
    this.open = undefined;
    trim(segment);
    return { file: segment.file, bytes: segment.used };
  }

  /** Gives up a segment whose write failed. One without a single kept batch is taken away. */
  private abandon(): Closed | undefined {
    const segment = this.open;
    if (!segment) return undefined;
    this.open = undefined;
    trim(segment);
    if (segment.used > 0) return { file: segment.file, bytes: segment.used };
    try {
      unlinkSync(join(this.options.folder, segment.file));
    } catch {
      // A file that cannot be taken away either is found empty at the next start.
    }
    return undefined;
  }

  private create(roll: Roll | undefined): Open {
    const { folder, klass, epoch, writer } = this.options;
    const name: SegmentName = { klass, epoch, writer, serial: ++this.serial, first: this.count.next };
    const file = segmentFile(name);
    const fd = openSync(join(folder, file), 'wx', 0o600);
    return {
      fd,
      file,
      salt: saltOf(file),
      snapshot: stateOf(roll),
      recoverFrom: roll?.recoverFrom ?? name.first,
      used: 0,
      allocated: 0,
      full: false,
    };
  }

  /** Header and snapshot of a new segment, and the first zeros behind them. */
  private opening(segment: Open, roll: Roll | undefined): Buffer {
    const { klass, epoch, writer } = this.options;
    const { next, messages, observations, lastAtMs } = this.count;
    const header = writeSegmentHeader(
      {
        klass,
        snapshot: segment.snapshot,
        first: next,
        doubtfulFrom: this.options.count.next,
        doubtfulTo: this.options.goesOn.next,
        recoverFrom: segment.recoverFrom,
        messagesBefore: messages,
        observationsBefore: observations,
        lastAtMsBefore: lastAtMs,
      },
      { klass, epoch, writer, serial: this.serial, first: next },
    );
    const snapshot = roll?.snapshot;
    if (!snapshot) return header;
    const bytes = Buffer.concat([header, Buffer.alloc(frameBytes(snapshot.length))]);
    writeFrame(bytes, segmentHeaderBytes, {
      klass,
      number: -1,
      facts: noFacts,
      messagesBefore: messages,
      observationsBefore: observations,
      body: snapshot,
      salt: segment.salt,
    });
    return bytes;
  }

  private write(
    segment: Open,
    begin: Buffer,
    bodies: readonly QueuedBody[],
  ): { frames: KeptFrame[]; end: number; count: HeadCount } {
    const size = bodies.reduce((sum, { body }) => sum + frameBytes(body.length), begin.length);
    if (this.buffer.length < size) this.buffer = Buffer.allocUnsafeSlow(Math.max(size, 1 << 18));
    const { buffer } = this;
    buffer.set(begin, 0);
    let at = begin.length;
    let { next, messages, observations, lastAtMs } = this.count;
    const frames: KeptFrame[] = [];
    for (const { klass, body, facts } of bodies) {
      const frame = {
        klass,
        number: next,
        facts,
        messagesBefore: messages,
        observationsBefore: observations,
      };
      frames.push({ number: next, offset: segment.used + at, length: body.length, facts });
      at = writeFrame(buffer, at, { ...frame, body, salt: segment.salt });
      next++;
      messages += facts.messages;
      observations += facts.observations;
      lastAtMs = Math.max(lastAtMs, facts.lastAtMs);
    }
    writeAll(segment.fd, buffer.subarray(0, at), segment.used);
    const end = segment.used + at;
    segment.allocated = Math.max(segment.allocated, end);
    if (buffer.length > bufferBytes) this.buffer = Buffer.alloc(0);
    return { frames, end, count: { next, messages, observations, lastAtMs } };
  }
}

/** A commit that failed; `closed` is the segment that ended with it, if it held anything. */
export class CommitFailed extends Error {
  readonly closed: Closed | undefined;
  readonly headFailed: boolean;
  constructor(cause: unknown, closed: Closed | undefined, headFailed: boolean) {
    super('commit failed', { cause });
    this.closed = closed;
    this.headFailed = headFailed;
  }
}

const noFacts: BodyFacts = { messages: 0, observations: 0, firstAtMs: 0, lastAtMs: 0 };

const stateOf = (roll: Roll | undefined): SnapshotState =>
  roll === undefined ? 'missing' : roll.snapshot === undefined ? 'none' : 'present';

/** After a failure none of this may succeed; what is behind `used` is then refused by its number at the next start. */
function trim(segment: Open): void {
  try {
    ftruncateSync(segment.fd, segment.used);
    fsyncSync(segment.fd);
  } catch {
    // The file keeps its length: zeros, or batches whose numbers a later segment holds.
  }
  try {
    closeSync(segment.fd);
  } catch {
    // Closing reports an earlier failed write a second time.
  }
}
