import { expect, test } from 'vitest';
import { accepted, openBroker, publishPacket, puback, subscribePacket, type RawClient } from './house.ts';

// What the gateway sends down: order, redelivery and bounds towards hosts and ward displays.

interface Delivered {
  readonly header: number;
  readonly topic: string;
  readonly id: number;
  readonly payload: string;
}

/** The PUBLISH packets among what a client got (short ones only). */
function delivered(client: RawClient): Delivered[] {
  const bytes = Buffer.from(client.got(), 'hex');
  const list: Delivered[] = [];
  for (let at = 0; at + 1 < bytes.length; at += 2 + (bytes[at + 1] ?? 0)) {
    const header = bytes[at] ?? 0;
    if (header >> 4 !== 3) continue;
    const end = at + 2 + (bytes[at + 1] ?? 0);
    const topicEnd = at + 4 + bytes.readUInt16BE(at + 2);
    const topic = bytes.toString('utf8', at + 4, topicEnd);
    const from = header & 6 ? topicEnd + 2 : topicEnd;
    const id = header & 6 ? bytes.readUInt16BE(topicEnd) : 0;
    list.push({ header, topic, id, payload: bytes.toString('utf8', from, end) });
  }
  return list;
}

const payloads = (client: RawClient): string[] => delivered(client).map(({ payload }) => payload);

test('messages keep their order, retained and not, sent in one tick', async () => {
  await using house = await openBroker();
  const host = await house.client('host-1');
  host.send(subscribePacket(['v1/host/host-1/config', 'v1/host/host-1/raw']));
  await host.until(10);
  const sent = Array.from({ length: 50 }, (_, n) => `m${n}`);
  for (const [n, payload] of sent.entries()) {
    const retain = n % 3 === 0;
    const branch = retain ? 'config' : 'raw';
    house.broker.publish(`v1/host/host-1/${branch}`, Buffer.from(payload), { retain });
  }
  await expect.poll(() => payloads(host)).toEqual(sent);
});

test('what a persistent session did not confirm comes again with DUP and its packet id, then the new', async () => {
  await using house = await openBroker();
  const first = await house.client('host-1', { clean: false });
  first.send(subscribePacket(['v1/host/host-1/raw']));
  await first.until(9);
  for (const payload of ['a', 'b', 'c']) house.broker.publish('v1/host/host-1/raw', Buffer.from(payload));
  await expect.poll(() => payloads(first)).toEqual(['a', 'b', 'c']);
  const ids = delivered(first).map(({ id }) => id);
  first.send(puback(ids[0] ?? 0));
  await first.settled();
  first.destroy();
  await expect.poll(() => house.broker.stats().signedIn).toBe(0);
  house.broker.publish('v1/host/host-1/raw', Buffer.from('d'));

  const second = await house.client('host-1', { clean: false });
  await expect.poll(() => payloads(second)).toEqual(['b', 'c', 'd']);
  expect(second.got().slice(0, 8)).toBe('20020100');
  expect(delivered(second).map(({ header }) => header)).toEqual([0x3a, 0x3a, 0x32]);
  expect(
    delivered(second)
      .map(({ id }) => id)
      .slice(0, 2),
  ).toEqual(ids.slice(1));
  house.broker.publish('v1/host/host-1/raw', Buffer.from('e'));
  await expect.poll(() => payloads(second)).toEqual(['b', 'c', 'd', 'e']);
  const all = delivered(second).map(({ id }) => id);
  expect(new Set(all).size).toBe(4);
  second.send(...all.map(puback));
  await second.settled();
  second.destroy();
  await expect.poll(() => house.broker.stats().signedIn).toBe(0);
  const third = await house.client('host-1', { clean: false });
  expect(await third.settled()).toBe('20020100d000');
});

test('a clean session starts without what an earlier one left', async () => {
  await using house = await openBroker();
  const first = await house.client('host-1', { clean: false });
  first.send(subscribePacket(['v1/host/host-1/raw']));
  await first.until(9);
  first.send('e000');
  await first.closed;
  house.broker.publish('v1/host/host-1/raw', Buffer.from('old'));
  const second = await house.client('host-1');
  expect(await second.settled()).toBe(`${accepted}d000`);
});

