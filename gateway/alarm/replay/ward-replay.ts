/**
 * Limits tried on what a ward's devices measured: read from the historian by column, judged by the live engine on the
 * samples' own time. No object a value: a week of a ward is some tens of millions of them.
 */
import { packReason } from '../../../journal/observation-batch.ts';
import { metrics } from '../../../model/metric-table.ts';
import type { Columns } from '../../store/columns.ts';
import { wantedSeries, type Scanner, type Wanted } from '../../store/scan.ts';
import type { SeriesBook } from '../../store/series-book.ts';
import type { Source } from '../source-line.ts';
import { lineOf, rankOf } from '../source-order.ts';
import { ReplayLine, type PlannedLimit, type ReplaySeries, type WardEpisode } from './ward-line.ts';

/** One patient's stay on a bed, or a bed without one: whose samples are one line of judging. */
export interface ReplayStay {
  readonly bed: string;
  readonly encounter?: string;
  /** Which device measured there, and when: [fromMs, toMs). */
  readonly spans: readonly {
    readonly device: string;
    readonly fromMs: number;
    readonly toMs: number;
    readonly periodMs: number;
  }[];
  /** One list of limits a plan. */
  readonly plans: readonly (readonly PlannedLimit[])[];
}

/** An alarm of a stay under a plan. */
export interface StayEpisode extends WardEpisode {
  readonly stay: number;
  readonly plan: number;
}

/** Rows read at a stroke: some 80 MB of columns. */
const windowRows = 2_000_000;

interface Reader {
  readonly sources: readonly Source[];
  readonly spans: readonly (readonly [fromMs: number, toMs: number])[];
}

/** The sources of one line of one stay, by series. */
interface Group {
  readonly stay: number;
  readonly lines: readonly ReplayLine[];
  readonly readers: ReadonlyMap<number, Reader>;
}

export interface ReplayRun {
  readonly episodes: readonly StayEpisode[];
  /** Samples judged, each once however many plans judged it. */
  readonly observations: number;
}

export interface ReplayInput {
  readonly stays: readonly ReplayStay[];
  readonly book: SeriesBook;
  readonly scanner: Scanner;
  /** Share of the time that is done; rejecting gives the replay up. */
  readonly progress: (share: number) => Promise<void>;
}

/** Runs every plan over its stay. */
export async function replayWard({ stays, book, scanner, progress }: ReplayInput): Promise<ReplayRun> {
  const groups = stays.flatMap((stay, index) => groupsOf(stay, index, book));
  const read = new Set(groups.flatMap(({ readers }) => [...readers.keys()]));
  const all = wantedSeries(
    book,
    stays.flatMap(({ spans }) => spans),
  );
  const wanted: Wanted = { ...all, series: new Map([...all.series].filter(([series]) => read.has(series))) };
  let observations = 0;
  for (const { rows, toMs } of scanner.windows(wanted, wanted.fromMs, windowRows)) {
    for (const group of groups) observations += judgeWindow(group, rows);
    await progress((toMs - wanted.fromMs) / Math.max(1, wanted.toMs - wanted.fromMs));
  }
  const episodes = groups.flatMap(({ stay, lines }) =>
    lines.flatMap((line, plan) => line.episodes().map((episode) => ({ ...episode, stay, plan }))),
  );
  return { episodes: episodes.toSorted((a, b) => a.raisedAtMs - b.raisedAtMs), observations };
}

