import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type TSchema } from 'typebox';
import type { Alarm } from '../../model/alarm.ts';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import type { Person, Role } from '../../model/person.ts';
import { clinical, inSight, nurses, personOf, sees, watching } from '../auth.ts';
import { pageBy } from '../page.ts';
import { Refusal, settle } from '../problems.ts';
import type { AlarmAct, AlarmActOutcome, Services } from '../services.ts';
import { AlarmShape, PriorityShape } from '../shapes/alarm.ts';
import { AlarmWayShape } from '../shapes/people.ts';
import { OpaqueId, PageQuery, pageOf, record, text, words } from '../shapes/shape.ts';

const AlarmId = record({ id: OpaqueId });
const Version = Type.Optional(
  Type.Integer({
    minimum: 0,
    description: 'The version that was seen; refused when the alarm has risen or come again since.',
  }),
);
const Plain = record({ version: Version });
const Reject = record({ version: Version, reason: Type.Optional(text(256)) });
const What = words(['audio', 'alarm'] as const);
const Pause = record({
  version: Version,
  what: What,
  forS: Type.Optional(Type.Integer({ minimum: 1, maximum: 600 })),
  reason: Type.Optional(text(256)),
});
const Off = record({ version: Version, what: What, reason: text(256) });
const Reason = record({ reason: text(256) });
const longestAudioPauseS = 120;

const Answer = record({ outcome: Type.Literal('done'), alarm: Type.Optional(AlarmShape) });

