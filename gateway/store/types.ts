import type { Reason, Validity } from '../../model/observation.ts';
import type { DeviceId, PersonId } from '../../model/ids.ts';
import type { FaultReport } from '../../model/fault.ts';

/** One stretch of one series. The caller has joined patient, bed and encounter to devices and spans already. */
export interface SeriesSpan {
  readonly device: DeviceId;
  /** Absent: every metric of the device. */
  readonly metrics?: readonly string[];
  /** From inclusive, to exclusive, by takenAtMs. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Names one stored observation: its series, and the message it came in. */
export interface ObservationName {
  readonly device: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  readonly takenAtMs: number;
  readonly boot: string;
  readonly seq: number;
}

/** What an observation says, apart from when and whence. */
export interface StoredValue {
  readonly value: number | null;
  readonly text?: string;
  readonly code?: string;
  readonly system?: string;
  readonly validity: Validity;
  readonly reason?: Reason;
}

/** On a row that a person has corrected: the newest correction, and what the row said before it. */
export interface Corrected {
  readonly by: PersonId;
  readonly atMs: number;
  readonly why: string;
  /** There was no such measurement: the row has no value any more. */
  readonly retracted: boolean;
  readonly was: StoredValue;
}

/** What a person says of a stored observation; the stored row itself is never rewritten. */
export interface Correction extends ObservationName {
  readonly by: PersonId;
  readonly atMs: number;
  readonly why: string;
  /** What is true instead, in the metric's own unit; absent: the observation is retracted. */
  readonly now?:
    | { readonly value: number }
    | { readonly text: string }
    | { readonly code: string; readonly system: string };
}

/** A correction as it is kept, with what the observation said until then. */
export interface KeptCorrection extends Correction {
  readonly was: StoredValue;
}

export interface StoredRow extends StoredValue {
  readonly device: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly boot: string;
  readonly seq: number;
  readonly historical: boolean;
  /** Backlog without a usable time: attributed to nobody. */
  readonly unplaced: boolean;
  /** Only on a corrected row; its value is the corrected one. */
  readonly corrected?: Corrected;
}

export const aggregates = ['min', 'mean', 'median', 'max', 'last', 'count'] as const;
export type Aggregate = (typeof aggregates)[number];

export interface AggregateRow {
  readonly device: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  /** Begin of the interval; intervals are aligned to multiples of `everyMs` since 1970. */
  readonly fromMs: number;
  /** Valid numeric observations in it; the figures are null when there is none. */
  readonly count: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly median: number | null;
  readonly max: number | null;
  readonly last: number | null;
}

export interface HistorianStatus {
  /** Age of the oldest confirmed observation that a query would not yet find, ms; 0 = none waits. */
  readonly lagMs: number;
  readonly series: number;
  readonly storedObservations: number;
  /** Deleted since the start because their retention was over. */
  readonly expiredObservations: number;
  readonly bytes: number;
  readonly fault?: FaultReport;
  /** Last sign of life of its worker, monotonic ms of the main thread. */
  readonly aliveAtMs: number;
}

/** One stretch of one device with whom it belonged to then, as the lines say it. */
export interface LabelledSpan extends SeriesSpan {
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
  /** What its rows are among several sources of one quantity, as the lines say it. */
  readonly source?: string;
  /** Rows without a usable time belong to nobody: given without a label, or left out. */
  readonly unplaced: 'given' | 'left-out';
}

/** Lines of an export as bytes: whole lines only. */
export interface LinePage {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly next?: string;
}

/** The embedded store behind a worker; every call answers or rejects with a Fault within its deadline. */
export interface Historian {
  /** Oldest first; at most `limit` rows after the `after` cursor (from the previous page), then `next` is set. */
  range(
    spans: readonly SeriesSpan[],
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{
    readonly rows: readonly StoredRow[];
    readonly next?: string;
  }>;
  /** The newest observation of every series of these devices. */
  latest(devices: readonly DeviceId[]): Promise<readonly StoredRow[]>;
  /**
   * Rows as lines of text, written in the store's own thread so that a long export costs the main one only the passing
   * on: `ndjson` one object a line, `csv` with its header line on the first page. At most `limit` rows at once.
   */
  lines(
    spans: readonly LabelledSpan[],
    page: {
      readonly format: 'ndjson' | 'csv';
      readonly limit: number;
      readonly after?: string;
      /** Lines that go on from others: without the header line. */
      readonly headless?: boolean;
      readonly demo: boolean;
    },
  ): Promise<LinePage>;
  /**
   * Per interval figures over valid numeric observations; only those asked for are worked out (a mean needs no
   * sorting), the others are null. All when none are named; the count always.
   */
  aggregate(
    spans: readonly SeriesSpan[],
    everyMs: number,
    of?: readonly Aggregate[],
  ): Promise<readonly AggregateRow[]>;
  /**
   * Keeps a correction or retraction; answered when it is on disk. Range, lines, latest and aggregate honour it from
   * then on. 'absent': there is no such observation (any more). Rejects with STORE_CORRECTIONS at the bound.
   */
  correct(correction: Correction): Promise<'corrected' | 'absent'>;
  /** Every correction ever made of observations in these spans, oldest first. */
  corrections(spans: readonly SeriesSpan[]): Promise<readonly KeptCorrection[]>;
  status(): HistorianStatus;
  close(): Promise<void>;
}

/**
 * A time-series server that answers for spans older than the historian's retention. Its rows are the historian's, as
 * far as the server kept them: VictoriaMetrics holds no texts and codes, InfluxDB all. They are as they were sent:
 * corrections of the historian's are not in them. A cursor is good for this store and these spans only.
 */
export interface LongStore extends Pick<Historian, 'range' | 'aggregate'> {
  /** The sink it is, as in `vigil.yaml`. */
  readonly sink: string;
  /** False while the server is known to refuse or to be away: asking rejects with SINK_READ then. */
  readonly answering: boolean;
}
