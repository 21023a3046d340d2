import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { IdSchema, type BedId, type WardId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import { clinical, inSight, personOf, sees } from '../auth.ts';
import { dayOf } from '../instant.ts';
import { pageBy } from '../page.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import { AlarmLimitShape, LimitRequestShape } from '../shapes/alarm.ts';
import { BirthDateShape, EncounterShape, PatientShape, ProfileShape, SexShape } from '../shapes/census.ts';
import { atMs, OpaqueId, PageQuery, pageOf, record, text } from '../shapes/shape.ts';

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

/** Stays, and the alarm limits of a stay. */
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
      const { birthDate } = request.body.patient;
      if (birthDate !== undefined) dayOf(birthDate, 'body/patient/birthDate');
      const encounter = settle(await census.admit(person, request.body), 'ward or bed');
      void reply.code(201);
      return stayOf(encounter);
    },
  );

  app.post(
    '/encounters/:id/transfer',
    {
      config: { roles: placing },
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
      config: { roles: placing },
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
      config: { roles: clinical },
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

  app.put(
    '/encounters/:id/profile',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'Confirm, or correct, the limit profile that birth date or ward proposed',
        params: Id,
        body: record({ profile: ProfileShape }),
        response: { 200: record({ encounter: EncounterShape }) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { id } = inSight(person, census.encounter(request.params.id));
      return { encounter: settle(await census.setProfile(person, id, request.body.profile)) };
    },
  );
};

/** A foreign ward, and a bed that is absent or in another ward than named, are the same 404. */
function placeInSight({ census }: Services, person: Person, to: { ward: WardId; bed?: BedId }): void {
  if (!sees(person, to.ward) || !census.wards().some((ward) => ward.id === to.ward))
    throw new Fault('API_NOT_FOUND', { what: 'ward' });
  if (to.bed === undefined) return;
  if (inSight(person, census.bed(to.bed), 'bed').ward !== to.ward)
    throw new Fault('API_NOT_FOUND', { what: 'bed in that ward' });
}
