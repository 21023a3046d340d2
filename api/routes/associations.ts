import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Association } from '../../model/census.ts';
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
        description:
          'Two open associations on one device are refused. At an occupied bed the stay is named, or unknownPatient says ' +
          'that somebody else is there: nobody is attributed by place alone. With endAtMs: a stretch that is over.',
        body: record({
          device: IdSchema,
          bed: IdSchema,
          encounter: Type.Optional(OpaqueId),
          unknownPatient: Type.Optional(
            Type.Boolean({ description: 'somebody not yet known, not the stay in the books' }),
          ),
          beginAtMs: Type.Optional(atMs()),
          endAtMs: Type.Optional(atMs()),
        }),
        response: { 201: AssociationShape },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      const { unknownPatient = false, ...wanted } = request.body;
      const { device, bed, encounter } = wanted;
      inSight(person, census.bed(bed), 'bed');
      inSight(person, services.devices.device(device), 'device');
      if (encounter !== undefined) inSight(person, census.encounter(encounter), 'stay');
      else if (!unknownPatient && occupied(services, bed)) return settle('encounter-needed');
      const association = settle(await census.associate(person, wanted), 'bed, device or stay');
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
      return settle(await census.endAssociation(person, mine(services, person, id).id, request.body));
    },
  );

  app.patch(
    '/associations/:id',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Correct begin or end afterwards, with a reason',
        description:
          'Every query follows at once; who was sent a value of a stretch that changed hands gets a retraction. What it ' +
          'was stays in corrections, and another correction takes it back. An end equal to the begin strikes it out; ' +
          'reopen takes an end back.',
        params: Id,
        body: record({
          beginAtMs: Type.Optional(atMs()),
          endAtMs: Type.Optional(atMs()),
          reopen: Type.Optional(Type.Boolean()),
          reason: text(256),
        }),
        response: { 200: AssociationShape },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { beginAtMs, endAtMs, reopen = false } = request.body;
      if (reopen === (endAtMs !== undefined) && (reopen || beginAtMs === undefined))
        throw new Fault('API_REQUEST_INVALID', { cause: 'name beginAtMs, and one of endAtMs and reopen' });
      const { id } = mine(services, person, request.params.id);
      return settle(await census.correctAssociation(person, id, request.body));
    },
  );
};

function mine(services: Services, person: Person, id: string): Association {
  const association = services.census.association(id);
  if (!association || !bedInSight(services, person, association.bed)) throw new Fault('API_NOT_FOUND');
  return association;
}

const occupied = ({ census }: Services, bed: BedId): boolean =>
  census.encounters({ ward: census.bed(bed)?.ward, open: true }).some((stay) => stay.bed === bed);

const bedInSight = ({ census }: Services, person: Person, id: BedId): boolean => {
  const bed = census.bed(id);
  return bed !== undefined && sees(person, bed.ward);
};
