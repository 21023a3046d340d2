import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { StreamMessage } from '../../model/stream.ts';
import { systemClock } from '../../model/clock.ts';
import type { Role } from '../../model/person.ts';
import { alarmOf, openBench, type Bench } from './fixture.ts';

// Real sockets on loopback, the real clock: what is tested is what a screen meets.

type Frame = StreamMessage & Record<string, unknown>;
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function house(): Promise<{ bench: Bench; address: string }> {
  const bench = await openBench({ clock: systemClock() });
  open.push({ close: () => bench[Symbol.asyncDispose]() });
  await bench.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = bench.app.server.address() as AddressInfo;
  return { bench, address: `127.0.0.1:${port}` };
}

interface Reader {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  readonly closed: Promise<{ code: number; reason: string }>;
  until(fits: (frame: Frame) => boolean, withinMs?: number): Promise<Frame>;
}

function read(
  address: string,
  cookie: string | undefined,
  options: { first?: unknown; origin?: string } = {},
): Reader {
  const socket = new WebSocket(`ws://${address}/api/v1/stream`, {
    headers: { ...(cookie ? { cookie } : {}), ...(options.origin ? { origin: options.origin } : {}) },
  });
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  open.push({ close: () => socket.terminate() });
  socket.on('error', () => undefined);
  socket.on('open', () => socket.send(JSON.stringify(options.first ?? { watch: {} })));
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as Frame);
    for (const wake of waiting) wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  const until = (fits: (frame: Frame) => boolean, withinMs = 4_000): Promise<Frame> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = frames.find(fits);
        if (!found) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(
        () => reject(new Error(`only ${JSON.stringify(frames).slice(0, 500)}`)),
        withinMs,
      );
      waiting.add(look);
      look();
    });
  return { socket, frames, closed, until };
}
const has = (key: string) => (frame: Frame) => key in frame;

test('a screen gets a snapshot, then an alarm in the moment it rings, values and a beat', async () => {
  const { bench, address } = await house();
  bench.ring(alarmOf('before', 'east-1'));
  const reader = read(address, await bench.signIn(['nurse'], ['east']));
  const snapshot = await reader.until(has('snapshot'));
  expect(snapshot.snapshot).toMatchObject({
    demo: false,
    beds: [{ bed: 'east-1', patient: { name: 'Wang Fang' } }, { bed: 'east-2' }],
    alarms: [{ id: 'before' }],
  });
  bench.ring(alarmOf('now', 'east-2'));
  const alarm = await reader.until(has('alarm'));
  expect(alarm).toMatchObject({ epoch: snapshot.epoch, seq: snapshot.seq + 1, alarm: { id: 'now' } });
  bench.setValue('east-1', 'MDC_ECG_HEART_RATE', 72);
  expect(await reader.until(has('values'))).toMatchObject({
    values: { bed: 'east-1', values: [{ value: 72 }] },
  });
  expect(await reader.until(has('beat'))).toMatchObject({ beat: { nowMs: expect.any(Number) } });
});

test('a ward that is not yours is silent, named or not', async () => {
  const { bench, address } = await house();
  bench.ring(alarmOf('west', 'west-1'));
  const cookie = await bench.signIn(['nurse'], ['east']);
  const named = read(address, cookie, { first: { watch: { wards: ['west'], beds: ['west-1', 'east-2'] } } });
  const snapshot = await named.until(has('snapshot'));
  expect(snapshot.snapshot).toMatchObject({ beds: [{ bed: 'east-2' }], alarms: [] });
  bench.ring(alarmOf('west-2', 'west-2'));
  bench.ring(alarmOf('east-1', 'east-1'));
  bench.ring(alarmOf('east-2', 'east-2'));
  await named.until(has('alarm'));
  expect(named.frames.filter(has('alarm'))).toMatchObject([{ alarm: { id: 'east-2' } }]);
});

test('an engineer watches values without knowing whose they are', async () => {
  const { bench, address } = await house();
  const reader = read(address, await bench.signIn(['biomed']));
  const { snapshot } = (await reader.until(has('snapshot'))) as unknown as { snapshot: { beds: object[] } };
  expect(snapshot.beds).toHaveLength(4);
  expect(JSON.stringify(snapshot)).not.toContain('Wang');
});

