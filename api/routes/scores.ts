import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import type { BedScore, BedScores, ConfirmedScore, ScorePart, ScoreSettings } from '../../model/score.ts';
import { clinical, inSight, nurses, personOf } from '../auth.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { atMs, OpaqueId, record, shape, text, words } from '../shapes/shape.ts';

const Scale = Type.Unsafe<1 | 2>(Type.Union([Type.Literal(1), Type.Literal(2)]));
const Points = Type.Record(Type.String(), Type.Number());
const PartShape = shape<ScorePart>()(
  record({
    part: Type.String(),
    value: Type.Optional(Type.Number()),
    code: Type.Optional(Type.String()),
    unit: Type.Optional(Type.String()),
    points: Type.Optional(Type.Number()),
    takenAtMs: Type.Optional(atMs()),
    device: Type.Optional(Type.String()),
    state: words(['known', 'missing', 'old'] as const),
  }),
);
const ConfirmedShape = shape<ConfirmedScore>()(
  record({
    total: Type.Number(),
    parts: Points,
    scale: Type.Optional(Scale),
    atMs: atMs(),
    by: Type.String(),
  }),
);
const ScoreShape = shape<BedScore>()(
  record({
    score: Type.String(),
    chart: Type.String(),
    title: record({ en: Type.String(), zh: Type.String() }),
    provisional: Type.Literal(true),
    total: Type.Union([Type.Number(), Type.Null()]),
    parts: Type.Array(PartShape),
    missing: Type.Array(Type.String()),
    old: Type.Array(Type.String()),
    refused: Type.Optional(words(['under-16', 'pregnancy', 'other-age'] as const)),
    warnings: Type.Array(words(['age-unknown', 'spinal-injury', 'ventilated', 'example-chart'] as const)),
    scale: Type.Optional(Scale),
    confirmed: Type.Optional(ConfirmedShape),
  }),
);
const SettingsShape = shape<ScoreSettings>()(
  record({
    scale: Scale,
    spinalInjury: Type.Boolean(),
    setBy: Type.Optional(Type.String()),
    setAtMs: Type.Optional(atMs()),
    reason: Type.Optional(Type.String()),
  }),
);
const BedScoresShape = shape<BedScores>()(
  record({
    bed: IdSchema,
    encounter: Type.Optional(Type.String()),
    nowMs: atMs(),
    settings: SettingsShape,
    scores: Type.Array(ScoreShape),
  }),
);

/** Scores of a bed as they stand, their confirmation by a nurse, and what a physician sets (CLINICAL 10). */
export const scoreRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { census, scores } = services;
  const tags = ['nursing'];

  app.get(
    '/beds/:id/scores',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'Early warning scores of a bed now',
        description:
          'Every running total is provisional. It is null unless all parts are known and young enough; `missing` and ' +
          '`old` name the others.',
        params: record({ id: IdSchema }),
        response: { 200: BedScoresShape },
      },
    },
    async (request) => scores.at(inSight(personOf(request), census.bed(request.params.id), 'bed').id),
  );

  app.post(
    '/beds/:id/scores/:score/confirm',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Confirm the set of a score that you saw',
        description: 'Only a confirmed set raises a score alarm. Refused when the set is another one by now.',
        params: record({ id: IdSchema, score: OpaqueId }),
        body: record({
          total: Type.Integer({ minimum: 0, maximum: 1_000 }),
          parts: Type.Record(Type.String({ maxLength: 64 }), Type.Integer({ minimum: 0, maximum: 100 })),
        }),
        response: { 200: record({ confirmed: ConfirmedShape }) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const bed = inSight(person, census.bed(request.params.id), 'bed');
      const seen = { score: request.params.score, ...request.body };
      return { confirmed: settle(await scores.confirm(person, bed.id, seen)) };
    },
  );

  app.put(
    '/encounters/:id/score-settings',
    {
      config: { roles: ['physician'] },
      schema: {
        tags: ['encounters'],
        summary: 'Set the SpO2 scale of NEWS2 for a stay, or that the spine is injured',
        description:
          'Scale 2 only for confirmed hypercapnic failure with a prescribed target of 88 to 92 %. Who, why and when are kept.',
        params: record({ id: OpaqueId }),
        body: record({
          scale: Type.Optional(Scale),
          spinalInjury: Type.Optional(Type.Boolean()),
          reason: text(256),
        }),
        response: { 200: record({ settings: SettingsShape }) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { id } = inSight(person, census.encounter(request.params.id));
      const { reason, ...wish } = request.body;
      return { settings: settle(await scores.set(person, id, wish, reason)) };
    },
  );
};
