import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import { personOf } from '../auth.ts';
import { pageBy } from '../page.ts';
import { mustBe, settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { FaultShape } from '../shapes/device.ts';
import { open, PageQuery, pageOf, record, text } from '../shapes/shape.ts';

const keeping = ['biomed'] as const;
const Id = record({ id: IdSchema });
const Host = record({
  id: IdSchema,
  label: Type.String(),
  own: Type.Boolean({ description: 'Beside the gateway, started by it' }),
  up: Type.Boolean(),
  heardMsAgo: Type.Optional(Type.Number()),
  devices: Type.Integer(),
  recording: Type.Optional(Type.Boolean()),
  undelivered: Type.Optional(Type.Number({ description: 'Messages it keeps for the gateway' })),
  fault: Type.Optional(FaultShape),
});
const Credentials = record({ clientId: Type.String(), username: Type.String(), password: Type.String() });

/** Driver hosts: the programs that run the drivers, here and elsewhere in the hospital. */
export const hostRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { hosts, devices } = services;
  const tags = ['devices'];

  app.get(
    '/hosts',
    {
      config: { roles: ['biomed', 'admin'] },
      schema: {
        tags,
        summary: 'Driver hosts',
        querystring: record(PageQuery),
        response: { 200: pageOf(Host) },
      },
    },
    async (request) => pageBy(hosts.list(), request.query, (host) => host.id),
  );

  app.post(
    '/hosts',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Register a driver host elsewhere',
        description:
          'Its secret is told once: npm run driver-host -- --gateway … --host-id … --secret-file …',
        body: record({ id: Type.Optional(IdSchema), label: text(64) }),
        response: { 201: Credentials },
      },
    },
    async (request, reply) => {
      const made = settle(await hosts.add(personOf(request), request.body));
      void reply.code(201).header('cache-control', 'no-store');
      return made;
    },
  );

  app.post(
    '/hosts/:id/credentials',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Make a new secret for a driver host elsewhere',
        description: 'Told once; the old one ends.',
        params: Id,
        body: record({}),
        response: { 201: Credentials },
      },
    },
    async (request, reply) => {
      const made = settle(await hosts.makeCredentials(personOf(request), request.params.id), 'host');
      void reply.code(201).header('cache-control', 'no-store');
      return made;
    },
  );

  app.delete(
    '/hosts/:id',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Take a driver host out of the registry',
        description: 'Refused while devices run on it.',
        params: Id,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const outcome = await hosts.remove(personOf(request), request.params.id);
      if (outcome === 'absent') throw new Fault('API_NOT_FOUND', { what: 'host' });
      mustBe('done', outcome);
      void reply.code(204);
      return null;
    },
  );

  app.get(
    '/discovery',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'What stands ready to be registered',
        description: 'Serial ports of a driver host, and senders it heard that nobody has registered.',
        querystring: record({ host: Type.Optional(IdSchema) }),
        response: { 200: record({ serial: Type.Array(open()), senders: Type.Array(open()) }) },
      },
    },
    async (request) => {
      const { serial, senders } = settle(await devices.discover(request.query.host), 'host');
      return { serial: [...serial], senders: [...senders] };
    },
  );
};
