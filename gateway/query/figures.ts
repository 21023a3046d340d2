import { metrics as metricTable } from '../../model/metric-table.ts';
import { lineOf } from '../alarm/source-order.ts';
import type { AggregateRow, StoredRow } from '../store/types.ts';
import { fillGaps } from './gaps.ts';
import { given, unitOf } from './read.ts';
import { bySubject, covers, isAsked, subjectOf, type RivalGroup } from './rivals.ts';
import type { AttributedSpan, FigureQuery, FigureRow } from './types.ts';
import type { FiguresOptions, Step, Store } from './step.ts';
import { allSpans, cut, type ReadPlan, type ReadSpan } from './windows.ts';

/** Steps longer than any span: one figure for all of it. */
const whole = 1e15;
/** Single measurements looked at around one instant. */
const measurementsAround = 1_000;

/** Figures per aligned step over valid numbers: steps are multiples of their length since 1970 in UTC. */
export class Figures {
  private readonly options: FiguresOptions;

  constructor(options: FiguresOptions) {
    this.options = options;
  }

  async rows(query: FigureQuery): Promise<readonly FigureRow[]> {
    const { aroundMs = 0 } = query;
    const reached = { ...query, fromMs: query.fromMs - aroundMs, toMs: query.toMs + aroundMs };
    const plan = await this.options.plan(reached);
    const steps = stepsOf(query);
    const found: FigureRow[] = [];
    for (const [subject, spans] of bySubject(allSpans(plan, [reached.fromMs, reached.toMs]))) {
      const rows =
        query.aroundMs === undefined
          ? await this.between(query, spans)
          : await this.around(query, { plan, spans, steps });
      found.push(
        ...chosenFigures(
          rows,
          plan.rivals.filter((group) => isAbout(group, subject)),
          steps,
        ),
      );
    }
    const rows = query.gaps ? await fillGaps(this.options, { query, plan, steps, rows: found }) : found;
    return rows.toSorted(
      (a, b) => a.fromMs - b.fromMs || compare(a.metric, b.metric) || compare(a.device, b.device),
    );
  }

  /** Each step from its begin to the next. */
  private async between(query: FigureQuery, spans: readonly ReadSpan[]): Promise<FigureRow[]> {
    const { everyMs, fromMs, toMs } = query;
    const ownMs = Math.ceil(this.options.ownMs(fromMs) / everyMs) * everyMs;
    const rows: FigureRow[] = [];
    for (const own of [false, true]) {
      const part = cut(spans, own ? [Math.max(fromMs, ownMs), toMs] : [fromMs, Math.min(toMs, ownMs)]);
      if (part.length === 0) continue;
      const figures = await this.options.storeOf(own).aggregate(part, everyMs, [query.aggregate]);
      const whose = whoseIn(part);
      for (const row of figures) rows.push(figureOf(row, query, whose, row.fromMs));
    }
    return rows;
  }

  /** What is nearest to each full step: the figure of the window around it; of single measurements the nearest one. */
  private async around(
    query: FigureQuery,
    of: { readonly plan: ReadPlan; readonly spans: readonly ReadSpan[]; readonly steps: readonly Step[] },
  ): Promise<FigureRow[]> {
    const ownMs = this.options.ownMs(query.fromMs);
    const rows: FigureRow[] = [];
    for (const step of of.steps) {
      const spans = cut(of.spans, [step.fromMs, step.toMs]);
      if (spans.length === 0) continue;
      const store = this.options.storeOf(step.fromMs >= ownMs);
      const figures = await store.aggregate(spans, whole, [query.aggregate]);
      const whose = whoseIn(spans);
      for (const row of figures)
        if (!isEpisodic(row.metric)) rows.push(figureOf(row, query, whose, step.atMs));
      const single = [...new Set(figures.map(({ metric }) => metric).filter(isEpisodic))];
      if (single.length > 0)
        rows.push(...(await nearest(store, { spans, single, step, metrics: query.metrics })));
    }
    return rows;
  }
}

async function nearest(
  store: Store,
  of: {
    readonly spans: readonly ReadSpan[];
    readonly single: readonly string[];
    readonly step: Step;
    readonly metrics: readonly string[] | undefined;
  },
): Promise<FigureRow[]> {
  const { spans, single, step } = of;
  const asked = spans.map((span) => ({ ...span, metrics: single }));
  const { rows } = await store.range(asked, { limit: measurementsAround });
  const best = new Map<string, StoredRow>();
  const away = (row: StoredRow): number => Math.abs(row.takenAtMs - step.atMs);
  for (const row of rows) {
    if (row.unplaced || row.value === null || row.validity !== 'valid' || !isAsked(of.metrics, row)) continue;
    if (row.reason === 'demo' || row.reason === 'test') continue;
    const key = `${row.device} ${row.metric} ${row.channel ?? ''}`;
    const known = best.get(key);
    if (!known || away(row) < away(known)) best.set(key, row);
  }
  const whose = whoseIn(spans);
  return [...best.values()].map((row) => ({
    ...namesOf(row),
    unit: unitOf(row.metric),
    fromMs: step.atMs,
    count: 1,
    value: row.value,
    takenAtMs: row.takenAtMs,
    ...whose(row.device, row.takenAtMs),
  }));
}

