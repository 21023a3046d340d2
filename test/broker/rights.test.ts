import { describe, expect, test } from 'vitest';
import { publishRight, rightStands, subscribeRight, type Identity } from '../../broker/rights.ts';
import { accepted, openBroker, publishPacket, puback, subscribePacket } from './house.ts';

const devices = new Set(['vent-1']);
const identities: Readonly<Record<string, Identity>> = {
  device: { kind: 'device', id: 'mon-1' },
  foreign: { kind: 'device', id: 'esp-1', extraTopics: new Set(['home/ble/hr', 'v1/device/mon-1/state']) },
  wearable: { kind: 'device', id: 'esp-1', extraTopics: new Set(['home/ble/hr']), foreignOnly: true },
  host: { kind: 'host', id: 'host-1', devices },
  reader: { kind: 'reader', id: 'board-1', ward: 'icu' },
};
const topics = [
  'v1/device/mon-1/observations',
  'v1/device/mon-1/waveforms',
  'v1/device/mon-1/alerts',
  'v1/device/mon-1/state',
  'v1/device/mon-1/command',
  'v1/device/mon-1',
  'v1/device/mon-1/state/',
  'v2/device/mon-1/state',
  'v1/device/vent-1/observations',
  'v1/device/esp-1/state',
  'v1/host/host-1/config',
  'v1/host/host-1/request',
  'v1/host/host-1/reply',
  'v1/host/host-1/state',
  'v1/host/host-1/raw',
  'v1/host/host-2/state',
  'v1/host/mon-1/state',
  'v1/ward/icu/alarms/a-1',
  'home/ble/hr',
  'home/ble/hr/x',
  '$SYS/x',
  '/v1/device/mon-1/state',
];
const mayPublish: Readonly<Record<string, readonly string[]>> = {
  device: topics.slice(0, 4),
  foreign: ['v1/device/mon-1/state', 'v1/device/esp-1/state', 'home/ble/hr'],
  wearable: ['home/ble/hr'],
  host: ['v1/device/vent-1/observations', 'v1/host/host-1/reply', 'v1/host/host-1/state'],
  reader: [],
};
const filters = [
  '#',
  '+',
  '+/+/#',
  '$SYS/#',
  '$share/g/#',
  'v1/#',
  'v1/device/mon-1/state',
  'v1/device/+/state',
  'v1/host/host-1/config',
  'v1/host/host-1/request',
  'v1/host/host-1/raw',
  'v1/host/host-1/state',
  'v1/host/host-1/#',
  'v1/host/+/config',
  'v1/host/host-2/raw',
  'v1/ward/icu/#',
  'v1/ward/icu/alarms/+',
  'v1/ward/icu/beds/+/observations',
  'v1/ward/+/alarms/#',
  'v1/ward/icu2/#',
  'v1/ward/#',
];
const maySubscribe: Readonly<Record<string, readonly string[]>> = {
  device: [],
  foreign: [],
  wearable: [],
  host: ['v1/host/host-1/config', 'v1/host/host-1/request', 'v1/host/host-1/raw'],
  reader: ['v1/ward/icu/#', 'v1/ward/icu/alarms/+', 'v1/ward/icu/beds/+/observations'],
};

describe('every role on every topic', () => {
  for (const [role, identity] of Object.entries(identities)) {
    test(`a ${role} publishes on its own topics alone`, () => {
      expect(topics.filter((topic) => publishRight(identity, topic))).toEqual(mayPublish[role]);
    });
    test(`a ${role} subscribes to its own topics alone`, () => {
      expect(filters.filter((filter) => subscribeRight(identity, filter))).toEqual(maySubscribe[role]);
    });
  }
});

test('a right on a device ends when the device leaves the host', () => {
  const host = identities['host'] as Identity;
  const topic = publishRight(host, 'v1/device/vent-1/observations');
  expect(topic && rightStands(host, topic)).toBe(true);
  devices.delete('vent-1');
  expect(topic && rightStands(host, topic)).toBe(false);
});

test('a right on a foreign topic ends when the topic is taken back', () => {
  const granted = new Set(['home/ble/hr']);
  const wearable: Identity = { kind: 'device', id: 'esp-1', extraTopics: granted, foreignOnly: true };
  const topic = publishRight(wearable, 'home/ble/hr');
  expect(topic && rightStands(wearable, topic)).toBe(true);
  granted.clear();
  expect(topic && rightStands(wearable, topic)).toBe(false);
});

