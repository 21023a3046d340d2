// Goal: whoever knocks, floods, lies or falls asleep harms nobody else, and is told, counted or marked (DESIGN promise 7).
// Way: a whole gateway in its own process; in every test a good device sends and a screen watches, and neither waits.
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generate } from 'mqtt-packet';
import type { ObservationRow } from '../../api/services.ts';
import { residentMb } from '../../bench/peer.ts';
import { DoorClient } from '../house/door-client.ts';
import {
  imbalance,
  openGatewayProcess,
  until,
  type Counters,
  type GatewayProcess,
} from '../house/gateway-process.ts';

const heart = 'MDC_ECG_HEART_RATE';
const saturation = 'MDC_PULS_OXIM_SAT_O2';
const hourMs = 3_600_000;
let gateway: GatewayProcess;

beforeAll(async () => {
  gateway = await openGatewayProcess({ devices: 120, hosts: 2 });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A device that speaks the contract itself, registered and signed in. */
async function openDevice(id: string): Promise<DoorClient> {
  await gateway.call('POST', '/api/v1/devices', { id, label: id, ward: 'bench' });
  const { clientId, password } = await gateway.call<{ clientId: string; password: string }>(
    'POST',
    `/api/v1/devices/${id}/credentials`,
    {},
  );
  const client = new DoorClient({ port: gateway.stage.mqttPort, clientId, password });
  await client.connect();
  return client;
}

/**
 * A host with a window of one and a screen that watches its bed, while something bad goes on: the longest either of
 * them waited.
 */
async function whileGoodOnesGoOn(bad: () => Promise<void>): Promise<{ pubackMs: number; streamMs: number }> {
  const client = gateway.clients()[1];
  if (!client) throw new Error('a second host was wanted');
  await client.connect();
  client.speakAsHost();
  using stream = await gateway.stream();
  let going = true;
  const loop = async (): Promise<void> => {
    const boot = `good-${Date.now()}`;
    for (let seq = 1; going; seq++) {
      const values = { [heart]: 60 + (seq % 40), [saturation]: 97 };
      await client.ask('v1/device/device-1/observations', JSON.stringify({ boot, seq, values }));
      await wait(50);
    }
  };
  const running = loop();
  running.catch(() => undefined);
  try {
    await wait(500);
    await bad();
  } finally {
    going = false;
  }
  const streamMs = stream.worstGapMs();
  const pubackMs = Math.max(client.worstMs, client.waitingMs);
  await running;
  client.end();
  return { pubackMs, streamMs };
}

/** Beside its own second between two frames of a bed, the screen waits for nobody either. */
const expectUnharmed = ({ pubackMs, streamMs }: { pubackMs: number; streamMs: number }): void => {
  console.log(`  worst PUBACK ${pubackMs.toFixed(0)} ms, worst gap on the stream ${streamMs.toFixed(0)} ms`);
  expect(pubackMs).toBeLessThan(2_000);
  expect(streamMs).toBeLessThan(3_000);
};

const knock = async (): Promise<Socket> => {
  const socket = connect({ port: gateway.stage.mqttPort, host: '127.0.0.1' });
  socket.on('error', () => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });
  return socket;
};

/** Writes until all is written or the gateway has closed; answers the bytes handed to the socket. */
async function pour(socket: Socket, first: Buffer, bytes: number): Promise<number> {
  const piece = Buffer.alloc(64 * 1024, 0x41);
  let written = first.length;
  socket.write(first);
  while (written < bytes && !socket.destroyed) {
    written += piece.length;
    if (!socket.write(piece)) await Promise.race([event(socket, 'drain'), event(socket, 'close')]);
  }
  return written;
}

const event = (socket: Socket, name: string): Promise<void> =>
  new Promise((resolve) => void socket.once(name, () => resolve()));

/** Resident memory at its highest while `run` runs, above what it was before, MB. */
async function growthMb(run: () => Promise<void>): Promise<number> {
  const before = residentMb(gateway.pid);
  let highest = before;
  const timer = setInterval(() => (highest = Math.max(highest, residentMb(gateway.pid))), 20);
  try {
    await run();
    await wait(200);
  } finally {
    clearInterval(timer);
  }
  return highest - before;
}

describe('somebody at the door', () => {
  const header = (type: number, length: number): Buffer => {
    const digits: number[] = [];
    for (let left = length; left > 0 || digits.length === 0; left = Math.floor(left / 128))
      digits.push((left % 128) | (left >= 128 ? 0x80 : 0));
    return Buffer.from([type, ...digits]);
  };
  const hundredMb = 100 * 1024 * 1024;

  test.each([
    ['no MQTT at all', Buffer.from('GET / HTTP/1.1\r\n')],
    ['a CONNECT of that length', header(0x10, hundredMb)],
    ['a PUBLISH before any CONNECT', header(0x32, hundredMb)],
  ])('who sends 100 MB before signing in, %s, is cut off and costs no memory', async (_, first) => {
    expectUnharmed(
      await whileGoodOnesGoOn(async () => {
        const growth = await growthMb(async () => {
          const socket = await knock();
          const written = await pour(socket, first, hundredMb);
          await until('the closed socket', 5_000, () => socket.destroyed);
          // What was handed over are the buffers between us, not 100 MB.
          expect(written).toBeLessThan(hundredMb / 2);
        });
        expect(growth).toBeLessThan(20);
      }),
    );
  });

  test('who signed in and sends a packet of 100 MB is cut off as well', async () => {
    expectUnharmed(
      await whileGoodOnesGoOn(async () => {
        const client = gateway.clients()[0];
        const { clientId = '', password = '' } = client?.options ?? {};
        const socket = await knock();
        const who = {
          clientId,
          username: clientId,
          password: Buffer.from(password),
          keepalive: 0,
          clean: true,
        };
        socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, ...who }));
        await event(socket, 'data');
        const growth = await growthMb(async () => {
          await pour(socket, header(0x32, hundredMb), hundredMb);
          await until('the closed socket', 5_000, () => socket.destroyed);
        });
        expect(growth).toBeLessThan(20);
      }),
    );
  });

  test('fifty who send their CONNECT a byte at a time are closed at their deadline', async () => {
    expectUnharmed(
      await whileGoodOnesGoOn(async () => {
        const sockets = await Promise.all(Array.from({ length: 50 }, knock));
        sockets.forEach((socket) => socket.write(header(0x10, 200)));
        const timer = setInterval(() => {
          for (const socket of sockets) if (!socket.destroyed) socket.write(Buffer.from([0]));
        }, 900);
        await until('the deadline', 10_000, () => sockets.every((socket) => socket.destroyed));
        clearInterval(timer);
      }),
    );
  });

  test('2,000 connects from one address keep no known device out', async () => {
    expectUnharmed(
      await whileGoodOnesGoOn(async () => {
        const sockets: Socket[] = [];
        for (let wave = 0; wave < 20; wave++)
          sockets.push(...(await Promise.all(Array.from({ length: 100 }, knock))));
        const known = gateway.clients()[0];
        if (!known) throw new Error('a host was wanted');
        const started = performance.now();
        await known.connect();
        expect(performance.now() - started).toBeLessThan(5_000);
        known.end();
        await until('the end of all of them', 15_000, () => sockets.every((socket) => socket.destroyed));
        expect(sockets).toHaveLength(2_000);
      }),
    );
  });

  test('who is not known is refused and counted; who is known and writes elsewhere is cut off and counted', async () => {
    const before = await refusals();
    const stranger = new DoorClient({ port: gateway.stage.mqttPort, clientId: 'nobody', password: 'x' });
    await expect(stranger.connect()).rejects.toThrow(/CONNACK [45]/);

    const device = await openDevice('wanderer');
    device.publish(
      'v1/device/device-1/observations',
      JSON.stringify({ boot: 'w', seq: 1, values: { [heart]: 61 } }),
    );
    await device.closed();
    expect(device.pending).toBe(1);

    const after = await refusals();
    expect(after.get('DOOR_NOT_ALLOWED') ?? 0).toBe((before.get('DOOR_NOT_ALLOWED') ?? 0) + 1);
    expect(sum(after)).toBeGreaterThanOrEqual(sum(before) + 2);
    const rows = await gateway.rows('device-1', Date.now() - hourMs, Date.now() + hourMs);
    expect(rows.filter((row) => row.boot === 'w')).toEqual([]);
  });

  const sum = (counts: ReadonlyMap<string, number>): number =>
    [...counts.values()].reduce((total, count) => total + count, 0);

  /** What /metrics says was refused, by code. */
  async function refusals(): Promise<Map<string, number>> {
    const text = await (await fetch(`${gateway.stage.httpUrl}/metrics`)).text();
    const lines = text.matchAll(/^vigil_mqtt_refusals_total\{code="(\w+)"\} (\d+)$/gm);
    return new Map([...lines].map(([, code = '', count]) => [code, Number(count)]));
  }
});

