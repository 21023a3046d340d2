import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import Type, { type Static } from 'typebox';
import { chartedFor } from '../../model/charted.ts';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import { metricsLike, metricsNamed } from '../../model/metric-names.ts';
import { clinical, inSight, personOf, sees } from '../auth.ts';
import { figureLines, formatOf, streamOf, typeOf } from '../export.ts';
import { instantOf, instantPattern } from '../instant.ts';
import { settle } from '../problems.ts';
import type { FigureQuery, ObservationQuery, ObservationRow, Services } from '../services.ts';
import { FigureShape, LatestValueShape, ObservationRowShape } from '../shapes/observation.ts';
import { OpaqueId, PageQuery, record, words } from '../shapes/shape.ts';
import { patientInSight } from './patients.ts';

const Instant = Type.String({ pattern: instantPattern, description: 'RFC 3339 with zone, or ms since 1970' });
const MetricName = Type.String({ pattern: '^[A-Za-z0-9_,./-]{1,512}$' });
const length = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,9}(ms|s|m|h|d)?$', description }));
const aggregates = ['min', 'mean', 'median', 'max', 'last', 'count'] as const;

const Whose = {
  patient: Type.Optional(OpaqueId),
  encounter: Type.Optional(OpaqueId),
  bed: Type.Optional(IdSchema),
  device: Type.Optional(IdSchema),
};
const Asked = record({
  ...Whose,
  metric: Type.Optional(
    Type.Union([MetricName, Type.Array(MetricName, { maxItems: 100 })], {
      description:
        'Reference ids, labels (HR) or quantities (heart-rate), repeated or with commas; all metrics if absent.',
    }),
  ),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  source: Type.Optional(
    words(
      ['preferred', 'all'] as const,
      'One source of each quantity, or all; a device’s own query gives all.',
    ),
  ),
  every: length('60s, 5m, 1h …; ms without a unit. Steps are aligned to multiples of it in UTC.'),
  aggregate: Type.Optional(words(aggregates)),
  around: length('Each full step stands for the values within this of it; at most half of every.'),
  gaps: Type.Optional(Type.Boolean({ description: 'Steps without a figure too, each with the reason.' })),
  ...PageQuery,
});
const Rows = Type.Unsafe<{ items: readonly ObservationRow[]; next?: string; demo: boolean }>(
  record({
    items: Type.Array(ObservationRowShape),
    next: Type.Optional(Type.String()),
    demo: Type.Boolean(),
  }),
);
const Intervals = record({
  items: Type.Array(FigureShape),
  everyMs: Type.Number(),
  aggregate: words(aggregates),
  aroundMs: Type.Optional(Type.Number()),
  /** What counts, in words. */
  rule: Type.String(),
  demo: Type.Boolean(),
});

const reading = [...clinical, 'platform'] as const;
const mostIntervals = 100_000;
const mostInstants = 1_000;

const description = `Exactly one of patient, encounter, bed and device. Oldest first; the last hour if from and to are
absent (from inclusive, to exclusive). Values follow the associations as they are known now, corrections and merges
included. Where several sources give one quantity, the preferred one is given, and another (substitute) while it is
invalid or silent for 10 s, until it has been valid for 10 s again; single measurements and what was charted by hand
stand beside (source=all gives everything). A missing value is null with its reason. With every and aggregate: figures
per step over valid numbers; with around: one value for each full step, the median of the valid numbers within that of
it, of single measurements the nearest one. \`Accept: application/x-ndjson\` or \`text/csv\` streams the whole span.`;

/** Vital-sign series by person, place or device. */
export const observationRoutes: FastifyPluginAsyncTypebox<{ services: Services; clock: Clock }> = async (
  app,
  { services, clock },
) => {
  const { observations, demo } = services;
  const tags = ['platform'];

  app.get(
    '/observations',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'Observations of a patient, stay, bed or device in a span',
        description: description.replaceAll('\n', ' '),
        querystring: Asked,
        response: { 200: Type.Union([Rows, Intervals]) },
      },
    },
    async (request, reply) => {
      const { every, aggregate, around, cursor, limit = 200 } = request.query;
      const query = await queryOf(services, personOf(request), request.query, clock.nowMs());
      const format = formatOf(request.headers.accept);
      const stream = async (pieces: AsyncGenerator<Uint8Array | string>): Promise<never> => {
        void reply.type(typeOf(format === 'csv' ? 'csv' : 'ndjson'));
        return (reply as FastifyReply).send(await streamOf(pieces, clock)) as never;
      };
      if (every !== undefined || aggregate !== undefined || around !== undefined) {
        const asked = figuresOf(query, request.query);
        const items = settle(await observations.aggregate(asked));
        if (format !== 'json') return stream(figureLines(items, { format, demo }));
        const { everyMs, aroundMs } = asked;
        const reach = aroundMs === undefined ? {} : { aroundMs };
        return {
          items: [...items],
          everyMs,
          aggregate: asked.aggregate,
          ...reach,
          rule: ruleOf(asked),
          demo,
        };
      }
      if (format !== 'json') return stream(settle(await observations.lines(query, { format, demo })));
      const page = settle(await observations.range(query, { limit, ...(cursor ? { after: cursor } : {}) }));
      return { items: page.rows, ...(page.next === undefined ? {} : { next: page.next }), demo };
    },
  );

  app.get(
    '/observations/latest',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'The newest observation of each series',
        querystring: record(Whose),
        response: { 200: record({ items: Type.Array(LatestValueShape), demo: Type.Boolean() }) },
      },
    },
    async (request) => {
      const whose = whoseOf(services, personOf(request), request.query);
      return { items: [...settle(await observations.latest(whose))], demo };
    },
  );
};