test('a kept session holds at most its bound of messages, the first ones', async () => {
  await using house = await openBroker({ limits: { queuedMessagesPerClient: 3 } });
  const first = await house.client('host-1', { clean: false });
  first.send(subscribePacket(['v1/host/host-1/raw']));
  await first.until(9);
  first.send('e000');
  await first.closed;
  for (const payload of ['a', 'b', 'c', 'd', 'e']) {
    house.broker.publish('v1/host/host-1/raw', Buffer.from(payload));
  }
  const second = await house.client('host-1', { clean: false });
  await expect.poll(() => payloads(second)).toEqual(['a', 'b', 'c']);
  expect(house.broker.stats().notQueued).toBe(2);
});

test('revoked credentials forget the kept session', async () => {
  await using house = await openBroker();
  const first = await house.client('host-1', { clean: false });
  first.send(subscribePacket(['v1/host/host-1/raw']));
  await first.until(9);
  house.broker.disconnect('host-1', 'credentials were revoked');
  await first.closed;
  house.broker.publish('v1/host/host-1/raw', Buffer.from('secret'));
  const second = await house.client('host-1', { clean: false });
  expect(await second.settled()).toBe(`${accepted}d000`);
});

test('overlapping subscriptions deliver at the highest QoS granted [MQTT-3.3.5-1]', async () => {
  await using house = await openBroker();
  const display = await house.client('board-1');
  display.send(subscribePacket(['v1/ward/icu/#'], 0, 1), subscribePacket(['v1/ward/icu/alarms/+'], 1, 2));
  await display.until(14);
  house.broker.publish('v1/ward/icu/alarms/a-1', Buffer.from('x'));
  await expect.poll(() => delivered(display).map(({ header }) => header)).toContain(0x32);
});

test('a retained message reaches whoever subscribes later, until an empty one forgets it', async () => {
  await using house = await openBroker();
  house.broker.publish('v1/ward/icu/beds/12/observations', Buffer.from('{"hr":72}'), { retain: true });
  const first = await house.client('board-1');
  first.send(subscribePacket(['v1/ward/icu/#'], 0));
  await expect.poll(() => delivered(first)).toMatchObject([{ header: 0x31, payload: '{"hr":72}' }]);
  house.broker.publish('v1/ward/icu/beds/12/observations', Buffer.alloc(0), { retain: true });
  await expect.poll(() => payloads(first)).toEqual(['{"hr":72}', '']);
  const second = await house.client('board-1');
  second.send(subscribePacket(['v1/ward/icu/#'], 0));
  expect(await second.settled()).toBe(`${accepted}9003000100d000`);
});

test('a client holds at most its bound of subscriptions, and gives them back by UNSUBSCRIBE', async () => {
  await using house = await openBroker({ limits: { subscriptionsPerClient: 2 } });
  const display = await house.client('board-1');
  const filters = ['v1/ward/icu/a', 'v1/ward/icu/b', 'v1/ward/icu/c'];
  display.send(subscribePacket(filters, 0));
  expect(await display.until(11)).toBe(`${accepted}900500010000${'80'}`);
  display.send(unsubscribePacket(['v1/ward/icu/a']), subscribePacket(['v1/ward/icu/c'], 0, 3));
  expect((await display.until(20)).slice(22)).toMatch(/9003000300/);
});

function unsubscribePacket(filters: readonly string[]): Buffer {
  const packet = Buffer.from(subscribePacket(filters, 0, 2));
  const body = packet.subarray(2, packet.length - 1);
  return Buffer.concat([Buffer.from([0xa2, body.length]), body]);
}

test('a message of the gateway to a topic of too many levels is said in the log, not thrown', async () => {
  await using house = await openBroker();
  house.broker.publish('a/'.repeat(30), Buffer.from('x'));
  expect(house.logged).toMatchObject([{ cause: 'topic has too many levels' }]);
  expect(publishPacket('a', 'b').length).toBe(8);
});
