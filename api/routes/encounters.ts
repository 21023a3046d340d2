import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { IdSchema, type BedId, type WardId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import { clinical, inSight, nurses, personOf, sees } from '../auth.ts';
import { pageBy } from '../page.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { AlarmLimitShape, LimitRequestShape } from '../shapes/alarm.ts';
import {
  AssociationShape,
  BirthDateShape,
  EncounterShape,
  PatientShape,
  ProfileShape,
  SexShape,
} from '../shapes/census.ts';
import { atMs, PageQuery, pageOf, record, text } from '../shapes/shape.ts';

const OpaqueId = Type.String({ pattern: '^[A-Za-z0-9._:-]{1,128}$' });
const Id = record({ id: OpaqueId });
const Stay = record({ encounter: EncounterShape, patient: Type.Optional(PatientShape) });
const Place = { ward: IdSchema, bed: Type.Optional(IdSchema) };

const Admission = record({
  ...Place,
  patient: record({
    mrn: Type.Optional(text(64)),
    name: Type.Optional(text(128)),
    birthDate: Type.Optional(BirthDateShape),
    sex: Type.Optional(SexShape),
  }),
  profile: Type.Optional(ProfileShape),
  admittedAtMs: Type.Optional(atMs()),
});

const placing = ['charge-nurse', 'platform'] as const;
const reading = [...clinical, 'platform'] as const;

/** Stays, which device serves whom, and the alarm limits of a stay. */
export const encounterRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (
  app,
  { services },
) => {
  const { census } = services;
  const tags = ['encounters'];
  const stayOf = (encounter: NonNullable<ReturnType<typeof census.encounter>>) => ({
    encounter,
    patient: census.patient(encounter.patient),
  });

  app.get(
    '/encounters',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'Stays in your wards',
        querystring: record({
          ward: Type.Optional(IdSchema),
          patient: Type.Optional(OpaqueId),
          open: Type.Optional(Type.Boolean()),
          ...PageQuery,
        }),
        response: { 200: pageOf(EncounterShape) },
      },
    },
    async (request) => {
      const { ward, patient, open, ...page } = request.query;
      const person = personOf(request);
      const stays = census.encounters({ ward, patient, open }).filter((stay) => sees(person, stay.ward));
      return pageBy(stays, page, (stay) => stay.id);
    },
  );

  app.get(
    '/encounters/:id',
    {
      config: { roles: reading },
      schema: { tags, summary: 'A stay and its patient', params: Id, response: { 200: Stay } },
    },
    async (request) => stayOf(inSight(personOf(request), census.encounter(request.params.id))),
  );

  app.post(
    '/encounters',
    {
      config: { roles: placing },
      schema: { tags, summary: 'Admit a patient', body: Admission, response: { 201: Stay } },
    },
    async (request, reply) => {
      const person = personOf(request);
      placeInSight(services, person, request.body);
      const encounter = settle(await census.admit(person, request.body));
      void reply.code(201);
      return stayOf(encounter);
    },
  );

  app.post(
    '/encounters/:id/transfer',
    {
      config: { roles: placing, trail: 'body' },
      schema: {
        tags,
        summary: 'Move a stay to another bed or ward',
        params: Id,
        body: record(Place),
        response: { 200: Stay },
      },
    },
    async (request) => {
      const person = personOf(request);
      const encounter = inSight(person, census.encounter(request.params.id));
      placeInSight(services, person, request.body);
      return stayOf(settle(await census.transfer(person, encounter.id, request.body)));
    },
  );

  app.post(
    '/encounters/:id/discharge',
    {
      config: { roles: placing, trail: 'body' },
      schema: {
        tags,
        summary: 'End a stay',
        description: 'Charting ends; alarms go on while valid values arrive.',
        params: Id,
        body: record({ dischargedAtMs: Type.Optional(atMs()) }),
        response: { 200: Stay },
      },
    },
    async (request) => {
      const person = personOf(request);
      const encounter = inSight(person, census.encounter(request.params.id));
      return stayOf(settle(await census.discharge(person, encounter.id, request.body)));
    },
  );

  app.get(
    '/encounters/:id/alarm-limits',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'Limits in force for a stay, each with its origin',
        params: Id,
        response: { 200: record({ limits: Type.Array(AlarmLimitShape) }) },
      },
    },
    async (request) => {
      const encounter = inSight(personOf(request), census.encounter(request.params.id));
      const limits = census.limits(encounter.id);
      if (!limits) throw new Fault('API_NOT_FOUND');
      return { limits: [...limits] };
    },
  );

  app.put(
    '/encounters/:id/alarm-limits',
    {
      config: { roles: clinical, trail: 'body' },
      schema: {
        tags,
        summary: 'Set limits of a stay over the ward’s defaults',
        description: 'All or none: a limit outside the life-critical range refuses the whole request (422).',
        params: Id,
        body: record({
          limits: Type.Array(LimitRequestShape, { minItems: 1, maxItems: 100 }),
          reason: text(256),
        }),
        response: { 200: record({ limits: Type.Array(AlarmLimitShape) }) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const encounter = inSight(person, census.encounter(request.params.id));
      const { limits, reason } = request.body;
      return { limits: [...settle(await census.setLimits(person, encounter.id, limits, reason))] };
    },
  );

  app.get(
    '/associations',
    {
      config: { roles: [...reading, 'biomed'] },
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
      config: { roles: nurses, trail: 'body' },
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
      config: { roles: nurses, trail: 'body' },
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

/** A foreign ward, and a bed that is absent or in another ward than named, are the same 404. */
function placeInSight({ census }: Services, person: Person, to: { ward: WardId; bed?: BedId }): void {
  if (!sees(person, to.ward) || !census.wards().some((ward) => ward.id === to.ward))
    throw new Fault('API_NOT_FOUND');
  if (to.bed === undefined) return;
  if (inSight(person, census.bed(to.bed)).ward !== to.ward) throw new Fault('API_NOT_FOUND');
}

const bedInSight = ({ census }: Services, person: Person, id: BedId): boolean => {
  const bed = census.bed(id);
  return bed !== undefined && sees(person, bed.ward);
};
