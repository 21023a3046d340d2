import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { IdSchema, type BedId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import { clinical, inSight, nurses, personOf, sees } from '../auth.ts';
import { pageBy } from '../page.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { AssociationShape } from '../shapes/census.ts';
import { atMs, OpaqueId, PageQuery, pageOf, record, text } from '../shapes/shape.ts';

const Id = record({ id: OpaqueId });

/** Which device serves which bed and stay: the only road from a value to a patient. */
export const associationRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (
  app,
  { services },
) => {
  const { census } = services;
  const tags = ['associations'];

  app.get(
    '/associations',
    {
      config: { roles: [...clinical, 'platform', 'biomed'] },
      schema: {
        tags,
        summary: 'Which device serves which bed, since when',
        querystring: record({
          bed: Type.Optional(IdSchema),
          device: Type.Optional(IdSchema),
          encounter: Type.Optional(OpaqueId),
          open: Type.Optional(Type.Boolean()),
          ...PageQuery,
        }),
        response: { 200: pageOf(AssociationShape) },
      },
    },
    async (request) => {
      const { bed, device, encounter, open, ...page } = request.query;
      const person = personOf(request);
      const seen = census
        .associations({ bed, device, encounter, open })
        .filter((one) => bedInSight(services, person, one.bed));
      return pageBy(seen, page, (one) => `${String(Math.floor(one.beginAtMs)).padStart(16, '0')} ${one.id}`);
    },
  );

  app.post(
    '/associations',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Begin: this device serves this bed from now on',
        description: 'Two open associations on one device are refused.',
        body: record({
          device: IdSchema,
          bed: IdSchema,
          encounter: Type.Optional(OpaqueId),
          beginAtMs: Type.Optional(atMs()),
        }),
        response: { 201: AssociationShape },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      const { device, bed, encounter } = request.body;
      inSight(person, census.bed(bed));
      inSight(person, services.devices.device(device));
      if (encounter !== undefined) inSight(person, census.encounter(encounter));
      const association = settle(await census.associate(person, request.body));
      void reply.code(201);
      return association;
    },
  );

  app.post(
    '/associations/:id/end',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'End: this device no longer serves the bed',
        params: Id,
        body: record({ endAtMs: Type.Optional(atMs()), reason: Type.Optional(text(256)) }),
        response: { 200: AssociationShape },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { id } = request.params;
      const association = census.associations({}).find((one) => one.id === id);
      if (!association || !bedInSight(services, person, association.bed)) throw new Fault('API_NOT_FOUND');
      return settle(await census.endAssociation(person, id, request.body));
    },
  );
};

const bedInSight = ({ census }: Services, person: Person, id: BedId): boolean => {
  const bed = census.bed(id);
  return bed !== undefined && sees(person, bed.ward);
};
