/** What a question asks for: which series, and where their samples are. */
import { Fault } from '../../model/fault.ts';
import { metrics } from '../../model/metric-table.ts';
import { waveMarks } from '../intake/wave-head.ts';
import { causeOf } from '../store/sqlite.ts';
import { unpackRuns, type Run } from './codec.ts';
import type { JsonPieces } from './json-pieces.ts';
import type { WaveQuestion, WaveSpan, WaveWriting } from './protocol.ts';
import { clip, endMs, type WaveForm } from './runs.ts';
import type { Chunk, WaveFile, WaveSeries } from './wave-file.ts';
import type { HeadForm, WaveHeads } from './wave-head.ts';

/** Lets other work of the thread go between; rejects when the deadline has passed. */
export type Breathe = () => Promise<void>;

export interface Sources {
  readonly file: WaveFile;
  readonly heads: WaveHeads;
  readonly told: (fault: Fault) => void;
  readonly answerSamples: number;
  readonly longestChunkMs: number;
}

/** One series within one span, with where its samples are. */
export interface Asked {
  readonly series: WaveSeries;
  readonly span: WaveSpan;
  readonly within: readonly [fromMs: number, toMs: number];
  readonly chunks: readonly Chunk[];
  readonly heads: readonly HeadForm[];
}

/** How and where an answer is written. */
export interface Writing {
  readonly writing: WaveWriting;
  readonly out: JsonPieces;
  readonly next: () => void;
  readonly breathe: Breathe;
}

/** Each series of each span that has anything there, with where it is. */
export function asks(
  { file, heads, longestChunkMs }: Sources,
  { spans, metrics: wanted, fromMs, toMs }: Pick<WaveQuestion, 'spans' | 'metrics' | 'fromMs' | 'toMs'>,
  detail: 'seconds' | 'none',
): Asked[] {
  const all = [...heads.series].toSorted(
    (a, b) => a.metric.localeCompare(b.metric) || a.channel.localeCompare(b.channel),
  );
  return spans.flatMap((span) => {
    const within = [Math.max(span.fromMs, fromMs), Math.min(span.toMs, toMs)] as const;
    if (within[0] >= within[1]) return [];
    const allowed = ({ marks }: WaveForm): boolean => span.unplaced || (marks & waveMarks.unplaced) === 0;
    return all
      .filter(({ device, metric }) => device === span.device && (wanted?.includes(metric) ?? true))
      .map((series) => ({
        series,
        span,
        within,
        chunks: file.chunksOf(series.id, within, { longestMs: longestChunkMs, detail }).filter(allowed),
        heads: [...series.forms.values()].filter(
          (form) =>
            allowed(form) &&
            form.runs.some((run) => run.fromMs < within[1] && endMs(run, form.periodUs) > within[0]),
        ),
      }))
      .filter((one) => one.chunks.length > 0 || one.heads.length > 0);
  });
}

/** About how many samples stand within the span. */
export function samplesOf({ chunks, heads, within }: Asked): number {
  let samples = 0;
  for (const chunk of chunks) {
    const shared = Math.min(chunk.toMs, within[1]) - Math.max(chunk.fromMs, within[0]);
    samples += (chunk.samples * shared) / Math.max(1, chunk.toMs - chunk.fromMs);
  }
  for (const { runs, periodUs } of heads)
    for (const run of runs) samples += clip(run, periodUs, within)?.samples.length ?? 0;
  return samples;
}

/** A chunk that cannot be read is told and counts as a gap. */
export function open(
  { told }: Sources,
  { samples }: { readonly samples: number },
  read: () => Uint8Array | undefined,
): readonly Run[] {
  const body = read();
  // Deleted between two breaths.
  if (!body) return [];
  try {
    return unpackRuns(body);
  } catch (error) {
    told(new Fault('WAVEFORMS_CORRUPT', { samples, cause: causeOf(error) }));
    return [];
  }
}

/** Runs of one form stand together. */
export const formKey = ({ periodUs, gain, offset, marks }: WaveForm): string =>
  `${periodUs} ${gain} ${offset} ${marks}`;

/** What is said of a series beside its samples. */
export function headOf({ series, span }: Asked): Record<string, string | undefined> {
  const metric = metrics.get(series.metric);
  return {
    device: series.device,
    metric: series.metric,
    channel: series.channel === '' ? undefined : series.channel,
    label: metric?.label ?? series.metric,
    unit: metric?.unit ?? '1',
    ...span.said,
  };
}

/** The weightiest of its marks. */
export function markOf({ marks }: WaveForm): string | undefined {
  if (marks & waveMarks.demo) return 'demo';
  if (marks & waveMarks.unplaced) return 'unplaced';
  return marks & waveMarks.clock ? 'clock' : undefined;
}
