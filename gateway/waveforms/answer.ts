/** Answers of the waveforms' store as JSON text: every sample of a span, or the lowest and highest of each column. */
import { Fault } from '../../model/fault.ts';
import { writeColumns } from './answer-columns.ts';
import { writeRuns } from './answer-runs.ts';
import { asks, open, samplesOf, type Breathe, type Sources } from './asked.ts';
import { JsonPieces } from './json-pieces.ts';
import type { StripOrder, WaveAnswer, WaveQuestion, WaveWriting } from './protocol.ts';
import { gridOf, onSeconds } from './reduce.ts';

/** Throws WAVEFORMS_TOO_MUCH. */
export async function answerRange(
  sources: Sources,
  question: WaveQuestion,
  breathe: Breathe,
): Promise<WaveAnswer> {
  const grid =
    question.width === undefined ? undefined : gridOf(question.fromMs, question.toMs, question.width);
  const asked = asks(sources, question, grid && onSeconds(grid) ? 'seconds' : 'none');
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
  const found = asks(sources, { spans, fromMs, toMs }, 'none');
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
