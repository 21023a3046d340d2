import { afterAll, expect, test } from 'vitest';
import { Observations } from '../../../gateway/query/observations.ts';
import type { AttributedSpan, ObservationsOptions } from '../../../gateway/query/types.ts';
import type { StoredRow } from '../../../gateway/store/types.ts';
import { numberRow } from '../store/bodies.ts';
import { openFolder } from '../store/folder.ts';
import { openStore } from './store.ts';

const HR = 'MDC_ECG_HEART_RATE';
const PR = 'MDC_PULS_OXIM_PULS_RATE';
const NIBP = 'MDC_PRESS_BLD_NONINV_SYS';
const hourMs = 3_600_000;
const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 5, 8);

const folder = openFolder();
const own = openStore(folder.path, startMs);
const before = openFolder();
const server = openStore(before.path, startMs);
afterAll(() => {
  own.close();
  server.close();
  folder[Symbol.dispose]();
  before[Symbol.dispose]();
});

let seq = 0;
const keep = (store: typeof own, rows: readonly StoredRow[]): void => store.append(rows.map((row) => [row]));
const row = (device: string, metric: string, atMs: number, more: Partial<StoredRow> = {}): StoredRow => ({
  ...numberRow(device, metric, atMs, 60, seq++),
  ...more,
});

function queries(spans: readonly AttributedSpan[], more: Partial<ObservationsOptions> = {}): Observations {
  return new Observations({
    historian: own.historian,
    spansOf: ({ device, bed }, fromMs, toMs) =>
      spans
        .filter((span) => (device === undefined ? true : span.device === device))
        .filter((span) => bed === undefined || span.bed === bed)
        .map((span) => ({ ...span, fromMs: Math.max(span.fromMs, fromMs), toMs: Math.min(span.toMs, toMs) }))
        .filter((span) => span.fromMs < span.toMs),
    known: () => true,
    latest: () => [],
    sinceMs: () => undefined,
    watchedAs: () => [],
    isCharted: () => false,
    nowMs: () => startMs + 24 * hourMs,
    ...more,
  });
}
const stay = (device: string, fromMs: number, toMs: number): AttributedSpan => ({
  device,
  fromMs,
  toMs,
  encounter: 'e1',
  patient: 'p1',
  bed: 'b1',
});
const rowsOf = async (asked: ReturnType<Observations['range']>) => {
  const page = await asked;
  if (page === 'absent') throw new Error('absent');
  return page.rows;
};

test('while the electrode is off the pulse stands in, marked; with source=all both are given', async () => {
  const device = 'q1-mon';
  const rows: StoredRow[] = [];
  for (let second = 0; second < 90; second++) {
    const atMs = startMs + second * 1_000;
    const off = second >= 30 && second < 60;
    rows.push(row(device, HR, atMs, off ? { value: null, validity: 'invalid', reason: 'sensor-off' } : {}));
    rows.push(row(device, PR, atMs));
  }
  rows.push(row(device, NIBP, startMs + 45_000));
  keep(own, rows);
  const asked = { encounter: 'e1', fromMs: startMs, toMs: startMs + 90_000 };
  const book = queries([stay(device, startMs, startMs + hourMs)]);
  const given = await rowsOf(book.range(asked, { limit: 1_000 }));
  const seconds = (metric: string) =>
    given.filter((each) => each.metric === metric).map(({ takenAtMs }) => (takenAtMs - startMs) / 1_000);
  const runs = (list: number[]) => [list[0], list.at(-1), list.length];
  expect(runs(seconds(PR))).toEqual([39, 69, 31]);
  expect(seconds(HR)).toHaveLength(90 - 31);
  expect(new Set(given.filter(({ metric }) => metric === PR).map(({ source }) => source))).toEqual(
    new Set(['substitute']),
  );
  expect(new Set(given.filter(({ metric }) => metric === HR).map(({ source }) => source))).toEqual(
    new Set(['preferred']),
  );
  expect(given.find(({ metric }) => metric === NIBP)).not.toHaveProperty('source');
  expect(await rowsOf(book.range({ ...asked, source: 'all' }, { limit: 1_000 }))).toHaveLength(181);
  expect(await rowsOf(book.range({ ...asked, metrics: [PR] }, { limit: 1_000 }))).toHaveLength(90);
});

test('figures take the most preferred source of each step, and say when it was another', async () => {
  const device = 'q2-mon';
  for (const [minute, metrics] of [
    [0, [HR, PR]],
    [1, [PR]],
    [2, [HR, PR]],
  ] as const)
    for (let second = 0; second < 60; second += 5)
      keep(
        own,
        metrics.map((metric) => row(device, metric, startMs + minute * minuteMs + second * 1_000)),
      );
  const book = queries([stay(device, startMs, startMs + hourMs)]);
  const span = { encounter: 'e1', fromMs: startMs, toMs: startMs + 3 * minuteMs };
  const figures = await book.aggregate({ ...span, everyMs: minuteMs, aggregate: 'mean' });
  expect(figures).toMatchObject([
    { metric: HR, count: 12, source: 'preferred', encounter: 'e1' },
    { metric: PR, count: 12, source: 'substitute' },
    { metric: HR, count: 12, source: 'preferred' },
  ]);
});

