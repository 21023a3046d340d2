import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import { personOf, sees } from '../auth.ts';
import { pageBy } from '../page.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { BedShape, ProfileShape, WardShape } from '../shapes/census.ts';
import { NameShape, PasswordShape, PersonShape, RoleShape, UserShape, WardsShape } from '../shapes/person.ts';
import { PageQuery, pageOf, record, text } from '../shapes/shape.ts';

const admins = ['admin'] as const;

/** People, wards and beds. */
export const adminRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { identity, census } = services;
  const tags = ['administration'];

  app.get(
    '/users',
    {
      config: { roles: [...admins, 'auditor'] },
      schema: {
        tags,
        summary: 'People who may sign in',
        querystring: record(PageQuery),
        response: { 200: pageOf(PersonShape) },
      },
    },
    async (request) => pageBy(identity.people(), request.query, (person) => person.id),
  );

  app.post(
    '/users',
    {
      config: { roles: admins },
      schema: {
        tags,
        summary: 'Add a person',
        description: 'Password: 12 characters at least, no common one; no rule about kinds of characters.',
        body: record({
          user: UserShape,
          name: NameShape,
          password: PasswordShape,
          roles: Type.Array(RoleShape, { minItems: 1, maxItems: 8 }),
          wards: WardsShape,
        }),
        response: { 201: PersonShape },
      },
    },
    async (request, reply) => {
      const by = personOf(request);
      const { wards } = request.body;
      // Nobody hands out a ward they do not have themselves.
      if (by.wards !== 'all' && (wards === 'all' || !wards.every((ward) => sees(by, ward))))
        throw new Fault('API_NOT_FOUND', { what: 'ward' });
      const person = settle(await identity.addPerson(by, request.body));
      void reply.code(201);
      return person;
    },
  );

  app.post(
    '/wards',
    {
      config: { roles: admins },
      schema: {
        tags,
        summary: 'Add a ward',
        body: record({ id: Type.Optional(IdSchema), name: text(128), profile: ProfileShape }),
        response: { 201: WardShape },
      },
    },
    async (request, reply) => {
      const ward = settle(await census.addWard(personOf(request), request.body));
      void reply.code(201);
      return ward;
    },
  );

  app.post(
    '/beds',
    {
      config: { roles: admins },
      schema: {
        tags,
        summary: 'Add a bed to a ward',
        body: record({ id: Type.Optional(IdSchema), ward: IdSchema, label: text(64) }),
        response: { 201: BedShape },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      if (!sees(person, request.body.ward)) throw new Fault('API_NOT_FOUND', { what: 'ward' });
      const bed = settle(await census.addBed(person, request.body), 'ward');
      void reply.code(201);
      return bed;
    },
  );
};
