import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createBackoff } from '../../../drivers/transport/backoff.ts';
import { withDeadline } from '../../../drivers/transport/deadline.ts';
import { openListener } from '../../../drivers/transport/listen.ts';
import { parsePort } from '../../../drivers/transport/port.ts';
import { openStream } from '../../../drivers/transport/stream.ts';
import { openTcp } from '../../../drivers/transport/tcp.ts';
import { openUdp } from '../../../drivers/transport/udp.ts';
import { systemClock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

const clock = systemClock();
const deadline = { clock, deadlineMs: 2_000 };
const line = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false } as const;

describe('a port’s name', () => {
  test.each([
    ['/dev/serial/by-id/usb-FTDI-0', { kind: 'serial', path: '/dev/serial/by-id/usb-FTDI-0' }],
    ['tcp://10.0.0.7:4001', { kind: 'tcp', host: '10.0.0.7', port: 4001 }],
    ['tcp://moxa-3.ward:950', { kind: 'tcp', host: 'moxa-3.ward', port: 950 }],
    ['tcp://[::1]:4001', { kind: 'tcp', host: '::1', port: 4001 }],
  ])('%s is read', (text, address) => expect(parsePort(text)).toEqual(address));

  test.each(['', 'COM3', 'tcp://host', 'tcp://host:0', 'tcp://host:70000', 'udp://h:1', 'tcp://a b:1'])(
    '"%s" is none',
    (text) => expect(parsePort(text)).toBeUndefined(),
  );

  test('that is none opens nothing', async () => {
    await expect(openStream('COM3', line, deadline)).rejects.toMatchObject({ code: 'WIRE_NO_PORT' });
  });
});

describe('a deadline', () => {
  const late = (): Fault => new Fault('WIRE_TIMEOUT', { address: 'x', deadlineMs: 100 });

  test('ends a wait, and what comes after it is let go', async () => {
    const house = virtualClock();
    const released: string[] = [];
    let bring: (value: string) => void = () => {};
    const waiting = withDeadline(
      { clock: house, deadlineMs: 100 },
      late,
      () => new Promise<string>((resolve) => (bring = resolve)),
      (value) => released.push(value),
    );
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'WIRE_TIMEOUT' });
    await house.pass(101);
    await outcome;
    bring('too late');
    await house.pass(1);
    expect(released).toEqual(['too late']);
  });

  test('passes on what comes in time, good or bad', async () => {
    const house = virtualClock();
    expect(await withDeadline({ clock: house, deadlineMs: 100 }, late, async () => 7)).toBe(7);
    const broken = withDeadline({ clock: house, deadlineMs: 100 }, late, () =>
      Promise.reject(new TypeError('x')),
    );
    await expect(broken).rejects.toThrow(TypeError);
  });

  test('is cut short by a signal, before it began too', async () => {
    const house = virtualClock();
    const ending = new AbortController();
    const forever = (): Promise<never> => new Promise<never>(() => {});
    const waiting = withDeadline({ clock: house, deadlineMs: 100, signal: ending.signal }, late, forever);
    ending.abort(new Fault('WIRE_CLOSED', { address: 'x' }));
    await expect(waiting).rejects.toMatchObject({ code: 'WIRE_CLOSED' });
    const never = withDeadline({ clock: house, deadlineMs: 100, signal: ending.signal }, late, forever);
    await expect(never).rejects.toMatchObject({ code: 'WIRE_CLOSED' });
  });
});

test('pauses grow, keep a bound, never come in step, and start over', () => {
  const fractions = [0, 0.5, 0.999, 0, 0];
  const chance = { id: (p: string) => p, hex: () => '', fraction: () => fractions.shift() ?? 0.5 };
  const backoff = createBackoff({ firstMs: 100, mostMs: 300, chance });
  expect([backoff.next(), backoff.next(), backoff.next()].map(Math.round)).toEqual([50, 150, 300]);
  expect(backoff.tries).toBe(3);
  backoff.reset();
  expect(Math.round(backoff.next())).toBe(50);
});

describe('tcp', () => {
  test('tells a refusal from a timeout', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    const port = typeof bound === 'object' && bound ? bound.port : 0;
    server.close();
    await expect(openTcp('127.0.0.1', port, deadline)).rejects.toMatchObject({ code: 'WIRE_REFUSED' });
    // An address of a documentation net: nobody answers, or the network says at once that it is nowhere.
    const nowhere = openTcp('192.0.2.1', 4001, { clock, deadlineMs: 100 });
    await expect(nowhere).rejects.toMatchObject({
      code: expect.stringMatching(/^WIRE_(TIMEOUT|CLOSED|REFUSED)$/) as string,
    });
    await expect(openTcp('no-such-host.invalid', 1, deadline)).rejects.toMatchObject({ code: 'WIRE_CLOSED' });
  });

  test('carries bytes both ways', async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    const stream = await openStream(
      `tcp://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`,
      line,
      deadline,
    );
    stream.write('ping');
    const [bytes] = (await once(stream, 'data')) as [Buffer];
    expect(bytes.toString()).toBe('ping');
    stream.destroy();
    server.close();
  });
});

test('udp takes datagrams of its device alone and answers it', async () => {
  const device = createSocket('udp4').bind(0, '127.0.0.1');
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(device, 'listening'), once(stranger, 'listening')]);
  const own = createSocket('udp4').bind(0, '127.0.0.1');
  await once(own, 'listening');
  const { port } = own.address();
  own.close();
  await once(own, 'close');
  const opened = await openUdp(
    { bind: { address: '127.0.0.1', port }, peer: { address: '127.0.0.1', port: device.address().port } },
    deadline,
  );
  const heard: string[] = [];
  opened.on('message', (bytes: Buffer) => heard.push(bytes.toString()));
  opened.send(Buffer.from('hello'));
  const [greeting] = (await once(device, 'message')) as [Buffer];
  expect(greeting.toString()).toBe('hello');
  stranger.send('not me', port, '127.0.0.1');
  device.send('me', port, '127.0.0.1');
  while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(heard).toEqual(['me']);
  await expect(openUdp({ bind: { address: '127.0.0.1', port } }, deadline)).rejects.toMatchObject({
    code: 'WIRE_REFUSED',
  });
  opened.close();
  opened.close();
  device.close();
  stranger.close();
});

test('a listener takes so many devices and no more, and lets all go when it closes', async () => {
  let accepted = 0;
  const listener = await openListener(
    { address: '127.0.0.1', port: 0, most: 2 },
    deadline,
    () => void (accepted += 1),
  );
  await expect(
    openListener({ address: '127.0.0.1', port: listener.port, most: 2 }, deadline, () => {}),
  ).rejects.toMatchObject({ code: 'WIRE_REFUSED' });
  const devices = [0, 1, 2].map(() => connect(listener.port, '127.0.0.1').on('error', () => {}));
  await once(devices[2] as NodeJS.EventEmitter, 'close');
  expect(accepted).toBe(2);
  const gone = Promise.all(devices.slice(0, 2).map((device) => once(device, 'close')));
  await listener.close();
  await gone;
});
