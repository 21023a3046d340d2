import { mkdirSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { systemClock, type Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { systemChance } from '../model/ids.ts';
import { frameBytes, segmentHeaderBytes } from './format.ts';
import type { HeadCount } from './head.ts';
import { LanesHandle } from './lanes-handle.ts';
import { lockFolder } from './lock.ts';
import type { LanesStart, Opened, QueuedBody } from './messages.ts';
import {
  journalClasses,
  type BodyFacts,
  type Found,
  type Journal,
  type JournalClass,
  type JournalOptions,
  type JournalStat,
  type Outcome,
  type SinkSpec,
} from './types.ts';
import { WriterHandle, type Waiting } from './writer-handle.ts';

/**
 * Small segments: what the start reads again is at most about one a class, space comes back soon after delivery,
 * and reading one whole costs 16 MB for a moment. With frames of 45 kB a roll costs 1 commit in 350 a few ms.
 */
export const defaultSegmentBytes = 16 << 20;

/** Groups handed to the writer at once: one is written, the next waits at its door, so it never waits for us. */
const groupsAhead = 2;
/** A group is closed at this size; what a commit takes stays bounded. */
const groupBytes = 4 << 20;
/** A writer that dies at once is not restarted faster than this. */
const restartAfterMs = 1_000;
/** Writers that hang at the same time, at most. */
const mostGivenUp = 3;
/** How long close() waits for what is under way. */
const closeWithinMs = 5_000;

/** Opens (and makes) the folder. Rejects with Fault JOURNAL_LOCKED, FORMAT_TOO_NEW or JOURNAL_WRITE. */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const unlock = lockFolder(options.folder);
  const clock = options.clock ?? systemClock();
  const start: LanesStart = {
    folder: options.folder,
    maxBytes: options.maxBytes,
    classBytes: options.classBytes ?? {},
    segmentBytes: Math.min(options.segmentBytes, Math.floor(options.maxBytes / 8)),
    epoch: (options.chance ?? systemChance()).hex(64),
    wanted: new SharedArrayBuffer(4 * journalClasses.length),
  };
  let journal: FolderJournal | undefined;
  try {
    const { lanes, opened } = await LanesHandle.open({
      start,
      clock,
      lost: options.lost,
      faulty: options.faulty,
      restarted: () => journal?.joinLanes(),
    });
    journal = new FolderJournal({ options, clock, lanes, opened, start, unlock });
    return journal;
  } catch (error) {
    unlock();
    throw error;
  }
}

interface Parts {
  readonly options: JournalOptions;
  readonly clock: Clock;
  readonly lanes: LanesHandle;
  readonly opened: Opened;
  readonly start: LanesStart;
  readonly unlock: () => void;
}

type PerClass<T> = Record<JournalClass, T>;
const perClass = <T>(make: (klass: JournalClass) => T): PerClass<T> =>
  Object.fromEntries(journalClasses.map((klass) => [klass, make(klass)])) as PerClass<T>;

type HeadCounts = PerClass<HeadCount>;

class FolderJournal implements Journal {
  readonly epoch: string;
  readonly found: Found;
  private readonly parts: Parts;
  private readonly clock: Clock;
  private readonly queue: Waiting[] = [];
  private readonly given = new Set<WriterHandle>();
  private writer: WriterHandle;
  private writerNumber: number;
  /** Number after the last batch known to be kept, and after the last that any writer may still keep. */
  private readonly counts: HeadCounts;
  private readonly reserved: HeadCounts;
  /** Bytes in the open segment of each class; undefined: the next body opens one, with a snapshot. */
  private readonly filled: PerClass<number | undefined> = perClass(() => undefined);
  private sending = false;
  private queuedBytes = 0;
  private queuedMessages = 0;
  private restartedAtMs = -Infinity;
  private restarting = false;
  closed = false;
  private idle: (() => void) | undefined;

  constructor(parts: Parts) {
    this.parts = parts;
    this.clock = parts.clock;
    const { opened } = parts;
    this.epoch = opened.epoch;
    this.found = { clean: opened.clean, damage: opened.damage, faults: opened.faults };
    this.counts = { ...opened.counts };
    this.reserved = { ...opened.counts };
    this.writerNumber = opened.writer;
    this.writer = this.startWriter(opened.heads);
  }

  append(
    klass: JournalClass,
    body: Uint8Array,
    facts: BodyFacts,
    settled: (outcome: Outcome, number: number) => void,
  ): void {
    if (this.closed) {
      settled(new Fault('JOURNAL_WRITE', { cause: 'closed' }), -1);
      return;
    }
    const own = body.byteLength === body.buffer.byteLength ? body : body.slice();
    this.queue.push({ klass, body: own, facts, settled, atMs: this.clock.monotonicMs() });
    this.queuedBytes += own.length;
    this.queuedMessages += facts.messages;
    this.sendSoon();
  }

  get pending(): { readonly messages: number; readonly bytes: number; readonly oldestMs: number } {
    const { messages, bytes, oldestAtMs } = this.writer.pending;
    const oldest = oldestAtMs ?? this.queue[0]?.atMs;
    return {
      messages: messages + this.queuedMessages,
      bytes: bytes + this.queuedBytes,
      oldestMs: oldest === undefined ? 0 : this.clock.monotonicMs() - oldest,
    };
  }

  replaceWriter(): void {
    // A disk that holds several threads will hold the next one too; each costs memory until it returns.
    if (this.given.size >= mostGivenUp || this.restarting || this.closed) return;
    const given = this.writer;
    given.retire(this.pending.oldestMs);
    this.given.add(given);
    for (const klass of journalClasses) this.filled[klass] = undefined;
    this.writer = this.startWriter([]);
    this.sendSoon();
  }

  recover(each: (klass: JournalClass, number: number, body: Uint8Array) => void): Promise<void> {
    return this.parts.lanes.recover(each);
  }

  attach(spec: SinkSpec, port: MessagePort): void {
    this.parts.lanes.attach(spec, port);
  }

  forget(sink: string): void {
    this.parts.lanes.forget(sink);
  }

  stat(): Promise<JournalStat> {
    return this.parts.lanes.stat();
  }

  /** The lanes' thread is a new one: every writer joins it. */
  joinLanes(): void {
    for (const writer of [this.writer, ...this.given]) writer.joinLanes();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.queue.length > 0 || this.writer.groups > 0) {
      await this.within((done) => (this.idle = done));
    }
    await this.within((done) => this.writer.close(done));
    await this.within((done) => this.parts.lanes.close(done));
    for (const thread of [this.writer, ...this.given, this.parts.lanes]) thread.leave();
    this.parts.unlock();
  }

  private within(begin: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(closeWithinMs, resolve);
      begin(() => {
        cancel();
        resolve();
      });
    });
  }

  private startWriter(oldHeads: readonly string[]): WriterHandle {
    const { folder, segmentBytes, wanted } = this.parts.start;
    return new WriterHandle({
      start: {
        folder,
        epoch: this.epoch,
        writer: this.writerNumber++,
        segmentBytes,
        counts: { ...this.counts },
        goesOn: { ...this.reserved },
        oldHeads,
        wanted,
      },
      joinLanes: (port) => this.parts.lanes.joinWriter(port),
      kept: (klass, facts, number) => this.kept(klass, facts, number),
      failed: (klass) => {
        this.filled[klass] = undefined;
      },
      faulty: (fault) => this.faulty(fault),
      drained: () => this.drained(),
      ended: (handle) => this.writerEnded(handle),
      unreserve: (klass, facts) => this.reserve(klass, facts, -1),
    });
  }

  private kept(klass: JournalClass, facts: BodyFacts, number: number): void {
    const before = this.counts[klass];
    this.counts[klass] = { ...plus(before, facts, 1), next: Math.max(before.next, number + 1) };
  }

  private reserve(klass: JournalClass, facts: BodyFacts, sign: 1 | -1): void {
    this.reserved[klass] = plus(this.reserved[klass], facts, sign);
  }

  private sendSoon(): void {
    if (this.sending) return;
    this.sending = true;
    queueMicrotask(() => {
      this.sending = false;
      this.send();
    });
  }

  private send(): void {
    while (this.queue.length > 0 && this.writer.groups < groupsAhead && !this.restarting) {
      const group: Waiting[] = [];
      let bytes = 0;
      for (const waiting of this.queue) {
        if (group.length > 0 && bytes + waiting.body.length > groupBytes) break;
        group.push(waiting);
        bytes += waiting.body.length;
      }
      this.queue.splice(0, group.length);
      this.queuedBytes -= bytes;
      this.queuedMessages -= group.reduce((sum, { facts }) => sum + facts.messages, 0);
      this.writer.send(
        group,
        group.map((waiting) => this.queued(waiting)),
      );
      for (const { klass, facts } of group) this.reserve(klass, facts, 1);
    }
  }

  /** Decides which body opens a segment; only then is the caller asked for a snapshot. */
  private queued({ klass, body, facts }: Waiting): QueuedBody {
    const bytes = frameBytes(body.length);
    const filled = this.filled[klass];
    if (filled !== undefined && filled + bytes <= this.parts.start.segmentBytes) {
      this.filled[klass] = filled + bytes;
      return { klass, body, facts, roll: undefined };
    }
    const snapshot = this.parts.options.snapshot(klass);
    this.filled[klass] = segmentHeaderBytes + (snapshot ? frameBytes(snapshot.length) : 0) + bytes;
    // What has not settled yet is not in the snapshot and is read again behind it.
    return { klass, body, facts, roll: { snapshot, recoverFrom: this.oldestUnsettled(klass) } };
  }

  private oldestUnsettled(klass: JournalClass): number {
    return Math.min(this.counts[klass].next, ...[...this.given].map((given) => given.oldest(klass)));
  }

  private drained(): void {
    this.send();
    if (this.queue.length === 0 && this.writer.groups === 0) this.idle?.();
  }

  private writerEnded(handle: WriterHandle): void {
    if (this.given.delete(handle) || this.closed) return;
    this.faulty(new Fault('JOURNAL_WRITE', { cause: 'the writer ended; it is restarted' }));
    for (const klass of journalClasses) this.filled[klass] = undefined;
    const wait = this.restartedAtMs + restartAfterMs - this.clock.monotonicMs();
    this.restarting = true;
    const restart = (): void => {
      this.restarting = false;
      this.restartedAtMs = this.clock.monotonicMs();
      this.writer = this.startWriter([]);
      this.send();
    };
    if (wait <= 0) restart();
    else this.clock.after(wait, restart);
  }

  private faulty(fault: Fault): void {
    this.parts.options.faulty(fault);
  }
}

const plus = (count: HeadCount, facts: BodyFacts, sign: 1 | -1): HeadCount => ({
  next: count.next + sign,
  messages: count.messages + sign * facts.messages,
  observations: count.observations + sign * facts.observations,
  lastAtMs: Math.max(count.lastAtMs, facts.lastAtMs),
});
