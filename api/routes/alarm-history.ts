import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import { clinical, inSight, knowsPatients, personOf, sees } from '../auth.ts';
import { instantOf, instantPattern } from '../instant.ts';
import type { AlarmTransition, Services } from '../services.ts';
import { AlarmShape } from '../shapes/alarm.ts';
import { atMs, OpaqueId, PageQuery, pageOf, record, shape } from '../shapes/shape.ts';
import { patientInSight } from './patients.ts';

const Instant = Type.String({ pattern: instantPattern, description: 'RFC 3339 with zone, or ms since 1970' });
const TransitionShape = shape<AlarmTransition>()(
  record({
    number: Type.Number(),
    atMs: atMs(),
    event: Type.String({ description: 'raised, escalated, acknowledged, ended …' }),
    by: Type.Optional(Type.String()),
    reason: Type.Optional(Type.String()),
    alarm: AlarmShape,
  }),
);
const dayMs = 86_400_000;

/** What happened to alarms. */
export const alarmHistoryRoutes: FastifyPluginAsyncTypebox<{ services: Services; clock: Clock }> = async (
  app,
  { services, clock },
) => {
  const { census } = services;

  app.get(
    '/alarms/history',
    {
      config: { roles: [...clinical, 'biomed', 'admin', 'auditor'] },
      schema: {
        tags: ['nursing'],
        summary: 'What happened to alarms, newest first',
        description:
          'Each transition with the alarm as it stood after it; the last day if from and to are absent. A page may hold ' +
          'fewer items than asked for: the one without next is the last.',
        querystring: record({
          ward: Type.Optional(IdSchema),
          bed: Type.Optional(IdSchema),
          patient: Type.Optional(OpaqueId),
          from: Type.Optional(Instant),
          to: Type.Optional(Instant),
          ...PageQuery,
        }),
        response: { 200: pageOf(TransitionShape) },
      },
    },
    async (request) => {
      const person = personOf(request);
      const { ward, bed, patient, from, to, limit = 200, cursor } = request.query;
      if (ward !== undefined && !sees(person, ward)) throw new Fault('API_NOT_FOUND', { what: 'ward' });
      if (bed !== undefined) inSight(person, census.bed(bed), 'bed');
      if (patient !== undefined) {
        if (!knowsPatients(person)) throw new Fault('API_NOT_FOUND', { what: 'patient' });
        patientInSight(services, person, patient);
      }
      const toMs = to === undefined ? clock.nowMs() + 1 : instantOf(to, 'to');
      const fromMs = from === undefined ? toMs - dayMs : instantOf(from, 'from');
      if (fromMs >= toMs) throw new Fault('API_REQUEST_INVALID', { cause: 'from must be before to' });
      const stays = patient === undefined ? undefined : census.encounters({ patient }).map(({ id }) => id);
      const page = await services.alarmHistory({
        ...(ward === undefined ? {} : { ward }),
        ...(bed === undefined ? {} : { bed }),
        ...(stays === undefined ? {} : { encounters: new Set(stays) }),
        fromMs,
        toMs,
        limit,
        ...(cursor === undefined ? {} : { before: numberOf(cursor) }),
        mayHear: (alarm) => alarm.ward === undefined || sees(person, alarm.ward),
      });
      return { items: page.items, ...(page.next === undefined ? {} : { next: String(page.next) }) };
    },
  );
};

function numberOf(cursor: string): number {
  if (!/^[0-9]{1,15}$/.test(cursor))
    throw new Fault('API_REQUEST_INVALID', { cause: 'cursor is none of ours' });
  return Number(cursor);
}
