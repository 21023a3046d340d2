import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { closing } from '../broker/forbidden.ts';
import { guarded, seeds } from '../broker/guarded.ts';
import {
  connectPacket,
  openBroker,
  publishPacket,
  puback,
  rawClient,
  type BrokerHouse,
} from '../broker/house.ts';

// Goal: a million broken packets crash nothing, leak nothing, and a good client is served all the while.

const seed = Number(process.env['VIGIL_SEED'] ?? Date.now() % 2 ** 31);
const megabyte = 2 ** 20;

/** mulberry32: small, seeded, good enough to place mutations. */
function chance(state: number): (below: number) => number {
  let at = state;
  return (below) => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const corpus = [...seeds, ...closing.map(([, bytes]) => bytes).filter((bytes) => bytes.length < 400)];

/** A CONNECT, sometimes broken itself, and up to five packets with up to three wrong bytes. */
function mutated(random: (below: number) => number): Buffer {
  const parts = [
    connectPacket(),
    ...Array.from({ length: random(6) }, () => corpus[random(corpus.length)] as Buffer),
  ];
  let bytes = Buffer.concat(parts);
  const from = random(10) === 0 ? 0 : connectPacket().length;
  for (let wrongs = random(4); wrongs > 0 && bytes.length > from; wrongs--) {
    const at = from + random(bytes.length - from);
    const how = random(3);
    const put = how === 0 ? Buffer.alloc(0) : Buffer.from([random(256)]);
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + (how === 2 ? 0 : 1))]);
  }
  return bytes;
}

test(`a million mutated packets pass the guard or not, and none throws (seed ${seed})`, async () => {
  const random = chance(seed);
  let packets = 0;
  while (packets < 1_000_000) {
    const sequences = Array.from({ length: 64 }, () => mutated(random));
    await Promise.all(sequences.map((bytes) => guarded([bytes])));
    packets += sequences.length * 3.5;
  }
});

async function timedPublish(
  house: BrokerHouse,
  client: Awaited<ReturnType<BrokerHouse['client']>>,
  id: number,
) {
  const begin = performance.now();
  client.send(publishPacket('v1/device/mon-2/state', '{}', { id }));
  await client.until(4 + 4 * id);
  return performance.now() - begin;
}

test(`mutated packets over sockets: a good client is served and memory stays flat (seed ${seed})`, async () => {
  await using house = await openBroker({ limits: { connectsPerMinute: 1e9 } });
  const random = chance(seed);
  const good = await house.client('mon-2');
  let begun = 0;
  let worstMs = 0;
  for (let round = 1; round <= 300; round++) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const client = await rawClient(connect(house.port, '127.0.0.1'));
        client.send(mutated(random));
        client.stream.end();
        await client.closed;
      }),
    );
    house.taken.length = 0;
    house.refused.length = 0;
    house.presence.length = 0;
    house.logged.length = 0;
    await house.clock.pass(100);
    worstMs = Math.max(worstMs, await timedPublish(house, good, round));
    if (round === 100) begun = process.memoryUsage.rss();
  }
  expect(good.got().endsWith(puback(300))).toBe(true);
  expect(worstMs).toBeLessThan(1_000);
  expect(process.memoryUsage.rss() - begun).toBeLessThan(50 * megabyte);
});

test('a thousand connections that drip their CONNECT do not delay a good client', async () => {
  await using house = await openBroker();
  const good = await house.client('mon-2');
  const before = process.memoryUsage.rss();
  const bytes = connectPacket();
  const hostile = await Promise.all(
    Array.from({ length: 1_000 }, () => rawClient(connect(house.port, '127.0.0.1'))),
  );
  let worstMs = 0;
  for (let round = 1; round <= 60; round++) {
    const byte = bytes.subarray(round - 1, round);
    for (const client of hostile) if (!client.isClosed()) client.send(byte);
    worstMs = Math.max(worstMs, await timedPublish(house, good, round));
  }
  expect(worstMs).toBeLessThan(1_000);
  expect((await house.client('mon-1')).got()).toBe('20020000');
  expect(house.broker.stats().waiting).toBeLessThanOrEqual(64);
  expect(process.memoryUsage.rss() - before).toBeLessThan(50 * megabyte);
  for (const client of hostile) client.destroy();
});
