import { afterAll, expect, test } from 'vitest';
import type { ObservationQuery, ObservationRow } from '../../api/services.ts';
import { openBench } from './fixture.ts';

const asked: ObservationQuery[] = [];
const row = (n: number, change: Partial<ObservationRow> = {}): ObservationRow => ({
  device: 'device-east',
  metric: 'MDC_ECG_HEART_RATE',
  takenAtMs: 1_767_578_400_000 + n,
  receivedAtMs: 1_767_578_400_500,
  value: 70 + n,
  unit: '/min',
  validity: 'valid',
  historical: false,
  unplaced: false,
  boot: 'b1',
  seq: n,
  encounter: 'encounter-east',
  ...change,
});
const kept = [
  row(0),
  row(1, { value: null, reason: 'sensor-off' }),
  row(2, { metric: 'vent-mode', value: null, text: 'SIMV "PS",\nhigh' }),
  row(3, { encounter: 'encounter-west' }),
];
const bench = await openBench({
  observations: {
    range: async (query, { limit, after }) => {
      asked.push(query);
      const from = Number(after ?? 0);
      return {
        rows: kept.slice(from, from + limit),
        ...(from + limit < kept.length ? { next: `${from + limit}` } : {}),
      };
    },
  },
});
const cookie = await bench.signIn(['physician']);
afterAll(() => bench[Symbol.asyncDispose]());
const get = (search: string, accept?: string, as = cookie) =>
  bench.app.inject({
    url: `/api/v1/observations?${search}`,
    headers: { cookie: as, ...(accept ? { accept } : {}) },
  });

test('a span is asked in RFC 3339 with its zone or in ms, and metrics by repeating or by commas', async () => {
  await get('bed=east-1&from=2026-01-05T03:00:00%2B01:00&to=1767578460000&metric=A&metric=B,C');
  expect(asked.at(-1)).toMatchObject({
    bed: 'east-1',
    fromMs: Date.UTC(2026, 0, 5, 2),
    toMs: 1_767_578_460_000,
    metrics: ['A', 'B', 'C'],
  });
  for (const from of ['2026-01-05T03:00:00', '2026-13-05T03:00:00Z', 'yesterday', '05/01/2026'])
    expect([from, (await get(`bed=east-1&from=${from}`)).statusCode]).toEqual([from, 400]);
  expect((await get('bed=east-1&from=2&to=1')).json().title).toContain('from must be before to');
});

test('exactly one of patient, stay, bed and device is named', async () => {
  expect((await get('')).statusCode).toBe(400);
  expect((await get('bed=east-1&device=device-east')).statusCode).toBe(400);
});

test('JSON comes in pages, a missing value as null with its reason', async () => {
  const first = (await get('bed=east-1&limit=3')).json();
  expect(first.items.map((one: ObservationRow) => one.value)).toEqual([70, null, null]);
  expect(first.items[1].reason).toBe('sensor-off');
  const second = (await get(`bed=east-1&limit=3&cursor=${first.next}`)).json();
  expect(second.items.map((one: ObservationRow) => one.seq)).toEqual([3]);
  expect(second).not.toHaveProperty('next');
});

test('NDJSON is one observation a line', async () => {
  const answer = await get('bed=east-1', 'application/x-ndjson');
  expect(answer.headers['content-type']).toBe('application/x-ndjson');
  const lines = answer.body.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as ObservationRow)).toEqual(kept);
});

test('CSV has a header, quotes what needs it, and leaves a missing value empty', async () => {
  const answer = await get('bed=east-1', 'text/csv');
  expect(answer.headers['content-type']).toContain('text/csv');
  const [header, first, second, third] = answer.body.split('\r\n');
  expect(header).toMatch(/^device,metric,channel,takenAt,receivedAt,value,/);
  expect(first).toBe(
    'device-east,MDC_ECG_HEART_RATE,,2026-01-05T02:00:00.000Z,2026-01-05T02:00:00.500Z,70,,,,/min,valid,,false,false,b1,0,,encounter-east,',
  );
  expect(second).toContain('Z,,,,,/min,valid,sensor-off,');
  expect(third).toContain(',"SIMV ""PS"",\nhigh",');
});

test('what a device sent for a stay in another ward is left out', async () => {
  const nurse = await bench.signIn(['nurse'], ['east']);
  expect((await get('device=device-east', undefined, nurse)).json().items).toHaveLength(3);
  expect((await get('device=device-east', 'text/csv', nurse)).body).not.toContain('encounter-west');
});

test('figures per interval say their interval and refuse too many', async () => {
  const figures = (await get('bed=east-1&every=5m&aggregate=median')).json();
  expect(figures).toMatchObject({ everyMs: 300_000, aggregate: 'median', items: [{ value: 71.5 }] });
  expect((await get('bed=east-1&every=300000')).json().everyMs).toBe(300_000);
  expect((await get('bed=east-1&from=0&every=1ms')).json().title).toContain('intervals');
  expect((await get('bed=east-1&every=0s')).statusCode).toBe(400);
});

test('a NaN in an export ends it rather than leave the house', async () => {
  kept.push(row(4, { value: Number.NaN }));
  const answer = await get('bed=east-1', 'application/x-ndjson').catch((error: unknown) => error);
  expect(JSON.stringify(answer)).not.toContain('NaN');
  kept.pop();
});
