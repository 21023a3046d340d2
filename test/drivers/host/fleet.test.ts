import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createFleet } from '../../../drivers/host/fleet.ts';
import { readOwnMaps } from '../../../drivers/host/maps.ts';
import { createRawFeed } from '../../../drivers/host/raw-feed.ts';
import { answerRequest } from '../../../drivers/host/requests.ts';
import type { HostServices } from '../../../drivers/host/session-host.ts';
import { createShares } from '../../../drivers/host/shares.ts';
import { loadDriver } from '../../../drivers/index.ts';
import { systemClock } from '../../../model/clock.ts';
import { systemChance } from '../../../model/ids.ts';
import { messagesPerRaw, type HostConfig } from '../../../model/wire.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

const own = readOwnMaps();
const maps: Record<string, unknown> = {};
const services = (): HostServices => ({
  clock: systemClock(),
  chance: systemChance(),
  shares: createShares(),
  folder: '/nowhere',
  map: (name) => maps[name] ?? own.get(name),
  discovered: () => {},
  raw: (device, accept) => createRawFeed({ clock: systemClock(), flush: () => {} }).listen(device, accept),
});

async function openSource(): Promise<{ port: number; connections: () => number; close: () => void }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.write('02/22/16 22:47:45 SN=0000056661 SPO2=098% BPM=097 ALARM=0000 EXC=000800\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  return { port, connections: () => connections, close: () => void server.close() };
}
async function until(ready: () => boolean): Promise<void> {
  for (let tries = 0; !ready(); tries++) {
    if (tries > 1_000) throw new Error('not seen in 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a fleet opens what is new, reopens what changed and leaves the rest alone', async () => {
  const source = await openSource();
  const told: string[] = [];
  const fleet = createFleet({
    loadDriver,
    services: services(),
    events: {
      emit: () => {},
      kept: async () => {},
      born: (device) => void told.push(`${device} born`),
      died: (device) => void told.push(`${device} died`),
    },
    prepare: async () => {},
  });
  const device = (id: string, more: object = {}): HostConfig['devices'][number] => ({
    device: id,
    driver: 'masimo',
    settings: { port: `tcp://127.0.0.1:${source.port}` },
    periodMs: 1_000,
    ...more,
  });
  const config = (...devices: HostConfig['devices']): HostConfig => ({
    version: 1,
    revision: 1,
    devices,
    maps: {},
  });

  fleet.reconcile(config(device('a'), device('b')));
  await until(() => told.length === 2);
  fleet.reconcile(config(device('a'), device('b')));
  fleet.reconcile(config(device('a'), device('b', { periodMs: 2_000 })));
  await until(() => told.length === 4);
  expect(told.slice(2)).toEqual(['b died', 'b born']);
  expect(source.connections()).toBe(3);

  // What cannot run is told with its reason; a mistake in one costs the others nothing.
  fleet.reconcile(config(device('a'), device('c', { driver: 'nobody' }), device('d', { settings: {} })));
  await until(() => fleet.report().length === 3);
  const faults = Object.fromEntries(
    fleet.report().map((each) => [each.device, (each.lastFault as { code?: string })?.code]),
  );
  expect(faults).toMatchObject({ c: 'DRIVER_UNKNOWN', d: 'DRIVER_SETTINGS' });
  fleet.announce();
  expect(told.at(-1)).toBe('a born');
  await fleet.close();
  expect(told.at(-1)).toBe('a died');
  source.close();
});

test('requests are answered, those that cannot be read too, and nobody is answered who did not ask', async () => {
  const source = await openSource();
  const ask = (request: unknown) =>
    answerRequest(Buffer.from(typeof request === 'string' ? request : JSON.stringify(request)), loadDriver, {
      ...services(),
      discoveries: () => [],
      watch: () => undefined,
      maps: own,
    });
  const settings = { port: `tcp://127.0.0.1:${source.port}` };
  expect(await ask('{')).toBeUndefined();
  expect(await ask({ ask: 'test' })).toBeUndefined();
  expect(await ask({ requestId: '1', ask: 'test', driver: 'masimo', settings, forMs: 5 })).toMatchObject({
    fault: { code: 'CONTRACT_PAYLOAD' },
  });
  const seen = await ask({ requestId: '2', ask: 'test', driver: 'masimo', settings, forMs: 400 });
  expect(seen?.seen).toEqual(
    expect.arrayContaining([
      { kind: 'identity', identity: { manufacturer: 'Masimo', serial: '0000056661' } },
      expect.objectContaining({ metric: 'MDC_PULS_OXIM_SAT_O2', value: 98 }),
    ]),
  );
  expect(seen?.fault).toBeUndefined();
  expect(await ask({ requestId: '3', ask: 'test', driver: 'nobody', settings, forMs: 100 })).toMatchObject({
    fault: { code: 'DRIVER_UNKNOWN' },
  });
  source.close();
  const refused = { port: 'tcp://127.0.0.1:1' };
  expect(
    await ask({ requestId: '4', ask: 'test', driver: 'masimo', settings: refused, forMs: 200 }),
  ).toMatchObject({
    fault: { code: 'WIRE_REFUSED' },
  });
});

test('a raw message goes to the driver of its device, and to nobody else', async () => {
  const order: unknown[] = [];
  const feed = createRawFeed({
    clock: virtualClock(1_000),
    flush: (device) => order.push(`flush ${device}`),
  });
  const listener = feed.listen('d1', (topic, payload, receivedAtMs) => {
    order.push([topic, payload.toString(), receivedAtMs, feed.numbers?.boot, feed.numbers?.take()]);
  });
  const message = (device: string, named = true): Buffer =>
    Buffer.from(
      JSON.stringify({
        device,
        topic: 'home/x',
        ...(named && { boot: 'raw-0011223344556677', number: 7 }),
        receivedAtMs: 5_000,
        sentAtMs: 5_200,
        payload: Buffer.from('hi').toString('base64'),
      }),
    );
  expect(feed.received(message('d1'))).toEqual({ raw: 7, outcome: 'kept' });
  // What was emitted before goes out under its own numbers, what comes of the message under the message's.
  expect(order).toEqual([
    'flush d1',
    ['home/x', 'hi', 5_000, 'raw-0011223344556677', 7 * messagesPerRaw],
    'flush d1',
  ]);
  expect(feed.numbers).toBeUndefined();
  expect(feed.offsetMs).toBe(4_200);
  expect(feed.received(message('d2'))).toEqual({ raw: 7, outcome: 'unread' });
  expect(feed.received(message('d1', false))).toBeUndefined();
  expect(order.at(-2)).toEqual(['home/x', 'hi', 5_000, undefined, undefined]);
  expect(feed.received(Buffer.from('{"device":"d1"}'))).toBeUndefined();
  expect(feed.received(Buffer.from('nonsense'))).toBeUndefined();
  await listener.close();
  expect(feed.received(message('d1'))).toEqual({ raw: 7, outcome: 'unread' });
});