function figureOf(
  row: AggregateRow,
  query: FigureQuery,
  whose: ReturnType<typeof whoseIn>,
  atMs: number,
): FigureRow {
  const { aggregate } = query;
  return {
    ...namesOf(row),
    unit: aggregate === 'count' ? '1' : unitOf(row.metric),
    fromMs: atMs,
    count: row.count,
    value: aggregate === 'count' ? row.count : row[aggregate],
    ...whose(row.device, row.fromMs === 0 ? atMs : row.fromMs),
  };
}

const namesOf = ({ device, metric, channel }: { device: string; metric: string; channel?: string }) =>
  channel === undefined ? { device, metric } : { device, metric, channel };

const nobody: Partial<Pick<AttributedSpan, 'patient' | 'encounter' | 'bed'>> = {};

/** Of several stretches in one step the one at its begin, else the first. What a stretch says is made once for all its rows. */
function whoseIn(spans: readonly AttributedSpan[]) {
  const ofDevice = Map.groupBy(
    spans.map(({ device, fromMs, toMs, patient, encounter, bed }) => ({
      ...{ device, fromMs, toMs },
      said: given({ patient, encounter, bed }),
    })),
    ({ device }) => device,
  );
  return (device: string, atMs: number): typeof nobody => {
    const own = ofDevice.get(device);
    return (own?.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs) ?? own?.[0])?.said ?? nobody;
  };
}

const isAbout = ({ sources: [first] }: RivalGroup, subject: string): boolean => {
  const [span] = first?.spans ?? [];
  return span !== undefined && subjectOf(span) === subject;
};

/** In each step the most preferred source that has a valid number; single measurements stand beside it. */
function chosenFigures(
  rows: readonly FigureRow[],
  rivals: readonly RivalGroup[],
  steps: readonly Step[],
): FigureRow[] {
  if (rivals.length === 0) return [...rows];
  const reach = new Map(steps.map((step) => [step.atMs, step]));
  const byLine = new Map(rivals.map((group) => [group.line, group]));
  const best = new Map<string, number>();
  const placeOf = (row: FigureRow): number | undefined => {
    const group = byLine.get(lineOf(row.metric));
    const place = group?.sources.findIndex(
      ({ device, metric }) => device === row.device && metric === row.metric,
    );
    return place === undefined || place < 0 ? undefined : place;
  };
  const keyOf = (row: FigureRow): string => `${lineOf(row.metric)} ${row.fromMs}`;
  for (const row of rows) {
    const place = placeOf(row);
    if (place === undefined || row.count === 0) continue;
    best.set(keyOf(row), Math.min(place, best.get(keyOf(row)) ?? Infinity));
  }
  return rows.flatMap((row): FigureRow[] => {
    const group = byLine.get(lineOf(row.metric));
    if (!group) return [row];
    const place = placeOf(row);
    if (place === undefined) return [{ ...row, source: 'beside' }];
    const chosen = best.get(keyOf(row)) ?? firstThere(group, reach.get(row.fromMs));
    if (place !== chosen) return [];
    const preferred = chosen === firstThere(group, reach.get(row.fromMs));
    return [{ ...row, source: preferred ? 'preferred' : 'substitute' }];
  });
}

/** The most preferred source that was the patient's in some of the step. */
function firstThere({ sources }: RivalGroup, step: Step | undefined): number {
  if (!step) return 0;
  const there = sources.findIndex(
    (source) => covers(source, step.fromMs) || cut(source.spans, [step.fromMs, step.toMs]).length > 0,
  );
  return Math.max(0, there);
}

function stepsOf({ fromMs, toMs, everyMs, aroundMs }: FigureQuery): Step[] {
  const steps: Step[] = [];
  const first = aroundMs === undefined ? Math.floor(fromMs / everyMs) : Math.ceil(fromMs / everyMs);
  for (let index = first; index * everyMs < toMs; index++) {
    const atMs = index * everyMs;
    steps.push(
      aroundMs === undefined
        ? { atMs, fromMs: Math.max(atMs, fromMs), toMs: Math.min(atMs + everyMs, toMs) }
        : { atMs, fromMs: atMs - aroundMs, toMs: atMs + aroundMs },
    );
  }
  return steps;
}

const isEpisodic = (metric: string): boolean => metricTable.get(metric)?.episodic ?? false;
const compare = (a = '', b = ''): number => (a < b ? -1 : a > b ? 1 : 0);
