import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import Type from 'typebox';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import { clinical, inSight, personOf, sees } from '../auth.ts';
import { instantOf, instantPattern } from '../instant.ts';
import { settle } from '../problems.ts';
import type { Services, WaveAnswer } from '../services.ts';
import { OpaqueId, record, words } from '../shapes/shape.ts';
import { StripsShape, WaveformsShape, writings } from '../shapes/waveform.ts';
import { whoseOf } from './observations.ts';

const Instant = Type.String({ pattern: instantPattern, description: 'RFC 3339 with zone, or ms since 1970' });
const MetricName = Type.String({ pattern: '^[A-Za-z0-9_,.-]{1,512}$' });
const Form = Type.Optional(words(writings));
const Asked = record({
  patient: Type.Optional(OpaqueId),
  encounter: Type.Optional(OpaqueId),
  bed: Type.Optional(IdSchema),
  device: Type.Optional(IdSchema),
  metric: Type.Optional(
    Type.Union([MetricName, Type.Array(MetricName, { maxItems: 100 })], {
      description: 'REFIDs, repeated or with commas; all waves if absent.',
    }),
  ),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  width: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 2_000, description: 'Columns at most; every sample if absent.' }),
  ),
  form: Form,
});

const reading = [...clinical, 'platform'] as const;
const usualMs = 10_000;
const longestMs = 40 * 86_400_000;

export interface WaveformOptions {
  readonly services: Services;
  readonly clock: Clock;
}

/** Waveforms by range, whole or reduced, and the strips of alarms. */
export const waveformRoutes: FastifyPluginAsyncTypebox<WaveformOptions> = async (
  app,
  { services, clock },
) => {
  const { waveforms, census } = services;
  const tags = ['platform'];

  app.get(
    '/waveforms',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'Waveforms of a patient, stay, bed or device in a span',
        description:
          'Exactly one of patient, encounter, bed and device; the last 10 s if from and to are absent (from inclusive, to ' +
          'exclusive). Without width every sample, in runs at a fixed period: at most 600,000 in one answer. With width ' +
          'the lowest and highest of each column, min and max: columns of 4 s and more stand on whole seconds, so fromMs ' +
          'and columnMs of the answer count. `form=values` gives physical values with null for none, `form=base64` the ' +
          'samples as int16 little-endian with gain and offset beside them. Series are in the order of device, metric, ' +
          'channel; a wave whose gain or offset changed within a reduced span has an item for each.',
        querystring: Asked,
        response: { 200: WaveformsShape },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      const { query } = request;
      const toMs = query.to === undefined ? clock.nowMs() + 1 : instantOf(query.to, 'to');
      const fromMs = query.from === undefined ? toMs - usualMs : instantOf(query.from, 'from');
      if (fromMs >= toMs) throw new Fault('API_REQUEST_INVALID', { cause: 'from must be before to' });
      if (toMs - fromMs > longestMs) throw new Fault('API_REQUEST_INVALID', { cause: 'more than 40 days' });
      const named = [query.metric ?? []].flat().flatMap((one) => one.split(','));
      const metrics = named.filter((one) => one !== '');
      const answer = await waveforms.range({
        ...whoseOf(services, person, query),
        fromMs,
        toMs,
        width: query.width,
        writing: query.form ?? 'values',
        ...(metrics.length > 0 ? { metrics } : {}),
        // A device or bed that moved: what it sent for a stay in a ward out of sight is left out.
        visible: ({ encounter }) => {
          if (person.wards === 'all' || encounter === undefined) return true;
          const stay = census.encounter(encounter);
          return stay !== undefined && sees(person, stay.ward);
        },
      });
      return handOn(reply, settle(answer));
    },
  );

  app.get(
    '/alarms/:id/strips',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'The waves of the bed around the raising of an alarm',
        description:
          'Kept with the alarm, beyond the time of other waveforms. An alarm of a bed without waves has no items.',
        params: record({ id: OpaqueId }),
        querystring: record({ form: Form }),
        response: { 200: StripsShape },
      },
    },
    async (request, reply) => {
      const found = settle(await waveforms.strip(request.params.id, request.query.form ?? 'values'));
      inSight(personOf(request), found.strip);
      return handOn(reply, found.answer);
    },
  );
};

/** The document was made in the store's thread; here it is only passed on, as fast as it is read. */
function handOn(reply: unknown, { pieces }: WaveAnswer): never {
  const to = reply as FastifyReply;
  void to.type('application/json; charset=utf-8');
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  void to.header('content-length', bytes);
  return to.send(Readable.from(pieces, { objectMode: false })) as never;
}
