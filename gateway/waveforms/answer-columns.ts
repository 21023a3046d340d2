/** Lowest and highest sample of a series in each column of a span. */
import { noSample } from '../../model/observation.ts';
import { formKey, headOf, markOf, open, type Asked, type Sources, type Writing } from './asked.ts';
import type { Run } from './codec.ts';
import { physicalText } from './json-pieces.ts';
import { Columns, type Grid } from './reduce.ts';
import { clip, type WaveForm } from './runs.ts';

export async function writeColumns(
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
  for (const [index, chunk] of asked.chunks.entries()) {
    // A chunk that reaches beyond the span is opened: a second of it may be half another's.
    const whole = chunk.fromMs >= within[0] && chunk.toMs <= within[1];
    if (whole && chunk.seconds) columnsOf(chunk).addSeconds(chunk.seconds);
    else for (const run of open(sources, chunk, () => sources.file.body(chunk.id))) add(chunk, run);
    if (!chunk.seconds || index % 256 === 0) await breathe();
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
