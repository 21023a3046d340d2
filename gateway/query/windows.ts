import { splitKey } from '../../model/observation.ts';
import { lineOf } from '../alarm/source-order.ts';
import type { Historian } from '../store/types.ts';
import { chooseSources, lookBackMs, type SourceSample } from './choose-source.ts';
import { covers, subjectOf, type RivalGroup, type RivalSource } from './rivals.ts';
import type { AttributedSpan, SourceMark } from './types.ts';

/** A stretch to be read: whose it is, which of its metrics, and what they are among the sources. */
export interface ReadSpan extends AttributedSpan {
  readonly metrics?: readonly string[];
  readonly source?: SourceMark;
}

/** What one query reads: all stretches, the rivals among their series, and what else the devices have. */
export interface ReadPlan {
  readonly spans: readonly AttributedSpan[];
  /** As asked for; undefined: every one. */
  readonly metrics: readonly string[] | undefined;
  readonly rivals: readonly RivalGroup[];
  /** Every metric that a device is known to have said. */
  readonly metricsOf: (device: string) => readonly string[];
}

type Interval = readonly [fromMs: number, toMs: number];
const rowsAtOnce = 10_000;

/** The stretches of [fromMs, toMs), every source of them. */
export const allSpans = (plan: ReadPlan, within: Interval): ReadSpan[] =>
  cut(plan.spans, within).map((span) => (plan.metrics ? { ...span, metrics: plan.metrics } : span));

/**
 * The stretches of [fromMs, toMs) with one source for each quantity at each instant. Rows of the rivals are read from
 * half a minute before on, so that a window begins as if the query had begun long ago.
 */
export async function chosenSpans(
  plan: ReadPlan,
  store: Pick<Historian, 'range'>,
  within: Interval,
): Promise<ReadSpan[]> {
  const spans = cut(plan.spans, within).flatMap((span) => besides(plan, span));
  for (const group of plan.rivals) spans.push(...(await chosenOf(plan, group, store, within)));
  return spans;
}

async function chosenOf(
  plan: ReadPlan,
  group: RivalGroup,
  store: Pick<Historian, 'range'>,
  [fromMs, toMs]: Interval,
): Promise<ReadSpan[]> {
  const { sources } = group;
  const samples = await samplesOf(group, store, [fromMs - lookBackMs, toMs]);
  const isThere = (source: number, atMs: number): boolean => {
    const known = sources[source];
    return known !== undefined && covers(known, atMs);
  };
  const choices = chooseSources(samples, { fromMs, toMs, sources: sources.length, covers: isThere });
  return choices.flatMap(({ fromMs: begin, source }, index) => {
    const chosen = sources[source];
    if (!chosen) return [];
    const end = choices[index + 1]?.fromMs ?? toMs;
    const asked = plan.spans.filter((span) => isOf(chosen, span));
    return cut(asked, [begin, end]).map((span) => ({
      ...span,
      metrics: namesOf(plan.metrics, chosen.metric),
      source: sources.slice(0, source).some((better) => covers(better, span.fromMs))
        ? ('substitute' as const)
        : ('preferred' as const),
    }));
  });
}

/** Whether the stretch is the source's own: of its device, and of the patient it is a source of. */
const isOf = ({ device, spans: [first] }: RivalSource, span: AttributedSpan): boolean =>
  span.device === device && first !== undefined && subjectOf(first) === subjectOf(span);

/** What the device gives beside the rivals: other quantities, and single measurements of theirs. */
function besides(plan: ReadPlan, span: AttributedSpan): ReadSpan[] {
  const subject = subjectOf(span);
  const mine = plan.rivals.filter(({ sources }) =>
    sources.some(({ spans: [first] }) => first && subjectOf(first) === subject),
  );
  const chosenAmong = new Set(
    mine.flatMap(({ sources }) =>
      sources.filter(({ device }) => device === span.device).map(({ metric }) => metric),
    ),
  );
  const lines = new Set(mine.map(({ line }) => line));
  const alone: string[] = [];
  const beside: string[] = [];
  for (const metric of new Set(plan.metricsOf(span.device))) {
    if (chosenAmong.has(metric)) continue;
    (lines.has(lineOf(metric)) ? beside : alone).push(...namesOf(plan.metrics, metric));
  }
  return [
    ...(alone.length > 0 ? [{ ...span, metrics: alone }] : []),
    ...(beside.length > 0 ? [{ ...span, metrics: beside, source: 'beside' as const }] : []),
  ];
}

/** The names under which a metric was asked for: itself, or single channels of it. */
const namesOf = (asked: readonly string[] | undefined, metric: string): readonly string[] =>
  asked === undefined ? [metric] : asked.filter((name) => splitKey(name).metric === metric);

async function samplesOf(
  { sources }: RivalGroup,
  store: Pick<Historian, 'range'>,
  within: Interval,
): Promise<SourceSample[]> {
  const places = new Map(sources.map(({ device, metric }, place) => [`${device} ${metric}`, place]));
  const spans = sources.flatMap(({ metric, spans: own }: RivalSource) =>
    cut(own, within).map((span) => ({ ...span, metrics: [metric] })),
  );
  const samples: SourceSample[] = [];
  let after: string | undefined;
  if (spans.length === 0) return samples;
  do {
    const page = await store.range(spans, { limit: rowsAtOnce, ...(after === undefined ? {} : { after }) });
    for (const { device, metric, takenAtMs, value, validity, unplaced } of page.rows) {
      const source = places.get(`${device} ${metric}`);
      if (source === undefined || unplaced) continue;
      const says =
        value === null || validity === 'invalid' ? 'none' : validity === 'valid' ? 'valid' : 'doubtful';
      samples.push({ source, takenAtMs, says });
    }
    after = page.next;
  } while (after !== undefined);
  return samples;
}

/** The parts of the stretches inside of the interval. */
export const cut = <S extends AttributedSpan>(spans: readonly S[], [fromMs, toMs]: Interval): S[] =>
  spans.flatMap((span) => {
    const begin = Math.max(span.fromMs, fromMs);
    const end = Math.min(span.toMs, toMs);
    return begin < end ? [{ ...span, fromMs: begin, toMs: end }] : [];
  });
