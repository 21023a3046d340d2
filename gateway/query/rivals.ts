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
 * Which asked series rival each other. `newest`: the newest row of every series of these devices. Single measurements
 * and what people charted rival nobody; a series that has said nothing since its association began is none.
 */
export function rivalsAmong(
  spans: readonly AttributedSpan[],
  newest: readonly StoredRow[],
  asked: {
    readonly metrics: readonly string[] | undefined;
    readonly isCharted: (device: string) => boolean;
  },
): RivalGroup[] {
  const groups = new Map<string, { line: string; sources: Map<string, RivalSource> }>();
  const order = [...new Set(spans.toSorted((a, b) => a.fromMs - b.fromMs).map(({ device }) => device))];
  for (const row of newest) {
    if (asked.isCharted(row.device) || !isContinuousNumber(row.metric) || !isAsked(asked.metrics, row))
      continue;
    const line = lineOf(row.metric);
    for (const [subject, own] of bySubject(spans.filter(({ device }) => device === row.device))) {
      if (row.takenAtMs < Math.min(...own.map(({ fromMs }) => fromMs))) continue;
      const key = `${subject} ${line}`;
      const group = groups.get(key) ?? { line, sources: new Map<string, RivalSource>() };
      groups.set(key, group);
      const { device, metric } = row;
      group.sources.set(`${device} ${metric}`, { device, metric, spans: own });
    }
  }
  return [...groups.values()]
    .filter(({ sources }) => sources.size > 1)
    .map(({ line, sources }) => ({
      line,
      sources: [...sources.values()].sort(
        (a, b) => rankOf(a.metric) - rankOf(b.metric) || order.indexOf(a.device) - order.indexOf(b.device),
      ),
    }));
}

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
