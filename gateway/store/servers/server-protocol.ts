/** What is said between the main thread and the worker of one time-series server. */
import type { MessagePort } from 'node:worker_threads';
import type { FaultReport } from '../../../model/fault.ts';
import type { AggregateColumns, RowColumns } from '../historian-protocol.ts';
import type { SeriesSpan } from '../types.ts';
import type { GateState } from './gate.ts';
import type { RefusedStretch } from './request.ts';
import type { LagFigures } from './sender.ts';

export type ServerAsk =
  | { readonly what: 'test' }
  | {
      readonly what: 'range';
      readonly spans: readonly SeriesSpan[];
      readonly limit: number;
      readonly after?: string;
    }
  | { readonly what: 'aggregate'; readonly spans: readonly SeriesSpan[]; readonly everyMs: number };

export type RangeAsk = Omit<Extract<ServerAsk, { what: 'range' }>, 'what'>;
export type AggregateAsk = Omit<Extract<ServerAsk, { what: 'aggregate' }>, 'what'>;

/** Asks one server for what it holds; rejects with SINK_READ, SINK_CURSOR or STORE_TOO_MUCH. */
export interface Reader {
  range(ask: RangeAsk, untilMs: number): Promise<RowColumns>;
  aggregate(ask: AggregateAsk, untilMs: number): Promise<AggregateColumns>;
}

export type ServerAnswer = Diagnosis | RowColumns | AggregateColumns;

/** Every second, and when the state changes. */
export interface ServerAlive {
  readonly state: GateState;
  readonly fault?: FaultReport;
  readonly sinceMs?: number;
  readonly nextTryAtMs?: number;
  readonly lastSuccessAtMs?: number;
  /** Observations since the worker began. */
  readonly stored: number;
  readonly refused: number;
  readonly leftOut: number;
  readonly liveLagMs: LagFigures;
}

/** Main thread → worker beside asks: the journal's end of the wire, and that of the loss ledger. */
export interface ServerJoined {
  readonly kind: 'journal';
  readonly port: MessagePort;
}
export interface LedgerJoined {
  readonly kind: 'ledger';
  readonly port: MessagePort;
}

/** Worker → main thread on the ledger's wire; the same id comes back when all of it is on disk. */
export interface LedgerAsk {
  readonly id: number;
  readonly refused: readonly RefusedStretch[];
}

/** One thing that was looked at. */
export interface Finding {
  readonly about: 'url' | 'server' | 'secret' | 'place' | 'write' | 'query' | 'clock';
  readonly outcome: 'right' | 'wrong' | 'doubtful' | 'not-tried';
  /** In words: what was seen, and what to change. */
  readonly says: string;
}

/** What the test of a sink found. */
export interface Diagnosis {
  readonly works: boolean;
  /** The first thing that is wrong, or that all is well. */
  readonly says: string;
  readonly findings: readonly Finding[];
  /** As the server names itself. */
  readonly version?: string;
  /** From asking to answer of its simplest request. */
  readonly latencyMs?: number;
  /** The server's clock minus ours; its header has whole seconds. */
  readonly clockOffsetMs?: number;
}
