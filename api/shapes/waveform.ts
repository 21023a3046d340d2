import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import { atMs, OpaqueId, record, words } from './shape.ts';

/** The two ways of writing samples: physical values with null, or raw int16 in base64. */
export const writings = ['values', 'base64'] as const;

const series = {
  device: IdSchema,
  metric: Type.String(),
  channel: Type.Optional(Type.String()),
  label: Type.String(),
  unit: Type.String({ description: 'UCUM' }),
  patient: Type.Optional(OpaqueId),
  encounter: Type.Optional(OpaqueId),
  bed: Type.Optional(IdSchema),
};
const scale = {
  gain: Type.Number({ description: 'physical = sample × gain + offset' }),
  offset: Type.Number(),
  mark: Type.Optional(words(['demo', 'unplaced', 'clock'] as const)),
};
const physical = Type.Array(Type.Union([Type.Number(), Type.Null()]), {
  description: 'Physical values; null where there is no sample.',
});
const raw = Type.String({ description: 'base64 of int16 little-endian; −32768 = no sample.' });

const Run = record({
  fromMs: Type.Number({ description: 'Instant of the first sample.' }),
  periodUs: Type.Number(),
  ...scale,
  values: Type.Optional(physical),
  samples: Type.Optional(raw),
});
/** Every sample. A gap of up to 10 s is null; a longer one ends the run. */
const Runs = record({ ...series, runs: Type.Array(Run) });
/** Lowest and highest of each column. */
const Reduced = record({
  ...series,
  ...scale,
  min: Type.Union([physical, raw]),
  max: Type.Union([physical, raw]),
});

export const WaveformsShape = record({
  items: Type.Array(Type.Union([Runs, Reduced])),
  demo: Type.Boolean(),
  fromMs: atMs(),
  toMs: atMs(),
  columnMs: Type.Optional(Type.Number({ description: 'Width of a column; the first begins at fromMs.' })),
  columns: Type.Optional(Type.Integer()),
  form: words(writings),
});

export const StripsShape = record({
  items: Type.Array(Runs),
  alarm: OpaqueId,
  bed: IdSchema,
  encounter: Type.Optional(OpaqueId),
  raisedAtMs: atMs(),
  fromMs: atMs(),
  toMs: atMs(),
  demo: Type.Boolean(),
  form: words(writings),
});
