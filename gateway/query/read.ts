import { metrics as metricTable } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import type { Historian, StoredRow } from '../store/types.ts';
import type { AttributedRow, AttributedSpan } from './types.ts';
import { allSpans, chosenSpans, type ReadPlan, type ReadSpan } from './windows.ts';

/** Rivals are weighed in windows of this length. */
const windowMs = 15 * 60_000;
/** A window in which little was found is followed by one of twice its length, up to this. */
const longestWindowMs = 6 * 3_600_000;
const littleRows = 1_000;

/** What is read, and who answers for which part of it. */
export interface Reach {
  readonly toMs: number;
  /** Before this instant the time-series server answers; the historian from it on. */
  readonly ownMs: number;
}

/** A stretch of the asked span that one store answers for in one go. */
export interface ReadWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly own: boolean;
  readonly spans: readonly ReadSpan[];
}

/** Opens one window after the other. Without rivals a store's whole part is one. */
export class Windows {
  private readonly plan: ReadPlan;
  private readonly reach: Reach;
  private readonly storeOf: (own: boolean) => Pick<Historian, 'range'>;
  private lengthMs = windowMs;

  constructor(plan: ReadPlan, reach: Reach, storeOf: (own: boolean) => Pick<Historian, 'range'>) {
    this.plan = plan;
    this.reach = reach;
    this.storeOf = storeOf;
  }

  /** The window that begins there; undefined at the end. `endMs`: of one that was opened before. */
  async open(fromMs: number, endMs?: number): Promise<ReadWindow | undefined> {
    const { ownMs } = this.reach;
    if (fromMs >= this.reach.toMs) return undefined;
    const own = fromMs >= ownMs;
    const partMs = own ? this.reach.toMs : Math.min(ownMs, this.reach.toMs);
    const chosen = this.plan.rivals.length > 0;
    const toMs = endMs ?? (chosen ? Math.min(partMs, fromMs + this.lengthMs) : partMs);
    const within = [fromMs, toMs] as const;
    const spans = chosen
      ? await chosenSpans(this.plan, this.storeOf(own), within)
      : allSpans(this.plan, within);
    return { fromMs, toMs, own, spans };
  }

  /** How much the last one held, so that empty days are not walked through in quarters of an hour. */
  found(rows: number): void {
    this.lengthMs = rows < littleRows ? Math.min(longestWindowMs, this.lengthMs * 2) : windowMs;
  }
}

/** Rows with whose they are; what belongs to nobody is left out of a person's or a place's. */
export function attributed(
  rows: readonly StoredRow[],
  spans: readonly ReadSpan[],
  unplaced: 'given' | 'left-out',
): AttributedRow[] {
  const byDevice = new Map<string, ReadSpan[]>();
  for (const span of spans) byDevice.set(span.device, [...(byDevice.get(span.device) ?? []), span]);
  return rows.flatMap((row) => {
    const unit = unitOf(row.metric);
    // Backlog without a usable time belongs to nobody, whoever was on the device (CLINICAL 9).
    if (row.unplaced) return unplaced === 'given' ? [{ ...row, unit }] : [];
    const span = byDevice.get(row.device)?.find((one) => holds(one, row));
    const { patient, encounter, bed, source } = span ?? {};
    return [{ ...row, unit, ...given({ patient, encounter, bed, source }) }];
  });
}

const holds = ({ fromMs, toMs, metrics }: ReadSpan, row: StoredRow): boolean =>
  row.takenAtMs >= fromMs &&
  row.takenAtMs < toMs &&
  (!metrics || metrics.includes(row.metric) || metrics.includes(seriesKey(row.metric, row.channel)));

/** Without the fields that nothing is known of. */
export const given = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;

export const unitOf = (metric: string): string => metricTable.get(metric)?.unit ?? '1';

export const devicesOf = (spans: readonly AttributedSpan[]): string[] => [
  ...new Set(spans.map(({ device }) => device)),
];
