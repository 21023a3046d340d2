import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObservationRow } from '../../api/services.ts';
import { openBench } from './fixture.ts';

const bench = await openBench();
const cookie = await bench.signIn(['physician', 'nurse']);
const nurse = await bench.signIn(['nurse'], ['east']);
afterAll(() => bench[Symbol.asyncDispose]());

const get = (search: string, accept?: string, as = cookie) =>
  bench.app.inject({
    url: `/api/v1/observations?${search}`,
    headers: { cookie: as, ...(accept ? { accept } : {}) },
  });
const send = (url: string, payload: object) =>
  bench.app.inject({ method: 'POST', url: `/api/v1${url}`, payload, headers: { cookie } });

/** Three messages for the stay in east, then the device goes to a stay in west and tells one more. */
beforeAll(async () => {
  await bench.sample('east', { MDC_ECG_HEART_RATE: 70 });
  await bench.sample('east', { MDC_ECG_HEART_RATE: { value: null, reason: 'sensor-off' } });
  await bench.sample('east', { 'vent-mode': { text: 'SIMV "PS",\nhigh' } });
  await send(`/associations/${bench.ids.east.association}/end`, {});
  const { encounter } = bench.ids.west;
  const moved = await send('/associations', { device: 'device-east', bed: 'west-3', encounter });
  expect(moved.statusCode).toBe(201);
  await bench.sample('east', { MDC_ECG_HEART_RATE: 90 });
  for (let tries = 0; tries < 100; tries++) {
    if ((await get('device=device-east')).json().items.length === 4) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the historian has not stored them');
});

test('a stay has what its device told while it served it, a missing value as null with its reason', async () => {
  const { items } = (await get(`encounter=${bench.ids.east.encounter}`)).json();
  expect(items).toMatchObject([
    { value: 70, unit: '/min', bed: 'east-1', patient: bench.ids.east.patient },
    { value: null, reason: 'sensor-off' },
    { value: null, text: 'SIMV "PS",\nhigh' },
  ]);
  const west = (await get(`encounter=${bench.ids.west.encounter}&metric=MDC_ECG_HEART_RATE`)).json();
  expect(west.items.map((row: ObservationRow) => row.value)).toEqual([90]);
});

test('pages join without a gap', async () => {
  const first = (await get('device=device-east&limit=3')).json();
  const second = (await get(`device=device-east&limit=3&cursor=${encodeURIComponent(first.next)}`)).json();
  expect([...first.items, ...second.items].map((row: ObservationRow) => row.seq)).toEqual([1, 2, 3, 4]);
  expect(second).not.toHaveProperty('next');
});

test('a span is asked in RFC 3339 with its zone or in ms, and metrics by repeating or by commas', async () => {
  const { takenAtMs } = (await get('device=device-east&limit=1')).json().items[0];
  const count = async (search: string) => (await get(`device=device-east&${search}`)).json().items.length;
  expect(await count(`from=${takenAtMs}&to=${takenAtMs + 1}`)).toBe(1);
  expect(await count(`from=${new Date(takenAtMs).toISOString()}&to=${takenAtMs + 1}`)).toBe(1);
  const zoned = `${new Date(takenAtMs + 3_600_000).toISOString().replace('Z', '')}%2B01:00`;
  expect(await count(`from=${zoned}&to=${takenAtMs + 1}`)).toBe(1);
  expect(await count('metric=vent-mode&metric=MDC_ECG_HEART_RATE')).toBe(4);
  expect(await count('metric=vent-mode,MDC_PULS_OXIM_SAT_O2')).toBe(1);
  for (const from of ['2026-01-05T03:00:00', '2026-13-05T03:00:00Z', 'yesterday', '05/01/2026'])
    expect([from, (await get(`device=device-east&from=${from}`)).statusCode]).toEqual([from, 400]);
  expect((await get('device=device-east&from=2&to=1')).json().title).toContain('from must be before to');
});

test('exactly one of patient, stay, bed and device is named', async () => {
  expect((await get('')).statusCode).toBe(400);
  expect((await get('bed=east-1&device=device-east')).statusCode).toBe(400);
});

test('NDJSON is one observation a line', async () => {
  const answer = await get('device=device-east', 'application/x-ndjson');
  expect(answer.headers['content-type']).toBe('application/x-ndjson');
  const lines = answer.body.trimEnd().split('\n');
  const { items } = (await get('device=device-east')).json();
  expect(lines.map((line) => JSON.parse(line) as ObservationRow)).toEqual(items);
});

test('CSV has a header, quotes what needs it, and leaves a missing value empty', async () => {
  const answer = await get('device=device-east', 'text/csv');
  expect(answer.headers['content-type']).toContain('text/csv');
  const [header, first, second, third] = answer.body.split('\r\n');
  expect(header).toMatch(
    /^device,metric,channel,unit,patient,encounter,bed,source,takenAt,receivedAt,value,/,
  );
  expect(first).toMatch(
    /^device-east,MDC_ECG_HEART_RATE,,\/min,patient-\w+,encounter-\w+,east-1,,20\d\d-.*Z,20\d\d-.*Z,70,,,,valid,,false,false,/,
  );
  expect(second).toMatch(/Z,,,,,\w+,sensor-off,/);
  expect(third).toContain(',"SIMV ""PS"",\nhigh",');
});

test('what a device sent for a stay in another ward is left out', async () => {
  const values = (body: { items: ObservationRow[] }) => body.items.map((row) => row.value);
  expect(values((await get('device=device-east', undefined, nurse)).json())).toEqual([70, null, null]);
  const csv = (await get('device=device-east', 'text/csv', nurse)).body;
  expect(csv).toContain(bench.ids.east.encounter);
  expect(csv).not.toContain(bench.ids.west.encounter);
});

test('figures per interval say their interval and refuse too many', async () => {
  const figures = (await get('device=device-east&metric=MDC_ECG_HEART_RATE&every=1d&aggregate=max')).json();
  expect(figures).toMatchObject({ everyMs: 86_400_000, aggregate: 'max' });
  expect(figures.items.at(-1)).toMatchObject({ value: 90, unit: '/min' });
  expect((await get('bed=east-1&every=300000')).json().everyMs).toBe(300_000);
  expect((await get('bed=east-1&from=0&every=1ms')).json().title).toContain('intervals');
  expect((await get('bed=east-1&every=0s')).statusCode).toBe(400);
});

test('the newest of each series comes from memory', async () => {
  const url = '/api/v1/observations/latest?device=device-east';
  const { items } = (await bench.app.inject({ url, headers: { cookie } })).json();
  expect(items).toContainEqual(expect.objectContaining({ metric: 'MDC_ECG_HEART_RATE', value: 90 }));
});

test('a metric is asked for by label, by quantity or by another id; a name nobody knows is refused in words', async () => {
  const values = async (metric: string) =>
    (await get(`device=device-east&metric=${metric}`)).json().items.map((row: ObservationRow) => row.value);
  for (const name of ['HR', 'hr', 'heart-rate', 'MDC_ECG_HEART_RATE', '147842'])
    expect([name, await values(name)]).toEqual([name, [70, null, 90]]);
  const refused = await get('device=device-east&metric=HRR');
  expect([refused.statusCode, refused.json().title]).toEqual([
    400,
    expect.stringContaining('there is no metric HRR'),
  ]);
  expect((await get('device=device-east&metric=saturat')).json().title).toContain('did you mean MDC_');
  expect((await get('bed=east-1&metric=own-word')).statusCode).toBe(400);
});

test('a zone sent unescaped is read, and what the calendar does not have is refused in words', async () => {
  const { takenAtMs } = (await get('device=device-east&limit=1')).json().items[0];
  const local = new Date(takenAtMs + 8 * 3_600_000).toISOString().replace('Z', '');
  const { items } = (await get(`device=device-east&from=${local} 08:00&to=${takenAtMs + 1}`)).json();
  expect(items).toHaveLength(1);
  for (const [from, says] of [
    ['2026-02-30T10:00:00Z', '2026-02-30 is no day'],
    ['2026-02-29T10:00:00Z', '2026-02-29 is no day'],
    ['2026-02-28T24:00:00Z', '24:00:00 is no time'],
    ['2026-02-28T10:61:00Z', '10:61:00 is no time'],
  ])
    expect((await get(`device=device-east&from=${from}`)).json().title).toContain(says);
  expect((await get('device=device-east&from=2024-02-29T10:00:00Z')).statusCode).toBe(200);
});

test('a second page asked for later is of the same span, and none is doubled or left out', async () => {
  const first = (await get(`device=device-east&limit=2`)).json();
  await bench.sample('east', { MDC_ECG_HEART_RATE: 91 });
  const rest = (await get(`device=device-east&limit=1000&cursor=${first.next}`)).json();
  const seqs = [...first.items, ...rest.items].map((row: ObservationRow) => row.seq);
  expect(seqs).toEqual([1, 2, 3, 4]);
  expect((await get('device=device-east&cursor=abc')).statusCode).toBe(422);
});

test('figures come as CSV and NDJSON too, and the answer names the rule', async () => {
  const search = 'device=device-east&metric=HR&every=1d&aggregate=max&to=4000000000000&from=1750000000000';
  const { items, rule } = (await get(search)).json();
  expect(rule).toContain('valid numbers only');
  const lines = (await get(search, 'application/x-ndjson')).body.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(items);
  const [header, row] = (await get(search, 'text/csv')).body.split('\r\n');
  expect(header).toBe(
    'device,metric,channel,unit,patient,encounter,bed,source,from,count,value,takenAt,missing,reason',
  );
  expect(row).toMatch(/^device-east,MDC_ECG_HEART_RATE,,\/min,.*T00:00:00.000Z,1,70,,,$/);
});

test('one value stands for each full hour, and an hour without one says why', async () => {
  const { takenAtMs } = (await get('device=device-east&limit=1')).json().items[0];
  const hour = Math.floor(takenAtMs / 3_600_000) * 3_600_000;
  const search = `bed=east-1&metric=HR&from=${hour - 18_000_000}&to=${hour + 7_200_000}`;
  const { items, aroundMs, rule } = (await get(`${search}&every=1h&around=30m&gaps=true`)).json();
  expect([aroundMs, rule]).toEqual([1_800_000, expect.stringContaining('median')]);
  expect(items).toHaveLength(7);
  expect(items).toContainEqual(
    expect.objectContaining({ value: 70, count: 1, metric: 'MDC_ECG_HEART_RATE' }),
  );
  // Long before anybody was on that bed.
  expect(items[0]).toMatchObject({ value: null, missing: 'not-associated' });
  expect((await get(`${search}&every=1h&around=31m`)).statusCode).toBe(400);
});

test('an unknown id says of what it is one, and each refusal says what to do', async () => {
  const title = async (search: string) => (await get(search)).json().title as string;
  expect(await title('patient=none')).toBe('there is no such patient, or not for you');
  expect(await title('encounter=none')).toContain('no such stay');
  expect(await title('bed=none')).toContain('no such bed');
  const association = { device: 'device-east-free', bed: 'west-1' };
  const refused = (await send('/associations', association)).json();
  expect(refused).toMatchObject({ status: 409, outcome: 'encounter-needed' });
  expect(refused.whatToDo).toContain('unknownPatient');
});
