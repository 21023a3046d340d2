import { expect, test } from 'vitest';
import { startVictoriaMetrics, type TimeSeriesServer } from '../../bench/time-series-servers.ts';
import type { StoredRow } from '../../gateway/store/types.ts';
import { numberRow } from '../gateway/store/bodies.ts';
import { until } from '../gateway/store/folder.ts';
import { all, readBack } from '../gateway/store/servers/read-back.ts';
import { openServerRoom, settingsOf } from '../gateway/store/servers/room.ts';
import { openClusterFront } from './cluster-front.ts';

// VictoriaMetrics, single node, from Debian; a cluster's paths by a small front before it.

const heart = 'MDC_ECG_HEART_RATE';
const minuteMs = 60_000;
const takenAtMs = 1_763_740_800_000;

/** What was written is found by queries at once. */
const flush = (server: TimeSeriesServer): Promise<unknown> => fetch(`${server.url}/internal/force_flush`);

const base = numberRow('mx-1', heart, takenAtMs, 72, 1);
const { value: _, ...bare } = base;
const messages: StoredRow[][] = [
  [
    base,
    {
      ...base,
      metric: 'a,b=c d"\'\\\n%',
      channel: 'x,y=z',
      value: 36.8,
      validity: 'questionable',
      reason: 'artefact',
    },
    { ...bare, metric: 'MDC_SPO2', value: null, reason: 'sensor-off', validity: 'invalid' },
    { ...base, metric: 'MDC_PRESS', value: -5.25, historical: true },
    { ...base, metric: 'late', value: 1, unplaced: true },
  ],
  [
    {
      ...base,
      seq: 3,
      boot: 'boot:2',
      takenAtMs: takenAtMs + 1_000,
      receivedAtMs: takenAtMs + 1_007,
      value: 0.1,
    },
  ],
];

test.each(['single', 'cluster'])(
  'numbers come back from a %s VictoriaMetrics as they were, page by page; texts stay with the historian',
  async (kind) => {
    await using server = await startVictoriaMetrics();
    await using front = await openClusterFront(server.url);
    const urls =
      kind === 'single'
        ? { url: server.url }
        : { url: `${front.url}/insert/0/influx`, queryUrl: `${front.url}/select/0/prometheus` };
    await using room = await openServerRoom([
      settingsOf({ kind: 'victoriametrics', ...urls, longQueries: true }),
    ]);
    const texts = { ...bare, metric: 'vent-mode', value: null, text: 'SIMV' };
    await room.keep([...messages, [{ ...texts, seq: 4 }]]);
    await room.settled();
    await flush(server);
    const rows = await readBack(room, all('mx-1'));
    const key = (row: StoredRow): string => `${row.takenAtMs} ${row.metric}`;
    const inOrder = (some: readonly StoredRow[]): StoredRow[] =>
      some.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
    expect(inOrder(rows)).toEqual(inOrder(messages.flat()));
    for (const limit of [1, 2, 4]) expect(await readBack(room, all('mx-1'), limit)).toEqual(rows);
    expect(
      await readBack(room, [
        { device: 'mx-1', metrics: [heart], fromMs: takenAtMs, toMs: takenAtMs + 1_000 },
      ]),
    ).toEqual([base]);
    await until('all is counted', () => room.sink().stored === 6);
    expect(room.sink()).toMatchObject({ leftOut: 1, refused: 0 });
    expect(await room.servers.test('tsdb')).toMatchObject({ works: true });
    expect(front.paths).toEqual(
      new Set(
        kind === 'single'
          ? []
          : [
              '/insert/0/influx/api/v2/write',
              '/select/0/prometheus/api/v1/export',
              '/insert/0/influx/health',
            ],
      ),
    );
  },
);

test('what is sent again is there once, and two observations of one millisecond are both there', async () => {
  await using server = await startVictoriaMetrics();
  await using room = await openServerRoom([
    settingsOf({ kind: 'victoriametrics', url: server.url, longQueries: true }),
  ]);
  const twins = [
    [numberRow('mx-1', heart, takenAtMs, 72, 1)],
    [numberRow('mx-1', heart, takenAtMs, 73, 2)],
    [numberRow('mx-1', heart, takenAtMs, 74, 3)],
  ];
  // The journal may hand a batch over again: the same batches are sent three times.
  for (let times = 0; times < 3; times++) await room.keep(twins);
  await room.settled();
  await flush(server);
  expect(
    (await readBack(room, all('mx-1'))).map(({ takenAtMs: at, value, seq }) => [at - takenAtMs, value, seq]),
  ).toEqual([
    [0, 72, 1],
    [1, 73, 2],
    [2, 74, 3],
  ]);
});

test('figures of aligned intervals are those of the valid values', async () => {
  await using server = await startVictoriaMetrics();
  await using room = await openServerRoom([
    settingsOf({ kind: 'victoriametrics', url: server.url, longQueries: true }),
  ]);
  const values = [60, 70, 65, 80];
  const rows = values.map((value, at) => [numberRow('mx-1', heart, takenAtMs + at * 10_000, value, at)]);
  const doubtful = {
    ...numberRow('mx-1', heart, takenAtMs + 2 * minuteMs, 300, 9),
    validity: 'invalid',
  } as const;
  await room.keep([...rows, [doubtful]]);
  await room.settled();
  await flush(server);
  const spans = [{ device: 'mx-1', fromMs: takenAtMs - 30 * 86_400_000, toMs: takenAtMs + 10 * minuteMs }];
  expect(await room.servers.longStore?.aggregate(spans, minuteMs)).toMatchObject([
    { fromMs: takenAtMs, count: 4, min: 60, mean: 68.75, median: 67.5, max: 80, last: 80 },
    { fromMs: takenAtMs + 2 * minuteMs, count: 0, min: null, median: null },
  ]);
});
