import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accepted,
  connectPacket,
  hex,
  openBroker,
  packet,
  publishPacket,
  puback,
  subscribePacket,
  text,
  word,
} from './house.ts';
import type { BrokerHouse } from './house.ts';

// Goal: no MUST of MQTT 3.1.1 fails on the wire. Way: exact bytes over a socket; each row is what a client sends,
// and every byte the broker answers before it closes.
let house: BrokerHouse;
beforeAll(async () => {
  house = await openBroker({ limits: { connectsPerMinute: 1_000_000 } });
});
afterAll(() => house.broker.close());

const own = 'v1/device/mon-1/observations';
const surrogate = Buffer.from([0xed, 0xa0, 0x80]);
const broken: readonly (readonly [string, Buffer, string])[] = [
  ['a PUBLISH first', publishPacket(own), ''],
  ['a PINGREQ first', hex('c000'), ''],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n'), ''],
  ['reserved flags of CONNECT', hex('11 00'), ''],
  ['a remaining length of five bytes', hex('10 ff ff ff ff 01'), ''],
  ['a CONNECT announced larger than 4 kB', hex('10 ff 7f'), ''],
  ['an empty CONNECT', hex('10 00'), ''],
  ['protocol MQIsdp of MQTT 3.1', connectPacket({ name: 'MQIsdp', level: 3 }), '20020001'],
  ['an unknown protocol name', connectPacket({ name: 'MQTX' }), '20020001'],
  ['protocol level 5', connectPacket({ level: 5 }), '20020001'],
  ['protocol level 132', connectPacket({ level: 132 }), '20020001'],
  ['the reserved connect flag', connectPacket({ flags: 1 }), ''],
  ['will QoS without a will', connectPacket({ flags: 0x08 }), ''],
  ['will retain without a will', connectPacket({ flags: 0x20 }), ''],
  ['will QoS 3', connectPacket({ will: { topic: own }, flags: 0x18 }), ''],
  ['a will topic with a wildcard', connectPacket({ will: { topic: 'v1/device/mon-1/#' } }), ''],
  ['an empty will topic', connectPacket({ will: { topic: '' } }), ''],
  ['U+0000 in the client id', connectPacket({ id: 'mon\0-1' }), ''],
  ['a surrogate in the client id', connectPacket({ id: surrogate }), ''],
  ['U+0000 in the user name', connectPacket({ userName: 'mon-1\0' }), ''],
  ['bytes that are no UTF-8 in the user name', connectPacket({ userName: Buffer.from([0xff]) }), ''],
  ['U+0000 in the will topic', connectPacket({ will: { topic: `${own}\0` } }), ''],
  ['a surrogate in the will topic', connectPacket({ will: { topic: surrogate } }), ''],
  ['a password without a user name', packet(0x10, text('MQTT'), '04 42 0000', text('mon-1'), text('x')), ''],
  ['a user name its flag denies', packet(0x10, text('MQTT'), '04 02 0000', text('mon-1'), text('mon-1')), ''],
  ['a CONNECT cut short', packet(0x10, text('MQTT'), '04 c2 0000', text('mon-1'), text('mon-1')), ''],
  ['bytes after the last field', packet(0x10, connectPacket().subarray(2), '00'), ''],
  ['an empty client id that keeps its session', connectPacket({ id: '', clean: false }), '20020002'],
  ['an empty client id', connectPacket({ id: '' }), '20020002'],
  ['a wrong secret', connectPacket({ password: 'wrong' }), '20020005'],
  ['an unknown device', connectPacket({ id: 'nobody' }), '20020005'],
  ['an id that can be no id', connectPacket({ id: 'Mon 1' }), '20020005'],
  ['a user name that is another', connectPacket({ userName: 'mon-2' }), '20020005'],
  ['no user name at all', packet(0x10, text('MQTT'), '04 02 0000', text('mon-1')), '20020005'],
  ["a will on another's branch", connectPacket({ will: { topic: 'v1/device/mon-2/state' } }), '20020005'],
  ['a retained will', connectPacket({ will: { topic: 'v1/device/mon-1/state' }, flags: 0x20 }), '20020005'],
];

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

