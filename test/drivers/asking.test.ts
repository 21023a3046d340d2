import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { DriverHost } from '../../drivers/driver.ts';
import { createAsking, startRounds } from '../../drivers/transport/asking.ts';
import { virtualClock } from '../house/virtual-clock.ts';

/** The part of a host that asking speaks to, on a clock that stands still. */
function askingHouse() {
  const clock = virtualClock();
  const counts: Record<string, number> = {};
  const links: string[] = [];
  const tripsMs: number[] = [];
  const host = {
    clock,
    count: (_device: string, what: string, n: number) => void (counts[what] = (counts[what] ?? 0) + n),
    link: (_device: string, link: string, fault?: { code: string }) =>
      void links.push([link, fault?.code].join(' ')),
    roundTrip: (_device: string, ms: number) => void tripsMs.push(ms),
  } as unknown as DriverHost;
  const port = new PassThrough();
  const sent: string[] = [];
  port.on('data', (bytes: Buffer) => void sent.push(bytes.toString()));
  const options = { device: 'device-1', host, port, address: 'tcp://127.0.0.1:1', timeoutMs: 1_000 };
  return { clock, counts, links, tripsMs, sent, options };
}
const question = Buffer.from('?');

test('a reply settles its own question, with its round trip', async () => {
  const { clock, tripsMs, options } = askingHouse();
  const asking = createAsking<string>(options);
  const answer = asking.ask(question, (reply) => reply === 'mine');
  await clock.pass(40);
  expect(asking.replied('other')).toBe(false);
  expect(asking.replied('mine')).toBe(true);
  expect(await answer).toBe('mine');
  expect(tripsMs).toEqual([40]);
});

test('a reply that is late never answers the next question', async () => {
  const { clock, counts, sent, options } = askingHouse();
  const asking = createAsking<string>(options);
  const first = asking.ask(question, () => true);
  await clock.pass(1_000);
  expect(await first).toBeUndefined();
  const second = asking.ask(question, () => true);
  await clock.pass(500);
  expect(sent).toHaveLength(1);
  asking.replied('late');
  await clock.pass(500);
  expect(sent).toHaveLength(2);
  asking.replied('fresh');
  expect(await second).toBe('fresh');
  expect(counts).toEqual({ missedPoll: 1, lateReply: 1 });
});

test('bytes that keep coming put the deadline off, and not for ever', async () => {
  const { clock, options } = askingHouse();
  const asking = createAsking<string>(options);
  let settled = false;
  const answer = asking.ask(question, () => true).then(() => (settled = true));
  for (let at = 0; at < 3; at++) {
    await clock.pass(900);
    asking.coming();
  }
  expect(settled).toBe(false);
  await clock.pass(900);
  asking.coming();
  await clock.pass(100);
  await answer;
  expect(settled).toBe(true);
});

test('closing ends the question in flight and asks no more', async () => {
  const { counts, sent, options } = askingHouse();
  const asking = createAsking<string>(options);
  const answer = asking.ask(question, () => true);
  asking.close();
  expect(await answer).toBeUndefined();
  expect(await asking.ask(question, () => true)).toBeUndefined();
  expect(sent).toHaveLength(1);
  expect(counts).toEqual({});
});

test('three rounds in a row without an answer are told as lost; one with an answer starts the count anew', async () => {
  const { clock, links, options } = askingHouse();
  const answers = [true, false, false, true, false, false, false, true];
  let rounds = 0;
  startRounds({ ...options, pollMs: 2_000, round: async () => answers[rounds++] ?? false });
  for (let at = 0; at < 5; at++) await clock.pass(2_000);
  expect(links).toEqual([]);
  for (let at = 0; at < 5; at++) await clock.pass(2_000);
  expect(links).toEqual(['lost WIRE_TIMEOUT']);
  expect(rounds).toBe(7);
});

test('stopped rounds ask no more and tell nothing', async () => {
  const { clock, links, options } = askingHouse();
  let rounds = 0;
  const stop = startRounds({ ...options, pollMs: 2_000, round: async () => ++rounds > 100 });
  await clock.pass(2_000);
  stop();
  for (let at = 0; at < 5; at++) await clock.pass(2_000);
  expect(rounds).toBeLessThanOrEqual(2);
  expect(links).toEqual([]);
});
