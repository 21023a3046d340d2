/** What the journal's three threads say to each other: the caller's, the writer's and the lanes'. */
import type { MessagePort } from 'node:worker_threads';
import { Fault, type FaultCode, type FaultDetails, type FaultReport } from '../model/fault.ts';
import type { SnapshotState } from './format.ts';
import type { HeadCounts } from './head.ts';
import type { BodyFacts, JournalClass, JournalLoss, JournalStat, SinkSpec } from './types.ts';

/** A body that opens a new segment, and what goes first in it. */
export interface Roll {
  readonly snapshot: Uint8Array | undefined;
  readonly recoverFrom: number;
}

export interface QueuedBody {
  readonly klass: JournalClass;
  readonly body: Uint8Array;
  readonly facts: BodyFacts;
  readonly roll: Roll | undefined;
}

export interface PlainFault {
  readonly code: FaultCode;
  readonly details: FaultDetails;
}

/** A Fault does not survive the way between threads; its code and details do. */
export const toFault = ({ code, details }: PlainFault): Fault => new Fault(code, details);

// ---- caller ⇄ writer ----

export interface WriterStart {
  readonly folder: string;
  readonly epoch: string;
  readonly writer: number;
  readonly segmentBytes: number;
  /** Batches on disk, for the head. */
  readonly counts: HeadCounts;
  /** What each class goes on from: ahead of `counts` by what a writer given up may still keep. */
  readonly goesOn: HeadCounts;
  /** Heads of earlier runs, to be taken away once the own one is on disk. */
  readonly oldHeads: readonly string[];
  readonly control: SharedArrayBuffer;
  readonly wanted: SharedArrayBuffer;
  readonly lanes: MessagePort;
}

/** Words of the control buffer: `retired` is set by the caller, `begun` by the writer; sequentially consistent. */
export const control = { retired: 0, begun: 1, words: 2 } as const;

export type ToWriter =
  | { readonly kind: 'group'; readonly group: number; readonly bodies: readonly QueuedBody[] }
  | { readonly kind: 'lanes'; readonly port: MessagePort }
  | { readonly kind: 'close' };

export type FromWriter =
  | {
      readonly kind: 'settled';
      readonly group: number;
      readonly klass: JournalClass;
      readonly bodies: number;
      readonly first: number;
      readonly fault?: PlainFault;
    }
  | { readonly kind: 'fault'; readonly fault: PlainFault }
  | { readonly kind: 'ended' };

// ---- writer → lanes ----

export interface KeptFrame {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  readonly facts: BodyFacts;
}

export interface OpenedSegment {
  readonly file: string;
  readonly snapshot: SnapshotState;
  readonly recoverFrom: number;
  /** End of what is on disk. */
  readonly bytes: number;
  /** Numbers that a writer given up may keep or not. */
  readonly doubtful: readonly [from: number, to: number];
}

export type WriterToLanes =
  | ({ readonly kind: 'opened'; readonly klass: JournalClass } & OpenedSegment)
  | {
      readonly kind: 'kept';
      readonly klass: JournalClass;
      readonly file: string;
      readonly bytes: number;
      readonly frames: readonly KeptFrame[];
      /** In the order of `frames`; absent when nobody wants them from memory. */
      readonly bodies?: readonly Uint8Array[];
    }
  | { readonly kind: 'closed'; readonly klass: JournalClass; readonly file: string; readonly bytes: number };

// ---- caller ⇄ lanes ----

export interface LanesStart {
  readonly folder: string;
  readonly maxBytes: number;
  readonly classBytes: Partial<Record<JournalClass, number>>;
  readonly segmentBytes: number;
  /** For a folder that has none yet. */
  readonly epoch: string;
  readonly wanted: SharedArrayBuffer;
}

export type ToLanes =
  | { readonly kind: 'writer'; readonly port: MessagePort }
  | { readonly kind: 'attach'; readonly spec: SinkSpec; readonly port: MessagePort }
  | { readonly kind: 'forget'; readonly sink: string }
  | { readonly kind: 'recover' }
  | { readonly kind: 'more' }
  | { readonly kind: 'stat'; readonly ask: number }
  | { readonly kind: 'close' };

export interface Opened {
  readonly kind: 'opened';
  readonly epoch: string;
  readonly clean: boolean;
  readonly damage: readonly JournalLoss[];
  readonly faults: readonly FaultReport[];
  readonly writer: number;
  readonly heads: readonly string[];
  readonly counts: HeadCounts;
}

export type FromLanes =
  | Opened
  | { readonly kind: 'refused'; readonly fault: PlainFault }
  | { readonly kind: 'lost'; readonly loss: JournalLoss }
  | { readonly kind: 'fault'; readonly fault: PlainFault }
  | {
      readonly kind: 'recovered';
      readonly klass: JournalClass;
      readonly number: number;
      readonly body: Uint8Array;
    }
  | { readonly kind: 'recoveredAll' }
  | { readonly kind: 'stat'; readonly ask: number; readonly stat: JournalStat }
  | { readonly kind: 'ended' };