type Whose = Pick<ObservationQuery, 'patient' | 'encounter' | 'bed' | 'device'>;

/** Exactly one of the four, and one this person may see; a patient only if every stay of theirs is in sight. */
export function whoseOf(services: Services, person: Person, asked: Whose): Whose {
  const { census, devices } = services;
  const { patient, encounter, bed, device } = asked;
  const named = [patient, encounter, bed, device].filter((one) => one !== undefined);
  if (named.length !== 1)
    throw new Fault('API_REQUEST_INVALID', { cause: 'name exactly one of patient, encounter, bed, device' });
  if (bed !== undefined) inSight(person, census.bed(bed), 'bed');
  const stay = device === undefined ? undefined : chartedFor(device);
  if (stay !== undefined) inSight(person, census.encounter(stay), 'device');
  else if (device !== undefined) inSight(person, devices.device(device), 'device');
  if (encounter !== undefined) inSight(person, census.encounter(encounter), 'stay');
  if (patient !== undefined) patientInSight(services, person, patient);
  return { patient, encounter, bed, device };
}

async function queryOf(
  services: Services,
  person: Person,
  asked: Static<typeof Asked>,
  nowMs: number,
): Promise<ObservationQuery> {
  const toMs = asked.to === undefined ? nowMs + 1 : instantOf(asked.to, 'to');
  const fromMs = asked.from === undefined ? toMs - 3_600_000 : instantOf(asked.from, 'from');
  if (fromMs >= toMs) throw new Fault('API_REQUEST_INVALID', { cause: 'from must be before to' });
  const { source } = asked;
  const query: ObservationQuery = {
    ...whoseOf(services, person, asked),
    fromMs,
    toMs,
    ...(source === undefined ? {} : { source }),
    ...(person.wards === 'all' ? {} : { maySee: seeing(services, person) }),
  };
  const named = asked.metric === undefined ? [] : [asked.metric].flat().flatMap((one) => one.split(','));
  const wanted = named.filter((one) => one !== '');
  return wanted.length === 0 ? query : { ...query, metrics: await metricsOf(services, query, wanted) };
}

/** A device or bed that moved: what it sent for a stay in a ward out of sight is left out. */
const seeing =
  ({ census }: Services, person: Person) =>
  (id: string): boolean => {
    const encounter = census.encounter(id);
    return encounter !== undefined && sees(person, encounter.ward);
  };

/** A name nobody knows is refused, with those that may have been meant: an empty answer would look like no values. */
async function metricsOf(
  { observations }: Services,
  query: ObservationQuery,
  names: readonly string[],
): Promise<readonly string[]> {
  const known = names.map((name) => ({ name, ids: metricsNamed(name) }));
  const said = known.some(({ ids }) => !ids) ? await observations.metricsSaid(query) : new Set<string>();
  const ids = known.flatMap(({ name, ids: found }) => {
    if (found) return found;
    if (said.has(name)) return [name];
    const like = metricsLike(name);
    const meant =
      like.length > 0 ? `; did you mean ${like.join(', ')}?` : '; GET /api/v1/metrics lists them all';
    throw new Fault('API_REQUEST_INVALID', { cause: `there is no metric ${name}${meant}` });
  });
  return [...new Set(ids)];
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function lengthOf(text: string): number {
  const [, count, unit] = /^([0-9]+)([a-z]*)$/.exec(text) ?? [];
  return Number(count) * (unitMs[unit || 'ms'] ?? 1);
}

function figuresOf(query: ObservationQuery, asked: Static<typeof Asked>): FigureQuery {
  const { every, aggregate, around, gaps = false } = asked;
  const everyMs = lengthOf(every ?? (around === undefined ? '60s' : '1h'));
  const most = around === undefined ? mostIntervals : mostInstants;
  if ((query.toMs - query.fromMs) / everyMs > most)
    throw new Fault('API_REQUEST_INVALID', { cause: `more than ${most} intervals` });
  const how = aggregate ?? (around === undefined ? 'mean' : 'median');
  if (around === undefined) return { ...query, everyMs, aggregate: how, gaps };
  const aroundMs = lengthOf(around);
  if (aroundMs > everyMs / 2)
    throw new Fault('API_REQUEST_INVALID', { cause: 'around is more than half of every' });
  return { ...query, everyMs, aggregate: how, aroundMs, gaps };
}

const counted =
  'valid numbers only: questionable, invalid, missing, demo and test values are left out as artefacts';

const ruleOf = ({ aggregate, aroundMs }: FigureQuery): string =>
  aroundMs === undefined
    ? `${aggregate} per step; ${counted}`
    : `${aggregate} within ${aroundMs / 1_000} s before and after each full step; ${counted}; of single ` +
      'measurements the one nearest to the step, with its own time';
