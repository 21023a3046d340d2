import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import { personOf } from '../auth.ts';
import { instantOf, instantPattern } from '../instant.ts';
import { settle } from '../problems.ts';
import type { LossPage, LossSpan, Services } from '../services.ts';
import { JobShape } from '../shapes/job.ts';
import { LossCellShape, LossItemShape } from '../shapes/loss.ts';
import { PageQuery, pageOf, record } from '../shapes/shape.ts';

const reading = ['auditor', 'admin', 'biomed'] as const;
const dayMs = 86_400_000;

const Instant = Type.String({ pattern: instantPattern, description: 'RFC 3339 with zone, or ms since 1970' });
const Span = {
  device: Type.Optional(IdSchema),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
};
const Asked = record({ ...Span, ...PageQuery });
const Reconcile = record(Span);

/** The loss ledger and the books: what could not be kept, and that all else is accounted for. */
export const lossRoutes: FastifyPluginAsyncTypebox<{ services: Services; clock: Clock }> = async (
  app,
  { services, clock },
) => {
  const { losses } = services;
  const tags = ['administration'];
  const spanOf = ({ device, from, to }: Static<typeof Reconcile>): LossSpan => {
    const toMs = to === undefined ? clock.nowMs() + 1 : instantOf(to, 'to');
    const fromMs = from === undefined ? toMs - dayMs : instantOf(from, 'from');
    return { fromMs, toMs, ...(device === undefined ? {} : { device }) };
  };

  app.get(
    '/losses',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'The loss ledger: what could not be kept, of whom, from when to when, why',
        description:
          'By the time of receipt, in the order of the ledger; the last 24 hours if from and to are absent. `sinks` names ' +
          'who has not had it; without it nobody has. A page may hold fewer lines than asked for and still have a next.',
        querystring: Asked,
        response: { 200: pageOf(LossItemShape) },
      },
    },
    async (request) => {
      const page = pageFrom(request.query, /^[0-9]{1,16}$/);
      const { items, next } = await losses.entries(spanOf(request.query), page);
      return { items: [...items], ...(next === undefined ? {} : { next: toCursor(next) }) };
    },
  );

  app.get(
    '/losses/books',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary:
          'The books: received, kept, ledgered, quarantined and duplicate observations by device and hour',
        description: 'received = kept + ledgered + quarantined + duplicate. Hours of receipt, oldest first.',
        querystring: Asked,
        response: { 200: pageOf(LossCellShape) },
      },
    },
    async (request) => {
      const page = pageFrom(request.query, /^[0-9]{1,9} [a-z0-9-]{1,64}$/);
      const { items, next } = await losses.books(spanOf(request.query), page);
      return { items: [...items], ...(next === undefined ? {} : { next: toCursor(next) }) };
    },
  );

  app.post(
    '/losses/reconcile',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'Count what is really stored and compare it with the books',
        description:
          'Answers the job; its result has a row a device and hour, those that do not agree first, what else is wrong in ' +
          'words, and `balanced`. 409 `too-many-jobs`.',
        body: Reconcile,
        response: { 202: JobShape },
      },
    },
    async (request, reply) => {
      const job = settle(losses.reconcile(personOf(request), spanOf(request.body)));
      void reply.code(202).header('location', `/api/v1/jobs/${job.id}`);
      return job;
    },
  );
};

const toCursor = (key: string): string => Buffer.from(key).toString('base64url');

function pageFrom({ limit = 200, cursor }: { limit?: number; cursor?: string }, known: RegExp): LossPage {
  if (cursor === undefined) return { limit };
  const after = Buffer.from(cursor, 'base64url').toString();
  if (!known.test(after)) throw new Fault('API_REQUEST_INVALID', { cause: 'cursor is none of ours' });
  return { limit, after };
}
