import Type, { type Static } from 'typebox';
import { priorities } from './alarm.ts';

const words = <const W extends readonly string[]>(list: W) =>
  Type.Unsafe<W[number]>(Type.Union(list.map((word) => Type.Literal(word))));
const rule = <P extends Parameters<typeof Type.Object>[0]>(properties: P) =>
  Type.Object(properties, { additionalProperties: false });

const Metric = Type.String({ minLength: 1, maxLength: 128 });
const common = {
  /** One rule an id and ward; `on: false` is kept and judges nothing. */
  id: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
  on: Type.Boolean(),
  priority: words(priorities),
};
const direction = words(['high', 'low'] as const);

/** A metric rises (high) or falls (low) by `by` within `withinS`. */
export const RateRuleSchema = rule({
  ...common,
  kind: Type.Literal('rate'),
  metric: Metric,
  direction,
  by: Type.Number({ exclusiveMinimum: 0 }),
  withinS: Type.Integer({ minimum: 10, maximum: 3_600 }),
});

/** A metric that was seen since the association gives no usable value for `forS`, though its bed is on. */
export const AbsenceRuleSchema = rule({
  ...common,
  kind: Type.Literal('absence'),
  metric: Metric,
  forS: Type.Integer({ minimum: 10, maximum: 86_400 }),
});

/** An episodic metric was not measured for twice `everyS`. Always low (CLINICAL 4). */
export const OverdueRuleSchema = rule({
  ...common,
  priority: words(['low'] as const),
  kind: Type.Literal('overdue'),
  metric: Metric,
  everyS: Type.Integer({ minimum: 60, maximum: 86_400 }),
});

/** Two to four metrics beyond their values at once for `forS`. Nobody has validated any: they are marked so. */
export const CombinationRuleSchema = rule({
  ...common,
  kind: Type.Literal('combination'),
  all: Type.Array(rule({ metric: Metric, direction, value: Type.Number() }), { minItems: 2, maxItems: 4 }),
  forS: Type.Integer({ minimum: 0, maximum: 600 }),
});

/** The total of a score of a set that a nurse confirmed. */
export const ScoreRuleSchema = rule({
  ...common,
  kind: Type.Literal('score'),
  score: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }),
  atLeast: Type.Integer({ minimum: 1, maximum: 100 }),
  /** Or any single part at this many points (NEWS2: 3). */
  orPart: Type.Optional(Type.Integer({ minimum: 1, maximum: 20 })),
});

export const AlarmRuleSchema = Type.Union([
  RateRuleSchema,
  AbsenceRuleSchema,
  OverdueRuleSchema,
  CombinationRuleSchema,
  ScoreRuleSchema,
]);
export type RateRule = Static<typeof RateRuleSchema>;
export type AbsenceRule = Static<typeof AbsenceRuleSchema>;
export type OverdueRule = Static<typeof OverdueRuleSchema>;
export type CombinationRule = Static<typeof CombinationRuleSchema>;
export type ScoreRule = Static<typeof ScoreRuleSchema>;
/** A condition beyond a limit, as data (docs/alarms.md). */
export type AlarmRule = Static<typeof AlarmRuleSchema>;
