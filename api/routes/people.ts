import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { IdSchema, type WardId } from '../../model/ids.ts';
import { longestCoverMinutes } from '../../model/people.ts';
import type { Person } from '../../model/person.ts';
import { clinical, hasRole, inSight, nurses, personOf, sees, watching } from '../auth.ts';
import { Fault } from '../../model/fault.ts';
import { pageBy } from '../page.ts';
import { settle } from '../problems.ts';
import type { Services } from '../services.ts';
import {
  AssignmentShape,
  ChainShape,
  ChainWishShape,
  CoverShape,
  HandheldCheckShape,
  ScreenStatusShape,
  ShiftShape,
} from '../shapes/people.ts';
import { NameShape, RoleShape } from '../shapes/person.ts';
import { OpaqueId, PageQuery, pageOf, record, text } from '../shapes/shape.ts';

const RowId = record({ id: OpaqueId });
const WardParam = record({ ward: IdSchema });
const listQuery = { ward: Type.Optional(IdSchema), open: Type.Optional(Type.Boolean()), ...PageQuery };
const tags = ['people'];

/** Shifts, beds in somebody's care, cover, chains, and whose handheld can ring (CLINICAL 7 and 8). */
export const peopleRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { people, census, identity, deliveries } = services;
  const { shifts, assignments, covers, chains } = people;

  const ofWards = (person: Person, wards: readonly WardId[]): boolean =>
    wards.some((ward) => sees(person, ward));

  app.get(
    '/colleagues',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'Nurses, charge nurses and physicians of your wards, and whether their shift is open',
        querystring: record({ ward: Type.Optional(IdSchema), ...PageQuery }),
        response: {
          200: pageOf(
            record({
              id: Type.String(),
              name: NameShape,
              roles: Type.Array(RoleShape),
              onShift: Type.Boolean(),
            }),
          ),
        },
      },
    },
    async (request) => {
      const by = personOf(request);
      const { ward, ...page } = request.query;
      const found = identity
        .people()
        .filter((one) => hasRole(one, ...clinical))
        .filter((one) => (ward === undefined ? shares(by, one) : sees(one, ward) && sees(by, ward)))
        .map(({ id, name, roles }) => ({ id, name, roles, onShift: shifts.openOf(id) !== undefined }));
      return pageBy(found, page, (one) => one.id);
    },
  );

  app.get(
    '/shifts',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary: 'Shifts of your wards: who is on with which handheld',
        querystring: record(listQuery),
        response: { 200: pageOf(ShiftShape) },
      },
    },
    async (request) => {
      const { ward, open, ...page } = request.query;
      const by = personOf(request);
      const found = shifts.list({ ward, open }).filter((shift) => ofWards(by, shift.wards));
      return pageBy(found, page, (shift) => shift.id);
    },
  );

  app.post(
    '/shifts',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'Begin a shift on a handheld',
        description:
          'The handheld tells with it whether it can ring. It then names the shift on its stream (`{handheld: {shift}}`) ' +
          'and gets its alarms there. A person has one open shift at most, and so has a handheld.',
        body: record({
          handheld: text(64),
          wards: Type.Optional(Type.Array(IdSchema, { minItems: 1, maxItems: 50 })),
          check: Type.Optional(HandheldCheckShape),
        }),
        response: { 201: ShiftShape },
      },
    },
    async (request, reply) => {
      const by = personOf(request);
      const own = by.wards === 'all' ? census.wards().map((ward) => ward.id) : by.wards;
      const wards = request.body.wards ?? own;
      if (!wards.every((ward) => sees(by, ward) && census.wards().some((one) => one.id === ward)))
        throw new Fault('API_NOT_FOUND', { what: 'ward' });
      const { handheld, check } = request.body;
      const shift = settle(shifts.begin(by, { handheld, wards, check }));
      void reply.code(201);
      return shift;
    },
  );

  app.post(
    '/shifts/:id/end',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'End a shift: your own, or as charge nurse another one of the ward',
        description:
          'Refused with `beds-held` while you have beds nobody else has: hand them over first. `keepBeds` ends it all ' +
          'the same; the beds stay yours and their alarms go to the next level at once.',
        params: RowId,
        body: record({ keepBeds: Type.Optional(Type.Boolean()) }),
        response: { 200: ShiftShape },
      },
    },
    async (request) => {
      const by = personOf(request);
      const shift = shifts.shift(request.params.id);
      if (!shift || !ofWards(by, shift.wards)) throw new Fault('API_NOT_FOUND', { what: 'shift' });
      if (shift.person !== by.id && !hasRole(by, 'charge-nurse')) return settle('not-yours');
      const held = assignments.bedsOf(shift.person);
      if (shift.endedAtMs === undefined && held.length > 0 && request.body.keepBeds !== true)
        return settle('beds-held');
      return settle(shifts.end(by, shift.id), 'shift');
    },
  );

  app.get(
    '/handhelds',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary: 'Which handhelds and boards of your wards can ring now, and why not',
        querystring: record({ ward: Type.Optional(IdSchema), ...PageQuery }),
        response: { 200: pageOf(ScreenStatusShape) },
      },
    },
    async (request) => {
      const { ward, ...page } = request.query;
      const by = personOf(request);
      const found = deliveries
        .status(ward)
        .filter((one) => one.wards === 'all' || ofWards(by, one.wards) || by.wards === 'all');
      return pageBy(found, page, (one) => one.id);
    },
  );

  app.get(
    '/assignments',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary: 'Who has which bed',
        querystring: record({ bed: Type.Optional(IdSchema), ...listQuery }),
        response: { 200: pageOf(AssignmentShape) },
      },
    },
    async (request) => {
      const { ward, bed, open, ...page } = request.query;
      const by = personOf(request);
      const found = assignments.list({ ward, bed, open }).filter((one) => sees(by, one.ward));
      return pageBy(found, page, (one) => one.id);
    },
  );

  app.post(
    '/assignments',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Take a bed',
        description:
          'From now on you and whoever had it both hear its alarms, until one of you ends the overlap; `relieve` ends it at ' +
          'once. No clock ends an assignment.',
        body: record({ bed: IdSchema, relieve: Type.Optional(Type.Boolean()) }),
        response: { 201: AssignmentShape },
      },
    },
    async (request, reply) => {
      const by = personOf(request);
      const bed = inSight(by, census.bed(request.body.bed), 'bed');
      const taken = assignments.take(by, bed, { relieve: request.body.relieve });
      void reply.code(201);
      return taken;
    },
  );

  app.post(
    '/assignments/:id/end',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'End an overlap: leave a bed that somebody else has taken',
        params: RowId,
        body: record({}),
        response: { 200: AssignmentShape },
      },
    },
    async (request) => {
      const by = personOf(request);
      const one = inSight(by, assignments.assignment(request.params.id), 'assignment');
      const involved =
        hasRole(by, 'charge-nurse') ||
        assignments.list({ bed: one.bed, open: true }).some((other) => other.person === by.id);
      if (!involved) return settle('not-yours');
      return settle(assignments.end(by, one.id), 'assignment');
    },
  );

  app.get(
    '/cover',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary: 'Who covers whose beds',
        querystring: record(listQuery),
        response: { 200: pageOf(CoverShape) },
      },
    },
    async (request) => {
      const { ward, open, ...page } = request.query;
      const by = personOf(request);
      const found = covers.list({ ward, open }).filter((cover) => sees(by, cover.ward));
      return pageBy(found, page, (cover) => cover.id);
    },
  );

  app.post(
    '/cover',
    {
      config: { roles: nurses },
      schema: {
        tags,
        summary: 'Ask a colleague to cover your beds, an hour at most',
        description: 'It counts when that person has accepted; your alarms ring there until then.',
        body: record({
          ward: IdSchema,
          to: OpaqueId,
          minutes: Type.Integer({ minimum: 1, maximum: longestCoverMinutes }),
        }),
        response: { 201: CoverShape },
      },
    },
    async (request, reply) => {
      const by = personOf(request);
      const { ward, to } = request.body;
      const colleague = identity.people().find((one) => one.id === to);
      if (!sees(by, ward) || !colleague || !sees(colleague, ward) || !hasRole(colleague, ...nurses))
        throw new Fault('API_NOT_FOUND', { what: 'colleague' });
      const cover = settle(covers.ask(by, request.body));
      void reply.code(201);
      return cover;
    },
  );

  for (const what of ['accept', 'end'] as const) {
    app.post(
      `/cover/:id/${what}`,
      {
        config: { roles: nurses },
        schema: {
          tags,
          summary: what === 'accept' ? 'Accept: from now on you hear their alarms' : 'End a cover, or say no',
          params: RowId,
          body: record({}),
          response: { 200: CoverShape },
        },
      },
      async (request) => {
        const by = personOf(request);
        const cover = inSight(by, covers.cover(request.params.id), 'cover');
        return settle(covers[what](by, cover.id), 'cover');
      },
    );
  }

  app.get(
    '/chains/:ward',
    {
      config: { roles: watching },
      schema: {
        tags,
        summary: 'To whom a ward’s alarms are passed, and how patient each level is',
        params: WardParam,
        response: { 200: ChainShape },
      },
    },
    async (request) => {
      inWard(personOf(request), request.params.ward);
      return chains.of(request.params.ward);
    },
  );

  app.put(
    '/chains/:ward',
    {
      config: { roles: ['charge-nurse'] },
      schema: {
        tags,
        summary: 'Set a ward’s chain: up to five levels of people, roles, a board or an outlet',
        description:
          'After the last level the whole ward and the boards ring and the chain starts again. Quiet hours soften low and ' +
          'medium, never high.',
        params: WardParam,
        body: ChainWishShape,
        response: { 200: ChainShape },
      },
    },
    async (request) => {
      const by = personOf(request);
      inWard(by, request.params.ward);
      const known = (id: string): boolean =>
        identity.people().some((one) => one.id === id && sees(one, request.params.ward));
      return settle(await chains.set(by, request.params.ward, request.body, known));
    },
  );

  const inWard = (person: Person, ward: WardId): void => {
    if (!sees(person, ward) || !census.wards().some((one) => one.id === ward))
      throw new Fault('API_NOT_FOUND', { what: 'ward' });
  };
};

const shares = (a: Person, b: Person): boolean =>
  a.wards === 'all' || b.wards === 'all' || a.wards.some((ward) => sees(b, ward));
