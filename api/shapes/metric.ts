import Type from 'typebox';
import { quantities, type Metric } from '../../model/metric.ts';
import { record, shape, words } from './shape.ts';

export const MetricShape = shape<Metric>()(
  record({
    refId: Type.String(),
    mdc: Type.Optional(Type.Number()),
    loinc: Type.Optional(Type.Array(Type.String())),
    unit: Type.String(),
    name: record({ en: Type.String(), zh: Type.String() }),
    label: Type.String(),
    span: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
    decimals: Type.Number(),
    periodMs: Type.Optional(Type.Number()),
    episodic: Type.Boolean(),
    quantity: words(quantities),
    value: words(['number', 'code', 'text'] as const),
    confirmed: Type.Boolean(),
    doubt: Type.Optional(Type.String()),
  }),
);
