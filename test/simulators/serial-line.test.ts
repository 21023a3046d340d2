import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { seededChance } from '../../simulators/chance.ts';
import { createMischief } from '../../simulators/mischief.ts';
import { openSerialLine } from '../../simulators/serial-line.ts';
import { openWireProxy } from '../../simulators/wire-proxy.ts';
import { virtualClock } from '../house/virtual-clock.ts';

const reader = async (address: string): Promise<Socket> => {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
};
const refused = async (address: string): Promise<boolean> => {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('error', () => resolve(true));
    socket.on('connect', () => socket.destroy(void resolve(false) as undefined));
  });
};
const tcp = { kind: 'tcp', folder: tmpdir(), name: 'line' } as const;

test('a line over TCP carries the device’s bytes to whoever listens, and loses them when nobody does', async () => {
  const line = await openSerialLine(tcp);
  line.wire.write('lost');
  const [one, other] = [await reader(line.address), await reader(line.address)];
  // The server has taken a connection one turn after the client knows of it.
  await new Promise((resolve) => setImmediate(resolve));
  line.wire.write('kept\r\n');
  expect(String((await once(one, 'data'))[0])).toBe('kept\r\n');
  expect(String((await once(other, 'data'))[0])).toBe('kept\r\n');
  await line.close();
});

test('a pulled cable hangs up and refuses; plugged in again it has the same address', async () => {
  const line = await openSerialLine(tcp);
  const socket = await reader(line.address);
  const closed = once(socket, 'close');
  await line.hangUp();
  await closed;
  line.wire.write('nobody hears this');
  expect(await refused(line.address)).toBe(true);
  await line.restore();
  const again = await reader(line.address);
  await new Promise((resolve) => setImmediate(resolve));
  line.wire.write('x');
  expect(String((await once(again, 'data'))[0])).toBe('x');
  await line.close();
  await line.close();
});

test('a port that is taken is said in words', async () => {
  const line = await openSerialLine(tcp);
  const port = Number(new URL(line.address).port);
  await expect(openSerialLine({ ...tcp, port })).rejects.toMatchObject({ code: 'SIM_PORT' });
  await line.close();
});

test('a wire with mischief carries both ways, and a cut closes and refuses it until it ends', async () => {
  const echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const clock = virtualClock();
  const mischief = createMischief({ clock, chance: seededChance(1) });
  const proxy = await openWireProxy({ mischief, targetPort: () => (echo.address() as AddressInfo).port });
  const address = `tcp://127.0.0.1:${proxy.port}`;

  const socket = await reader(address);
  socket.write('ping');
  expect(String((await once(socket, 'data'))[0])).toBe('ping');
  mischief.begin('repeat');
  socket.write('pong');
  let heard = '';
  while (heard.length < 8) heard += String((await once(socket, 'data'))[0]);
  expect(heard).toBe('pongpong');
  mischief.endAll();

  const closed = once(socket, 'close');
  mischief.begin('cut', { forMs: 1_000 });
  await closed;
  const early = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
  await once(early, 'close');
  clock.passSync(1_000);
  const late = await reader(address);
  late.write('again');
  expect(String((await once(late, 'data'))[0])).toBe('again');
  await proxy.close();
  echo.close();
});
