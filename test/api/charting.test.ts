import { afterAll, beforeAll, expect, test } from 'vitest';
import { charterOf } from '../../model/charted.ts';
import type { Charted, ObservationRow } from '../../api/services.ts';
import { openBench } from './fixture.ts';

const bench = await openBench();
const cookie = await bench.signIn(['nurse', 'physician', 'auditor']);
const { encounter, patient } = bench.ids.east;
afterAll(() => bench[Symbol.asyncDispose]());

const send = (url: string, payload: object) =>
  bench.app.inject({ method: 'POST', url: `/api/v1${url}`, payload, headers: { cookie } });
const chart = (values: object[], more: object = {}) => send('/observations', { encounter, values, ...more });
const get = async (search: string): Promise<ObservationRow[]> =>
  (await bench.app.inject({ url: `/api/v1/observations?${search}&limit=1000`, headers: { cookie } })).json()
    .items;

/** Rows as they are once there are as many as expected. */
async function rows(search: string, count: number): Promise<ObservationRow[]> {
  for (let tries = 0; tries < 100; tries++) {
    const found = await get(search);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${search}: never ${count}`);
}
const nameOf = ({ device, metric, channel, takenAtMs, boot, seq }: Charted | ObservationRow) => ({
  device,
  metric,
  ...(channel === undefined ? {} : { channel }),
  takenAtMs,
  boot,
  seq,
});
let charted: Charted[] = [];

beforeAll(async () => {
  const answer = await chart([
    { metric: 'MDC_TEMP_ORAL', value: 100.4, unit: '[degF]' },
    { metric: 'pain-score', value: 3 },
    { metric: 'acvpu', code: 'A' },
    { metric: 'oxygen-flow', value: 2 },
  ]);
  expect([answer.statusCode, answer.body]).toEqual([201, expect.any(String)]);
  charted = answer.json().items;
});

test('what a nurse charts is the stay’s, by patient, stay and bed, and says who charted', async () => {
  for (const whose of [`patient=${patient}`, `encounter=${encounter}`, 'bed=east-1']) {
    const found = await rows(`${whose}&metric=MDC_TEMP_ORAL,pain-score,acvpu,oxygen-flow`, 4);
    expect(found.map((row) => [row.metric, row.value, row.code])).toEqual(
      expect.arrayContaining([
        ['MDC_TEMP_ORAL', 38, undefined],
        ['pain-score', 3, undefined],
        ['acvpu', null, 'A'],
        ['oxygen-flow', 2, undefined],
      ]),
    );
    for (const row of found)
      expect(row).toMatchObject({ encounter, patient, bed: 'east-1', validity: 'valid' });
  }
  const [row] = await get(`device=charted-${encounter}`);
  expect(charterOf(row?.boot ?? '')).toMatch(/^person-/);
  const view = (await bench.app.inject({ url: '/api/v1/beds/east-1', headers: { cookie } })).json().view;
  expect(view.values).toContainEqual(expect.objectContaining({ metric: 'pain-score', value: 3 }));
});

test('the impossible is refused, the unlikely asked about, all values or none', async () => {
  const impossible = await chart([{ metric: 'pain-score', value: 11 }]);
  expect([impossible.statusCode, impossible.json().errors]).toEqual([
    422,
    [{ path: '/values/0', cause: expect.stringContaining('impossible') }],
  ]);
  const values = [
    { metric: 'pain-score', value: 1 },
    { metric: 'MDC_TEMP_ORAL', value: 44 },
  ];
  const unlikely = await chart(values);
  expect(unlikely.json().errors).toEqual([
    { path: '/values/1', cause: expect.stringContaining('sure: true') },
  ]);
  expect((await chart(values, { sure: true })).statusCode).toBe(201);
  const causes = async (value: object) => (await chart([value])).json().errors?.[0]?.cause;
  expect(await causes({ metric: 'acvpu', code: 'X' })).toContain('one of A, C, V, P, U');
  expect(await causes({ metric: 'acvpu', value: 1 })).toContain('one of A');
  expect(await causes({ metric: 'Temp', value: 37 })).toContain('name one of');
  expect(await causes({ metric: 'nothing', value: 37 })).toContain('no metric');
  expect(await causes({ metric: 'pain-score', code: 'A' })).toContain('give value');
  expect(await causes({ metric: 'pain-score', value: 3, unit: 'kg' })).toContain('cannot be made into');
  expect(await causes({ metric: 'MDC_FLOW_FLUID_PUMP', value: 3 })).toContain('not charted by hand');
  const twice = [
    { metric: 'pain-score', value: 1 },
    { metric: 'pain-score', value: 2 },
  ];
  expect((await chart(twice)).json().errors[0].cause).toContain('twice');
});

test('a value of the past is charted for that time, one the patient was not there for is refused', async () => {
  const takenAtMs = Date.now() - 45 * 60_000;
  expect((await chart([{ metric: 'MDC_VOL_URINE_COL', value: 120 }], { takenAtMs })).statusCode).toBe(201);
  const [row] = await rows(`encounter=${encounter}&metric=MDC_VOL_URINE_COL`, 1);
  expect(row).toMatchObject({ takenAtMs, value: 120 });
  expect(row).not.toHaveProperty('reason');
  for (const wrong of [Date.now() + 60_000, Date.now() - 2 * 3_600_000])
    expect((await chart([{ metric: 'pain-score', value: 1 }], { takenAtMs: wrong })).json().outcome).toBe(
      'not-there-then',
    );
});

test('a charted value is corrected and retracted: what it said stays, with who, when and why', async () => {
  const pain = charted.find(({ metric }) => metric === 'pain-score');
  if (!pain) throw new Error('nothing was charted');
  const search = `device=charted-${encounter}&metric=pain-score&from=${pain.takenAtMs}&to=${pain.takenAtMs + 1}`;
  await rows(search, 1);
  const body = { encounter, observation: nameOf(pain), reason: 'mistyped' };
  expect((await send('/observations/correct', { ...body, value: { value: 30 } })).statusCode).toBe(422);
  expect((await send('/observations/correct', { ...body, value: { value: 4 } })).statusCode).toBe(200);
  const [row] = await get(search);
  expect(row).toMatchObject({
    value: 4,
    corrected: { why: 'mistyped', was: { value: 3 }, retracted: false },
  });
  expect((await send('/observations/retract', { ...body, reason: 'another patient' })).statusCode).toBe(200);
  const [gone] = await get(search);
  expect(gone).toMatchObject({ value: null, corrected: { why: 'another patient', retracted: true } });
  const acts = bench.trail.map(({ act }) => act);
  expect(acts).toContain('POST /api/v1/observations/correct');
});

test('a device’s value is confirmed into the record as it is, and only the stay’s own', async () => {
  await bench.sample('east', { MDC_PULS_OXIM_SAT_O2: 96 });
  await bench.sample('west', { MDC_PULS_OXIM_SAT_O2: 91 });
  const [mine] = await rows('device=device-east&metric=SpO2', 1);
  const [foreign] = await rows('device=device-west&metric=SpO2', 1);
  if (!mine || !foreign) throw new Error('nothing came');
  const confirm = (row: ObservationRow) =>
    send('/observations/confirm', { encounter, observations: [nameOf(row)] });
  expect((await confirm(foreign)).json().errors[0].cause).toBe('it is not of this stay');
  expect((await confirm({ ...mine, seq: 999_999 })).json().errors[0].cause).toContain('no such');
  expect((await confirm(mine)).statusCode).toBe(201);
  const [kept] = await rows(`device=charted-${encounter}&metric=MDC_PULS_OXIM_SAT_O2/confirmed`, 1);
  expect(kept).toMatchObject({ value: 96, takenAtMs: mine.takenAtMs, encounter, patient });
  const named = { encounter, observation: nameOf(mine), reason: 'x', value: { value: 97 } };
  expect((await send('/observations/correct', named)).json().outcome).toBe('not-charted');
});

test('nobody registers a device under the name of charted values', async () => {
  const device = { id: `charted-${encounter}`, label: 'Monitor', ward: 'east' };
  const biomed = await bench.signIn(['biomed']);
  const refused = await bench.app.inject({
    method: 'POST',
    url: '/api/v1/devices',
    payload: device,
    headers: { cookie: biomed },
  });
  expect(refused.statusCode).toBe(422);
});