test('a step without a figure says why: nobody there, standby, silent, not measured, not valid', async () => {
  const device = 'q3-mon';
  const at = (minute: number, metric: string, more: Partial<StoredRow> = {}) =>
    row(device, metric, startMs + minute * minuteMs, more);
  keep(own, [
    at(1, HR),
    at(2, PR),
    at(3, HR, { value: null, validity: 'invalid', reason: 'sensor-off' }),
    at(3, PR),
    at(4, HR, { reason: 'demo' }),
  ]);
  const spans = [stay(device, startMs + minuteMs, startMs + 7 * minuteMs)];
  const standby = [
    { fromMs: 0, state: 'on' },
    { fromMs: startMs + 6 * minuteMs, state: 'standby' },
  ];
  const book = queries(spans, { watchedAs: () => standby });
  const span = { bed: 'b1', fromMs: startMs, toMs: startMs + 7 * minuteMs, metrics: [HR] };
  const figures = await book.aggregate({ ...span, everyMs: minuteMs, aggregate: 'median', gaps: true });
  if (figures === 'absent') throw new Error('absent');
  expect(figures.map(({ missing, reason, value }) => missing ?? reason ?? value)).toEqual([
    'not-associated',
    60,
    'not-measured',
    'not-valid',
    'not-valid',
    'device-silent',
    'standby',
  ]);
  expect(figures.map(({ reason }) => reason)).toEqual([
    ...[undefined, undefined, undefined, 'sensor-off', 'demo', undefined, undefined],
  ]);
});

test('each full hour has one value: the median around it, of cuff measurements the nearest with its own time', async () => {
  const device = 'q4-mon';
  const values = [58, 61, 60, 200, 59];
  keep(
    own,
    values.map((value, index) => row(device, HR, startMs + hourMs + (index - 2) * minuteMs, { value })),
  );
  keep(own, [
    row(device, NIBP, startMs + hourMs - 4 * minuteMs, { value: 118 }),
    row(device, NIBP, startMs + hourMs + minuteMs, { value: 121 }),
    row(device, HR, startMs + hourMs + 20 * minuteMs, { value: 99 }),
  ]);
  const book = queries([stay(device, startMs, startMs + 3 * hourMs)]);
  const figures = await book.aggregate({
    encounter: 'e1',
    fromMs: startMs,
    toMs: startMs + 2 * hourMs,
    everyMs: hourMs,
    aggregate: 'median',
    aroundMs: 5 * minuteMs,
  });
  expect(figures).toMatchObject([
    { metric: HR, fromMs: startMs + hourMs, value: 60, count: 5 },
    { metric: NIBP, fromMs: startMs + hourMs, value: 121, takenAtMs: startMs + hourMs + minuteMs },
  ]);
});

test('what is older than the historian keeps comes from the time-series server, page by page and in streams', async () => {
  const device = 'q5-mon';
  const edgeMs = startMs + hourMs;
  const all = Array.from({ length: 120 }, (_, minute) => row(device, HR, startMs + minute * minuteMs));
  keep(
    server,
    all.filter(({ takenAtMs }) => takenAtMs < edgeMs + 10 * minuteMs),
  );
  keep(
    own,
    all.filter(({ takenAtMs }) => takenAtMs >= edgeMs),
  );
  const long = { ...server.historian, sink: 'influx', answering: true };
  const book = queries([stay(device, startMs, startMs + 3 * hourMs)], {
    long: () => ({ store: long, ownMs: edgeMs }),
  });
  const asked = { device, fromMs: startMs, toMs: startMs + 2 * hourMs };
  const given: number[] = [];
  let after: string | undefined;
  do {
    const page = await book.range(asked, { limit: 7, ...(after === undefined ? {} : { after }) });
    if (page === 'absent') throw new Error('absent');
    given.push(...page.rows.map((each) => each.seq));
    after = page.next;
  } while (after !== undefined);
  expect(given).toEqual(all.map((each) => each.seq));
  for (const format of ['ndjson', 'csv'] as const) {
    const lines = await book.lines(asked, { format, demo: false });
    if (lines === 'absent') throw new Error('absent');
    const text = Buffer.concat(await Array.fromAsync(lines))
      .toString()
      .trimEnd()
      .split('\n');
    expect(text).toHaveLength(format === 'csv' ? 121 : 120);
    expect(text.filter((line) => line.startsWith('device,'))).toHaveLength(format === 'csv' ? 1 : 0);
  }
  const figures = await book.aggregate({ ...asked, everyMs: 30 * minuteMs, aggregate: 'count' });
  if (figures === 'absent') throw new Error('absent');
  expect(figures.map(({ value }) => value)).toEqual([30, 30, 30, 30]);
});

test('an empty span is a header and nothing, or nothing', async () => {
  const book = queries([]);
  const asked = { patient: 'p1', fromMs: 0, toMs: 1 };
  const csv = await book.lines(asked, { format: 'csv', demo: true });
  if (csv === 'absent') throw new Error('absent');
  const text = Buffer.concat(await Array.fromAsync(csv)).toString();
  expect(text).toMatch(/^device,metric.*,demo\r\n$/);
});

test('nothing is made before the reader wants more', async () => {
  const device = 'q6-mon';
  keep(
    own,
    Array.from({ length: 12_000 }, (_, second) => row(device, HR, startMs + second * 1_000)),
  );
  let asked = 0;
  const historian = {
    ...own.historian,
    lines: (...args: Parameters<typeof own.historian.lines>) => {
      asked++;
      return own.historian.lines(...args);
    },
  };
  const book = queries([stay(device, startMs, startMs + 24 * hourMs)], { historian });
  const lines = await book.lines(
    { device, fromMs: startMs, toMs: startMs + 24 * hourMs },
    { format: 'ndjson', demo: false },
  );
  if (lines === 'absent') throw new Error('absent');
  expect(asked).toBe(0);
  await lines.next();
  expect(asked).toBe(1);
  await lines.return(undefined);
  expect(asked).toBe(1);
});
