import { metrics as metricTable } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import { lineOf, rankOf } from '../alarm/source-order.ts';
import type { StoredRow } from '../store/types.ts';
import type { AttributedSpan } from './types.ts';

/** One device's metric as a source of a quantity, with the stretches in which it was the patient's. */
export interface RivalSource {
  readonly device: string;
  readonly metric: string;
  readonly spans: readonly AttributedSpan[];
}

/** Several sources of one quantity of one patient, most preferred first. */
export interface RivalGroup {
  readonly line: string;
  readonly sources: readonly RivalSource[];
}

/** Whom a stretch is about: sources of two patients at one bed do not stand in for each other. */
export const subjectOf = ({ encounter, bed, device }: AttributedSpan): string =>
  encounter ?? (bed === undefined ? `device ${device}` : `bed ${bed}`);

/** Whether the series is one of those asked for: a metric alone means all its channels. */
export const isAsked = (
  asked: readonly string[] | undefined,
  { metric, channel }: { readonly metric: string; readonly channel?: string },
): boolean => !asked || asked.includes(metric) || asked.includes(seriesKey(metric, channel));

/**
 * Which asked series rival each other from `fromMs` on. `spans`: with their true begins; `newest`: the newest row of
 * every series of these devices. Single measurements and what people charted rival nobody; a series that has said
 * nothing since its association began is none. Of two devices with one metric the one that came to the patient first is
 * preferred.
 */
export function rivalsAmong(
  spans: readonly AttributedSpan[],
  newest: readonly StoredRow[],
  asked: {
    readonly fromMs: number;
    readonly metrics: readonly string[] | undefined;
    readonly isCharted: (device: string) => boolean;
  },
): RivalGroup[] {
  const rivals = newest.filter(
    (row) => !asked.isCharted(row.device) && isContinuousNumber(row.metric) && isAsked(asked.metrics, row),
  );
  return [...bySubject(spans)].flatMap(([, own]) => {
    const groups = new Map<string, Map<string, RivalSource>>();
    for (const { device, metric, takenAtMs } of rivals) {
      const there = own.filter((span) => span.device === device && span.toMs > asked.fromMs);
      if (!there.some((span) => takenAtMs >= span.fromMs)) continue;
      const line = lineOf(metric);
      const group = groups.get(line) ?? new Map<string, RivalSource>();
      groups.set(line, group.set(`${device} ${metric}`, { device, metric, spans: there }));
    }
    const order = ordered(own);
    return [...groups]
      .filter(([, sources]) => sources.size > 1)
      .map(([line, sources]) => ({
        line,
        sources: [...sources.values()].sort(
          (a, b) => rankOf(a.metric) - rankOf(b.metric) || order.indexOf(a.device) - order.indexOf(b.device),
        ),
      }));
  });
}

/** The devices of one patient in the order they came. */
const ordered = (spans: readonly AttributedSpan[]): string[] => [
  ...new Set(
    spans
      .toSorted((a, b) => a.fromMs - b.fromMs || (a.device < b.device ? -1 : 1))
      .map(({ device }) => device),
  ),
];

export function bySubject<S extends AttributedSpan>(spans: readonly S[]): Map<string, S[]> {
  const subjects = new Map<string, S[]>();
  for (const span of spans) {
    const subject = subjectOf(span);
    subjects.set(subject, [...(subjects.get(subject) ?? []), span]);
  }
  return subjects;
}

const isContinuousNumber = (metric: string): boolean => {
  const known = metricTable.get(metric);
  return known !== undefined && !known.episodic && known.value === 'number';
};

export const covers = ({ spans }: RivalSource, atMs: number): boolean =>
  spans.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
