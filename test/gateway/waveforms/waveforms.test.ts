import { afterAll, expect, test } from 'vitest';
import { Fault } from '../../../model/fault.ts';
import { clock, ecg, openWaveRoom, parse } from './room.ts';

// One journal and one store for most: each test has a device of its own.
const shared = await openWaveRoom();
afterAll(() => shared[Symbol.asyncDispose]());
let devices = 0;
const fresh = () => shared.on(`mon-${++devices}`);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const begin = Math.floor(clock.nowMs() / 1_000) * 1_000 - 10 * minuteMs;
/** One second at 250 Hz whose samples say their place. */
const second = (from: number): number[] => Array.from({ length: 250 }, (_, at) => from * 250 + at);
const seconds = (count: number, first = 0) =>
  Array.from({ length: count }, (_, at) => ({
    atMs: begin + (first + at) * 1_000,
    samples: second(first + at),
  }));

test('what was kept is answered in physical units, from memory and from disk alike', async () => {
  const room = fresh();
  await room.keep(seconds(3));
  const asked = { fromMs: begin + 500, toMs: begin + 2_500 };
  const before = await room.ask(asked);
  await shared.reopen();
  const after = await room.ask(asked);

  expect(after).toEqual(before);
  const [item] = after.items;
  expect(item).toMatchObject({ metric: ecg, unit: 'mV', label: 'ECG II' });
  expect(item?.runs).toHaveLength(1);
  expect(item?.runs[0]?.fromMs).toBe(begin + 500);
  expect(item?.runs[0]?.values).toEqual(
    Array.from({ length: 500 }, (_, at) => Number(((125 + at) * 0.005).toFixed(4))),
  );
});

test('late, out of order and twice: the wave is whole, each sample once', async () => {
  const room = fresh();
  const all = seconds(6);
  await room.keep([all[4], all[1], all[5]].flatMap((one) => one ?? []));
  await room.keep([all[0], all[3], all[1]].flatMap((one) => one ?? []));
  await room.keep(all.slice(2, 3));
  const { items } = await room.ask({ fromMs: begin, toMs: begin + 6_000 });
  expect(items[0]?.runs.map(({ fromMs, values }) => [fromMs, values.length])).toEqual([[begin, 1_500]]);
  expect(items[0]?.runs[0]?.values).toEqual(
    Array.from({ length: 1_500 }, (_, at) => Number((at * 0.005).toFixed(4))),
  );
});

test('a short gap is null in its place, a long one ends the run, no sample is null', async () => {
  const room = fresh();
  const holed = second(3);
  holed[10] = -32_768;
  await room.keep([...seconds(1), { atMs: begin + 3_000, samples: holed }, ...seconds(1, 60)]);
  const { items } = await room.ask({ fromMs: begin, toMs: begin + 2 * minuteMs });
  const [first, second_] = items[0]?.runs ?? [];
  expect(first?.values).toHaveLength(1_000);
  expect(first?.values.slice(250, 750)).toEqual(Array.from({ length: 500 }, () => null));
  expect(first?.values[760]).toBeNull();
  expect(second_?.fromMs).toBe(begin + minuteMs);
});

test('the compact form is the samples themselves with gain and offset beside them', async () => {
  const room = fresh();
  await room.keep([{ atMs: begin, samples: [1, -2, -32_768, 3], gain: 0.5, offset: 7 }]);
  const { items } = await room.ask({ fromMs: begin, toMs: begin + 1_000, writing: 'base64' });
  expect(items[0]?.runs[0]).toMatchObject({ gain: 0.5, offset: 7, periodUs: 4_000 });
  const bytes = Buffer.from(items[0]?.runs[0]?.samples ?? '', 'base64');
  expect([0, 2, 4, 6].map((at) => bytes.readInt16LE(at))).toEqual([1, -2, -32_768, 3]);
});

test('with a width come the lowest and highest of each column, and null where nothing was taken', async () => {
  const room = fresh();
  await room.keep([...seconds(2), ...seconds(1, 3)]);
  const { items, columnMs, columns } = await room.ask({ fromMs: begin, toMs: begin + 5_000, width: 10 });
  expect([columnMs, columns]).toEqual([500, 10]);
  const at = (sample: number): number => Number((sample * 0.005).toFixed(4));
  expect(items[0]?.min).toEqual([at(0), at(125), at(250), at(375), null, null, at(750), at(875), null, null]);
  expect(items[0]?.max).toEqual([
    at(124),
    at(249),
    at(374),
    at(499),
    null,
    null,
    at(874),
    at(999),
    null,
    null,
  ]);
});

test('a span that ends within a second shows nothing of what came after it, however wide the columns', async () => {
  const room = fresh();
  await room.keep([
    {
      atMs: begin,
      samples: [...Array.from({ length: 100 }, () => 5), ...Array.from({ length: 150 }, () => 900)],
    },
  ]);
  const span = room.span(begin, begin + 400);
  const { items } = parse(
    await room.waveforms.range({
      spans: [span],
      fromMs: begin - hourMs,
      toMs: begin + hourMs,
      width: 10,
      writing: 'values',
      said: {},
    }),
  );
  expect(items[0]?.max.filter((value) => value !== null)).toEqual([0.025]);
});

