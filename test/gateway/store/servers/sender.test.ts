import { expect, test } from 'vitest';
import { Sender } from '../../../../gateway/store/servers/sender.ts';
import type { Reply } from '../../../../gateway/store/servers/transport.ts';
import type { SinkBatch } from '../../../../journal/types.ts';
import { systemChance } from '../../../../model/ids.ts';
import { virtualClock } from '../../../house/virtual-clock.ts';
import { bodyOf, numberRow } from '../bodies.ts';
import { settingsOf } from './room.ts';

// The sender on a virtual clock, with a server that answers as it is told.

const stored: Reply = { status: 204, headers: {}, body: '' };

function openSender(given: Parameters<typeof settingsOf>[0] = {}) {
  const clock = virtualClock();
  const asked: { readonly atMs: number; readonly lines: readonly string[] }[] = [];
  const delivered: number[] = [];
  const refreshed: number[] = [];
  let answers: ((lines: readonly string[]) => Reply | Promise<Reply>) | undefined;
  const sender = new Sender({
    settings: settingsOf({ url: 'http://127.0.0.1:1', gatherMs: 250, ...given }),
    clock,
    chance: { ...systemChance(), fraction: () => 1 },
    post: async (lines) => {
      asked.push({ atMs: clock.monotonicMs(), lines });
      return (await answers?.(lines)) ?? stored;
    },
    refresh: () => void refreshed.push(clock.monotonicMs()),
    delivered: (_, number) => void delivered.push(number),
    ledger: async () => undefined,
    told: () => undefined,
    changed: () => undefined,
  });
  let number = 0;
  const take = (observations: number, lane: SinkBatch['lane'] = 'live'): void => {
    const messages = Array.from({ length: observations }, (_, at) => [
      numberRow('mx-1', 'MDC_TEMP', clock.nowMs(), at, number * 1_000 + at),
    ]);
    sender.take({ kind: 'batch', klass: 'numerics', number: number++, lane, ...bodyOf(messages) });
  };
  return {
    clock,
    sender,
    asked,
    delivered,
    refreshed,
    take,
    answer: (how: typeof answers) => (answers = how),
  };
}

test('live batches are gathered for a moment and go in one request', async () => {
  const { clock, take, asked, delivered } = openSender();
  for (let batch = 0; batch < 5; batch++) {
    take(2);
    await clock.pass(20);
  }
  expect(asked).toEqual([]);
  await clock.pass(250);
  expect(asked.map(({ lines }) => lines.length)).toEqual([10]);
  expect(delivered).toEqual([0, 1, 2, 3, 4]);
});

test('a whole request goes at once, one is under way in a lane, and the backlog has a lane of its own', async () => {
  const { clock, take, asked, answer, delivered } = openSender({ requestLines: 4 });
  const open: (() => void)[] = [];
  answer(() => new Promise((resolve) => open.push(() => resolve(stored))));
  take(4);
  take(4);
  take(3, 'backlog');
  await clock.pass(1_000);
  expect(asked.map(({ lines }) => lines.length)).toEqual([4, 3]);
  open.shift()?.();
  await clock.pass(0);
  expect(asked.map(({ lines }) => lines.length)).toEqual([4, 3, 4]);
  expect(delivered).toEqual([0]);
});

test('a batch larger than a request goes in parts and is delivered with its last', async () => {
  const { clock, take, asked, delivered } = openSender({ requestLines: 4 });
  take(10);
  await clock.pass(250);
  await clock.pass(1);
  await clock.pass(1);
  expect(asked.map(({ lines }) => lines.length)).toEqual([4, 4, 2]);
  expect(delivered).toEqual([0]);
});

test('the waits double up to their bound, and begin anew after a success', async () => {
  const { clock, take, asked, answer, delivered } = openSender({ retryMaxMs: 2_000, gatherMs: 0 });
  answer(() => ({ none: 'the connection was refused' }));
  take(1);
  await clock.pass(10_000);
  const waits = asked.slice(1).map(({ atMs }, at) => atMs - (asked[at]?.atMs ?? 0));
  expect(waits.slice(0, 5)).toEqual([500, 1_000, 2_000, 2_000, 2_000]);
  answer(undefined);
  await clock.pass(2_000);
  expect(delivered).toEqual([0]);
  answer(() => ({ status: 503, headers: {}, body: '' }));
  const before = asked.length;
  take(1);
  await clock.pass(500);
  expect(asked.length - before).toBe(2);
});

test('a 401 for a minute is tried each half minute with the secret read anew, and nothing is lost', async () => {
  const { clock, take, asked, answer, refreshed, sender, delivered } = openSender({
    probeMs: 30_000,
    gatherMs: 0,
  });
  answer(() => ({ status: 401, headers: {}, body: '{"message":"unauthorized"}' }));
  take(3);
  take(2, 'backlog');
  await clock.pass(59_000);
  expect(sender.figures()).toMatchObject({ state: 'paused', stored: 0, lastSuccessAtMs: undefined });
  expect(asked.map(({ atMs }) => atMs)).toEqual([0, 0, 30_000]);
  expect(refreshed).toEqual([30_000]);
  answer(undefined);
  await clock.pass(1_000);
  await clock.pass(1_000);
  expect(delivered.toSorted()).toEqual([0, 1]);
  expect(sender.figures()).toMatchObject({ state: 'delivering', stored: 5, refused: 0 });
});

test('what it held when the journal joined anew is not sent twice as two', async () => {
  const { clock, take, sender, asked, delivered, answer } = openSender({ gatherMs: 0 });
  const open: (() => void)[] = [];
  answer(() => new Promise((resolve) => open.push(() => resolve(stored))));
  take(1);
  await clock.pass(0);
  sender.drop();
  open.shift()?.();
  await clock.pass(0);
  expect(asked).toHaveLength(1);
  expect(delivered).toEqual([]);
  answer(undefined);
  take(1);
  await clock.pass(0);
  expect(delivered).toEqual([1]);
});

test('a server that is behind with what is live gets the backlog now and then only', async () => {
  const { clock, take, asked, answer } = openSender({ gatherMs: 0, requestLines: 1 });
  answer(
    () =>
      new Promise((resolve) => void clock.after(300, () => resolve({ status: 204, headers: {}, body: '' }))),
  );
  for (let batch = 0; batch < 20; batch++) take(1);
  for (let batch = 0; batch < 20; batch++) take(2, 'backlog');
  await clock.pass(5_900);
  const kinds = asked.map(({ lines }) => lines.join('').match(/seq=(\d+)i/)?.[1]);
  const live = kinds.filter((seq) => Number(seq) < 20_000).length;
  expect([live, asked.length - live <= 5, asked.length > live]).toEqual([20, true, true]);
});

test('the live lane says how far it is behind', async () => {
  const { clock, take, sender, answer } = openSender({ gatherMs: 0 });
  take(1);
  await clock.pass(100);
  answer(() => ({ none: 'away' }));
  take(1);
  await clock.pass(5_000);
  expect(sender.figures().liveLagMs.max).toBeGreaterThanOrEqual(4_990);
});
