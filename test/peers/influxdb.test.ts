import { expect, test } from 'vitest';
import fc from 'fast-check';
import { startInfluxd, type TimeSeriesServer } from '../../bench/time-series-servers.ts';
import type { StoredRow } from '../../gateway/store/types.ts';
import { numberRow } from '../gateway/store/bodies.ts';
import { until } from '../gateway/store/folder.ts';
import { all, readBack } from '../gateway/store/servers/read-back.ts';
import { openServerRoom, settingsOf } from '../gateway/store/servers/room.ts';

// InfluxDB 1.x from Debian, started and stopped here. What is kept in the journal must be there, each once and as it was.

const heart = 'MDC_ECG_HEART_RATE';
const minuteMs = 60_000;
const takenAtMs = 1_763_740_800_000;

const ask = async (server: TimeSeriesServer, statement: string): Promise<unknown> => {
  const answer = await fetch(`${server.url}/query?db=vigil&epoch=ms&q=${encodeURIComponent(statement)}`, {
    method: 'POST',
  });
  return answer.json();
};
const makeDatabase = (server: TimeSeriesServer): Promise<unknown> => ask(server, 'CREATE DATABASE vigil');

test('every kind of observation comes back from InfluxDB as it was, in order and page by page', async () => {
  await using server = await startInfluxd();
  await makeDatabase(server);
  await using room = await openServerRoom([settingsOf({ url: server.url, longQueries: true })]);
  const base = numberRow('mx-1', heart, takenAtMs, 72, 1);
  const { value: _, ...bare } = base;
  const messages: StoredRow[][] = [
    [
      base,
      {
        ...base,
        metric: 'MDC_TEMP',
        channel: '2',
        value: 36.8,
        validity: 'questionable',
        reason: 'artefact',
      },
      { ...bare, metric: 'MDC_SPO2', value: null, reason: 'sensor-off', validity: 'invalid' },
      { ...bare, metric: 'vent-mode', value: null, text: 'SIMV+PS "quoted" \\ back\nline' },
      { ...bare, metric: 'pump-drug', channel: '3', value: null, code: 'noradrenaline', system: 'library-7' },
      { ...base, metric: 'MDC_PRESS', value: -5.25, historical: true },
      { ...base, metric: 'late', value: 1, unplaced: true },
    ],
    // The same instant, another message: a second observation, not the same one.
    [{ ...base, seq: 2, value: 73 }],
    [{ ...base, seq: 3, takenAtMs: takenAtMs + 1_000, receivedAtMs: takenAtMs + 1_007, value: 0.1 }],
  ];
  await room.keep(messages);
  await room.settled();
  const rows = await readBack(room, all('mx-1'));
  const key = (row: StoredRow): string => `${row.takenAtMs} ${row.seq} ${row.metric}`;
  expect(rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))).toEqual(
    messages.flat().toSorted((a, b) => (key(a) < key(b) ? -1 : 1)),
  );
  for (const limit of [1, 2, 3, 7]) expect(await readBack(room, all('mx-1'), limit)).toEqual(rows);
  expect(
    await readBack(room, [{ device: 'mx-1', metrics: ['MDC_TEMP/2'], fromMs: 0, toMs: 4e12 }]),
  ).toMatchObject([{ metric: 'MDC_TEMP', channel: '2' }]);
  expect(
    await readBack(room, [{ device: 'mx-1', metrics: [heart], fromMs: takenAtMs, toMs: takenAtMs + 1_000 }]),
  ).toMatchObject([{ value: 72 }, { value: 73 }]);
  expect(await readBack(room, all('mx-2'))).toEqual([]);
});

test('figures of aligned intervals are those of the values, and an interval without a valid one says so', async () => {
  await using server = await startInfluxd();
  await makeDatabase(server);
  await using room = await openServerRoom([settingsOf({ url: server.url, longQueries: true })]);
  const values = [60, 70, 65, 80];
  await room.keep(values.map((value, at) => [numberRow('mx-1', heart, takenAtMs + at * 10_000, value, at)]));
  const doubtful = {
    ...numberRow('mx-1', heart, takenAtMs + 2 * minuteMs, 300, 9),
    validity: 'invalid',
  } as const;
  await room.keep([
    [doubtful],
    [{ ...numberRow('mx-1', heart, takenAtMs + 3 * minuteMs, 1, 10), unplaced: true }],
  ]);
  await room.settled();
  const spans = [{ device: 'mx-1', fromMs: takenAtMs, toMs: takenAtMs + 10 * minuteMs }];
  expect(await room.servers.longStore?.aggregate(spans, minuteMs)).toEqual([
    {
      device: 'mx-1',
      metric: heart,
      fromMs: takenAtMs,
      count: 4,
      min: 60,
      mean: 68.75,
      median: 67.5,
      max: 80,
      last: 80,
    },
    {
      device: 'mx-1',
      metric: heart,
      fromMs: takenAtMs + 2 * minuteMs,
      count: 0,
      min: null,
      mean: null,
      median: null,
      max: null,
      last: null,
    },
  ]);
  // A patient who was on the device twice within one minute: figures over both stretches, not over either.
  const twice = [
    { device: 'mx-1', fromMs: takenAtMs, toMs: takenAtMs + 15_000 },
    { device: 'mx-1', fromMs: takenAtMs + 25_000, toMs: takenAtMs + minuteMs },
  ];
  expect(await room.servers.longStore?.aggregate(twice, minuteMs)).toMatchObject([
    { count: 3, min: 60, median: 70, max: 80, last: 80 },
  ]);
});

