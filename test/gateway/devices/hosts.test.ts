import { describe, expect, test } from 'vitest';
import { Hosts } from '../../../gateway/devices/hosts.ts';
import type { Device } from '../../../model/device.ts';
import { systemChance } from '../../../model/ids.ts';
import type { HostState } from '../../../model/wire.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

const device: Device = {
  id: 'ox-1',
  label: 'Oximeter',
  ward: 'icu',
  duty: 'in-use',
  driver: 'masimo',
  host: 'h',
  settings: { port: '/dev/x' },
  periodMs: 1_000,
};
const state = (boot: string, seq: number, link: HostState['link'] = 'birth'): Buffer =>
  Buffer.from(JSON.stringify({ boot, seq, link, devices: [] }));

function open(devices: readonly Device[] = [device]) {
  const clock = virtualClock();
  const published: { topic: string; payload: Record<string, unknown>; retain: boolean }[] = [];
  const events: string[] = [];
  const hosts = new Hosts({
    clock,
    chance: systemChance(),
    publish: (topic, payload, { retain }) =>
      void published.push({ topic, payload: JSON.parse(payload) as Record<string, unknown>, retain }),
    devicesOn: () => devices,
    mapsOf: () => ({}),
    lost: (host) => void events.push(`lost ${host}`),
    back: (host) => void events.push(`back ${host}`),
    told: () => undefined,
    rawReply: () => undefined,
  });
  return { clock, published, events, hosts };
}

describe('a driver host', () => {
  test('is told its devices by a retained message whose revision grows; what is in maintenance is not run', () => {
    const { hosts, published } = open([
      device,
      { ...device, id: 'ox-2', duty: 'maintenance' },
      { ...device, id: 'w', driver: undefined },
    ]);
    hosts.configure('h');
    hosts.configure('h');
    expect(published).toMatchObject([
      {
        topic: 'v1/host/h/config',
        retain: true,
        payload: { revision: 1, devices: [{ device: 'ox-1', driver: 'masimo' }] },
      },
      { payload: { revision: 2 } },
    ]);
  });

  test('that falls silent for three of its states is lost once, and comes back', async () => {
    const { hosts, events, clock } = open();
    hosts.take('h', 'state', state('b', 1));
    await clock.pass(5_000);
    expect(events).toEqual([]);
    await clock.pass(3_000);
    expect(events).toEqual(['lost h']);
    await clock.pass(60_000);
    hosts.take('h', 'state', state('b', 2));
    expect(events).toEqual(['lost h', 'back h']);
  });

  test('is lost at its will, but the late will of an older connection does not bury it', () => {
    const { hosts, events } = open();
    hosts.take('h', 'state', state('b', 11));
    hosts.take('h', 'state', state('a', 99, 'death'));
    hosts.take('h', 'state', state('b', 4, 'death'));
    expect(events).toEqual([]);
    hosts.take('h', 'state', state('b', 10, 'death'));
    expect(events).toEqual(['lost h']);
  });

  test('answers a test with what was seen; one that is away or silent is said to be', async () => {
    const { hosts, published, clock } = open();
    expect(await hosts.test('h', 'masimo', {})).toBe('host-away');
    hosts.take('h', 'state', state('b', 1));
    const asked = hosts.test('h', 'masimo', { port: '/dev/x' });
    const requestId = String(published.at(-1)?.payload.requestId);
    hosts.take('h', 'reply', Buffer.from(JSON.stringify({ requestId, seen: [{ kind: 'observation' }] })));
    expect(await asked).toMatchObject({ requestId, seen: [{ kind: 'observation' }] });
    const unanswered = hosts.test('h', 'masimo', {});
    await clock.pass(20_000);
    expect(await unanswered).toBe('host-away');
  });

  test('that says nonsense is not heard', () => {
    const { hosts, events } = open();
    for (const nonsense of ['', '{', '[]', '{"boot":1}', '{"boot":"b","seq":-1,"link":"birth"}'])
      hosts.take('h', 'state', Buffer.from(nonsense));
    expect(hosts.stateOf('h').up).toBe(false);
    expect(events).toEqual([]);
  });
});
