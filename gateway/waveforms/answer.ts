/** Answers of the waveforms' store as JSON text: every sample of a span, or the lowest and highest of each column. */
import { Fault } from '../../model/fault.ts';
import { metrics } from '../../model/metric-table.ts';
import { noSample } from '../../model/observation.ts';
import { waveMarks } from '../intake/wave-head.ts';
import { causeOf } from '../store/sqlite.ts';
import { unpackRuns, type Run } from './codec.ts';
import { JsonPieces, physicalText } from './json-pieces.ts';
import type { StripOrder, WaveAnswer, WaveQuestion, WaveSpan, WaveWriting } from './protocol.ts';
import { Columns, gridOf, onSeconds, type Grid } from './reduce.ts';
import { clip, endMs, joined, type WaveForm } from './runs.ts';
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

/** A gap up to here is written as nulls; a longer one ends the run. */
const bridgedMs = 10_000;

/** One series within one span, with where its samples are. */
interface Asked {
  readonly series: WaveSeries;
  readonly span: WaveSpan;
  readonly within: readonly [fromMs: number, toMs: number];
  readonly chunks: readonly Chunk[];
  readonly heads: readonly HeadForm[];
}

/** Throws WAVEFORMS_TOO_MUCH. */
export async function answerRange(
  sources: Sources,
  question: WaveQuestion,
  breathe: Breathe,
): Promise<WaveAnswer> {
  const asked = asks(sources, question);
  const grid =
    question.width === undefined ? undefined : gridOf(question.fromMs, question.toMs, question.width);
  const weight = grid ? asked.length * grid.columns * 2 : asked.reduce((sum, one) => sum + samplesOf(one), 0);
  if (weight > sources.answerSamples)
    throw new Fault('WAVEFORMS_TOO_MUCH', { asked: Math.round(weight), most: sources.answerSamples });
  const out = new JsonPieces();
  out.text('{"items":[');
  let items = 0;
  const next = (): void => out.text(items++ === 0 ? '{' : ',{');
  for (const one of asked) {
    if (grid) await writeColumns(sources, one, { grid, writing: question.writing, out, next, breathe });
    else await writeRuns(sources, one, { writing: question.writing, out, next, breathe });
  }
  out.text('],');
  const { fromMs, toMs } = question;
  out.fields({ ...question.said, ...(grid ? { ...grid, toMs } : { fromMs, toMs }) });
  out.text(`"form":"${question.writing}"}`);
  return { pieces: out.pieces() };
}

/** Undefined when there is no such strip. What was deleted from the store was cut out before. */
export async function answerStrip(
  sources: Sources,
  { alarm, writing, demo }: { alarm: string; writing: WaveWriting; demo: boolean },
  breathe: Breathe,
): Promise<{ strip: StripOrder; answer: WaveAnswer } | undefined> {
  const { file, heads } = sources;
  const strip = file.strip(alarm);
  if (!strip) return undefined;
  const { fromMs, toMs, bed, encounter, raisedAtMs, devices } = strip;
  const spans = devices.map((device) => ({ device, fromMs, toMs, said: {}, unplaced: false }));
  const found = asks(sources, { spans, fromMs, toMs });
  const cuts = Map.groupBy(file.cutsOf(alarm), ({ series }) => series);
  const missing = [...heads.series].filter(
    ({ id }) => cuts.has(id) && !found.some(({ series }) => series.id === id),
  );
  const within = [fromMs, toMs] as const;
  const asked = [
    ...found,
    ...missing.flatMap((series) => {
      const span = spans.find(({ device }) => device === series.device);
      return span ? [{ series, span, within, chunks: [], heads: [] }] : [];
    }),
  ];
  const out = new JsonPieces();
  out.text('{"items":[');
  let items = 0;
  const next = (): void => out.text(items++ === 0 ? '{' : ',{');
  for (const one of asked) {
    const cut = (cuts.get(one.series.id) ?? []).flatMap((part) =>
      open(sources, part, () => part.body).map((run) => ({ form: part, run })),
    );
    await writeRuns(sources, one, { writing, out, next, breathe, cut });
  }
  out.text('],');
  out.fields({ alarm, bed, encounter, raisedAtMs, fromMs, toMs, demo });
  out.text(`"form":"${writing}"}`);
  return { strip, answer: { pieces: out.pieces() } };
}