/** Alarms, and what a person may do to one of them (CLINICAL 4). */
export const alarmRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { alarms, alarmRights, deliveries, census } = services;
  const tags = ['nursing'];

  app.get(
    '/alarms',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary: 'Active alarms of your wards, highest priority first, then oldest',
        querystring: record({ ward: Type.Optional(IdSchema), bed: Type.Optional(IdSchema), ...PageQuery }),
        response: { 200: pageOf(AlarmShape) },
      },
    },
    async (request) => {
      const { ward, bed, ...page } = request.query;
      const person = personOf(request);
      const active = alarms.active({ ward, bed }).filter((alarm) => mayHear(person, alarm));
      return pageBy(active, page, byUrgency);
    },
  );

  /** Finds the alarm, asks for the right, acts, and answers the alarm as it is then. */
  const act = (
    person: Person,
    id: string,
    what: AlarmAct,
    run: (alarm: Alarm) => AlarmActOutcome | 'cannot-ring',
  ) => {
    const alarm = alarms.alarm(id);
    if (!alarm || !mayHear(person, alarm)) throw new Fault('API_NOT_FOUND');
    if (!alarmRights.may(person, what, alarm)) return settle('not-allowed');
    const outcome = run(alarm);
    if (outcome !== 'done') return settle(outcome);
    return { outcome, alarm: alarms.alarm(id) };
  };
  const told = <B extends TSchema>(
    roles: readonly Role[],
    body: B,
    says: { summary: string; description?: string },
  ) => ({ config: { roles }, schema: { tags, ...says, params: AlarmId, body, response: { 200: Answer } } });

  app.post(
    '/alarms/:id/acknowledge',
    told(nurses, Plain, {
      summary: 'Acknowledge one alarm',
      description:
        'This quiets the handhelds; the monitor keeps sounding. Still present later, it rings again.',
    }),
    async (request) => {
      const person = personOf(request);
      const { version } = request.body;
      return act(person, request.params.id, 'acknowledge', ({ id }) =>
        alarms.acknowledge(id, person, version),
      );
    },
  );

  app.post(
    '/alarms/:id/accept',
    told(nurses, Plain, {
      summary: 'I go',
      description:
        'Quiets every handheld for 60, 120 or 300 s (high, medium, low). Still present then and not acknowledged: it ' +
        'rings again and moves on.',
    }),
    async (request) => {
      const person = personOf(request);
      const { version } = request.body;
      return act(person, request.params.id, 'accept', ({ id }) => alarms.accept(id, person, version));
    },
  );

  app.post(
    '/alarms/:id/reject',
    told(nurses, Reject, { summary: 'I cannot go: it moves on at once when all have rejected' }),
    async (request) => {
      const person = personOf(request);
      const { version, reason } = request.body;
      return act(person, request.params.id, 'reject', ({ id }) => alarms.reject(id, person, version, reason));
    },
  );

  app.post(
    '/alarms/:id/pause',
    told(nurses, Pause, {
      summary: 'Pause the sound (2 minutes at most) or the whole signal (10 minutes at most, with a reason)',
      description:
        'Sound: the assigned or the charge nurse. Signal: the assigned nurse, never for latching classes.',
    }),
    async (request) => {
      const person = personOf(request);
      const { what, forS, version, reason } = request.body;
      const forMs = forS === undefined ? undefined : forS * 1_000;
      if (what === 'audio') {
        if (forS !== undefined && forS > longestAudioPauseS)
          throw new Refusal('refused', [{ path: 'body/forS', cause: `at most ${longestAudioPauseS} s` }]);
        return act(person, request.params.id, 'pauseAudio', ({ id }) =>
          alarms.pauseAudio(id, person, { version, reason, forMs }),
        );
      }
      if (reason === undefined)
        throw new Refusal('refused', [{ path: 'body/reason', cause: 'a reason is needed' }]);
      return act(person, request.params.id, 'pauseAlarm', ({ id }) =>
        alarms.pauseAlarm(id, person, { version, reason, forMs }),
      );
    },
  );

  app.post(
    '/alarms/:id/off',
    told(clinical, Off, {
      summary:
        'Switch the sound or the whole signal off without an end: charge nurse or physician, with a reason',
      description: 'Shown as a banner, with reminders; never for latching classes.',
    }),
    async (request) => {
      const person = personOf(request);
      return act(person, request.params.id, 'switchOff', ({ id }) =>
        alarms.switchOff(id, person, request.body),
      );
    },
  );

  app.post(
    '/alarms/:id/resume',
    told(clinical, Plain, { summary: 'End an acknowledgement, a pause or an off at once' }),
    async (request) => {
      const person = personOf(request);
      const { version } = request.body;
      return act(person, request.params.id, 'resume', ({ id }) => alarms.resume(id, person, version));
    },
  );

  app.post(
    '/alarms/:id/clear',
    told(nurses, Plain, { summary: 'Clear a latched signal whose condition is gone' }),
    async (request) => {
      const person = personOf(request);
      const { version } = request.body;
      return act(person, request.params.id, 'clear', ({ id }) => alarms.clear(id, person, version));
    },
  );

  app.post(
    '/alarms/:id/redirect',
    told(nurses, record({ to: OpaqueId }), {
      summary: 'Pass an alarm to somebody by hand',
      description: 'Only to a handheld that can ring now; that person’s patience begins.',
    }),
    async (request) => {
      const person = personOf(request);
      return act(person, request.params.id, 'redirect', ({ id }) =>
        deliveries.redirect(person, id, request.body.to),
      );
    },
  );

  app.get(
    '/alarms/:id/deliveries',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary:
          'The way of an alarm with its times: sample, judged, and sent, received, shown for each recipient',
        params: AlarmId,
        response: { 200: AlarmWayShape },
      },
    },
    async (request) => {
      const person = personOf(request);
      const way = await deliveries.way(request.params.id);
      if (!way || (way.ward !== undefined && !sees(person, way.ward)))
        throw new Fault('API_NOT_FOUND', { what: 'alarm' });
      return way;
    },
  );

  app.post(
    '/alarms/:id/end-measurement',
    told(nurses, Reason, {
      summary: 'Say that the measurement behind an alarm ended',
      description: 'For a limit alarm whose source is lost, or a device on a bed that has no patient.',
    }),
    async (request) => {
      const person = personOf(request);
      return act(person, request.params.id, 'endMeasurement', ({ id }) =>
        alarms.endMeasurement(id, person, request.body.reason),
      );
    },
  );

  app.post(
    '/alarms/test',
    {
      config: { roles: [...nurses, 'biomed'] },
      schema: {
        tags,
        summary: 'Ring a named handheld for a named bed, marked TEST, half an hour at most',
        description:
          'It is passed on to nobody. Acknowledging quiets it; `DELETE /alarms/test/{bed}` ends it.',
        body: record({
          bed: IdSchema,
          shift: OpaqueId,
          priority: PriorityShape,
          minutes: Type.Integer({ minimum: 1, maximum: 30 }),
        }),
        response: { 201: record({ alarm: Type.String() }) },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      inSight(person, census.bed(request.body.bed), 'bed');
      const outcome = deliveries.test.begin(person, request.body);
      if (refusedTests.has(outcome)) return settle(outcome, 'shift');
      void reply.code(201);
      return { alarm: outcome };
    },
  );

  app.delete(
    '/alarms/test/:bed',
    {
      config: { roles: [...nurses, 'biomed'] },
      schema: {
        tags,
        summary: 'End the test mode of a bed',
        params: record({ bed: IdSchema }),
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      inSight(person, census.bed(request.params.bed), 'bed');
      if (deliveries.test.end(person, request.params.bed) === 'absent')
        throw new Fault('API_NOT_FOUND', { what: 'test' });
      return reply.code(204).send(null);
    },
  );
};

const refusedTests: ReadonlySet<string> = new Set(['absent', 'ended', 'too-long', 'already-testing']);

/** An alarm without a ward is the house's own (disk, host, clock) and holds nothing of a patient. */
export const mayHear = (person: Person, alarm: Alarm): boolean =>
  alarm.ward === undefined || sees(person, alarm.ward);

const byUrgency = (alarm: Alarm): string =>
  `${{ high: 0, medium: 1, low: 2 }[alarm.priority]} ${String(Math.floor(alarm.raisedAtMs)).padStart(16, '0')} ${alarm.id}`;
