import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { metrics } from '../../model/metric-table.ts';
import { pageBy } from '../page.ts';
import { MetricShape } from '../shapes/metric.ts';
import { PageQuery, pageOf, record } from '../shapes/shape.ts';

/** The table of what can be measured. */
export const platformRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/metrics',
    {
      config: { roles: 'signed-in' },
      schema: {
        tags: ['platform'],
        summary: 'The metric table: codes, units, names and spans',
        querystring: record(PageQuery),
        response: { 200: pageOf(MetricShape) },
      },
    },
    async (request) => pageBy([...metrics.values()], request.query, (metric) => metric.refId),
  );
};
