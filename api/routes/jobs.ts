import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import type { Job } from '../../model/job.ts';
import type { Person } from '../../model/person.ts';
import { hasRole, personOf } from '../auth.ts';
import { pageBy } from '../page.ts';
import { mustBe } from '../problems.ts';
import type { Services } from '../services.ts';
import { JobShape } from '../shapes/job.ts';
import { OpaqueId, PageQuery, pageOf, record } from '../shapes/shape.ts';

/** One's own jobs; an administrator sees all. */
const may = (person: Person, job: Job): boolean => job.by === person.id || hasRole(person, 'admin');

/** Work over a second answers 202 with the job's address; here it is looked at and called off. */
export const jobRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { jobs } = services;
  const tags = ['jobs'];
  const params = record({ id: OpaqueId });

  const seen = (person: Person, id: string): Job => {
    const job = jobs.job(id);
    if (!job || !may(person, job)) throw new Fault('API_NOT_FOUND');
    return job;
  };

  app.get(
    '/jobs',
    {
      config: { roles: 'signed-in' },
      schema: {
        tags,
        summary: 'One’s own jobs, running and ended',
        querystring: record(PageQuery),
        response: { 200: pageOf(JobShape) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const own = jobs.all().filter((job) => may(person, job));
      return pageBy(own, request.query, (job) => `${String(job.startedAtMs).padStart(16, '0')} ${job.id}`);
    },
  );

  app.get(
    '/jobs/:id',
    {
      config: { roles: 'signed-in' },
      schema: {
        tags,
        summary: 'How far a job is, and what it found',
        params,
        response: { 200: JobShape },
      },
    },
    async (request) => seen(personOf(request), request.params.id),
  );

  app.delete(
    '/jobs/:id',
    {
      config: { roles: 'signed-in' },
      schema: {
        tags,
        summary: 'Call a job off',
        description: 'It ends soon after, as `cancelled`; what it had begun is taken away.',
        params,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const job = seen(personOf(request), request.params.id);
      mustBe('done', jobs.cancel(job.id));
      void reply.code(204);
      return null;
    },
  );
};
