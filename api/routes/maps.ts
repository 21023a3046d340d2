import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { personOf } from '../auth.ts';
import { mustBe, settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { open, record, text, words } from '../shapes/shape.ts';

const keeping = ['biomed'] as const;
const Name = record({ name: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }) });
const MapShape = record({
  name: Type.String(),
  origin: words(['vigil', 'hospital'] as const),
  driver: Type.Optional(Type.String()),
  content: open(),
  changedBy: Type.Optional(Type.String()),
  changedAtMs: Type.Optional(Type.Number()),
});

/** Device maps as data: those that come with Vigil, and the hospital's own, which stand before them. */
export const mapRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { maps } = services;
  const tags = ['devices'];

  app.get(
    '/maps',
    {
      config: { roles: keeping },
      schema: { tags, summary: 'Device maps', response: { 200: record({ items: Type.Array(MapShape) }) } },
    },
    async () => {
      const items = settle(await maps.list());
      return { items: items.map(({ content, ...map }) => ({ ...map, content: content as object })) };
    },
  );

  app.put(
    '/maps/:name',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Make or change a map of the hospital',
        description: 'Checked as its driver reads it. Devices that name it are opened anew.',
        params: Name,
        body: record({ driver: text(64), content: open() }),
        response: { 200: MapShape },
      },
    },
    async (request) => {
      const { content, ...map } = settle(
        await maps.put(personOf(request), request.params.name, request.body),
      );
      return { ...map, content: content as object };
    },
  );

  app.delete(
    '/maps/:name',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: "Take a map of the hospital away; Vigil's of that name counts again",
        params: Name,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const outcome = await maps.remove(personOf(request), request.params.name);
      if (outcome === 'absent') throw new Fault('API_NOT_FOUND', { what: 'map' });
      mustBe('done', outcome);
      void reply.code(204);
      return null;
    },
  );
};
