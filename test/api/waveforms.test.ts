import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../house/gateway-process.ts';
import { openBench } from './fixture.ts';

// The real house: whose a wave was, and who may see it.

const ecg = 'MDC_ECG_ELEC_POTL_II';
const bench = await openBench();
let device: MqttClient;
let seq = 0;

beforeAll(async () => {
  const by = { id: 'test', user: 'test', name: 'Test', roles: ['admin'], wards: 'all' } as const;
  const made = await bench.services.devices.makeCredentials(by, 'device-east-2');
  if (made === 'absent') throw new Error(made);
  device = await connectAsync(bench.gateway.mqttUrl, {
    clientId: made.clientId,
    username: made.username,
    password: made.password,
    reconnectPeriod: 0,
  });
});
afterAll(async () => {
  await device.endAsync(true);
  await bench[Symbol.asyncDispose]();
});

/** 100 Hz; each sample says its own instant since `beginMs`. */
const tell = (beginMs: number, seconds: number): Promise<unknown> => {
  const samples = Int16Array.from({ length: seconds * 100 }, (_, at) => at);
  const message = {
    boot: 'b7f39e01c4d2a6f8',
    seq: seq++,
    metric: ecg,
    takenAtMs: beginMs,
    periodUs: 10_000,
    gain: 1,
    offset: 0,
    samples: Buffer.from(samples.buffer).toString('base64'),
  };
  return device.publishAsync('v1/device/device-east-2/waveforms', JSON.stringify(message), { qos: 1 });
};

interface Answer {
  readonly items: {
    patient?: string;
    bed?: string;
    runs: { fromMs: number; values: (number | null)[] }[];
    max: (number | null)[];
  }[];
}

async function ask(cookie: string, query: string): Promise<{ status: number; body: Answer }> {
  const answer = await bench.app.inject({ url: `/api/v1/waveforms?${query}`, headers: { cookie } });
  return { status: answer.statusCode, body: answer.json<Answer>() };
}

test('a wave belongs to who was on the device when it was taken, to the sample, whole and reduced', async () => {
  const { spareAssociation, spareEncounter } = bench.ids.east;
  const stay = bench.services.census.encounter(spareEncounter);
  const association = bench.services.census
    .associations({ device: 'device-east-2' })
    .find(({ id }) => id === spareAssociation);
  if (!stay || !association) throw new Error('the bench is not furnished');
  const sinceMs = association.beginAtMs;
  // Half of it was taken before the patient was on this device.
  const beginMs = Math.floor(sinceMs) - 4_000;
  await until('six seconds of it are past', 10_000, () => Date.now() > beginMs + 6_000);
  await tell(beginMs, 6);
  const nurse = await bench.signIn(['nurse'], ['east']);
  const span = `from=${beginMs}&to=${beginMs + 60_000}`;
  const whole = await until('the device has all of it', 10_000, async () => {
    const { body } = await ask(nurse, `device=device-east-2&${span}`);
    const values = body.items.flatMap(({ runs }) => runs.flatMap((run) => run.values));
    return values.length === 600 && body;
  });
  expect(whole.items.map(({ patient, bed }) => [patient, bed])).toEqual([
    [undefined, undefined],
    [stay.patient, 'east-2'],
  ]);

  const first = Math.ceil((sinceMs - beginMs) / 10);
  for (const whose of [`patient=${stay.patient}`, `encounter=${stay.id}`, 'bed=east-2']) {
    const { body } = await ask(nurse, `${whose}&${span}`);
    expect(body.items.map(({ patient }) => patient)).toEqual([stay.patient]);
    expect(body.items[0]?.runs[0]?.values).toEqual(
      Array.from({ length: 600 - first }, (_, at) => first + at),
    );
    const reduced = await ask(nurse, `${whose}&from=${beginMs - 3_600_000}&to=${beginMs + 60_000}&width=50`);
    const lows = reduced.body.items.flatMap((item) => (item as unknown as { min: (number | null)[] }).min);
    expect(Math.min(...lows.filter((low) => low !== null))).toBe(first);
  }
});

test('only who may see the bed sees its waves, and an unknown one is the same as a foreign one', async () => {
  const foreign = await bench.signIn(['nurse'], ['west']);
  const biomed = await bench.signIn(['biomed']);
  const platform = await bench.signIn(['platform']);
  const { spareEncounter } = bench.ids.east;
  for (const whose of ['bed=east-2', 'device=device-east-2', `encounter=${spareEncounter}`, 'bed=none'])
    expect([whose, (await ask(foreign, whose)).status]).toEqual([whose, 404]);
  expect((await ask(biomed, 'bed=east-2')).status).toBe(403);
  expect((await ask(platform, 'bed=east-2')).status).toBe(200);
  expect((await ask(platform, 'bed=east-2&device=device-east-2')).status).toBe(400);
  expect((await ask(platform, 'bed=east-2&width=0')).status).toBe(400);
  expect((await ask(platform, 'bed=east-2&from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z')).status).toBe(
    400,
  );
});

test('a strip is of the ward of its alarm', async () => {
  const alarm = await bench.ring('east');
  const own = await bench.signIn(['nurse'], ['east']);
  const foreign = await bench.signIn(['nurse'], ['west']);
  const url = `/api/v1/alarms/${alarm.id}/strips`;
  await until('the strip is ordered', 5_000, async () => {
    return (await bench.app.inject({ url, headers: { cookie: own } })).statusCode === 200;
  });
  expect((await bench.app.inject({ url, headers: { cookie: foreign } })).statusCode).toBe(404);
});