function groupsOf({ spans, plans }: ReplayStay, stay: number, book: SeriesBook): Group[] {
  const names = new Set(plans.flat().map(({ metric }) => lineOf(metric)));
  const series = new Map<number, { readonly of: ReplaySeries; readonly line: string }>();
  for (const [order, { device, periodMs }] of [...firstSpans(spans)].entries()) {
    for (const id of book.known(device)?.ids ?? []) {
      const { metric = '', channel } = book.all[id] ?? {};
      const known = metrics.get(metric);
      if (known?.value !== 'number' || !names.has(lineOf(metric)) || series.has(id)) continue;
      const rank = rankOf(metric) * 1_000 + order * 10 + (channel ? 1 : 0);
      const own = Math.max(periodMs, known.periodMs ?? 0);
      series.set(id, {
        line: lineOf(metric),
        of: { device, metric, channel: channel === '' ? undefined : channel, known, periodMs: own, rank },
      });
    }
  }
  return [...names].flatMap((name) => {
    const own = [...series].filter(([, { line }]) => line === name);
    if (own.length === 0) return [];
    // Plans that agree on a quantity are judged once.
    const judged = new Map<string, ReplayLine>();
    const lines = plans.map((limits) => {
      const bands = limits.filter(({ metric }) => lineOf(metric) === name);
      const key = JSON.stringify(bands.map(asPlanned));
      const line =
        judged.get(key) ??
        new ReplayLine(
          name,
          bands,
          own.map(([, { of }]) => of),
        );
      judged.set(key, line);
      return line;
    });
    const different = [...judged.values()];
    const readers = new Map(
      own.map(([id, { of }]) => [
        id,
        {
          sources: different.map((line) => line.source(of)),
          spans: spans
            .filter(({ device }) => device === of.device)
            .map(({ fromMs, toMs }) => [fromMs, toMs] as const),
        },
      ]),
    );
    return [{ stay, lines, readers }];
  });
}

const asPlanned = ({ metric, direction, priority, value, delayS, hysteresis, maxGapS }: PlannedLimit) => [
  ...[metric, direction, priority, value, delayS, hysteresis],
  maxGapS ?? null,
];

/** Each device once. */
const firstSpans = (spans: ReplayStay['spans']): IterableIterator<ReplayStay['spans'][number]> =>
  new Map(spans.toReversed().map((span) => [span.device, span])).values();

/** A stretch of rows of one series that belongs to the stay. */
interface Run {
  readonly rows: Columns;
  readonly sources: readonly Source[];
  at: number;
  readonly end: number;
}

function judgeWindow({ readers }: Group, rows: ReadonlyMap<number, Columns>): number {
  const runs: Run[] = [];
  for (const [series, { sources, spans }] of readers) {
    const columns = rows.get(series);
    if (!columns) continue;
    for (const [fromMs, toMs] of spans) {
      const at = columns.firstAt(fromMs);
      const end = columns.firstAt(toMs);
      if (end > at) runs.push({ rows: columns, sources, at, end });
    }
  }
  let judged = 0;
  // Several sources of one quantity take turns by the time of their samples.
  for (let [run, untilMs] = nextOf(runs); run; [run, untilMs] = nextOf(runs)) {
    judged += judgeRun(run, untilMs);
  }
  return judged;
}

/** The run whose next sample is the oldest, and the time of the next sample of any other. */
function nextOf(runs: readonly Run[]): readonly [Run | undefined, number] {
  let first: Run | undefined;
  let firstMs = Infinity;
  let untilMs = Infinity;
  for (const run of runs) {
    if (run.at >= run.end) continue;
    const atMs = run.rows.taken[run.at] ?? Infinity;
    if (atMs < firstMs) {
      untilMs = firstMs;
      firstMs = atMs;
      first = run;
    } else if (atMs < untilMs) untilMs = atMs;
  }
  return [first, untilMs];
}

const demo = packReason('demo');
const test = packReason('test');
/** A number with a validity that may be judged: kind 0, not unplaced. */
const notJudged = 0b100000 | 0b1100 | 0b10;
const questionable = 1;

/** Judges the run's samples up to the instant, that one too; at least one. Answers how many were judged. */
function judgeRun(run: Run, untilMs: number): number {
  const { rows, sources, end } = run;
  const { taken, value, flags, reason } = rows;
  let judged = 0;
  let { at } = run;
  do {
    const atMs = taken[at] ?? 0;
    const marks = flags[at] ?? 0;
    const why = reason[at] ?? 0;
    const number = value[at] ?? NaN;
    at++;
    if (why !== 0 && (why === demo || why === test)) continue;
    if ((marks & notJudged) !== 0 || Number.isNaN(number)) {
      for (const source of sources) source.unusable();
      continue;
    }
    judged++;
    for (const source of sources) source.sample(atMs, number, (marks & questionable) !== 0, false, atMs);
  } while (at < end && (taken[at] ?? 0) <= untilMs);
  run.at = at;
  return judged;
}
