import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { HealthReport, Services } from '../services.ts';
import { FaultShape } from '../shapes/device.ts';
import { atMs, record, shape, words } from '../shapes/shape.ts';

const StatusShape = words(['green', 'yellow', 'red'] as const);
const HealthShape = shape<HealthReport>()(
  record({
    status: StatusShape,
    intendedUse: Type.String(),
    version: Type.String(),
    demo: Type.Boolean(),
    nowMs: atMs(),
    parts: Type.Array(
      record({
        part: Type.String(),
        status: StatusShape,
        says: Type.String(),
        fault: Type.Optional(FaultShape),
      }),
    ),
    counters: record({
      received: Type.Number(),
      kept: Type.Number(),
      ledgered: Type.Number(),
      quarantined: Type.Number(),
      duplicate: Type.Number(),
      stored: Type.Number(),
    }),
    alarmLatencyMs: record({
      p50: Type.Number(),
      p99: Type.Number(),
      max: Type.Number(),
      count: Type.Number(),
    }),
    deliveryMs: Type.Array(
      record({
        ward: Type.String(),
        p50: Type.Number(),
        p99: Type.Number(),
        max: Type.Number(),
        count: Type.Number(),
      }),
    ),
  }),
);

/** What a watchdog and Prometheus read; neither holds anything of a patient. */
export const openRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  app.get(
    '/health',
    {
      config: { roles: 'open', rateLimit: false },
      schema: {
        tags: ['health'],
        summary: 'How each part is, and what became of every observation received',
        description:
          'Always 200 while this answers; `status` says how the data’s path is. Red is no reason to restart Vigil: ' +
          'alarms go on without the disk, a restart would end them.',
        response: { 200: HealthShape },
      },
    },
    async () => services.health(),
  );

  app.get(
    '/metrics',
    {
      config: { roles: 'open', rateLimit: false },
      schema: { tags: ['health'], summary: 'Figures for Prometheus', produces: ['text/plain'] },
    },
    async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await services.metrics()),
  );
};
