import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { testCertificate, testKey } from './certificate.ts';
import {
  accepted,
  connectPacket,
  openBroker,
  publishPacket,
  puback,
  rawClient,
  type BrokerHouse,
} from './house.ts';

const own = 'v1/device/mon-1/observations';

test('over TLS a device signs in and is answered', async () => {
  await using house = await openBroker();
  const tls = { key: testKey, cert: testCertificate };
  const listener = await house.broker.listen({ host: '127.0.0.1', port: 0, tls });
  const client = await rawClient(connectTls({ port: listener.port, host: '127.0.0.1', ca: testCertificate }));
  client.send(connectPacket(), publishPacket(own));
  expect(await client.until(8)).toBe(accepted + puback(1));
  expect(house.broker.stats()).toMatchObject({ connections: 1, waiting: 0, signedIn: 1 });
});

test('over TLS nothing older than 1.2 is spoken', async () => {
  await using house = await openBroker();
  const tls = { key: testKey, cert: testCertificate };
  const listener = await house.broker.listen({ host: '127.0.0.1', port: 0, tls });
  const old = connectTls({
    port: listener.port,
    host: '127.0.0.1',
    ca: testCertificate,
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL:@SECLEVEL=0',
  });
  const outcome = await new Promise((resolve) =>
    old.on('error', resolve).on('secureConnect', () => resolve('open')),
  );
  expect(outcome).toBeInstanceOf(Error);
});

test('a handshake that never comes is closed after 5 s and held a place till then', async () => {
  await using house = await openBroker();
  const tls = { key: testKey, cert: testCertificate };
  const listener = await house.broker.listen({ host: '127.0.0.1', port: 0, tls });
  const { connect } = await import('node:net');
  const silent = await rawClient(connect(listener.port, '127.0.0.1'));
  await expect.poll(() => house.broker.stats().waiting).toBe(1);
  await house.clock.pass(5_000);
  await silent.closed;
  expect(house.codes()).toEqual(['DOOR_PROTOCOL']);
});

test('a port that is taken is said so', async () => {
  await using house = await openBroker();
  await expect(house.broker.listen({ host: '127.0.0.1', port: house.port })).rejects.toThrow('EADDRINUSE');
});

test('a listener that closes takes its connections with it and leaves the others', async () => {
  await using house = await openBroker();
  const second = await house.broker.listen({ host: '127.0.0.1', port: 0 });
  const { connect } = await import('node:net');
  const here = await rawClient(connect(second.port, '127.0.0.1'));
  here.send(connectPacket({ id: 'mon-2' }));
  await here.until(4);
  const there = await house.client('mon-1');
  await second.close();
  await here.closed;
  expect(await there.settled()).toBe(`${accepted}d000`);
});

async function openHttp(house: BrokerHouse): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer().on('upgrade', house.broker.upgrade);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/mqtt`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('over WebSocket a device signs in and is answered, its packets in any frames', async () => {
  await using house = await openBroker();
  await using http = await openHttp(house);
  const socket = new WebSocket(http.url, 'mqtt');
  const client = await rawClient(createWebSocketStream(socket));
  for (const byte of connectPacket()) client.send(Buffer.from([byte]));
  await client.until(4);
  expect(socket.protocol).toBe('mqtt');
  client.send(publishPacket(own), publishPacket(own, '{}', { id: 2 }));
  expect(await client.until(12)).toBe(accepted + puback(1) + puback(2));
  expect(house.broker.stats()).toMatchObject({ connections: 1, signedIn: 1 });
  client.send('e000');
  await client.closed;
  await expect.poll(() => house.broker.stats().connections).toBe(0);
});

test('a WebSocket that sends text is closed [MQTT-6.0.0-1]', async () => {
  await using house = await openBroker();
  await using http = await openHttp(house);
  const socket = new WebSocket(http.url, 'mqtt');
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send('hello');
  await new Promise((resolve) => socket.once('close', resolve));
  expect(house.taken).toEqual([]);
});

test('a WebSocket without the sub-protocol mqtt is refused', async () => {
  await using house = await openBroker();
  await using http = await openHttp(house);
  const socket = new WebSocket(http.url, 'other');
  const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
  expect(error.message).toContain('400');
});

test('a WebSocket that never sends its CONNECT is closed after 5 s', async () => {
  await using house = await openBroker();
  await using http = await openHttp(house);
  const socket = new WebSocket(http.url, 'mqtt');
  await new Promise((resolve) => socket.once('open', resolve));
  await house.clock.pass(5_000);
  await new Promise((resolve) => socket.once('close', resolve));
  expect(house.codes()).toEqual(['DOOR_PROTOCOL']);
});