describe('on the wire', () => {
  test("a device that publishes on another's branch is closed, and nothing of it is taken", async () => {
    await using house = await openBroker();
    const client = await house.client('mon-1');
    client.send(publishPacket('v1/device/mon-2/observations', '{"device":"mon-2"}'));
    await client.closed;
    expect(house.taken).toEqual([]);
    expect(house.refused).toMatchObject([
      { client: 'mon-1', topic: 'v1/device/mon-2/observations', address: '127.0.0.1' },
    ]);
    expect(house.codes()).toEqual(['DOOR_NOT_ALLOWED']);
  });

  test('a host publishes for a device from the moment it is registered there until it is not', async () => {
    await using house = await openBroker();
    const registered = new Set<string>();
    house.identities.set('host-2', { kind: 'host', id: 'host-2', devices: registered });
    registered.add('pump-1');
    const client = await house.client('host-2');
    client.send(
      publishPacket('v1/device/pump-1/state'),
      publishPacket('v1/device/pump-1/state', '{}', { id: 2 }),
    );
    expect(await client.until(12)).toBe(accepted + puback(1) + puback(2));
    registered.add('pump-2');
    client.send(publishPacket('v1/device/pump-2/state', '{}', { id: 3 }));
    expect(await client.until(16)).toContain(puback(3));
    registered.delete('pump-1');
    client.send(publishPacket('v1/device/pump-1/state', '{}', { id: 4 }));
    await client.closed;
    expect(house.taken).toHaveLength(3);
  });

  test('a foreign device uses exactly the topics granted to it', async () => {
    await using house = await openBroker();
    const client = await house.client('esp-1');
    client.send(publishPacket('home/ble/hr', '72'));
    expect(await client.until(8)).toBe(accepted + puback(1));
    expect(house.taken[0]?.topic).toEqual({ kind: 'foreign', name: 'home/ble/hr' });
    client.send(publishPacket('home/ble/spo2', '97'));
    await client.closed;
    expect(house.taken).toHaveLength(1);
  });

  test('a device may subscribe to nothing, and gets nothing', async () => {
    await using house = await openBroker();
    const client = await house.client('mon-1');
    client.send(subscribePacket(['#', '+/+/#', '$SYS/#', '$share/g/#', 'v1/device/mon-1/state']));
    expect(await client.until(13)).toBe(`${accepted}900700018080808080`);
    house.broker.publish('v1/host/host-1/config', Buffer.from('{}'));
    house.broker.publish('v1/device/mon-1/state', Buffer.from('{}'));
    expect(await client.settled()).toBe(`${accepted}900700018080808080d000`);
    expect(house.codes()).toEqual(Array.from({ length: 5 }, () => 'DOOR_NOT_ALLOWED'));
  });

  test('a filter refused to a persistent session collects nothing while it is away', async () => {
    await using house = await openBroker();
    const first = await house.client('host-1', { clean: false });
    first.send(subscribePacket(['v1/host/host-1/raw', '#']));
    expect(await first.until(10)).toBe(`${accepted}900400010180`);
    first.send('e000');
    await first.closed;
    house.broker.publish('v1/host/host-2/config', Buffer.from('of another'));
    house.broker.publish('v1/host/host-1/raw', Buffer.from('mine'));
    const second = await house.client('host-1', { clean: false });
    const got = Buffer.from(await second.settled(), 'hex').toString('latin1');
    expect(got).toContain('mine');
    expect(got).not.toContain('of another');
  });

  test('a ward display gets its ward, and publishes nothing', async () => {
    await using house = await openBroker();
    const display = await house.client('board-1');
    display.send(subscribePacket(['v1/ward/icu/#'], 0));
    await display.until(9);
    house.broker.publish('v1/ward/icu/alarms/a-1', Buffer.from('1'));
    house.broker.publish('v1/ward/er/alarms/a-2', Buffer.from('2'));
    const expected = publishPacket('v1/ward/icu/alarms/a-1', '1', { header: 0x30 });
    const got = await display.until(9 + expected.length);
    expect(got.slice(18)).toBe(expected.toString('hex'));
    display.send(publishPacket('v1/ward/icu/alarms/a-1', 'x'));
    await display.closed;
    expect(house.taken).toEqual([]);
  });
});
