/** The store told naively: a list of rows, searched from end to end. */
import { seriesKey } from '../../../model/observation.ts';
import type { AggregateRow, Correction, SeriesSpan, StoredRow } from '../../../gateway/store/types.ts';

export class Oracle {
  readonly rows: StoredRow[] = [];
  private readonly known = new Set<string>();

  add(row: StoredRow): void {
    const identity = identityOf(row);
    if (this.known.has(identity)) return;
    this.known.add(identity);
    this.rows.push(row);
  }

  /** Replaces the row by what it says from now on. */
  correct(correction: Correction): void {
    const at = this.rows.findIndex((row) => identityOf(row) === identityOf(correction));
    const row = this.rows[at];
    if (!row) throw new Error('a correction of nothing');
    const { value, text, code, system, validity, reason, ...rest } = row;
    const was = withoutNothing({ value, text, code, system, validity, reason });
    const { by, atMs, why, now } = correction;
    this.rows[at] = {
      ...rest,
      value: null,
      validity: now ? 'valid' : 'invalid',
      ...now,
      corrected: { by, atMs, why, retracted: !now, was },
    };
  }

  range(spans: readonly SeriesSpan[]): StoredRow[] {
    return this.rows.filter((row) =>
      spans.some(
        ({ device, metrics, fromMs, toMs }) =>
          row.device === device &&
          (!metrics ||
            metrics.includes(row.metric) ||
            metrics.includes(seriesKey(row.metric, row.channel))) &&
          row.takenAtMs >= fromMs &&
          row.takenAtMs < toMs,
      ),
    );
  }

  latest(devices: readonly string[]): StoredRow[] {
    const newest = new Map<string, StoredRow>();
    for (const row of this.rows) {
      if (!devices.includes(row.device) || row.unplaced) continue;
      const series = JSON.stringify([row.device, seriesKey(row.metric, row.channel)]);
      const before = newest.get(series);
      if (
        !before ||
        row.takenAtMs > before.takenAtMs ||
        (row.takenAtMs === before.takenAtMs && row.receivedAtMs >= before.receivedAtMs)
      )
        newest.set(series, row);
    }
    return [...newest.values()];
  }

  aggregate(spans: readonly SeriesSpan[], everyMs: number): AggregateRow[] {
    const intervals = new Map<string, StoredRow[]>();
    for (const row of this.range(spans)) {
      if (row.unplaced) continue;
      const fromMs = Math.floor(row.takenAtMs / everyMs) * everyMs;
      const key = JSON.stringify([row.device, row.metric, row.channel ?? '', fromMs]);
      intervals.set(key, [...(intervals.get(key) ?? []), row]);
    }
    return [...intervals].map(([key, rows]) => {
      const [device, metric, channel, fromMs] = JSON.parse(key) as [string, string, string, number];
      const valid = inOrder(rows).filter(
        (row) =>
          row.validity === 'valid' && row.value !== null && row.reason !== 'demo' && row.reason !== 'test',
      );
      const values = valid.map((row) => row.value ?? 0);
      const sorted = values.toSorted((a, b) => a - b);
      const middle = sorted.length >> 1;
      const median =
        sorted.length % 2 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
      const given = (figure: number | undefined): number | null =>
        values.length === 0 ? null : (figure ?? null);
      return {
        device,
        metric,
        ...(channel === '' ? {} : { channel }),
        fromMs,
        count: values.length,
        min: given(sorted[0]),
        mean: given(values.reduce((sum, value) => sum + value, 0) / values.length),
        median: given(median),
        max: given(sorted.at(-1)),
        last: given(values.at(-1)),
      };
    });
  }
}

const identityOf = ({
  device,
  boot,
  seq,
  metric,
  channel,
}: Omit<Correction, 'by' | 'atMs' | 'why'>): string =>
  JSON.stringify([device, boot, seq, seriesKey(metric, channel)]);

const withoutNothing = <T extends object>(of: T): T =>
  Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as T;

/** Time, then boot, then seq: the store's order within a series. */
export const inOrder = (rows: readonly StoredRow[]): StoredRow[] =>
  rows.toSorted(
    (a, b) => a.takenAtMs - b.takenAtMs || (a.boot < b.boot ? -1 : a.boot > b.boot ? 1 : 0) || a.seq - b.seq,
  );

/** One order for comparing sets of rows. */
export const sorted = <T>(rows: readonly T[]): string[] =>
  rows
    .map((row) => JSON.stringify(Object.entries(row as object).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