describe('somebody who does not read', () => {
  test('a host that stops reading its settings is dropped, and nobody else waits', async () => {
    expectUnharmed(
      await whileGoodOnesGoOn(async () => {
        const host = gateway.clients()[0];
        if (!host) throw new Error('a host was wanted');
        await host.connect();
        host.subscribe(`v1/host/${host.options.clientId}/config`);
        await until('its settings', 5_000, () => host.heard.length > 0);
        host.freeze();
        // Long identities make its settings long: each change sends all of them again.
        const long = 'x'.repeat(120);
        const identity = { manufacturer: long, model: long, serial: long };
        for (let change = 0; change < 600 && !(await isDropped()); change += 10) {
          await Promise.all(
            Array.from({ length: 10 }, (_, more) => {
              const device = `device-${((change + more) * 2) % 120}`;
              return gateway.call('PATCH', `/api/v1/devices/${device}`, {
                identity,
                label: `label ${change}`,
              });
            }),
          );
        }
        await until('the host to be dropped', 5_000, isDropped);
        host.end();
      }),
    );
  });

  /** The gateway says how many are signed in: the good host alone once the other is gone. */
  async function isDropped(): Promise<boolean> {
    const { parts } = await gateway.health();
    return parts.some(({ part, says }) => part === 'front door' && says.startsWith('1 clients'));
  }

  test('a screen that stops reading is cut off within 10 s, and no other screen waits', async () => {
    expectUnharmed(
      await whileGoodOnesGoOn(async () => {
        const host = gateway.clients()[0];
        if (!host) throw new Error('a host was wanted');
        await host.connect();
        using frozen = await gateway.stream();
        frozen.socket.pause();
        // Alarms are never left out, so they pile up for the one that does not read.
        const endMs = performance.now() + 10_000;
        for (let seq = 1; performance.now() < endMs; seq++) {
          for (let device = 0; device < 120; device += 2) {
            const values = { [heart]: seq % 2 === 0 ? 72 : 180 };
            const message = { boot: `storm-${process.pid}`, seq, values };
            host.publish(`v1/device/device-${device}/observations`, JSON.stringify(message));
          }
          await wait(200);
        }
        const closed = new Promise<void>((resolve) => void frozen.socket.once('close', () => resolve()));
        frozen.socket.resume();
        await closed;
        host.end();
      }),
    );
  });
});