const closing: readonly (readonly [string, Buffer])[] = [
  ['a second CONNECT', connectPacket()],
  ['a CONNACK', hex('20 02 00 00')],
  ['a SUBACK', hex('90 03 0001 00')],
  ['an UNSUBACK', hex('b0 02 0001')],
  ['a PINGRESP', hex('d0 00')],
  ['packet type 0', hex('00 00')],
  ['packet type 15', hex('f0 00')],
  ['a PINGREQ with a body', hex('c0 01 00')],
  ['a PINGREQ with flags', hex('c1 00')],
  ['a DISCONNECT with a body', hex('e0 01 00')],
  ['a DISCONNECT with flags', hex('e2 00')],
  ['SUBSCRIBE without its flags', Buffer.concat([hex('80'), subscribePacket(['a']).subarray(1)])],
  ['SUBSCRIBE with too many flags', Buffer.concat([hex('83'), subscribePacket(['a']).subarray(1)])],
  ['SUBSCRIBE with packet id 0', subscribePacket(['a'], 1, 0)],
  ['SUBSCRIBE without a filter', hex('82 02 0001')],
  ['SUBSCRIBE with nothing', hex('82 00')],
  ['SUBSCRIBE to an empty filter', subscribePacket([''])],
  ['SUBSCRIBE with QoS 3', subscribePacket(['a'], 3)],
  ['SUBSCRIBE with reserved QoS bits', subscribePacket(['a'], 0x81)],
  ['SUBSCRIBE without a QoS', packet(0x82, word(1), text('a'))],
  ['U+0000 in a filter', subscribePacket(['a\0b'])],
  ['a surrogate in a filter', subscribePacket([surrogate])],
  ['a filter with # inside', subscribePacket(['a/#/b'])],
  ['a filter with a#', subscribePacket(['a#'])],
  ['a filter with a+', subscribePacket(['a+'])],
  ['a filter with +a', subscribePacket(['+a/b'])],
  ['more filters than allowed', subscribePacket(Array.from({ length: 33 }, (_, n) => `f/${n}`))],
  ['UNSUBSCRIBE without its flags', hex('a0 05 0001 0001 61')],
  ['UNSUBSCRIBE with packet id 0', hex('a2 05 0000 0001 61')],
  ['UNSUBSCRIBE without a filter', hex('a2 02 0001')],
  ['UNSUBSCRIBE cut short', hex('a2 04 0001 0009')],
  ['PUBLISH with QoS 3', publishPacket(own, '{}', { header: 0x36 })],
  ['PUBLISH with QoS 2, which is not offered', publishPacket(own, '{}', { header: 0x34 })],
  ['DUP on QoS 0', publishPacket(own, '{}', { header: 0x38 })],
  ['PUBLISH with packet id 0', publishPacket(own, '{}', { id: 0 })],
  ['PUBLISH without a packet id', packet(0x32, text(own))],
  ['PUBLISH without a topic', hex('30 01 00')],
  ['PUBLISH whose topic is longer than itself', hex('30 04 0009 6161')],
  ['PUBLISH to an empty topic', publishPacket('')],
  ['PUBLISH to a +', publishPacket('v1/device/+/state')],
  ['PUBLISH to a #', publishPacket('v1/device/mon-1/#')],
  ['U+0000 in a topic', publishPacket(`${own}\0`)],
  ['a surrogate in a topic', publishPacket(surrogate)],
  ['an overlong encoding in a topic', publishPacket(Buffer.from([0xc0, 0xaf]))],
  ["another device's branch", publishPacket('v1/device/mon-2/observations')],
  ['a topic of nobody', publishPacket('some/where')],
  ['a $SYS topic', publishPacket('$SYS/broker')],
  ['17 levels', publishPacket('a/'.repeat(16) + 'a')],
  ['30,000 slashes', publishPacket('/'.repeat(30_000))],
  ['PUBACK with packet id 0', hex('40 02 0000')],
  ['PUBACK of three bytes', hex('40 03 0001 00')],
  ['PUBACK with flags', hex('42 02 0001')],
  ['PUBREC', hex('50 02 0001')],
  ['PUBREL without its flags', hex('60 02 0001')],
  ['PUBREL', hex('62 02 0001')],
  ['PUBCOMP', hex('70 02 0001')],
  ['a remaining length of five bytes', hex('30 ff ff ff ff 01')],
  ['a packet of 64 kB and one byte', publishPacket(own, Buffer.alloc(65_536 - 35))],
];

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
