import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import { personOf } from '../auth.ts';
import { pageBy } from '../page.ts';
import type { Services } from '../services.ts';
import { PageQuery, pageOf, record } from '../shapes/shape.ts';
import { SinkShape, SinkTestShape } from '../shapes/sink.ts';

/** Time-series servers: how far they are, and what is wrong with one. */
export const sinkRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { sinks, audit } = services;
  const tags = ['administration'];

  app.get(
    '/sinks',
    {
      config: { roles: ['admin', 'biomed'] },
      schema: {
        tags,
        summary: 'Time-series servers and how far behind they are',
        querystring: record(PageQuery),
        response: { 200: pageOf(SinkShape) },
      },
    },
    async (request) => pageBy(sinks.list(), request.query, (sink) => sink.id),
  );

  app.post(
    '/sinks/:id/test',
    {
      config: { roles: ['admin'] },
      schema: {
        tags,
        summary: 'Ask a time-series server step by step what is wrong',
        description:
          'Writes one point into the measurement {measurement}_probe. 200 says what was found, well or not.',
        params: record({ id: IdSchema }),
        response: { 200: SinkTestShape },
      },
    },
    async (request) => {
      const { id } = request.params;
      const found = await sinks.test(id);
      if (found === 'absent') throw new Fault('API_NOT_FOUND', { what: 'sink' });
      const outcome = found.works ? 'works' : 'fails';
      audit.record({ by: personOf(request).id, act: 'sink-tested', on: id, outcome, address: request.ip });
      return found;
    },
  );
};