function asks(
  { file, heads, longestChunkMs }: Sources,
  { spans, metrics: wanted, fromMs, toMs }: Pick<WaveQuestion, 'spans' | 'metrics' | 'fromMs' | 'toMs'>,
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
        chunks: file.chunksOf(series.id, within[0], within[1], longestChunkMs).filter(allowed),
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
function samplesOf({ chunks, heads, within }: Asked): number {
  let samples = 0;
  for (const chunk of chunks) {
    const shared = Math.min(chunk.toMs, within[1]) - Math.max(chunk.fromMs, within[0]);
    samples += (chunk.samples * shared) / Math.max(1, chunk.toMs - chunk.fromMs);
  }
  for (const { runs, periodUs } of heads)
    for (const run of runs) samples += clip(run, periodUs, within)?.samples.length ?? 0;
  return samples;
}

interface Writing {
  readonly writing: WaveWriting;
  readonly out: JsonPieces;
  readonly next: () => void;
  readonly breathe: Breathe;
  /** Of a strip: what was cut out. */
  readonly cut?: readonly { readonly form: WaveForm; readonly run: Run }[];
}

const formKey = ({ periodUs, gain, offset, marks }: WaveForm): string =>
  `${periodUs} ${gain} ${offset} ${marks}`;

async function writeRuns(sources: Sources, asked: Asked, writing: Writing): Promise<void> {
  const { out, next, breathe, cut = [] } = writing;
  const forms = new Map<string, { form: WaveForm; runs: Run[] }>();
  const put = (form: WaveForm, run: Run): void => {
    const part = clip(run, form.periodUs, asked.within);
    if (!part) return;
    const known = forms.get(formKey(form));
    if (known) known.runs.push(part);
    else forms.set(formKey(form), { form, runs: [part] });
  };
  for (const { form, run } of cut) put(form, run);
  for (const chunk of asked.chunks) {
    for (const run of open(sources, chunk, () => sources.file.body(chunk.id))) put(chunk, run);
    await breathe();
  }
  for (const form of asked.heads) for (const run of form.runs) put(form, run);
  const runs = [...forms.values()]
    .flatMap(({ form, runs: found }) =>
      bridged(joined(found, form.periodUs), form.periodUs).map((run) => ({ form, run })),
    )
    .toSorted((a, b) => a.run.fromMs - b.run.fromMs);
  if (runs.length === 0) return;
  next();
  out.fields(headOf(asked));
  out.text('"runs":[');
  for (const [index, { form, run }] of runs.entries()) {
    out.text(index === 0 ? '{' : ',{');
    const { periodUs, gain, offset } = form;
    out.fields({ fromMs: run.fromMs, periodUs, gain, offset, mark: markOf(form) });
    out.text(writing.writing === 'values' ? '"values":' : '"samples":');
    if (writing.writing === 'values') out.values(run.samples, physicalText(form));
    else out.base64(run.samples);
    out.text('}');
    await breathe();
  }
  out.text(']}');
}

async function writeColumns(
  sources: Sources,
  asked: Asked,
  { grid, writing, out, next, breathe }: Writing & { readonly grid: Grid },
): Promise<void> {
  const forms = new Map<string, { form: WaveForm; columns: Columns }>();
  const columnsOf = (form: WaveForm): Columns => {
    let known = forms.get(formKey(form));
    if (!known) forms.set(formKey(form), (known = { form, columns: new Columns(grid) }));
    return known.columns;
  };
  const { within } = asked;
  const add = (form: WaveForm, run: Run): void => {
    const part = clip(run, form.periodUs, within);
    if (part) columnsOf(form).add(part, form.periodUs);
  };
  let opened = 0;
  for (const chunk of asked.chunks) {
    const whole = chunk.fromMs >= within[0] && chunk.toMs <= within[1];
    const seconds = whole && onSeconds(grid) ? sources.file.seconds(chunk.id) : undefined;
    if (seconds) columnsOf(chunk).addSeconds(seconds);
    else for (const run of open(sources, chunk, () => sources.file.body(chunk.id))) add(chunk, run);
    if (!seconds || ++opened % 64 === 0) await breathe();
  }
  for (const form of asked.heads) for (const run of form.runs) add(form, run);
  for (const { form, columns } of forms.values()) {
    if (columns.empty) continue;
    next();
    const { gain, offset } = form;
    out.fields({ ...headOf(asked), gain, offset, mark: markOf(form) });
    // A wave drawn upside down has its lowest value where its sample is highest.
    const [low, high] = gain > 0 ? [columns.min, columns.max] : [columns.max, columns.min];
    const samples = (of: Float64Array): Int16Array =>
      Int16Array.from(of, (sample) => (Number.isFinite(sample) ? sample : noSample));
    const write = physicalText(form);
    for (const [name, of] of [
      ['min', low],
      ['max', high],
    ] as const) {
      out.text(`"${name}":`);
      if (writing === 'values') out.values(samples(of), write);
      else out.base64(samples(of));
      out.text(name === 'min' ? ',' : '}');
    }
    await breathe();
  }
}

/** A chunk that cannot be read is told and counts as a gap. */
function open(
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

/** Short gaps become samples that are none, so that what follows stays in its place. */
function bridged(runs: readonly Run[], periodUs: number): Run[] {
  const period = periodUs / 1_000;
  const out: { fromMs: number; parts: Int16Array[]; count: number }[] = [];
  for (const { fromMs, samples } of runs) {
    const last = out.at(-1);
    const gapMs = last ? fromMs - (last.fromMs + last.count * period) : Infinity;
    const missing = Math.round(gapMs / period);
    if (last && missing >= 1 && gapMs <= bridgedMs) {
      last.parts.push(new Int16Array(missing).fill(noSample), samples);
      last.count += missing + samples.length;
    } else out.push({ fromMs, parts: [samples], count: samples.length });
  }
  return out.map(({ fromMs, parts, count }) => {
    const samples = new Int16Array(count);
    let at = 0;
    for (const part of parts) {
      samples.set(part, at);
      at += part.length;
    }
    return { fromMs, samples };
  });
}

function headOf({ series, span }: Asked): Record<string, string | undefined> {
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
function markOf({ marks }: WaveForm): string | undefined {
  if (marks & waveMarks.demo) return 'demo';
  if (marks & waveMarks.unplaced) return 'unplaced';
  return marks & waveMarks.clock ? 'clock' : undefined;
}
