import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { profiles } from '../../../model/census.ts';
import { Fault } from '../../../model/fault.ts';
import { halfUp } from './news2.ts';

const record = <P extends Parameters<typeof Type.Object>[0]>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });
const Id = Type.String({ pattern: '^[a-z0-9-]{1,64}$' });
const Points = Type.Integer({ minimum: 0, maximum: 20 });

/** A number of one line (docs/alarms.md, one heart) or metric. Bands in rising order; the last one has no upper end. */
const NumberPart = record({
  id: Id,
  line: Type.String({ minLength: 1, maxLength: 128 }),
  decimals: Type.Integer({ minimum: 0, maximum: 2 }),
  bands: Type.Array(record({ upTo: Type.Union([Type.Number(), Type.Null()]), points: Points }), {
    minItems: 2,
    maxItems: 12,
  }),
});
/** A charted code, such as consciousness: points by code. */
const CodePart = record({
  id: Id,
  metric: Type.String({ minLength: 1, maxLength: 128 }),
  codes: Type.Record(Type.String({ minLength: 1, maxLength: 16 }), Points),
});
/** Air or oxygen. */
const OxygenPart = record({ id: Id, oxygen: record({ air: Points, oxygen: Points }) });

export const ChartSchema = record({
  format: Type.Literal(1),
  id: Id,
  /** Charts of one score for different ages share it. */
  score: Id,
  title: record({ en: Type.String({ maxLength: 128 }), zh: Type.String({ maxLength: 128 }) }),
  source: Type.String({ minLength: 1, maxLength: 512 }),
  /** Shipped to show the form: a hospital replaces it by its own. */
  example: Type.Boolean(),
  profiles: Type.Array(Type.Unsafe<(typeof profiles)[number]>(Type.Enum([...profiles])), { minItems: 1 }),
  /** Age in months: from inclusive, to exclusive. */
  fromMonths: Type.Optional(Type.Number({ minimum: 0 })),
  toMonths: Type.Optional(Type.Number({ minimum: 0 })),
  parts: Type.Array(Type.Union([NumberPart, CodePart, OxygenPart]), { minItems: 1, maxItems: 20 }),
});
export type Chart = Static<typeof ChartSchema>;
export type ChartPart = Chart['parts'][number];

/** What was found for the parts of a chart: a number or a code; of oxygen `air` or `oxygen`. */
export type PartValues = Readonly<Record<string, number | string | undefined>>;
export interface ChartScore {
  /** Null unless every part is known: no partial totals. */
  readonly total: number | null;
  readonly parts: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
}

const check = Compile(ChartSchema);

/** Scores one set of values. Numbers are rounded to the displayed decimal, half up, first. */
export function scoreChart(chart: Chart, values: PartValues): ChartScore {
  const parts: Record<string, number> = {};
  const missing: string[] = [];
  let total = 0;
  for (const part of chart.parts) {
    const points = pointsOf(part, values[part.id]);
    if (points === undefined) missing.push(part.id);
    else {
      parts[part.id] = points;
      total += points;
    }
  }
  return { total: missing.length === 0 ? total : null, parts, missing };
}

function pointsOf(part: ChartPart, value: number | string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if ('oxygen' in part) return value === 'oxygen' || value === 'air' ? part.oxygen[value] : undefined;
  if ('codes' in part) return typeof value === 'string' ? part.codes[value] : undefined;
  if (typeof value !== 'number') return undefined;
  const shown = halfUp(value, part.decimals);
  return part.bands.find(({ upTo }) => upTo === null || shown <= upTo)?.points;
}

/** Reads one chart; throws CHART_INVALID with the file's name and what is wrong. */
export function readChart(file: string, text: string): Chart {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch {
    throw new Fault('CHART_INVALID', { file, cause: 'it is not YAML' });
  }
  if (!check.Check(parsed)) {
    const [first] = check.Errors(parsed);
    throw new Fault('CHART_INVALID', { file, cause: `${first?.instancePath ?? ''} ${first?.message ?? ''}` });
  }
  const wrong = parsed.parts.flatMap((part) => ('bands' in part ? bandCauses(part.id, part.bands) : []))[0];
  if (wrong !== undefined) throw new Fault('CHART_INVALID', { file, cause: wrong });
  if (new Set(parsed.parts.map(({ id }) => id)).size < parsed.parts.length)
    throw new Fault('CHART_INVALID', { file, cause: 'two parts with one id' });
  return parsed;
}

function bandCauses(id: string, bands: readonly { upTo: number | null; points: number }[]): string[] {
  const ends = bands.map(({ upTo }) => upTo ?? Infinity);
  const rising = ends.every((end, at) => at === 0 || end > (ends[at - 1] ?? -Infinity));
  if (!rising) return [`the bands of ${id} do not rise`];
  return ends.at(-1) === Infinity ? [] : [`the last band of ${id} has an upper end`];
}

const shipped = fileURLToPath(new URL('./charts/', import.meta.url));

/** The shipped examples, with a hospital's own of the same id in their place and its others beside them. */
export function loadCharts(folder?: string): readonly Chart[] {
  const charts = new Map<string, Chart>();
  for (const from of [shipped, ...(folder === undefined || folder === '' ? [] : [folder])]) {
    for (const file of filesIn(from)) {
      const chart = readChart(file, readFileSync(join(from, file), 'utf8'));
      charts.set(chart.id, chart);
    }
  }
  return [...charts.values()];
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.(ya?ml|json)$/.test(name))
      .toSorted();
  } catch (error) {
    throw new Fault('CHART_INVALID', { file: folder, cause: 'the folder cannot be read' }, { cause: error });
  }
}
