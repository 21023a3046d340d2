/** What is said between the main thread and the historian's worker. Rows travel as columns, handed over whole. */
import type { MessagePort } from 'node:worker_threads';
import type { JournalClass, Ranges } from '../../journal/types.ts';
import type { TextValue } from './columns.ts';
import type { Retention } from './retention.ts';
import type {
  Aggregate,
  Corrected,
  Correction,
  KeptCorrection,
  LabelledSpan,
  LinePage,
  SeriesSpan,
} from './types.ts';

/** Bounds and settings; each stands in the configuration. */
export interface HistorianBounds {
  /** Observations in memory at most before they are written. */
  readonly headObservations: number;
  /** The oldest of them at most this old. */
  readonly headAgeMs: number;
  /** What is older than this, by the class of its metric, is deleted, ms. */
  readonly retention: Retention;
  /** Rows a range query gives at once at most. */
  readonly pageRows: number;
  /** Rows an aggregate query gives at most. */
  readonly aggregateRows: number;
  /** Observations in fresh blocks before they are made into chunks. */
  readonly compactObservations: number;
  /** Fresh blocks before they are made into chunks: an hour's at the default age. */
  readonly compactBlocks: number;
  /** Corrections by people, kept at most. */
  readonly corrections: number;
}

export const defaultBounds: HistorianBounds = {
  headObservations: 400_000,
  headAgeMs: 30_000,
  retention: { vital: 72 * 3_600_000, settings: 72 * 3_600_000, technical: 72 * 3_600_000 },
  pageRows: 10_000,
  aggregateRows: 100_000,
  compactObservations: 2_000_000,
  compactBlocks: 240,
  corrections: 1_000_000,
};

export interface HistorianSettings extends HistorianBounds {
  readonly folder: string;
  readonly epoch: string;
}

export type HistorianAsk =
  | {
      readonly what: 'range';
      readonly spans: readonly SeriesSpan[];
      readonly limit: number;
      readonly after?: string;
    }
  | { readonly what: 'latest'; readonly devices: readonly string[] }
  | {
      readonly what: 'lines';
      readonly spans: readonly LabelledSpan[];
      readonly format: 'ndjson' | 'csv';
      readonly limit: number;
      readonly after?: string;
      readonly headless?: boolean;
      readonly demo: boolean;
    }
  | {
      readonly what: 'aggregate';
      readonly spans: readonly SeriesSpan[];
      readonly everyMs: number;
      readonly of?: readonly Aggregate[];
    }
  | { readonly what: 'correct'; readonly correction: Correction }
  | { readonly what: 'corrections'; readonly spans: readonly SeriesSpan[] }
  | { readonly what: 'flush' }
  | { readonly what: 'compact' }
  | { readonly what: 'expire' };

export interface NamedSeries {
  readonly device: string;
  readonly metric: string;
  readonly channel: string;
}

/** Rows as columns; `series` and `boot` are places in `names` and `boots`, `texts` goes by row. */
export interface RowColumns {
  readonly names: readonly NamedSeries[];
  readonly boots: readonly string[];
  readonly series: Uint32Array;
  readonly taken: Float64Array;
  readonly received: Float64Array;
  readonly value: Float64Array;
  readonly seq: Float64Array;
  readonly boot: Uint32Array;
  readonly flags: Uint8Array;
  readonly reason: Uint8Array;
  readonly texts: readonly (readonly [row: number, text: TextValue])[];
  readonly corrected: readonly (readonly [row: number, corrected: Corrected])[];
  readonly next?: string;
}

/** Seven numbers a row: from, count, min, mean, median, max, last (NaN where there is none). */
export interface AggregateColumns {
  readonly names: readonly NamedSeries[];
  readonly series: Uint32Array;
  readonly figures: Float64Array;
}
export const figureNumbers = 7;

export type HistorianAnswer =
  RowColumns | AggregateColumns | LinePage | readonly KeptCorrection[] | 'corrected' | 'absent' | undefined;

/** Every second, and after each flush. */
export interface HistorianAlive {
  readonly series: number;
  readonly stored: number;
  readonly expired: number;
  readonly bytes: number;
  /** Numbers of the batches a query finds, in memory or on disk. */
  readonly taken: Readonly<Partial<Record<JournalClass, Ranges>>>;
  /** Latest receipt in the batch taken last. */
  readonly newestAtMs: number;
  /** The disk refuses: what waits is in memory. */
  readonly writing: boolean;
}

export interface HistorianOpened {
  readonly delivered: Readonly<Partial<Record<JournalClass, Ranges>>>;
}

/** Main thread → worker beside asks: the journal's end of the wire. */
export interface JournalJoined {
  readonly kind: 'journal';
  readonly port: MessagePort;
}