test('a screen that comes back gets each alarm it missed, in order, and no snapshot', async () => {
  const { bench, address } = await house();
  const cookie = await bench.signIn(['nurse'], ['east']);
  const first = read(address, cookie);
  const { epoch, seq } = await first.until(has('snapshot'));
  first.socket.terminate();
  await first.closed;
  for (const id of ['a', 'b', 'c']) bench.ring(alarmOf(id, 'east-1'));
  const again = read(address, cookie, { first: { watch: {}, from: { epoch, seq } } });
  await again.until((frame) => 'bed' in frame);
  expect(again.frames.filter(has('alarm')).map((frame) => (frame.alarm as { id: string }).id)).toEqual([
    'a',
    'b',
    'c',
  ]);
  expect(again.frames.some(has('snapshot'))).toBe(false);
});

test('another epoch, or a seq from the future, means a new snapshot', async () => {
  const { bench, address } = await house();
  const cookie = await bench.signIn(['nurse'], ['east']);
  const other = read(address, cookie, { first: { watch: {}, from: { epoch: 'another', seq: 0 } } });
  const { epoch } = await other.until(has('snapshot'));
  await read(address, cookie, { first: { watch: {}, from: { epoch, seq: 99_999 } } }).until(has('snapshot'));
});

test('without a session, from another site, or as a platform, no stream opens', async () => {
  const { bench, address } = await house();
  const refused = async (cookie: string | undefined, origin?: string): Promise<number | undefined> => {
    const { socket } = read(address, cookie, { origin });
    return new Promise((resolve) =>
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode)),
    );
  };
  const cookie = await bench.signIn(['nurse']);
  expect(await refused(undefined)).toBe(401);
  expect(await refused(cookie, 'https://elsewhere.example')).toBe(403);
  expect(await refused(await bench.signIn(['platform' satisfies Role]))).toBe(403);
  await read(address, cookie, { origin: `http://${address}` }).until(has('snapshot'));
});

test('a frame that is no watch and no beat ends the stream with a reason', async () => {
  const { bench, address } = await house();
  const cookie = await bench.signIn(['nurse']);
  const firsts = [
    { watch: { wards: ['../x'] } },
    { watch: {}, role: 'admin' },
    { beat: {} },
    'text',
    { watch: {}, from: { epoch: 'e', seq: '1' } },
  ];
  for (const first of firsts) expect((await read(address, cookie, { first }).closed).code).toBe(1008);
});

test('signing out ends the open streams of that session', async () => {
  const { bench, address } = await house();
  const cookie = await bench.signIn(['nurse']);
  const reader = read(address, cookie);
  await reader.until(has('snapshot'));
  await bench.app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } });
  expect(await reader.closed).toEqual({ code: 4401, reason: 'signed out' });
}, 15_000);

test('the screen is told when the gateway stops, and stopping waits for nobody', async () => {
  const { bench, address } = await house();
  const cookie = await bench.signIn(['nurse']);
  const reader = read(address, cookie);
  await reader.until(has('snapshot'));
  const deaf = connect({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
  open.push({ close: () => deaf.destroy() });
  deaf.on('error', () => undefined);
  const began = performance.now();
  await bench.app.close();
  expect(performance.now() - began).toBeLessThan(1_500);
  expect((await reader.closed).code).toBe(1001);
});

test('a reader that stops reading delays nobody, and is closed within 6 s', async () => {
  const { bench, address } = await house();
  const cookie = await bench.signIn(['nurse']);
  const frozen = read(address, cookie);
  await frozen.until(has('snapshot'));
  (frozen.socket as unknown as { _socket: { pause(): void } })._socket.pause();
  const began = performance.now();

  const good = read(address, cookie);
  await good.until(has('snapshot'));
  const padding = 'x'.repeat(60_000);
  let worst = 0;
  for (let n = 0; n < 100; n++) {
    const sent = performance.now();
    bench.ring(alarmOf(`flood-${n}`, 'east-1', { details: { padding } }));
    await good.until((frame) => (frame.alarm as { id: string } | undefined)?.id === `flood-${n}`);
    worst = Math.max(worst, performance.now() - sent);
    good.frames.length = 0;
  }
  expect(worst).toBeLessThan(1_000);

  // Its own socket stays paused and cannot tell; the server's count of readers does.
  while (bench.live.readers().length > 1 && performance.now() - began < 8_000)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(bench.live.readers()).toHaveLength(1);
  expect(performance.now() - began).toBeLessThan(6_500);
  bench.ring(alarmOf('after', 'east-1'));
  await good.until((frame) => (frame.alarm as { id: string } | undefined)?.id === 'after');
}, 20_000);