test('names and texts that look like line protocol make one point each and come back as they were', async () => {
  await using server = await startInfluxd();
  await makeDatabase(server);
  await using room = await openServerRoom([settingsOf({ url: server.url, longQueries: true })]);
  const nasty = fc.string({
    unit: fc.constantFrom(...'a,b=c d\n\r\t\\"\'%{}/#\u0000\u007f\u2028\u202eé', 'vigil value=1 1'),
    maxLength: 20,
  });
  const word = nasty.filter((text) => text !== '');
  let seq = 0;
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ metric: word, channel: fc.option(word, { nil: undefined }), text: nasty, system: nasty }),
        {
          minLength: 1,
          maxLength: 30,
        },
      ),
      fc.constantFrom('boot:1', 'b.2_3-4'),
      async (cases, boot) => {
        const device = `d ${round++},=\n`;
        const messages = cases.map(({ metric, channel, text, system }, at): StoredRow[] => {
          const { value: _, ...bare } = numberRow(
            device,
            metric.replaceAll('/', '|'),
            takenAtMs + at,
            0,
            ++seq,
          );
          const named = { ...bare, boot, ...(channel === undefined ? {} : { channel }) };
          return at % 3 === 0
            ? [{ ...named, value: at }]
            : at % 3 === 1
              ? [{ ...named, value: null, text }]
              : [{ ...named, value: null, code: text, system }];
        });
        await room.keep(messages);
        await room.settled();
        expect(await readBack(room, all(device))).toEqual(messages.flat());
      },
    ),
    { numRuns: 25 },
  );
  const series = (await ask(server, 'SHOW MEASUREMENTS')) as {
    results: [{ series: [{ values: string[][] }] }];
  };
  expect(series.results[0].series[0].values).toEqual([['vigil']]);
});

test('a line the server refuses stands in the loss ledger, and every other one is stored', async () => {
  await using server = await startInfluxd();
  await makeDatabase(server);
  await using room = await openServerRoom([
    settingsOf({ url: server.url, longQueries: true, requestLines: 64 }),
  ]);
  const longMetric = 'x'.repeat(65_500);
  const messages = Array.from({ length: 500 }, (_, at) => [
    numberRow('mx-1', heart, takenAtMs + at * 1_000, at, at),
  ]);
  // Its series name is longer than InfluxDB holds: a line refused for itself.
  messages[217] = [numberRow('mx-1', longMetric, takenAtMs, 1, 217)];
  await room.keep(messages);
  await room.settled();
  const rows = await readBack(room, all('mx-1'));
  expect(rows.map(({ value }) => value)).toEqual(
    Array.from({ length: 500 }, (_, at) => at).filter((at) => at !== 217),
  );
  expect(await room.losses()).toMatchObject([
    { device: 'mx-1', metric: longMetric, observations: 1, why: 'sink-refused', details: { sink: 'tsdb' } },
  ]);
  await until('it is counted', () => room.sink().refused === 1);
  expect(room.sink()).toMatchObject({ stored: 499, state: 'delivering' });
  expect(room.faults.map(({ code }) => code)).toEqual(['SINK_LINES_REFUSED']);
});

test('a database that is not there pauses the sink, and its making mends it by itself', async () => {
  await using server = await startInfluxd();
  await using room = await openServerRoom([settingsOf({ url: server.url, longQueries: true })]);
  const messages = Array.from({ length: 10 }, (_, at) => [numberRow('mx-1', heart, takenAtMs + at, at, at)]);
  await room.keep(messages);
  await until('it pauses', () => room.sink().state === 'paused');
  expect(room.sink().fault).toMatchObject({ code: 'SINK_PLACE_UNKNOWN' });
  expect(await room.servers.test('tsdb')).toMatchObject({
    works: false,
    says: expect.stringContaining('there is no database vigil') as string,
    version: '1.6.7~rc0',
  });
  await makeDatabase(server);
  await room.settled();
  expect(await readBack(room, all('mx-1'))).toHaveLength(10);
  await until('it delivers', () => room.sink().state === 'delivering');
  expect(await room.servers.test('tsdb')).toMatchObject({
    works: true,
    says: 'it takes observations into database vigil',
  });
  expect(await room.losses()).toEqual([]);
});
