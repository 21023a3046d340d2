import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import type { AlarmDelivery } from '../../model/stream.ts';
import { openBench } from './fixture.ts';

// The real house and a handheld on a real socket: shift, beats, deliveries, confirmations.

const bench = await openBench();
await bench.app.listen({ host: '127.0.0.1', port: 0 });
const { port } = bench.app.server.address() as AddressInfo;
const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});
afterAll(() => bench[Symbol.asyncDispose]());

type Frame = Record<string, unknown>;

async function call<T>(cookie: string, method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  const answer = await bench.app.inject({
    method,
    url: `/api/v1/${path}`,
    headers: { cookie },
    ...(body ? { payload: body } : {}),
  });
  if (answer.statusCode >= 300) throw new Error(`${path}: ${answer.statusCode} ${answer.body}`);
  return answer.json<T>();
}

function stream(cookie: string, ...first: readonly object[]) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/v1/stream`, { headers: { cookie } });
  open.push(socket);
  const frames: Frame[] = [];
  const say = (frame: object): void => socket.send(JSON.stringify(frame));
  const can = { visible: true, wakeLock: true, audio: true, battery: 0.8 };
  const beat = (more: object = {}): void => say({ beat: { ...can, nowMs: Date.now(), ...more } });
  socket.on('error', () => undefined);
  socket.on('open', () => [{ watch: {} }, ...first].forEach(say));
  socket.on('message', (data: Buffer) => frames.push(JSON.parse(data.toString()) as Frame));
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  const until = async <T>(look: () => T | undefined): Promise<T> => {
    for (let tries = 0; tries < 200; tries++) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(JSON.stringify(frames).slice(0, 800));
  };
  const deliveries = (): AlarmDelivery[] =>
    frames.flatMap((frame) => (frame['deliveries'] as AlarmDelivery[] | undefined) ?? []);
  return { socket, frames, say, beat, closed, until, deliveries };
}

async function onShift(wards: readonly string[] = ['east']): Promise<{ cookie: string; shift: string }> {
  const cookie = await bench.signIn(['nurse'], wards);
  const { id } = await call<{ id: string }>(cookie, 'POST', 'shifts', {
    handheld: `H-${Math.round(performance.now())}`,
    check: { visible: true, wakeLock: true, audio: true },
  });
  return { cookie, shift: id };
}

test('a handheld gets the alarm of its bed, confirms it, and its way is told with all times', async () => {
  const { cookie, shift } = await onShift();
  await call(cookie, 'POST', 'assignments', { bed: 'east-1', relieve: true });
  const phone = stream(cookie, { handheld: { shift } });
  await phone.until(() => phone.frames.find((frame) => 'recipient' in frame));
  phone.beat();
  await phone.until(() =>
    phone.frames.find((frame) => (frame['recipient'] as { canRing?: boolean } | undefined)?.canRing),
  );
  const { id } = await bench.ring('east');
  const came = await phone.until(() => phone.deliveries().find((one) => one.alarm.id === id));
  expect(came).toMatchObject({ sound: 'alarm', alarm: { bed: 'east-1', priority: 'high' } });
  phone.say({ received: [came.number] });
  phone.say({ shown: [came.number] });
  await phone.until(() => bench.services.health().deliveryMs[0]);
  const told = await call<{ sampleReceivedAtMs: number; deliveries: Record<string, unknown>[] }>(
    cookie,
    'GET',
    `alarms/${id}/deliveries`,
  );
  expect(told.sampleReceivedAtMs).toBeGreaterThan(0);
  expect(told.deliveries).toMatchObject([{ to: shift, kind: 'handheld', delivery: 'shown' }]);
  const { queuedAtMs, sentAtMs, receivedAtMs, shownAtMs } = told.deliveries[0] as Record<string, number>;
  const times = [told.sampleReceivedAtMs, queuedAtMs, sentAtMs, receivedAtMs, shownAtMs];
  expect(times).toEqual(times.toSorted());
  expect(bench.services.health().deliveryMs).toMatchObject([{ ward: 'east', count: 1 }]);

  // A colleague says "I go": this phone is told to be quiet.
  await call(await bench.signIn(['nurse'], ['east']), 'POST', `alarms/${id}/accept`, {});
  const quiet = await phone.until(() =>
    phone.deliveries().find((one) => one.alarm.id === id && one.sound === 'none'),
  );
  expect(quiet.number).toBeGreaterThan(came.number);
  await bench.sample('east', { MDC_ECG_HEART_RATE: 80 });
}, 20_000);

test('a handheld that comes back names its place and gets only what it does not have', async () => {
  const { cookie, shift } = await onShift();
  await call(cookie, 'POST', 'assignments', { bed: 'east-1', relieve: true });
  const phone = stream(cookie, { handheld: { shift } });
  const { epoch } = await phone.until(
    () => phone.frames.find((frame) => 'recipient' in frame)?.['recipient'] as { epoch: string } | undefined,
  );
  phone.beat();
  const { id } = await bench.ring('east');
  const first = await phone.until(() => phone.deliveries().find((one) => one.alarm.id === id));
  phone.say({ received: [first.number] });
  phone.socket.terminate();
  await phone.closed;
  const again = stream(cookie, { handheld: { shift, from: { epoch, number: first.number } } });
  await again.until(() => again.frames.find((frame) => 'recipient' in frame));
  again.beat();
  await bench.sample('east', { MDC_ECG_HEART_RATE: 80 });
  const ended = await again.until(() => again.deliveries().find((one) => one.alarm.id === id));
  expect(ended.sound).toBe('none');
  const anew = stream(cookie, { handheld: { shift } });
  await anew.until(() => anew.frames.find((frame) => 'recipient' in frame));
});

test('another’s shift, a shift that is over, and a board that is no display are refused', async () => {
  const mine = await onShift();
  const other = await bench.signIn(['nurse'], ['east']);
  const refused = async (cookie: string): Promise<unknown> => {
    const phone = stream(cookie, { handheld: { shift: mine.shift } });
    return (await phone.until(() => phone.frames.find((frame) => 'refused' in frame)))['refused'];
  };
  expect(await refused(other)).toEqual({ shift: mine.shift, why: 'absent' });
  await call(mine.cookie, 'POST', `shifts/${mine.shift}/end`, { keepBeds: true });
  expect(await refused(mine.cookie)).toEqual({ shift: mine.shift, why: 'ended' });
  expect([1006, 1008]).toContain(await stream(other, { board: {} }).closed);
  expect([1006, 1008]).toContain(await stream(other, { shown: [1] }).closed);
  const board = stream(await bench.signIn(['display'], ['east']), { board: {} });
  await board.until(() => board.frames.find((frame) => 'recipient' in frame));
});

test('cover is asked, accepted and ended by those it is about', async () => {
  const anna = await onShift();
  const bela = await onShift();
  const me = await call<{ person: { id: string } }>(bela.cookie, 'GET', 'session');
  const body = { ward: 'east', to: me.person.id, minutes: 30 };
  const { id } = await call<{ id: string }>(anna.cookie, 'POST', 'cover', body);
  await expect(call(anna.cookie, 'POST', `cover/${id}/accept`, {})).rejects.toThrow('not-named');
  expect(await call(bela.cookie, 'POST', `cover/${id}/accept`, {})).toMatchObject({
    untilMs: expect.any(Number),
  });
  expect(await call(anna.cookie, 'POST', `cover/${id}/end`, {})).toMatchObject({
    endedAtMs: expect.any(Number),
  });
});

test('a nurse may pause the sound of the beds she has, and of no others', async () => {
  const { cookie } = await onShift();
  const { id } = await bench.ring('east');
  const other = await bench.signIn(['nurse'], ['east']);
  await call(cookie, 'POST', 'assignments', { bed: 'east-1', relieve: true });
  await expect(call(other, 'POST', `alarms/${id}/pause`, { what: 'audio' })).rejects.toThrow('not-allowed');
  expect(await call(cookie, 'POST', `alarms/${id}/pause`, { what: 'audio' })).toMatchObject({
    outcome: 'done',
  });
});
