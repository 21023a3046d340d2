import { expect, test } from 'vitest';
import { numberRow } from './bodies.ts';
import { breathe, openCore } from './core-room.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const fromMs = Date.UTC(2026, 0, 5);
const keys = ['MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_SAT_O2', 'MDC_TTHOR_RESP_RATE'];

/** A day at one value a minute of three series of two devices. */
function openDay() {
  const room = openCore();
  const messages = ['mx-1', 'mx-2'].flatMap((device) =>
    Array.from({ length: 1_440 }, (_, minute) =>
      keys.map((key) => numberRow(device, key, fromMs + minute * 60_000, 70 + (minute % 9), minute)),
    ),
  );
  room.chunk(messages);
  return room;
}

const readBy = async (room: ReturnType<typeof openCore>, run: () => unknown) => {
  const before = room.core.reads;
  await run();
  const after = room.core.reads;
  return {
    chunks: after.chunks - before.chunks,
    sources: after.sources - before.sources,
    blocks: after.blocks - before.blocks,
  };
};

test('figures open the values of the chunks asked for, each once, and never what tells their source', async () => {
  using room = openDay();
  const spans = [{ device: 'mx-1', metrics: keys.slice(0, 2), fromMs, toMs: fromMs + dayMs }];
  const ask = { spans, everyMs: 60_000, of: ['mean'] as const };
  expect(await readBy(room, () => room.core.aggregate(ask, breathe))).toEqual({
    chunks: 2 * 6,
    sources: 0,
    blocks: 0,
  });
});

test('an hour of one series opens one chunk, the newest values open none', async () => {
  using room = openDay();
  const spans = [{ device: 'mx-2', metrics: keys.slice(0, 1), fromMs, toMs: fromMs + hourMs }];
  const range = () => room.core.range({ spans, limit: 1_000 }, breathe);
  expect(await readBy(room, range)).toEqual({ chunks: 1, sources: 1, blocks: 0 });
  expect(await readBy(room, () => room.core.latest(['mx-1', 'mx-2']))).toEqual({
    chunks: 0,
    sources: 0,
    blocks: 0,
  });
});

test('a page stops opening chunks when it is full', async () => {
  using room = openDay();
  const spans = [{ device: 'mx-1', metrics: keys.slice(0, 1), fromMs, toMs: fromMs + dayMs }];
  const { chunks } = await readBy(room, () => room.core.range({ spans, limit: 100 }, breathe));
  expect(chunks).toBeLessThanOrEqual(2);
});

test('figures of a corrected series still say what is true', async () => {
  using room = openDay();
  const atMs = fromMs + 10 * 60_000;
  const correction = { device: 'mx-1', metric: keys[0] ?? '', takenAtMs: atMs, boot: 'b1', seq: 10 };
  const act = { by: 'anna', atMs: fromMs + dayMs, why: 'the lead was off' };
  expect(room.core.correct({ ...correction, ...act, now: { value: 250 } })).toBe('corrected');
  const spans = [{ device: 'mx-1', metrics: keys.slice(0, 1), fromMs, toMs: fromMs + hourMs }];
  const { figures } = await room.core.aggregate({ spans, everyMs: hourMs }, breathe);
  expect(figures[5]).toBe(250);
});
