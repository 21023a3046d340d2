import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { priorities } from '../../model/alarm.ts';
import { IdSchema } from '../../model/ids.ts';
import { Fault } from '../../model/fault.ts';
import { personOf, sees } from '../auth.ts';
import { formatOf, typeOf } from '../export.ts';
import { instantOf, instantPattern } from '../instant.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { AlarmReportShape, reportCsv } from '../shapes/analytics.ts';
import { JobShape } from '../shapes/job.ts';
import { record, text, words } from '../shapes/shape.ts';

/** Who looks after how a ward rings. */
const tuning = ['charge-nurse', 'physician', 'biomed', 'admin', 'auditor'] as const;

const longestMs = 31 * 86_400_000;

/** What a ward's alarms were, and what other limits would have made of them. */
export const analyticsRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (
  app,
  { services },
) => {
  const { limitReplay, analytics } = services;
  const tags = ['alarms'];

  app.post(
    '/alarm-limits/replay',
    {
      config: { roles: tuning },
      schema: {
        tags,
        summary: 'Try limits on what a ward measured in its last days',
        description:
          'Changes nothing. Answers a job; its result holds today’s count beside the proposed one per bed, metric, ' +
          'priority and hour, and the alarms that would be missed. What a band does not say stays as it is today; ' +
          'value null switches it off. Judged by the live engine, as far back as the historian keeps values.',
        body: record({
          ward: IdSchema,
          days: Type.Integer({ minimum: 1, maximum: 31 }),
          limits: Type.Array(
            record({
              metric: text(128),
              direction: words(['low', 'high'] as const),
              priority: words(priorities),
              value: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
              delayS: Type.Optional(Type.Number({ minimum: 0, maximum: 600 })),
              hysteresis: Type.Optional(Type.Number({ minimum: 0 })),
              maxGapS: Type.Optional(Type.Number({ minimum: 1, maximum: 3_600 })),
            }),
            { minItems: 1, maxItems: 64 },
          ),
        }),
        response: { 202: JobShape },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      if (!sees(person, request.body.ward)) throw new Fault('API_NOT_FOUND');
      const job = settle(limitReplay.start(person, request.body));
      void reply.code(202).header('location', `/api/v1/jobs/${job.id}`);
      return job;
    },
  );

  app.get(
    '/alarm-analytics',
    {
      config: { roles: tuning },
      schema: {
        tags,
        summary: 'How a ward rang: per day and shift, beds and metrics, response, floods, pauses',
        description:
          'From the alarm log, 31 days at most. `proposals` are longer delays that would have spared many alarms; ' +
          '`POST /alarm-analytics/proposals` replays them. `Accept: text/csv` gives a line a scope.',
        produces: ['application/json', 'text/csv'],
        querystring: record({
          ward: IdSchema,
          from: Type.String({ pattern: instantPattern }),
          to: Type.String({ pattern: instantPattern }),
          shifts: Type.Optional(
            Type.String({
              pattern: '^([01]?[0-9]|2[0-3])(,([01]?[0-9]|2[0-3])){0,5}$',
              description: 'Hours at which shifts begin, ascending; 7,19 unless said otherwise.',
            }),
          ),
        }),
        response: { 200: AlarmReportShape },
      },
    },
    async (request, reply) => {
      const { ward, from, to, shifts } = request.query;
      if (!sees(personOf(request), ward)) throw new Fault('API_NOT_FOUND');
      const fromMs = instantOf(from, 'from');
      const toMs = instantOf(to, 'to');
      if (!(toMs > fromMs) || toMs - fromMs > longestMs)
        throw new Fault('API_REQUEST_INVALID', { cause: 'to must lie after from, by 31 days at most' });
      const hours = [...new Set((shifts ?? '7,19').split(',').map(Number))].toSorted((a, b) => a - b);
      const report = settle(await analytics.report({ ward, fromMs, toMs, shifts: hours }));
      if (formatOf(request.headers.accept) !== 'csv') return report;
      return reply
        .type(typeOf('csv'))
        .serializer((text: string) => text)
        .send(reportCsv(report) as never);
    },
  );

  app.post(
    '/alarm-analytics/proposals',
    {
      config: { roles: tuning },
      schema: {
        tags,
        summary: 'Propose delays for what rings most, each replayed on the ward’s own data',
        description:
          'Answers a job; its result holds, for each proposal, today’s count and the proposed one, what would be ' +
          'missed and how much later the rest would ring. Changes nothing.',
        body: record({ ward: IdSchema, days: Type.Integer({ minimum: 1, maximum: 31 }) }),
        response: { 202: JobShape },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      if (!sees(person, request.body.ward)) throw new Fault('API_NOT_FOUND');
      const job = settle(analytics.propose(person, request.body));
      void reply.code(202).header('location', `/api/v1/jobs/${job.id}`);
      return job;
    },
  );
};
