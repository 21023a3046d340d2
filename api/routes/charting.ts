import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import { inSight, nurses, personOf } from '../auth.ts';
import { mustBe, settle } from '../problems.ts';
import type { Charted, Services } from '../services.ts';
import { atMs, OpaqueId, record, shape, text } from '../shapes/shape.ts';

const Sure = Type.Optional(Type.Boolean({ description: 'the unusual is meant' }));
const MetricName = Type.String({ pattern: '^[A-Za-z0-9_.-]{1,128}$' });
const Said = {
  value: Type.Optional(Type.Number()),
  unit: Type.Optional(
    Type.String({ minLength: 1, maxLength: 32, description: 'UCUM; the metric’s own if absent' }),
  ),
  code: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9-]{1,32}$' })),
};
const Named = {
  device: IdSchema,
  metric: Type.String({ pattern: '^[^/]{1,128}$' }),
  channel: Type.Optional(text(128)),
  takenAtMs: atMs(),
  boot: Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$' }),
  seq: Type.Integer({ minimum: 0 }),
};
const ChartedShape = shape<Charted>()(
  record({
    device: Type.String(),
    metric: Type.String(),
    channel: Type.Optional(Type.String()),
    takenAtMs: Type.Number(),
    boot: Type.String(),
    seq: Type.Number(),
    unit: Type.String(),
    value: Type.Optional(Type.Number()),
    code: Type.Optional(Type.String()),
    system: Type.Optional(Type.String()),
  }),
);
const Answer = record({ items: Type.Array(ChartedShape) });
const Done = record({ outcome: Type.Literal('done') });

/** What nurses put into the record by hand, and set right. */
export const chartingRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (
  app,
  { services },
) => {
  const { census, charting } = services;
  const tags = ['nursing'];

  app.post(
    '/observations',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Chart values by hand',
        description:
          'Temperature, pain, consciousness (acvpu), urine, weight, oxygen and every other metric a person measures; all ' +
          'or none, answered when they are on disk. What is impossible is refused, what is unlikely asked for with sure.',
        body: record({
          encounter: OpaqueId,
          takenAtMs: Type.Optional(atMs()),
          values: Type.Array(record({ metric: MetricName, ...Said }), { minItems: 1, maxItems: 50 }),
          sure: Sure,
        }),
        response: { 201: Answer },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      inSight(person, census.encounter(request.body.encounter), 'stay');
      const items = settle(await charting.chart(person, request.body), 'stay');
      void reply.code(201);
      return { items: [...items] };
    },
  );

  app.post(
    '/observations/confirm',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Put values of devices into the record as they are',
        description:
          'Each as GET /api/v1/observations names it. Kept beside the device’s own, under channel confirmed.',
        body: record({
          encounter: OpaqueId,
          observations: Type.Array(record(Named), { minItems: 1, maxItems: 100 }),
        }),
        response: { 201: Answer },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      inSight(person, census.encounter(request.body.encounter), 'stay');
      const items = settle(await charting.confirm(person, request.body), 'stay');
      void reply.code(201);
      return { items: [...items] };
    },
  );

  app.post(
    '/observations/correct',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Correct a charted value',
        description: 'What it said before stays with it: who changed it, when and why.',
        body: record({
          encounter: OpaqueId,
          observation: record(Named),
          value: record({ ...Said, sure: Sure }),
          reason: text(256),
        }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { encounter, observation: name, value, reason } = request.body;
      inSight(person, census.encounter(encounter), 'stay');
      const outcome = await charting.correct(person, { encounter, name, value, reason });
      return done(outcome);
    },
  );

  app.post(
    '/observations/retract',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Take a charted value back: there was no such measurement',
        body: record({ encounter: OpaqueId, observation: record(Named), reason: text(256) }),
        response: { 200: Done },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { encounter, observation: name, reason } = request.body;
      inSight(person, census.encounter(encounter), 'stay');
      return done(await charting.correct(person, { encounter, name, reason }));
    },
  );
};

function done(outcome: string | { readonly refused: readonly { path: string; cause: string }[] }) {
  if (typeof outcome !== 'string') return settle(outcome);
  if (outcome === 'absent') return settle('absent', 'observation');
  mustBe('done', outcome);
  return { outcome: 'done' as const };
}
