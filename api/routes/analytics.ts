import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { priorities } from '../../model/alarm.ts';
import { IdSchema } from '../../model/ids.ts';
import { Fault } from '../../model/fault.ts';
import { personOf, sees } from '../auth.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { JobShape } from '../shapes/job.ts';
import { record, text, words } from '../shapes/shape.ts';

/** Who looks after how a ward rings. */
const tuning = ['charge-nurse', 'physician', 'biomed', 'admin', 'auditor'] as const;

/** What a ward's alarms were, and what other limits would have made of them. */
export const analyticsRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (
  app,
  { services },
) => {
  const { limitReplay } = services;
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
              value: Type.Union([Type.Number(), Type.Null()]),
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
};