test('backlog without a usable time is found by its device only', async () => {
  const room = fresh();
  await room.keep([{ atMs: begin, samples: second(0), marks: 1 }]);
  const asked = { fromMs: begin, toMs: begin + 1_000 };
  const span = room.span(asked.fromMs, asked.toMs);
  expect((await room.ask({ ...asked, spans: [{ ...span, unplaced: false }] })).items).toEqual([]);
  const found = await room.ask({ ...asked, spans: [{ ...span, unplaced: true }] });
  expect(found.items[0]?.runs[0]?.mark).toBe('unplaced');
});

test('a long answer comes in pieces of at most 64 kB, each of whole bytes', async () => {
  const room = fresh();
  await room.keep(seconds(200));
  const span = { ...room.span(begin, begin + hourMs), said: { bed: '心'.repeat(40) } };
  for (const writing of ['values', 'base64'] as const) {
    const { pieces } = await room.waveforms.range({
      spans: [span],
      fromMs: begin,
      toMs: begin + hourMs,
      writing,
      said: {},
    });
    expect(pieces.length).toBeGreaterThan(1);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(65_536);
    expect(parse({ pieces }).items).toHaveLength(1);
  }
});

test('more than an answer may hold is refused with what was asked', async () => {
  await using room = await openWaveRoom({ answerSamples: 1_000 });
  await room.keep(seconds(10));
  const refused = await room.ask({ fromMs: begin, toMs: begin + 10_000 }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Fault);
  expect(refused).toMatchObject({ code: 'WAVEFORMS_TOO_MUCH', details: { asked: 2_500, most: 1_000 } });
  expect((await room.ask({ fromMs: begin, toMs: begin + 2_000 })).items[0]?.runs[0]?.values).toHaveLength(
    500,
  );
});

test('after its time a wave is gone, but for the strip of an alarm', async () => {
  await using room = await openWaveRoom({ retentionMs: 48 * hourMs });
  await room.keep(seconds(60));
  await room.waveforms.keepStrip({
    alarm: 'alarm-1',
    ward: 'w',
    bed: '3-12',
    raisedAtMs: begin + 30_000,
    fromMs: begin + 10_000,
    toMs: begin + 40_000,
    devices: ['mon-1'],
  });
  const strip = async () => {
    const found = await room.waveforms.strip({ alarm: 'alarm-1', writing: 'values', demo: false });
    return found && parse(found.answer);
  };
  const young = await strip();
  expect(young?.items[0]?.runs.map(({ fromMs, values }) => [fromMs, values.length])).toEqual([
    [begin + 10_000, 7_500],
  ]);
  // Late, after the order: it belongs to the strip all the same.
  await room.keep([{ atMs: begin + 20_000, samples: second(3), metric: 'MDC_PULS_OXIM_PLETH' }]);

  await room.waveforms.expire(begin + 49 * hourMs);
  expect((await room.ask({ fromMs: begin, toMs: begin + hourMs })).items).toEqual([]);
  const old = await strip();
  expect(old?.items.map(({ metric }) => metric)).toEqual([ecg, 'MDC_PULS_OXIM_PLETH']);
  expect(old?.items[0]).toEqual(young?.items[0]);

  await room.waveforms.expire(begin + 15 * 24 * hourMs);
  expect(await strip()).toBeUndefined();
});

test('at its bound the oldest go before their time, told and counted', async () => {
  await using room = await openWaveRoom({ maxBytes: 150_000 });
  let state = 1;
  const noise = (): number[] =>
    Array.from({ length: 2_500 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return (state >>> 16) - 32_767;
    });
  for (let at = 0; at < 40; at++) await room.keep([{ atMs: begin + at * 10_000, samples: noise() }]);
  await room.waveforms.expire();
  expect(room.faults.map(({ code }) => code)).toEqual(['WAVEFORMS_BOUND']);
  const gone = room.lost.reduce((sum, { blocks }) => sum + blocks, 0);
  expect(gone).toBeGreaterThan(0);
  expect(room.waveforms.status().blocks).toBe(40 - gone);
  const left = await room.ask({ fromMs: begin, toMs: begin + hourMs });
  expect(left.items[0]?.runs[0]?.fromMs ?? Infinity).toBeGreaterThanOrEqual(begin + gone * 10_000);
});

test('a worker that dies loses nothing and doubles nothing', async () => {
  await using room = await openWaveRoom();
  await room.keep(seconds(4));
  await room.waveforms.killWorker();
  const { journal } = room;
  expect(journal.closed).toBe(false);
  for (let tries = 0; tries < 100; tries++) {
    const found = await room.ask({ fromMs: begin, toMs: begin + 4_000 }).catch(() => undefined);
    if (found) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await room.keep(seconds(4, 4));
  const { items } = await room.ask({ fromMs: begin, toMs: begin + 8_000 });
  expect(items[0]?.runs.map(({ fromMs, values }) => [fromMs, values.length])).toEqual([[begin, 2_000]]);
  expect(room.waveforms.status().blocks).toBe(8);
});
