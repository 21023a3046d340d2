import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { AlarmRuleSchema, type AlarmRule } from '../../model/alarm-rule.ts';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import { clinical, personOf, sees } from '../auth.ts';
import { settle } from '../problems.ts';
import type { Services, WardSettings } from '../services.ts';
import { AlarmLimitShape, LimitRequestShape } from '../shapes/alarm.ts';
import { ProfileShape } from '../shapes/census.ts';
import { record, shape, text } from '../shapes/shape.ts';

const Id = record({ id: IdSchema });
const RuleShape = Type.Unsafe<AlarmRule>(AlarmRuleSchema);
const SettingsShape = shape<WardSettings>()(
  record({
    profile: ProfileShape,
    limits: Type.Array(AlarmLimitShape),
    deviceJudged: Type.Array(Type.String()),
    rules: Type.Array(RuleShape),
  }),
);

/** What a ward sets about its alarms: limits by profile, rules, and what it leaves to the devices. */
export const wardLimitRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (
  app,
  { services },
) => {
  const { census } = services;
  const tags = ['nursing'];
  const wardOf = (person: Person, id: string): string => {
    if (!sees(person, id) || !census.wards().some((ward) => ward.id === id))
      throw new Fault('API_NOT_FOUND', { what: 'ward' });
    return id;
  };

  app.get(
    '/wards/:id/alarm-limits',
    {
      config: { roles: clinical },
      schema: {
        tags,
        summary: 'Limits, rules and device-judged quantities of a ward, by profile',
        params: Id,
        querystring: record({ profile: Type.Optional(ProfileShape) }),
        response: { 200: SettingsShape },
      },
    },
    async (request) => {
      const ward = wardOf(personOf(request), request.params.id);
      const found = census.wardSettings(ward, request.query.profile);
      if (!found) throw new Fault('API_NOT_FOUND', { what: 'ward' });
      return found;
    },
  );

  app.put(
    '/wards/:id/alarm-limits',
    {
      config: { roles: ['charge-nurse'] },
      schema: {
        tags,
        summary: 'Set what a ward’s alarms start from',
        description:
          'Limits are those of one profile (the ward’s own unless named), over the shipped defaults; `rules` and ' +
          '`deviceJudged` are whole lists. All or none: one refused field refuses the whole request (422).',
        params: Id,
        body: record({
          profile: Type.Optional(ProfileShape),
          limits: Type.Optional(Type.Array(LimitRequestShape, { maxItems: 100 })),
          deviceJudged: Type.Optional(Type.Array(text(128), { maxItems: 50 })),
          rules: Type.Optional(Type.Array(RuleShape, { maxItems: 200 })),
          reason: text(256),
        }),
        response: { 200: SettingsShape },
      },
    },
    async (request) => {
      const person = personOf(request);
      const ward = wardOf(person, request.params.id);
      const { reason, ...wish } = request.body;
      return settle(await census.setWardSettings(person, ward, wish, reason));
    },
  );
};
