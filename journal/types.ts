import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../model/clock.ts';
import type { Fault, FaultReport } from '../model/fault.ts';
import type { Chance } from '../model/ids.ts';
import type { DeviceContent } from './content.ts';

/**
 * A message waits for its own class only, stays whole in one, and each class has segment files of its own. `alarm` is
 * what devices say of their alarms (the alerts branch). Observations stay in `numerics` also when they raise or keep
 * an alarm: parted over two classes, the values of one series would reach an ordered sink out of order; the values of
 * an alarm stand in the alarm log besides, which no bound of the journal touches.
 */
export const journalClasses = ['alarm', 'numerics', 'raw', 'waveforms'] as const;
export type JournalClass = (typeof journalClasses)[number];

/** When room is short: who gives up first what is not delivered yet. Within a class the oldest goes first. */
export const givenUpOrder = [
  'waveforms',
  'raw',
  'numerics',
  'alarm',
] as const satisfies readonly JournalClass[];

/** What the writer must know about a body without reading it. */
export interface BodyFacts {
  readonly messages: number;
  readonly observations: number;
  /** Earliest and latest receipt (ms) in it: lanes and the loss ledger speak in time. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** 'kept' only after the segment, then the head, are on disk (fdatasync). */
export type Outcome = 'kept' | Fault;

export interface Journal {
  /** Made when the folder was; part of every batch's identity. */
  readonly epoch: string;
  /** What the start found: damage, and whether the last stop was clean. */
  readonly found: Found;
  /**
   * Queues one sealed body and returns at once. The body's buffer is transferred (unusable afterwards). Bodies of a
   * class are written in order; one group commit takes whatever waits. `settled` is called exactly once, in order
   * within a class (save for what a writer given up still holds), with the number, or −1 beside a fault. After a fault the segment is abandoned and the next body opens a new one: nothing is ever
   * appended behind a failed or hung write.
   */
  append(
    klass: JournalClass,
    body: Uint8Array,
    facts: BodyFacts,
    settled: (outcome: Outcome, number: number) => void,
  ): void;
  /**
   * Bytes and messages handed in and not yet settled, and the age of the oldest in ms; what a writer given up still
   * holds does not count.
   */
  readonly pending: { readonly messages: number; readonly bytes: number; readonly oldestMs: number };
  /**
   * Gives up the worker that hangs in a system call and starts a second on new segments. What the first had begun
   * settles when its call returns ('kept' if it was); what it had not begun settles at once with JOURNAL_HUNG; what
   * was not yet handed to it goes to the second. Does nothing while three hang already: the disk is dead.
   */
  replaceWriter(): void;
  /**
   * Everything kept since the newest snapshot of each class, oldest first: the snapshot itself (number −1), then
   * bodies. Read once at start to restore the duplicate intervals and counters.
   */
  recover(each: (klass: JournalClass, number: number, body: Uint8Array) => void): Promise<void>;
  /**
   * Joins a sink (a worker or this thread) as a reader by undelivered ranges: SinkBatch comes, SinkAnswer goes back.
   * A port that closes unasked says that the thread behind it died (Fault JOURNAL_READER): join anew, with what is
   * delivered by then. A sink that joins twice is served on the newer port.
   */
  attach(sink: SinkSpec, port: MessagePort): void;
  /** Drops a sink that is no longer configured, so that nothing is kept for it. */
  forget(sink: string): void;
  /** Sizes, batch numbers, undelivered counts, for health and metrics. */
  stat(): Promise<JournalStat>;
  /** Takes nothing more, writes what it has, and lets go of the folder. */
  close(): Promise<void>;
  /** close() was called. */
  readonly closed: boolean;
}

export interface JournalOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  /**
   * Hard bound over all classes. Reaching it deletes what is delivered, then thins undelivered waveforms (every second
   * stretch of ten seconds goes), then deletes what is undelivered in `givenUpOrder`; whatever goes undelivered is told.
   */
  readonly maxBytes: number;
  /** Bounds of single classes within it; reaching one touches that class only. */
  readonly classBytes?: Partial<Record<JournalClass, number>>;
  /**
   * Called when a segment of the class opens: what to put first in it (duplicate intervals and counters so far). It
   * must hold whatever has settled, and nothing that has not: what is unsettled now is read again behind it, and a
   * message counted before it is on disk would be taken for a duplicate after a crash. Undefined: nothing is needed.
   */
  readonly snapshot: (klass: JournalClass) => Uint8Array | undefined;
  /** Something was deleted before delivery, or found damaged. */
  readonly lost: (loss: JournalLoss) => void;
  /** The writer died or is silent; or a write failed. Health shows it. */
  readonly faulty: (fault: Fault) => void;
  /** The program's own when absent. */
  readonly clock?: Clock;
  readonly chance?: Chance;
}

/** A stretch of batches that is gone. Without `sinks` everybody had it already: told, but no loss of data. */
export interface JournalLoss {
  readonly klass: JournalClass;
  readonly fromNumber: number;
  readonly toNumber: number;
  readonly messages: number;
  readonly observations: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly why: 'bound' | 'thinned' | 'corrupt' | 'missing';
  readonly sinks: readonly string[];
  /** Whose it was, by hour of receipt, where the bodies could be read: always when it went on purpose. */
  readonly devices?: readonly DeviceContent[];
}

export interface Found {
  readonly clean: boolean;
  readonly damage: readonly JournalLoss[];
  readonly faults: readonly FaultReport[];
}

/** Half-open ranges of batch numbers, ascending and apart. */
export type Ranges = readonly (readonly [from: number, to: number])[];

export interface SinkSpec {
  readonly id: string;
  readonly kind: 'ordered' | 'twoLane';
  readonly classes: readonly JournalClass[];
  /** What the sink itself holds as delivered (a sink that keeps its position with its data), per class. */
  readonly delivered?: Partial<Record<JournalClass, Ranges>>;
  /** Bodies in flight at most, before the sink confirms; beyond it they wait on disk. Backlog takes half of it at most. */
  readonly window: { readonly batches: number; readonly bytes: number };
  /** Observations a second at most of what is older than a minute, beside the live lane; as fast as it takes them when absent. */
  readonly backlogPerS?: number;
}

/** Journal → sink: one batch, from memory straight after its commit (`live`) or re-read from disk (`backlog`). */
export interface SinkBatch {
  readonly kind: 'batch';
  readonly klass: JournalClass;
  readonly number: number;
  readonly lane: 'live' | 'backlog';
  readonly body: Uint8Array;
  readonly facts: BodyFacts;
}
/** Sink → journal. `taken` frees the window; `delivered` moves the durable position (a segment may then go). */
export type SinkAnswer =
  | { readonly kind: 'taken'; readonly klass: JournalClass; readonly number: number }
  | { readonly kind: 'delivered'; readonly klass: JournalClass; readonly ranges: Ranges };

export interface JournalStat {
  readonly bytes: number;
  /** Of the bound that is nearest to being reached, its share in use (1 = reached) and whose it is. */
  readonly fullest: { readonly share: number; readonly of: JournalClass | 'all' };
  readonly classes: Readonly<
    Record<
      JournalClass,
      {
        readonly segments: number;
        readonly bytes: number;
        readonly nextNumber: number;
        readonly oldestNumber: number;
        /** Batches that are there; what is damaged or gone is not. */
        readonly present: Ranges;
      }
    >
  >;
  readonly sinks: Readonly<
    Record<string, { readonly undeliveredBatches: number; readonly oldestUndeliveredAtMs?: number }>
  >;
}
