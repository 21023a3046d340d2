import { metrics } from '../../model/metric-table.ts';
import type { LatestValue } from '../../model/stream.ts';
import type { Aggregate, AggregateRow, Historian, SeriesSpan, StoredRow } from './types.ts';

/** A stretch of one device with whom it belonged to then (gateway/census joins it at query time). */
export interface AttributedSpan {
  readonly device: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
}
export interface Whose {
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
  readonly device?: string;
}
export interface ObservationQuery extends Whose {
  readonly metrics?: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}
export interface AttributedRow extends StoredRow {
  readonly unit: string;
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
}
export interface FigureRow {
  readonly device: string;
  readonly metric: string;
  readonly channel?: string;
  readonly unit: string;
  readonly fromMs: number;
  readonly count: number;
  readonly value: number | null;
}

export interface ObservationsOptions {
  readonly historian: Historian;
  readonly spansOf: (whose: Whose, fromMs: number, toMs: number) => readonly AttributedSpan[];
  /** Whether there is such a patient, encounter, bed or device. */
  readonly known: (whose: Whose) => boolean;
  /** The newest values of devices that spoke since the start. */
  readonly latest: (device: string) => readonly LatestValue[];
  /** Begin of the device's open association, if it has one. */
  readonly sinceMs: (device: string) => number | undefined;
  readonly nowMs: () => number;
}

const unitOf = (metric: string): string => metrics.get(metric)?.unit ?? '1';

/**
 * Queries by person or place: the historian knows devices only; whose they were comes from the association history
 * at the moment of asking, so a correction counts at once and rewrites no series.
 */
export class Observations {
  private readonly options: ObservationsOptions;

  constructor(options: ObservationsOptions) {
    this.options = options;
  }

  async range(
    query: ObservationQuery,
    page: { limit: number; after?: string },
  ): Promise<{ rows: readonly AttributedRow[]; next?: string } | 'absent'> {
    if (!this.options.known(query)) return 'absent';
    const spans = this.spans(query);
    const answer = await this.options.historian.range(spans, page);
    const rows = answer.rows.flatMap((row) => {
      const span = spans.find(
        (one) => one.device === row.device && row.takenAtMs >= one.fromMs && row.takenAtMs < one.toMs,
      );
      // Backlog without a usable time belongs to nobody, whoever was on the device (CLINICAL 9).
      if (row.unplaced && query.device === undefined) return [];
      const { patient, encounter, bed } = (row.unplaced ? undefined : span) ?? {};
      return [{ ...row, unit: unitOf(row.metric), patient, encounter, bed }];
    });
    return { rows, next: answer.next };
  }

  async aggregate(
    query: ObservationQuery,
    everyMs: number,
    aggregate: Aggregate,
  ): Promise<readonly FigureRow[] | 'absent'> {
    if (!this.options.known(query)) return 'absent';
    const rows = await this.options.historian.aggregate(this.spans(query), everyMs);
    return rows.map((row) => ({
      device: row.device,
      metric: row.metric,
      channel: row.channel,
      unit: aggregate === 'count' ? '1' : unitOf(row.metric),
      fromMs: row.fromMs,
      count: row.count,
      value: figure(row, aggregate),
    }));
  }

  async latest(of: Whose): Promise<readonly LatestValue[] | 'absent'> {
    if (!this.options.known(of)) return 'absent';
    const now = this.options.nowMs();
    const devices = [...new Set(this.options.spansOf(of, now, now + 1).map((span) => span.device))];
    const stored = await this.options.historian.latest(devices);
    const values = new Map(stored.map((row) => [keyOf(row), shownOf(row)]));
    for (const device of devices) {
      for (const value of this.options.latest(device)) {
        const known = values.get(keyOf(value));
        if (!known || known.takenAtMs <= value.takenAtMs) values.set(keyOf(value), value);
      }
    }
    if (of.device !== undefined) return [...values.values()];
    // A person's or a bed's: what was taken before the association is another patient's.
    return [...values.values()].filter(
      (value) => value.takenAtMs >= (this.options.sinceMs(value.device) ?? -Infinity),
    );
  }

  private spans(query: ObservationQuery): (AttributedSpan & SeriesSpan)[] {
    return this.options
      .spansOf(query, query.fromMs, query.toMs)
      .map((span) => ({ ...span, metrics: query.metrics }));
  }
}

const keyOf = (of: { device: string; metric: string; channel?: string }): string =>
  `${of.device} ${of.metric} ${of.channel ?? ''}`;

const figure = (row: AggregateRow, aggregate: Aggregate): number | null => row[aggregate];

function shownOf(row: StoredRow): LatestValue {
  const metric = metrics.get(row.metric);
  return {
    device: row.device,
    metric: row.metric,
    channel: row.channel,
    label: metric?.label ?? row.metric,
    unit: unitOf(row.metric),
    decimals: metric?.decimals ?? 0,
    episodic: metric?.episodic ?? false,
    value: row.value,
    text: row.text,
    code: row.code,
    reason: row.reason,
    validity: row.validity,
    takenAtMs: row.takenAtMs,
    receivedAtMs: row.receivedAtMs,
    staleAfterMs: metric?.episodic ? undefined : Math.max(10_000, 3 * (metric?.periodMs ?? 0)),
  };
}
