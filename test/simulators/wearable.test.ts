import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { Compile } from 'typebox/compile';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ObservationsSchema, StateSchema, type ObservationsMessage } from '../../model/wire.ts';
import { seededChance } from '../../simulators/chance.ts';
import { createMischief, type Mischief } from '../../simulators/mischief.ts';
import type { Patient } from '../../simulators/recording.ts';
import { startWearable, values, type Wearable, type WearableOptions } from '../../simulators/wearable.ts';
import { createOutbox } from '../../simulators/wearable-outbox.ts';
import { virtualClock, type VirtualClock } from '../house/virtual-clock.ts';

const isObservations = Compile(ObservationsSchema);
const isState = Compile(StateSchema);

const lying: Patient = { seen: { hr: 72, spo2: 97, pr: 71, rr: 14 }, measured: new Set() };

interface Got {
  readonly topic: string;
  readonly qos: number;
  readonly payload: Buffer;
}

let clock: VirtualClock;
let mischief: Mischief;
let broker: Aedes;
let server: Server;
let sockets: Set<Socket>;
let got: Got[];
let logins: string[];
let wearable: Wearable | undefined;

beforeEach(async () => {
  clock = virtualClock();
  mischief = createMischief({ clock, chance: seededChance(5) });
  broker = await Aedes.createBroker();
  got = [];
  logins = [];
  sockets = new Set();
  broker.authenticate = (client, username, password, done) => {
    logins.push(`${client.id} ${username} ${password}`);
    done(null, String(password) === 'secret');
  };
  broker.on('publish', (packet, client) => {
    if (packet.topic.startsWith('$SYS') || (!client && !packet.topic.startsWith('v1'))) return;
    got.push({ topic: packet.topic, qos: packet.qos, payload: Buffer.from(packet.payload) });
  });
  server = createServer((socket) => {
    sockets.add(socket);
    broker.handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  let left = wearable === undefined;
  const leaving = wearable?.close().then(() => (left = true));
  // The farewell is real network; where the broker no longer answers, the clock ends it.
  await until(() => left, 200).catch(() => clock.pass(3_000));
  await leaving;
  wearable = undefined;
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => void broker.close(() => resolve(undefined)));
  await new Promise((resolve) => void server.close(resolve));
});

const start = (more: Partial<WearableOptions> = {}): Wearable => {
  wearable = startWearable({
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId: 'patch-1',
    secret: 'secret',
    patient: () => lying,
    clock,
    chance: seededChance(1),
    boot: 'b7f39e01c4d2a6f8',
    mischief,
    ...more,
  });
  return wearable;
};

/** Real sockets move while the virtual clock stands still. */
async function until(true_: () => boolean, forMs = 5_000): Promise<void> {
  const end = performance.now() + forMs;
  while (!true_()) {
    if (performance.now() > end) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
const pass = async (seconds: number): Promise<void> => {
  for (let s = 0; s < seconds; s++) {
    await clock.pass(1_000);
    await until(() => (wearable?.counts().waiting ?? 0) === 0);
  }
};
const observations = (): ObservationsMessage[] =>
  got
    .filter(({ topic }) => topic === 'v1/device/patch-1/observations')
    .map(({ payload }) => JSON.parse(payload.toString()) as ObservationsMessage);
const states = (): { seq: number; link: string; boot: string }[] =>
  got
    .filter(({ topic }) => topic === 'v1/device/patch-1/state')
    .map(({ payload }) => JSON.parse(payload.toString()) as { seq: number; link: string; boot: string });

describe('a wearable at a broker', () => {
  test('speaks the device contract: birth, then one message a second, QoS 1, seq from one counter', async () => {
    const { boot } = start();
    await until(() => observations().length === 1);
    await pass(2);
    expect(logins).toEqual(['patch-1 patch-1 secret']);
    expect(got.every(({ qos }) => qos === 1)).toBe(true);
    expect(states()).toMatchObject([{ boot, link: 'birth', seq: 2 }]);
    expect(isState.Check(states()[0])).toBe(true);
    expect(observations().map(({ seq }) => seq)).toEqual([3, 4, 5]);
    for (const message of observations()) {
      expect(isObservations.Check(message)).toBe(true);
      expect(message).toMatchObject({ boot, values: { MDC_ECG_HEART_RATE: 72, MDC_PULS_OXIM_SAT_O2: 97 } });
      expect(message).not.toHaveProperty('historical');
    }
    expect(observations().at(-1)?.takenAtMs).toBe(clock.nowMs());
  });

  test('leaves a will of the seq before its birth', async () => {
    start();
    await until(() => observations().length === 1);
    for (const socket of sockets) socket.destroy();
    await until(() => states().length === 2);
    const [birth, will] = states();
    expect(will).toMatchObject({ link: 'death', boot: birth?.boot, seq: (birth?.seq ?? 0) - 1 });
  });

  test('says death when it is taken off, and its will stays unsaid', async () => {
    const worn = start();
    await until(() => observations().length === 1);
    await worn.close();
    await until(() => states().length === 2);
    expect(states()[1]).toMatchObject({ link: 'death', seq: 4 });
  });

  test('sends after an outage the live lane first, then the backlog as historical, each oldest first, nothing twice', async () => {
    start();
    await until(() => wearable?.counts().waiting === 0);
    mischief.begin('cut');
    await until(() => wearable?.connected() === false);
    await clock.pass(90_000);
    expect(wearable?.counts().waiting).toBe(90);
    const before = got.length;
    mischief.endAll();
    await until(() => wearable?.counts().waiting === 0);

    const after = got.slice(before).filter(({ topic }) => topic.endsWith('observations'));
    const messages = after.map(({ payload }) => JSON.parse(payload.toString()) as ObservationsMessage);
    const live = messages.filter(({ historical }) => historical !== true);
    const backlog = messages.filter(({ historical }) => historical === true);
    expect(messages).toEqual([...live, ...backlog]);
    expect([live.length, backlog.length]).toEqual([60, 30]);
    expect(live.every(({ ageMs = Infinity }) => ageMs < 60_000)).toBe(true);
    expect(backlog.every(({ ageMs = 0 }) => ageMs >= 60_000)).toBe(true);
    for (const lane of [live, backlog]) {
      expect(lane.map(({ seq }) => seq)).toEqual(lane.map(({ seq }) => seq).toSorted((a, b) => a - b));
    }
    expect(new Set(observations().map(({ seq }) => seq)).size).toBe(91);
    // Sample time and age name the same instant.
    for (const { takenAtMs = 0, ageMs = 0 } of messages) expect(takenAtMs + ageMs).toBe(clock.nowMs());
  });

  test('keeps no more than its bound and counts what fell away', async () => {
    start({ keepAtMost: 10 });
    await until(() => wearable?.counts().waiting === 0);
    mischief.begin('cut');
    await until(() => wearable?.connected() === false);
    await clock.pass(25_000);
    expect(wearable?.counts()).toEqual({ taken: 26, confirmed: 1, waiting: 10, fellAway: 15 });
  });

  test('sends again under the same seq what was not confirmed', async () => {
    let deaf = true;
    broker.authorizePublish = (_client, packet, done) => {
      if (!deaf || !packet.topic.endsWith('observations')) done(null);
    };
    start();
    await until(() => states().length === 1);
    expect(observations()).toEqual([]);
    deaf = false;
    for (const socket of sockets) socket.destroy();
    await until(() => wearable?.connected() === false);
    await clock.pass(600);
    await until(() => wearable?.counts().waiting === 0);
    expect(observations().map(({ seq }) => seq)).toEqual([3]);
    expect(states().map(({ link, seq }) => [link, seq])).toEqual(
      expect.arrayContaining([
        ['birth', 2],
        ['birth', 5],
      ]),
    );
  });

  test('with a wrong secret it tries again, later and later, each time by chance a little off', async () => {
    const waitsMs: number[] = [];
    const listening: VirtualClock = {
      ...clock,
      after: (delayMs, run) => {
        waitsMs.push(delayMs);
        return clock.after(delayMs, run);
      },
    };
    start({ secret: 'wrong', clock: listening });
    for (let time = 1; time <= 7; time++) {
      await until(() => waitsMs.length === time);
      await clock.pass(waitsMs.at(-1) ?? 0);
    }
    const mostMs = [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
    waitsMs.forEach((waitMs, time) => {
      expect(waitMs).toBeLessThanOrEqual(mostMs[time] ?? 10_000);
      expect(waitMs).toBeGreaterThanOrEqual((mostMs[time] ?? 10_000) / 2);
    });
    expect(observations()).toEqual([]);
  });

  test('without a clock tells only ages; with a wrong one its own time', async () => {
    start({ clockOffsetMs: 'none' });
    await until(() => observations().length === 1);
    expect(observations()[0]).not.toHaveProperty('takenAtMs');
    expect(observations()[0]).toHaveProperty('ageMs');
    await wearable?.close();
    got = [];
    start({ clockOffsetMs: -86_400_000 });
    await until(() => observations().length === 1);
    expect(observations()[0]?.takenAtMs).toBe(clock.nowMs() - 86_400_000);
  });

  test('mischief repeats, garbles and floods what it sends', async () => {
    start();
    await until(() => wearable?.counts().waiting === 0);
    got = [];
    mischief.begin('repeat');
    await pass(1);
    await until(() => observations().length === 2);
    expect(observations()[0]?.seq).toBe(observations()[1]?.seq);
    mischief.endAll();
    got = [];
    mischief.begin('garble', { rate: 1 });
    await pass(1);
    mischief.endAll();
    mischief.begin('flood', { perS: 20 });
    await pass(1);
    await until(() => got.length >= 20);
  });

  test('a garbling wire in between ends a connection, not the wearable', async () => {
    const far = (server.address() as AddressInfo).port;
    const wire = createServer((near) => {
      const on = connect(far, '127.0.0.1');
      near.on('error', () => undefined).pipe(on);
      on.on('error', () => undefined);
      setTimeout(() => near.write(Buffer.from([0xf0, 0xff, 0xff, 0xff, 0xff, 0x01])), 50);
      on.pipe(near);
      near.on('close', () => on.destroy());
    });
    wire.listen(0, '127.0.0.1');
    await once(wire, 'listening');
    const port = (wire.address() as AddressInfo).port;
    start({ url: `mqtt://127.0.0.1:${port}` });
    await until(() => wearable?.connected() === true);
    await until(() => wearable?.connected() === false);
    await clock.pass(600);
    await until(() => logins.length === 2);
    wire.close();
  });
});

test('what a sensor does not give is null with its reason', () => {
  const measured = new Set<never>();
  expect(values({ seen: { hr: 70 }, measured })).toEqual({
    MDC_ECG_HEART_RATE: 70,
    MDC_PULS_OXIM_SAT_O2: { value: null, reason: 'sensor-off' },
    MDC_PULS_OXIM_PULS_RATE: { value: null, reason: 'sensor-off' },
    MDC_RESP_RATE: { value: null, reason: 'not-measured' },
  });
  expect(values({ seen: { spo2: 97 }, measured, temp: { celsius: 36.8, ageMs: 0 } })).toMatchObject({
    MDC_ECG_HEART_RATE: { value: null, reason: 'sensor-off' },
    MDC_PULS_OXIM_PULS_RATE: { value: null, reason: 'searching' },
    MDC_TEMP: 36.8,
  });
});

test('the outbox hands out only as much as there is room for, live before backlog', () => {
  const outbox = createOutbox(100);
  for (let seq = 1; seq <= 4; seq++) {
    outbox.add({ seq, takenMonoMs: seq * 20_000, takenAtMs: undefined, values: {} });
  }
  const seqs = (room: number): [number, boolean][] =>
    outbox.next(room, 100_000).map(({ entry, historical }) => [entry.seq, historical]);
  expect(seqs(2)).toEqual([
    [3, false],
    [4, false],
  ]);
  expect(seqs(0)).toEqual([]);
  expect(seqs(-1)).toEqual([]);
  expect(seqs(5)).toEqual([
    [1, true],
    [2, true],
  ]);
  expect(outbox.unconfirmed()).toBe(4);
  outbox.confirm(3);
  outbox.confirm(3);
  outbox.takeBack();
  expect(outbox.counts()).toEqual({ taken: 4, confirmed: 1, waiting: 3, fellAway: 0 });
});