describe('a known device that sends nonsense', () => {
  let device: DoorClient;
  let name = 0;
  beforeAll(async () => {
    device = await openDevice('odd');
  });
  afterAll(() => device.end());

  const counters = async (): Promise<Counters> => (await gateway.health()).counters;
  const boot = () => `odd-${++name}`;

  /** Sends it, has it confirmed, and answers what it changed in the counters. */
  async function send(text: string): Promise<Partial<Record<keyof Counters, number>>> {
    const before = await counters();
    await device.ask('v1/device/odd/observations', text);
    const after = await until('balanced counters', 5_000, async () => {
      const now = await counters();
      return imbalance(now) === 0 && now;
    });
    const changed = (['received', 'kept', 'quarantined', 'duplicate', 'ledgered'] as const)
      .map((key) => [key, after[key] - before[key]] as const)
      .filter(([, by]) => by !== 0);
    return Object.fromEntries(changed);
  }

  const rowsOf = async (wanted: string): Promise<ObservationRow[]> => {
    const rows = await until('the row', 10_000, async () => {
      const found = await gateway.rows('odd', Date.now() - hourMs, Date.now() + hourMs);
      const own = found.filter((row) => row.boot === wanted);
      return own.length > 0 && own;
    });
    return rows;
  };

  const deep = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  test.each([
    ['no JSON', '{"boot":'],
    ['NaN, which is no JSON', `{"boot":"b","seq":1,"values":{"${heart}":NaN}}`],
    ['bytes of a picture', '\u0089PNG\r\n'],
    ['a bare number', '42'],
    ['no values', '{"boot":"b","seq":1}'],
    ['no boot', `{"seq":1,"values":{"${heart}":72}}`],
    ['a seq in quotes', `{"boot":"b","seq":"1","values":{"${heart}":72}}`],
    ['a message 1,000 deep', deep(1_000)],
    ['an array 1,000 deep', `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
    [
      '257 messages at once',
      JSON.stringify(Array.from({ length: 257 }, (_, seq) => ({ boot: 'b', seq, values: {} }))),
    ],
  ])('%s goes into quarantine, counted and confirmed', async (_, text) => {
    expect(await send(text)).toEqual({ received: 1, quarantined: 1 });
  });

  test.each([
    ['"80"', '"80"'],
    ['true', 'true'],
    ['null', 'null'],
    ['1e999', '1e999'],
    ['a value 1,000 deep', deep(1_000)],
    ['an unknown unit', '{"value":72,"unit":"furlong"}'],
  ])('a value of %s goes into quarantine alone; its neighbour is kept', async (_, value) => {
    const own = boot();
    const text = `{"boot":"${own}","seq":1,"values":{"${heart}":${value},"${saturation}":97}}`;
    expect(await send(text)).toEqual({ received: 2, quarantined: 1, kept: 1 });
    expect(await rowsOf(own)).toMatchObject([{ metric: saturation, value: 97, validity: 'valid' }]);
  });

  test('1e308 is kept and marked invalid', async () => {
    const own = boot();
    expect(await send(`{"boot":"${own}","seq":1,"values":{"${heart}":1e308}}`)).toEqual({
      received: 1,
      kept: 1,
    });
    expect(await rowsOf(own)).toMatchObject([{ value: 1e308, validity: 'invalid', reason: 'out-of-span' }]);
  });

  test.each([
    ['tomorrow', 86_400_000],
    ['1970', -Date.now()],
    ['1971', -Date.now() + 365 * 86_400_000],
  ])('a time of %s is not believed: the value is of now, and marked', async (_, off) => {
    const own = boot();
    const sentAtMs = Date.now();
    const text = JSON.stringify({ boot: own, seq: 1, takenAtMs: sentAtMs + off, values: { [heart]: 72 } });
    expect(await send(text)).toEqual({ received: 1, kept: 1 });
    const [row] = await rowsOf(own);
    expect(row).toMatchObject({ value: 72, reason: 'clock', historical: false });
    expect(Math.abs((row?.takenAtMs ?? 0) - sentAtMs)).toBeLessThan(5_000);
  });

  test('a clock that was right and falls back to 1970 costs no alarm: the value is of now, and marked', async () => {
    const fallen = await openDevice('fallen');
    const [right, wrong] = [boot(), boot()];
    const now = Date.now();
    const say = (own: string, takenAtMs: number): Promise<number> => {
      const message = { boot: own, seq: 1, takenAtMs, values: { [heart]: 72 } };
      return fallen.ask('v1/device/fallen/observations', JSON.stringify(message));
    };
    await say(right, now);
    await say(wrong, 1_000);
    const rows = await until('both rows', 10_000, async () => {
      const found = await gateway.rows('fallen', now - hourMs, now + hourMs);
      return found.length === 2 && found;
    });
    expect(rows.find((row) => row.boot === right)).toMatchObject({ validity: 'valid', historical: false });
    expect(rows.find((row) => row.boot === wrong)).toMatchObject({ reason: 'clock', historical: false });
    fallen.end();
  });

  test('a message of just under 64 kB is taken, whatever is in it', async () => {
    const own = boot();
    const words = Array.from({ length: 2_000 }, (_, at) => `"w-${at}-of-a-flood":${at}`).join(',');
    const changed = await send(`{"boot":"${own}","seq":1,"values":{${words}}}`);
    expect(changed.received).toBe(2_000);
    // A device has a bounded number of series; the rest cannot be told apart and stays raw.
    expect(changed.quarantined).toBeGreaterThan(0);
    expect(changed.kept).toBeGreaterThan(0);
    const rows = await rowsOf(own);
    expect(rows).toHaveLength(changed.kept ?? 0);
    expect(new Set(rows.map(({ reason }) => reason))).toEqual(new Set(['unknown-metric']));
  });

  test('a packet of more than 64 kB ends the connection; the device comes back', async () => {
    device.publish('v1/device/odd/observations', `"${'x'.repeat(65_536)}"`);
    await device.closed();
    device.resend(() => true);
    await device.connect();
    expect(await send(`{"boot":"${boot()}","seq":1,"values":{"${heart}":72}}`)).toEqual({
      received: 1,
      kept: 1,
    });
  });

  test('the same again is a duplicate, confirmed and not kept', async () => {
    const text = `{"boot":"${boot()}","seq":1,"values":{"${heart}":72}}`;
    expect(await send(text)).toEqual({ received: 1, kept: 1 });
    expect(await send(text)).toEqual({ received: 1, duplicate: 1 });
  });
});
