import { afterAll, expect, test } from 'vitest';
import type { AlarmTransition } from '../../api/services.ts';
import { openBench } from './fixture.ts';

const bench = await openBench();
afterAll(() => bench[Symbol.asyncDispose]());
const cookie = await bench.signIn(['nurse', 'charge-nurse']);
const { patient, encounter, spareEncounter } = bench.ids.east;
const ask = async (search: string, as = cookie) =>
  bench.app.inject({ url: `/api/v1/alarms/history?${search}`, headers: { cookie: as } });
const items = async (search: string, as = cookie): Promise<AlarmTransition[]> =>
  (await ask(search, as)).json().items;

test('what happened to an alarm is found by ward, bed and patient, newest first, page by page', async () => {
  const alarm = await bench.ring('east');
  await bench.app.inject({
    method: 'POST',
    url: `/api/v1/alarms/${alarm.id}/acknowledge`,
    payload: {},
    headers: { cookie },
  });
  const about = (list: readonly AlarmTransition[]) =>
    list.filter((one) => one.alarm.id === alarm.id).map(({ event }) => event);
  for (let tries = 0; tries < 100; tries++) {
    if (about(await items('ward=east')).includes('acknowledged')) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  for (const search of ['ward=east', 'bed=east-1', `patient=${patient}`, '']) {
    const found = await items(search);
    expect([search, about(found).includes('raised'), about(found).includes('acknowledged')]).toEqual([
      search,
      true,
      true,
    ]);
    const numbers = found.map(({ number }) => number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(found.find(({ event, alarm: { id } }) => event === 'acknowledged' && id === alarm.id)?.by).toMatch(
      /^person-/,
    );
  }
  const whole = await items('bed=east-1');
  const paged: AlarmTransition[] = [];
  let next: string | undefined;
  do {
    const page = (await ask(`bed=east-1&limit=1${next === undefined ? '' : `&cursor=${next}`}`)).json();
    paged.push(...page.items);
    next = page.next;
  } while (next !== undefined);
  expect(paged.map(({ number }) => number)).toEqual(whole.map(({ number }) => number));
});

test('another stay, ward or time has none of it', async () => {
  const other = bench.services.census.encounter(spareEncounter)?.patient ?? '';
  expect(other).not.toBe(patient);
  expect(await items(`patient=${other}`)).toEqual([]);
  expect(await items('ward=east&from=1000&to=2000')).toEqual([]);
  const west = await bench.signIn(['nurse'], ['west']);
  expect((await ask('bed=east-1', west)).statusCode).toBe(404);
  const seen = await items('', west);
  expect(seen.filter(({ alarm }) => alarm.encounter === encounter)).toEqual([]);
  expect((await ask('cursor=x')).statusCode).toBe(400);
});
