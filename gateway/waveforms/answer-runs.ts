/** Every sample of a series in a span, in runs at its fixed period. */
import { noSample } from '../../model/observation.ts';
import { formKey, headOf, markOf, open, type Asked, type Sources, type Writing } from './asked.ts';
import type { Run } from './codec.ts';
import { physicalText } from './json-pieces.ts';
import { clip, joined, type WaveForm } from './runs.ts';

/** A gap up to here is written as nulls; a longer one ends the run. */
const bridgedMs = 10_000;

/** `cut` are runs of a strip that stand apart from the chunks. Nothing is written of a series without samples there. */
export async function writeRuns(
  sources: Sources,
  asked: Asked,
  writing: Writing & { readonly cut?: readonly { readonly form: WaveForm; readonly run: Run }[] },
): Promise<void> {
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
