/** Spans as a server is asked for them: merged where they touch, and told apart where they do not. */
import type { SeriesSpan } from '../types.ts';

/** Spans of the same device and metrics that overlap or touch are one; oldest first. */
export function mergedSpans(spans: readonly SeriesSpan[]): SeriesSpan[] {
  const groups = Map.groupBy(
    spans.filter(({ fromMs, toMs }) => toMs > fromMs),
    ({ device, metrics }) => JSON.stringify([device, metrics && [...new Set(metrics)].toSorted()]),
  );
  const merged: SeriesSpan[] = [];
  for (const group of groups.values()) {
    let open: SeriesSpan | undefined;
    for (const span of group.toSorted((a, b) => a.fromMs - b.fromMs)) {
      if (open && span.fromMs <= open.toMs) open = { ...open, toMs: Math.max(open.toMs, span.toMs) };
      else {
        if (open) merged.push(open);
        open = span;
      }
    }
    if (open) merged.push(open);
  }
  return merged.sort((a, b) => a.fromMs - b.fromMs);
}

/** Spans that overlap, together; each such group can be answered by itself, in order. The spans are oldest first. */
export function clustersOf(spans: readonly SeriesSpan[]): SeriesSpan[][] {
  const clusters: SeriesSpan[][] = [];
  let toMs = -Infinity;
  for (const span of spans) {
    const last = clusters.at(-1);
    if (last && span.fromMs < toMs) last.push(span);
    else clusters.push([span]);
    toMs = Math.max(toMs, span.toMs);
  }
  return clusters;
}

/** Whether a span of one of these devices covers the instant for the metric. */
export function wants(spans: readonly SeriesSpan[], row: Wanted): boolean {
  return spans.some(
    ({ device, metrics, fromMs, toMs }) =>
      device === row.device &&
      row.takenAtMs >= fromMs &&
      row.takenAtMs < toMs &&
      (!metrics || metrics.includes(row.metric) || metrics.includes(`${row.metric}/${row.channel}`)),
  );
}
interface Wanted {
  readonly device: string;
  readonly metric: string;
  readonly channel: string;
  readonly takenAtMs: number;
}

/** The metric words of a span without their channels: what a server is asked for. */
export const metricWords = ({ metrics }: SeriesSpan): readonly string[] | undefined =>
  metrics && [...new Set(metrics.flatMap((word) => [word, word.split('/')[0] ?? word]))];
