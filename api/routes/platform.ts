import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import Type, { type Static } from 'typebox';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import { metrics } from '../../model/metric-table.ts';
import type { Person } from '../../model/person.ts';
import { clinical, inSight, personOf, sees } from '../auth.ts';
import { csvLines, formatOf, ndjsonLines, type Format } from '../export.ts';
import { instantOf, instantPattern } from '../instant.ts';
import { pageBy } from '../page.ts';
import { settle } from '../problems.ts';
import type { ObservationQuery, ObservationRow, Services } from '../services.ts';
import { MetricShape } from '../shapes/metric.ts';
import { AggregateRowShape, LatestValueShape, ObservationRowShape } from '../shapes/observation.ts';
import { OpaqueId, PageQuery, pageOf, record, words } from '../shapes/shape.ts';

const Instant = Type.String({ pattern: instantPattern, description: 'RFC 3339 with zone, or ms since 1970' });
const MetricName = Type.String({ pattern: '^[A-Za-z0-9_,./-]{1,512}$' });
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
      description: 'REFIDs, repeated or with commas; all metrics if absent.',
    }),
  ),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  every: Type.Optional(
    Type.String({
      pattern: '^[1-9][0-9]{0,9}(ms|s|m|h|d)?$',
      description: '60s, 5m, 1h …; ms without a unit',
    }),
  ),
  aggregate: Type.Optional(words(aggregates)),
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
  items: Type.Array(AggregateRowShape),
  everyMs: Type.Number(),
  aggregate: words(aggregates),
  demo: Type.Boolean(),
});

const reading = [...clinical, 'platform'] as const;
const exportPage = 200;
const mostIntervals = 100_000;

export interface PlatformOptions {
  readonly services: Services;
  readonly clock: Clock;
}

/** Vital-sign series for the hospital platform, and the table of what can be measured. */
export const platformRoutes: FastifyPluginAsyncTypebox<PlatformOptions> = async (
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
        description:
          'Exactly one of patient, encounter, bed and device. Oldest first; the last hour if from and to are absent (from ' +
          'inclusive, to exclusive). With every and aggregate: figures per interval over valid numbers. `Accept: ' +
          'application/x-ndjson` or `text/csv` gives the whole span at once.',
        querystring: Asked,
        response: { 200: Type.Union([Rows, Intervals]) },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      const query = queryOf(services, person, request.query, clock.nowMs());
      const { every, aggregate } = request.query;
      if (every !== undefined || aggregate !== undefined) {
        const everyMs = intervalOf(every, query);
        const how = aggregate ?? 'mean';
        const items = settle(await observations.aggregate(query, everyMs, how));
        return { items: [...items], everyMs, aggregate: how, demo };
      }
      const mine = rowFilter(services, person);
      const format = formatOf(request.headers.accept);
      if (format !== 'json') {
        const pages = pagesOf(services, query, mine);
        void reply.type(
          format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson',
        );
        return (reply as FastifyReply).send(Readable.from(linesOf(format, pages, demo))) as never;
      }
      const { cursor, limit = 200 } = request.query;
      const page = settle(await observations.range(query, { limit, ...(cursor ? { after: cursor } : {}) }));
      return { items: page.rows.filter(mine), ...(page.next === undefined ? {} : { next: page.next }), demo };
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

  app.get(
    '/metrics',
    {
      config: { roles: 'signed-in' },
      schema: {
        tags,
        summary: 'The metric table: codes, units, names and spans',
        querystring: record(PageQuery),
        response: { 200: pageOf(MetricShape) },
      },
    },
    async (request) => pageBy([...metrics.values()], request.query, (metric) => metric.refId),
  );
};

const linesOf = (
  format: Exclude<Format, 'json'>,
  pages: AsyncIterable<readonly ObservationRow[]>,
  demo: boolean,
) => (format === 'csv' ? csvLines(pages, demo) : ndjsonLines(pages, demo));

type Whose = Pick<ObservationQuery, 'patient' | 'encounter' | 'bed' | 'device'>;

/** Exactly one of the four, and one this person may see; a patient only if every stay of theirs is in sight. */
export function whoseOf({ census, devices }: Services, person: Person, asked: Whose): Whose {
  const { patient, encounter, bed, device } = asked;
  const named = [patient, encounter, bed, device].filter((one) => one !== undefined);
  if (named.length !== 1)
    throw new Fault('API_REQUEST_INVALID', { cause: 'name exactly one of patient, encounter, bed, device' });
  if (bed !== undefined) inSight(person, census.bed(bed));
  if (device !== undefined) inSight(person, devices.device(device));
  if (encounter !== undefined) inSight(person, census.encounter(encounter));
  if (patient !== undefined) {
    const stays = census.encounters({ patient });
    if (stays.length === 0 || !stays.every((stay) => sees(person, stay.ward)))
      throw new Fault('API_NOT_FOUND');
  }
  return { patient, encounter, bed, device };
}

function queryOf(
  services: Services,
  person: Person,
  asked: Static<typeof Asked>,
  nowMs: number,
): ObservationQuery {
  const toMs = asked.to === undefined ? nowMs + 1 : instantOf(asked.to, 'to');
  const fromMs = asked.from === undefined ? toMs - 3_600_000 : instantOf(asked.from, 'from');
  if (fromMs >= toMs) throw new Fault('API_REQUEST_INVALID', { cause: 'from must be before to' });
  const named = asked.metric === undefined ? [] : [asked.metric].flat().flatMap((one) => one.split(','));
  const wanted = named.filter((one) => one !== '');
  return {
    ...whoseOf(services, person, asked),
    fromMs,
    toMs,
    ...(wanted.length > 0 ? { metrics: wanted } : {}),
  };
}

/** A device or bed that moved: what it sent for a stay in a ward out of sight is left out. */
const rowFilter =
  ({ census }: Services, person: Person) =>
  (row: ObservationRow): boolean => {
    if (person.wards === 'all' || row.encounter === undefined) return true;
    const encounter = census.encounter(row.encounter);
    return encounter !== undefined && sees(person, encounter.ward);
  };

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function intervalOf(every: string | undefined, { fromMs, toMs }: ObservationQuery): number {
  const [, count, unit] = /^([0-9]+)([a-z]*)$/.exec(every ?? '60s') ?? [];
  const everyMs = Number(count) * (unitMs[unit || 'ms'] ?? 1);
  if ((toMs - fromMs) / everyMs > mostIntervals)
    throw new Fault('API_REQUEST_INVALID', { cause: `more than ${mostIntervals} intervals` });
  return everyMs;
}

async function* pagesOf(
  { observations }: Services,
  query: ObservationQuery,
  mine: (row: ObservationRow) => boolean,
): AsyncGenerator<readonly ObservationRow[]> {
  let after: string | undefined;
  do {
    const page = settle(await observations.range(query, { limit: exportPage, ...(after ? { after } : {}) }));
    yield page.rows.filter(mine);
    after = page.next;
  } while (after !== undefined);
}
