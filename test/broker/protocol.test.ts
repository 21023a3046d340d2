import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accepted,
  openBroker,
  packet,
  publishPacket,
  puback,
  subscribePacket,
  text,
  word,
  connectPacket,
} from './house.ts';
import { broken, closing, own } from './forbidden.ts';
import type { BrokerHouse } from './house.ts';

// Goal: no MUST of MQTT 3.1.1 fails on the wire. Way: exact bytes over a socket; each row is what a client sends,
// and every byte the broker answers before it closes.
let house: BrokerHouse;
beforeAll(async () => {
  house = await openBroker({ limits: { connectsPerMinute: 1_000_000 } });
});
afterAll(() => house.broker.close());

describe('before it is signed in, a connection is closed over', () => {
  test.each(broken)('%s', async (_name, bytes, answer) => {
    const before = house.refused.length;
    const client = await house.connect();
    client.send(bytes);
    await client.closed;
    expect(client.got()).toBe(answer);
    expect(house.refused.length).toBe(before + 1);
    expect(house.taken).toEqual([]);
  });
});

describe('a signed-in client is closed, unanswered, over', () => {
  test.each(closing)('%s', async (_name, bytes) => {
    const before = house.refused.length;
    const taken = house.taken.length;
    const client = await house.client('mon-1');
    client.send(bytes);
    await client.closed;
    expect(client.got()).toBe(accepted);
    expect(house.refused.length).toBe(before + 1);
    expect(house.taken.length).toBe(taken);
  });
});

describe('what the standard allows is served', () => {
  test('a PUBLISH of exactly 64 kB', async () => {
    const client = await house.client('mon-1');
    const bytes = publishPacket(own, Buffer.alloc(65_536 - 36));
    expect(bytes.length).toBe(65_536);
    client.send(bytes);
    expect(await client.until(8)).toBe(accepted + puback(1));
    client.destroy();
  });

  test('a waveform of 256 kB, but not one byte more', async () => {
    const client = await house.client('mon-1');
    const head = publishPacket('v1/device/mon-1/waveforms', '').length + 2;
    client.send(publishPacket('v1/device/mon-1/waveforms', Buffer.alloc(262_144 - head)));
    expect(await client.until(8)).toBe(accepted + puback(1));
    client.send(publishPacket('v1/device/mon-1/waveforms', Buffer.alloc(262_144 - head + 1)));
    await client.closed;
  });

  test('publications sent together with the CONNECT', async () => {
    const client = await house.connect();
    client.send(
      connectPacket({ id: 'mon-2' }),
      ...[1, 2, 3].map((id) => publishPacket('v1/device/mon-2/state', '{}', { id })),
    );
    expect(await client.until(16)).toBe(accepted + puback(1) + puback(2) + puback(3));
    client.destroy();
  });

  test('SUBACK with one code for each filter, doubles too, and QoS 2 granted as 1', async () => {
    const client = await house.client('host-1');
    const config = 'v1/host/host-1/config';
    client.send(subscribePacket([config, '#', config, 'v1/host/host-1/raw', 'v1/host/host-2/raw'], 2, 7));
    expect(await client.until(13)).toBe(`${accepted}9007000701800101${'80'}`);
    client.destroy();
  });

  test('UNSUBACK, for a filter that was never held too', async () => {
    const client = await house.client('host-1');
    client.send(packet(0xa2, word(9), text('v1/host/host-1/raw')));
    expect(await client.until(8)).toBe(`${accepted}b0020009`);
    client.destroy();
  });

  test('session present for a kept session, subscribed or not, and not for a clean one', async () => {
    for (const [clean, answer] of [
      [true, '00'],
      [false, '00'],
      [false, '01'],
      [true, '00'],
      [false, '00'],
    ] as const) {
      const client = await house.client('host-1', { clean });
      expect(client.got()).toBe(`2002${answer}00`);
      client.send('e000');
      await client.closed;
    }
  });

  test('PUBLISH with QoS 0 is taken and not answered', async () => {
    const client = await house.client('mon-1');
    const taken = house.taken.length;
    client.send(publishPacket(own, '{"a":1}', { header: 0x30 }));
    expect(await client.settled()).toBe(`${accepted}d000`);
    expect(house.taken.slice(taken)).toMatchObject([{ qos: 0, clientId: 'mon-1' }]);
    client.destroy();
  });
});
