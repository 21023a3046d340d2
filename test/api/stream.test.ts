import { connect, type AddressInfo } from 'node:net';
import { afterAll, afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { App } from '../../api/server.ts';
import { createLive } from '../../gateway/live/live.ts';
import { systemClock } from '../../model/clock.ts';
import { systemChance } from '../../model/ids.ts';
import type { WatchMessage } from '../../model/stream.ts';
import { alarmOf } from '../gateway/live/alarm-of.ts';
import { openBench } from './fixture.ts';

// The real house and real sockets on loopback: what is tested is what a screen meets.

type Frame = WatchMessage & Record<string, unknown>;
const bench = await openBench();
const address = await listening(bench.app);
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});
afterAll(() => bench[Symbol.asyncDispose]());

async function listening(app: App): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
}

interface Reader {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  readonly closed: Promise<{ code: number; reason: string }>;
  until(fits: (frame: Frame) => boolean, withinMs?: number): Promise<Frame>;
}

interface ReadOptions {
  readonly first?: unknown;
  readonly origin?: string;
  readonly at?: string;
}

function read(
  cookie: string | undefined,
  { first = { watch: {} }, origin, at = address }: ReadOptions = {},
): Reader {
  const socket = new WebSocket(`ws://${at}/api/v1/stream`, {
    headers: { ...(cookie ? { cookie } : {}), ...(origin ? { origin } : {}) },
  });
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  open.push({ close: () => socket.terminate() });
  socket.on('error', () => undefined);
  socket.on('open', () => socket.send(JSON.stringify(first)));
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

const heart = (rate: number) => ({ MDC_ECG_HEART_RATE: rate });
const alarmsOf = (frames: readonly Frame[]): readonly unknown[] => frames.filter(has('alarm'));

test('a screen gets a snapshot, then values, an alarm the moment it rings, and a beat', async () => {
  await bench.sample('east', heart(100));
  const reader = read(await bench.signIn(['nurse'], ['east']));
  const snapshot = await reader.until(has('snapshot'));
  expect(snapshot.snapshot).toMatchObject({ demo: false, nowMs: expect.any(Number) });
  const { beds } = snapshot.snapshot as { beds: { bed: string }[] };
  expect(beds).toHaveLength(12);
  expect(beds.find((bed) => bed.bed === 'east-1')).toMatchObject({ patient: { name: 'Wang Fang' } });

  await bench.sample('east', heart(101));
  const told = await reader.until(has('values'));
  expect(told.values).toMatchObject({ bed: 'east-1', values: [{ metric: 'MDC_ECG_HEART_RATE' }] });

  const { id } = await bench.ring('east');
  // The same rise may ring its medium band first, and others are told meanwhile.
  const alarm = await reader.until((frame) => (frame['alarm'] as { id?: string } | undefined)?.id === id);
  expect(alarm).toMatchObject({ epoch: snapshot.epoch, alarm: { bed: 'east-1', priority: 'high' } });
  expect(alarm.seq).toBeGreaterThan(snapshot.seq);
  expect(await reader.until(has('beat'))).toMatchObject({ beat: { nowMs: expect.any(Number) } });
});

test('a ward that is not yours is silent, named or not', async () => {
  await bench.ring('west');
  const cookie = await bench.signIn(['nurse'], ['east']);
  const first = { watch: { wards: ['west'], beds: ['west-1', 'east-1'] } };
  const reader = read(cookie, { first });
  const { beds, alarms } = (await reader.until(has('snapshot'))).snapshot as {
    beds: object[];
    alarms: object[];
  };
  expect(beds).toMatchObject([{ bed: 'east-1' }]);
  expect(JSON.stringify(alarms)).not.toContain('west');
  await bench.sample('west', heart(100));
  await bench.sample('east', heart(100));
  await bench.ring('east');
  await reader.until(has('alarm'));
  expect(JSON.stringify(reader.frames)).not.toContain('west');
});

test('an engineer watches values without knowing whose they are', async () => {
  const reader = read(await bench.signIn(['biomed']));
  const { snapshot } = (await reader.until(has('snapshot'))) as unknown as { snapshot: { beds: object[] } };
  expect(snapshot.beds).toHaveLength(24);
  expect(JSON.stringify(snapshot)).not.toContain('Wang');
});

test('a screen that comes back gets each alarm it missed, in order, and no snapshot', async () => {
  const cookie = await bench.signIn(['nurse'], ['east']);
  const steady = read(cookie);
  const first = read(cookie);
  const { epoch, seq } = await first.until(has('snapshot'));
  await steady.until(has('snapshot'));
  first.socket.terminate();
  await first.closed;
  for (const rate of [100, 180, 100, 180, 100]) await bench.sample('east', heart(rate));
  await steady.until((frame) => 'beat' in frame && frame.seq > seq + 5);

  const again = read(cookie, { first: { watch: {}, from: { epoch, seq } } });
  await again.until((frame) => 'bed' in frame);
  const missed = alarmsOf(steady.frames.filter((frame) => frame.seq > seq));
  expect(missed.length).toBeGreaterThan(3);
  expect(alarmsOf(again.frames).slice(0, missed.length)).toEqual(missed);
  expect(again.frames.some(has('snapshot'))).toBe(false);
});

test('another epoch, or a seq from the future, means a new snapshot', async () => {
  const cookie = await bench.signIn(['nurse'], ['east']);
  const other = read(cookie, { first: { watch: {}, from: { epoch: 'another', seq: 0 } } });
  const { epoch } = await other.until(has('snapshot'));
  await read(cookie, { first: { watch: {}, from: { epoch, seq: 9_999_999 } } }).until(has('snapshot'));
});

test('without a session, from another site, or as a platform, no stream opens', async () => {
  const refused = async (cookie: string | undefined, origin?: string): Promise<number | undefined> => {
    const { socket } = read(cookie, { origin });
    return new Promise((resolve) =>
      socket.on('unexpected-response', (_request, answer) => resolve(answer.statusCode)),
    );
  };
  const cookie = await bench.signIn(['nurse']);
  expect(await refused(undefined)).toBe(401);
  expect(await refused(cookie, 'https://elsewhere.example')).toBe(403);
  expect(await refused(await bench.signIn(['platform']))).toBe(403);
  await read(cookie, { origin: `http://${address}` }).until(has('snapshot'));
});

test('a frame that is no watch and no beat ends the stream with a reason', async () => {
  const cookie = await bench.signIn(['nurse']);
  const firsts = [
    { watch: { wards: ['../x'] } },
    { watch: {}, role: 'admin' },
    { beat: {} },
    'text',
    { watch: {}, from: { epoch: 'e', seq: '1' } },
  ];
  for (const first of firsts) expect((await read(cookie, { first }).closed).code).toBe(1008);
});

test('signing out ends the open streams of that session', async () => {
  const cookie = await bench.signIn(['nurse']);
  const reader = read(cookie);
  await reader.until(has('snapshot'));
  await bench.app.inject({ method: 'DELETE', url: '/api/v1/session', headers: { cookie } });
  expect(await reader.closed).toEqual({ code: 4401, reason: 'signed out' });
}, 15_000);

test('the screen is told when the server stops, and stopping waits for nobody', async () => {
  const app = await bench.serve();
  const at = await listening(app);
  const reader = read(await bench.signIn(['nurse']), { at });
  await reader.until(has('snapshot'));
  const deaf = connect({ host: '127.0.0.1', port: Number(at.split(':')[1]) });
  open.push({ close: () => deaf.destroy() });
  deaf.on('error', () => undefined);
  const began = performance.now();
  await app.close();
  expect(performance.now() - began).toBeLessThan(1_500);
  expect((await reader.closed).code).toBe(1001);
});

test('a reader that stops reading delays nobody, and is closed within 6 s', async () => {
  // A hub of its own: alarms large enough to fill the socket of the one that stopped.
  const { census } = bench.services;
  const live = createLive({
    clock: systemClock(),
    chance: systemChance(),
    demo: false,
    beds: () => census.beds(),
    view: (bed) => census.view(bed),
    values: (bed) => census.view(bed),
    alarms: () => [],
  });
  open.push(live);
  const at = await listening(await bench.serve({}, { live }));
  const cookie = await bench.signIn(['nurse']);
  const frozen = read(cookie, { at });
  await frozen.until(has('snapshot'));
  (frozen.socket as unknown as { _socket: { pause(): void } })._socket.pause();
  const began = performance.now();

  const good = read(cookie, { at });
  await good.until(has('snapshot'));
  const padding = 'x'.repeat(60_000);
  let worst = 0;
  for (let n = 0; n < 100; n++) {
    const sent = performance.now();
    live.alarmChanged(alarmOf(`flood-${n}`, 'east-1', { details: { padding } }));
    await good.until((frame) => (frame.alarm as { id: string } | undefined)?.id === `flood-${n}`);
    worst = Math.max(worst, performance.now() - sent);
    good.frames.length = 0;
  }
  expect(worst).toBeLessThan(1_000);

  // Its own socket stays paused and cannot tell; the hub's list of readers does.
  while (live.readers().length > 1 && performance.now() - began < 8_000)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(live.readers()).toHaveLength(1);
  expect(performance.now() - began).toBeLessThan(6_500);
  live.alarmChanged(alarmOf('after', 'east-1'));
  await good.until((frame) => (frame.alarm as { id: string } | undefined)?.id === 'after');
}, 20_000);
