import type { Reason, Validity } from '../../model/observation.ts';
import type { DeviceId } from '../../model/ids.ts';
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

export interface StoredRow {
  readonly device: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly value: number | null;
  readonly text?: string;
  readonly code?: string;
  readonly system?: string;
  readonly validity: Validity;
  readonly reason?: Reason;
  readonly boot: string;
  readonly seq: number;
  readonly historical: boolean;
  /** Backlog without a usable time: attributed to nobody. */
  readonly unplaced: boolean;
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
  readonly bytes: number;
  readonly fault?: FaultReport;
  /** Last sign of life of its worker, monotonic ms of the main thread. */
  readonly aliveAtMs: number;
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
  /** Per interval figures over valid numeric observations. */
  aggregate(spans: readonly SeriesSpan[], everyMs: number): Promise<readonly AggregateRow[]>;
  status(): HistorianStatus;
  close(): Promise<void>;
}

/**
 * A time-series server that answers for spans older than the historian's retention. Its rows are the historian's, as
 * far as the server kept them: VictoriaMetrics holds no texts, codes and boot ids (`boot` is '' there), and no
 * observation without a usable time. A cursor is good for this store and these spans only.
 */
export interface LongStore extends Pick<Historian, 'range' | 'aggregate'> {
  /** The sink it is, as in `vigil.yaml`. */
  readonly sink: string;
  /** False while the server is known to refuse or to be away: asking rejects with SINK_READ then. */
  readonly answering: boolean;
}
