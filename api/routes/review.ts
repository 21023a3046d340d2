import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { IdSchema } from '../../model/ids.ts';
import type { ReviewEntry } from '../../model/review.ts';
import { clinical, inSight, nurses, personOf } from '../auth.ts';
import { mustBe } from '../problems.ts';
import type { Services } from '../services.ts';
import { DirectionShape, PriorityShape } from '../shapes/alarm.ts';
import { atMs, OpaqueId, record, shape, words } from '../shapes/shape.ts';

const EntryShape = shape<ReviewEntry>()(
  record({
    id: Type.String(),
    bed: Type.String(),
    encounter: Type.Optional(Type.String()),
    metric: Type.String(),
    direction: DirectionShape,
    priority: PriorityShape,
    limit: Type.Number(),
    unit: Type.String(),
    onsetAtMs: atMs(),
    endedAtMs: atMs(),
    peak: Type.Number(),
    endedBy: words(['inside', 'gap'] as const),
    notedAtMs: atMs(),
  }),
);
const ListShape = record({ entries: Type.Array(EntryShape), dropped: Type.Number() });

/** What was crossed while the link was down and was over before anybody could ring for it (CLINICAL 9). */
export const reviewRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { census, review, audit } = services;
  const tags = ['nursing'];
  const list = (bed: string) => {
    const { entries, dropped } = review.at(bed);
    return { entries: [...entries], dropped };
  };

  app.get(
    '/beds/:id/review',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'Crossings of limits that ended in a backlog and that nobody has seen, oldest first',
        params: record({ id: IdSchema }),
        response: { 200: ListShape },
      },
    },
    async (request) => list(inSight(personOf(request), census.bed(request.params.id), 'bed').id),
  );

  app.post(
    '/beds/:id/review/:entry/seen',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Say that you have seen one of them',
        params: record({ id: IdSchema, entry: OpaqueId }),
        body: record({}),
        response: { 200: ListShape },
      },
    },
    async (request) => {
      const person = personOf(request);
      const bed = inSight(person, census.bed(request.params.id), 'bed').id;
      const { entry } = request.params;
      const before = review.at(bed).entries.find((one) => one.id === entry);
      mustBe('done', await review.seen(bed, entry));
      audit.record({ by: person.id, act: 'review.seen', on: entry, outcome: 'done', before });
      return list(bed);
    },
  );
};
