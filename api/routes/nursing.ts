import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Clock } from '../../model/clock.ts';
import { IdSchema } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import type { BedView } from '../../model/stream.ts';
import { inSight, knowsPatients, nurses, personOf, sees, watching } from '../auth.ts';
import { pageBy } from '../page.ts';
import { mustBe } from '../problems.ts';
import type { Services } from '../services.ts';
import { AlarmShape } from '../shapes/alarm.ts';
import { BedShape, MonitoringShape, WardShape } from '../shapes/census.ts';
import { BedViewShape } from '../shapes/observation.ts';
import { atMs, PageQuery, pageOf, record, text } from '../shapes/shape.ts';

const Id = record({ id: IdSchema });
const Monitoring = record({
  state: MonitoringShape,
  reason: Type.Optional(text(256)),
  expectedReturnAtMs: Type.Optional(atMs()),
});

/** Wards and beds: what a nurse looks at and does at the bed. */
export const nursingRoutes: FastifyPluginAsyncTypebox<{ services: Services; clock: Clock }> = async (
  app,
  { services, clock },
) => {
  const { census, alarms } = services;
  const tags = ['nursing'];

  app.get(
    '/wards',
    {
      config: { roles: 'signed-in' },
      schema: {
        tags,
        summary: 'Your wards',
        querystring: record(PageQuery),
        response: { 200: pageOf(WardShape) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const wards = census.wards().filter((ward) => sees(person, ward.id));
      return pageBy(wards, request.query, (ward) => ward.id);
    },
  );

  app.get(
    '/beds',
    {
      config: { roles: 'signed-in' },
      schema: {
        tags,
        summary: 'The beds of your wards',
        querystring: record({ ward: Type.Optional(IdSchema), ...PageQuery }),
        response: { 200: pageOf(BedShape) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const beds = census.beds(request.query.ward).filter((bed) => sees(person, bed.ward));
      return pageBy(beds, request.query, (bed) => bed.id);
    },
  );

  app.get(
    '/beds/:id',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary: 'A bed: patient, devices, newest values with age and validity, alarms',
        description: 'Engineers and administrators get no patient and no encounter.',
        params: Id,
        response: { 200: record({ nowMs: atMs(), view: BedViewShape, alarms: Type.Array(AlarmShape) }) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const view = inSight(person, census.view(request.params.id));
      return {
        nowMs: clock.nowMs(),
        view: forPerson(person, view),
        alarms: [...alarms.active({ bed: view.bed })],
      };
    },
  );

  app.put(
    '/beds/:id/monitoring',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Set a bed on, standby or away',
        description: 'Suspends absence alarms only; limits are judged as ever.',
        params: Id,
        body: Monitoring,
        response: { 200: record({ view: BedViewShape }) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const bed = inSight(person, census.bed(request.params.id));
      mustBe('done', await census.setMonitoring(person, bed.id, request.body));
      return { view: forPerson(person, inSight(person, census.view(bed.id))) };
    },
  );
};

export const forPerson = (person: Person, view: BedView): BedView => {
  if (knowsPatients(person)) return view;
  const { patient: _patient, encounter: _encounter, ...rest } = view;
  return rest;
};
