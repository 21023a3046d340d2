import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  command as capnostreamCommand,
  operations as capnostreamAll,
} from '../../drivers/capnostream/commands.ts';
import { frameOf } from '../../drivers/capnostream/frames.ts';
import { command as contecCommand, operations as contecAll } from '../../drivers/contec/commands.ts';
import type { Driver } from '../../drivers/driver.ts';
import { loadDriver } from '../../drivers/index.ts';
import { systemClock, type Clock } from '../../model/clock.ts';
import type { DecodedItem } from '../../model/device.ts';
import { seriesKey } from '../../model/observation.ts';
import { openDriver, type DriverHouse } from '../drivers/driver-house.ts';
import { virtualClock } from '../house/virtual-clock.ts';

// What the drivers over a byte stream of their own promise: oximeters and capnographs.
const rounds = 2_000;
const cases = join(import.meta.dirname, '../cases');
const clock = systemClock();

interface Family {
  readonly name: string;
  /** The case whose bytes are good and whose values are known to be there. */
  readonly good: string;
}
const families: readonly Family[] = [
  { name: 'nonin', good: 'format-2-packet-of-the-reference' },
  { name: 'nellcor', good: 'capture-n560-2017' },
  { name: 'berry', good: 'frame-of-the-reference' },
  { name: 'contec', good: 'capture-of-the-reference' },
  { name: 'capnostream', good: 'numerics-of-the-reference' },
  { name: 'welch-allyn-co2', good: 'numerics-of-the-manual' },
];
const metricOf = (name: string): string =>
  name === 'welch-allyn-co2' ? 'MDC_CONC_AWAY_CO2_ET' : 'MDC_PULS_OXIM_SAT_O2';

const frame = (name: string, one: string): Buffer =>
  Buffer.from(readFileSync(join(cases, name, one, 'frame.hex'), 'utf8').replace(/\s/g, ''), 'hex');
const framesOf = (name: string): Buffer[] =>
  readdirSync(join(cases, name))
    .filter((one) => !existsSync(join(cases, name, one, 'options.json')))
    .map((one) => frame(name, one));
const driverOf = async (name: string): Promise<Driver> => {
  const driver = await loadDriver(name);
  if (!driver) throw new Error(`no driver ${name}`);
  return driver;
};
const keysOf = (items: readonly DecodedItem[]): string[] =>
  items.flatMap((item) => (item.kind === 'observation' ? [seriesKey(item.metric, item.channel)] : []));

describe.each(families)('$name', ({ name, good }) => {
  test('never throws on mutated frames, and tells no metric it has not declared', async () => {
    const driver = await driverOf(name);
    const declared = new Set(driver.metrics);
    const change = fc.record({
      at: fc.nat(400),
      byte: fc.nat(255),
      how: fc.constantFrom('set', 'cut', 'add'),
    });
    const given = fc.tuple(fc.constantFrom(...framesOf(name)), fc.array(change, { maxLength: 6 }));
    fc.assert(
      fc.property(given, ([bytes, changes]) => {
        const mutated = changes.reduce((all, { at, byte, how }) => {
          const where = all.length === 0 ? 0 : at % all.length;
          const after = all.subarray(how === 'add' ? where : where + 1);
          return Buffer.concat([all.subarray(0, where), Buffer.from(how === 'cut' ? [] : [byte]), after]);
        }, bytes);
        for (const key of keysOf(driver.decode?.(mutated, { clock }) ?? [])) expect(declared).toContain(key);
      }),
      { numRuns: rounds, seed: 20261121 },
    );
  });

  test('reads one byte at a time as it reads one chunk, garbage around or not', async () => {
    await using peer = await openPeer();
    await using house = await openOver(name, peer.port);
    const bytes = Buffer.concat([Buffer.from([0, 255, 10]), frame(name, good), Buffer.from([10])]);
    for (const byte of bytes) await peer.send(Buffer.from([byte]));
    await house.until(() => house.observations(metricOf(name)).length === 1);
    await using other = await openPeer();
    await using whole = await openOver(name, other.port);
    await other.send(bytes);
    await whole.until(() => whole.observations(metricOf(name)).length === 1);
    const values = (seen: DriverHouse): unknown[] =>
      seen.observations().map(({ takenAtMs: _, ...rest }) => rest);
    expect(values(house)).toEqual(values(whole));
    expect(house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
  });

  test('tells a value once a second, however often the device says it', async () => {
    await using peer = await openPeer();
    await using house = await openOver(name, peer.port);
    for (let n = 0; n < 20; n++) await peer.send(frame(name, good));
    await house.until(() => (house.counts['frame'] ?? 0) >= 20);
    expect(house.observations(metricOf(name))).toHaveLength(1);
  });

  test('says nothing after close(), and lost at once when the wire is cut', async () => {
    await using peer = await openPeer();
    await using house = await openOver(name, peer.port);
    await peer.send(frame(name, good));
    await house.until(() => house.links.at(-1)?.link === 'connected');
    (await peer.ready).destroy();
    await house.until(() => house.links.at(-1)?.link === 'lost', 1_000);
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');

    await using second = await openPeer();
    const closing = await openOver(name, second.port);
    await second.send(frame(name, good));
    await closing.until(() => closing.emitted.length > 0);
    const told = closing.emitted.length;
    closing.host.mute();
    await closing.session.close();
    await closing.host.close();
    await second.send(frame(name, good));
    expect(closing.emitted).toHaveLength(told);
    expect(closing.broken).toEqual([]);
  });
});

describe('a checksum', () => {
  const checked: readonly (readonly [driver: string, good: string])[] = [
    ['nonin', 'format-2-packet-of-the-reference'],
    ['nonin', 'format-7-packet'],
    ['capnostream', 'numerics-of-the-reference'],
    ['welch-allyn-co2', 'numerics-of-the-manual'],
    ['welch-allyn-co2', 'wave-of-the-manual'],
    ['wearable-gatt', 'pc60fw-known-by-its-head'],
  ];
  test.each(checked)('of %s (%s) lets no single garbled byte become a value', async (name, good) => {
    const driver = await driverOf(name);
    const bytes = frame(name, good);
    const told = (given: Buffer): string[] =>
      (driver.decode?.(given, { clock }) ?? []).flatMap((item) =>
        item.kind === 'observation' ? [JSON.stringify(item)] : [],
      );
    const right = new Set(told(bytes));
    expect(right.size).toBeGreaterThan(0);
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [0x01, 0x02, 0x10, 0x40, 0x80, 0xff]) {
        const garbled = Buffer.from(bytes);
        garbled.writeUInt8((bytes[at] ?? 0) ^ flip, at);
        for (const item of told(garbled)) expect(right, `byte ${at} ^ ${flip}`).toContain(item);
      }
    }
  });
});

describe('what may be sent', () => {
  test('listeners send nothing at all', async () => {
    for (const name of ['nonin', 'nellcor', 'berry', 'welch-allyn-co2']) {
      await using peer = await openPeer();
      await using house = await openOver(name, peer.port);
      await peer.send(frame(name, families.find((each) => each.name === name)?.good ?? ''));
      await house.until(() => house.emitted.length > 0);
      await house.session.close();
      expect(peer.heard(), name).toHaveLength(0);
    }
  });

  test('the Contec is asked to start and to stop, by the three commands there are', async () => {
    const built = Object.keys(contecAll).map((operation) =>
      contecCommand(operation as keyof typeof contecAll),
    );
    expect(built.map((bytes) => bytes[2])).toEqual([0xa1, 0xaf, 0xa2]);
    for (const bytes of built) expect(bytes.toString('hex')).toMatch(/^7d81(a1|af|a2)808080808080$/);
    await using peer = await openPeer();
    const house = await openOver('contec', peer.port);
    await house.session.close();
    await peer.ended;
    await house.host.close();
    expect(peer.heard().toString('hex')).toBe('7d81a18080808080807d81a2808080808080');
  });

  test('the Capnostream is asked by five commands, none of which sets anything', async () => {
    const codes = Object.keys(capnostreamAll).map(
      (operation) => capnostreamCommand(operation as keyof typeof capnostreamAll)[2],
    );
    expect(codes).toEqual([1, 2, 4, 5, 6]);
    expect(capnostreamCommand('linkActive').toString('hex')).toBe('85010607');
    await using peer = await openPeer();
    const house = await openOver('capnostream', peer.port);
    await house.session.close();
    await peer.ended;
    await house.host.close();
    expect(peer.heard().toString('hex')).toBe('85010100850104058501050485010203');
  });

  test('a Capnostream frame escapes 80 and 85 wherever they stand', () => {
    expect(frameOf(0x85, [0x00, 0x80]).toString('hex')).toBe('8503800500800006');
  });
});

describe('asking', () => {
  test('a Contec is kept awake each 5 s, and asked again when it was switched off and on', async () => {
    const virtual = virtualClock();
    await using peer = await openPeer();
    await using house = await openOver('contec', peer.port, virtual);
    const asked = () =>
      peer
        .heard()
        .toString('hex')
        .match(/7d81(..)/g) ?? [];
    await house.until(() => asked().length === 1);
    await peer.send(frame('contec', 'capture-of-the-reference'));
    await house.until(() => house.observations('MDC_PULS_OXIM_SAT_O2').length === 1);
    await virtual.pass(5_000);
    await house.until(() => asked().length >= 2);
    expect(asked()[0]).toBe('7d81a1');
    expect(asked().slice(1)).toContain('7d81af');
    await virtual.pass(6_000);
    await house.until(() => asked().filter((each) => each === '7d81a1').length >= 2);
  });

  test('a Capnostream hears that the link is active each 2 s, and is asked again after 5 s of silence', async () => {
    const virtual = virtualClock();
    await using peer = await openPeer();
    await using house = await openOver('capnostream', peer.port, virtual);
    const heard = () => peer.heard().toString('hex');
    await house.until(() => heard() === '8501010085010405');
    await virtual.pass(4_000);
    await house.until(() => heard().endsWith('8501060785010607'));
    await virtual.pass(1_500);
    await house.until(() => heard().endsWith('8501010085010405'));
    expect(house.broken).toEqual([]);
  });

  test('a closed wire takes no question any more', async () => {
    const virtual = virtualClock();
    await using peer = await openPeer();
    await using house = await openOver('capnostream', peer.port, virtual);
    (await peer.ready).destroy();
    await house.until(() => house.links.at(-1)?.link === 'lost');
    await virtual.pass(20_000);
    await house.session.close();
    expect(house.broken).toEqual([]);
  });
});

describe('alerts and waves', () => {
  test('an alert starts, goes on once a second, and ends', async () => {
    await using peer = await openPeer();
    await using house = await openOver('nellcor', peer.port);
    for (const one of ['loss-of-pulse', 'loss-of-pulse', 'capture-n560-2017'])
      await peer.send(frame('nellcor', one));
    await house.until(() => (house.counts['frame'] ?? 0) === 3);
    const phases = house.emitted.flatMap((item) =>
      item.kind === 'alerts' ? item.alerts.map(({ phase }) => phase) : [],
    );
    expect(phases).toEqual(['start', 'end']);
  });

  test('a value that comes or goes is told at once', async () => {
    await using peer = await openPeer();
    await using house = await openOver('berry', peer.port);
    for (const one of ['frame-of-the-reference', 'finger-out-with-frozen-numbers', 'frame-of-the-reference'])
      await peer.send(frame('berry', one));
    await house.until(() => house.observations('MDC_PULS_OXIM_SAT_O2').length === 3);
    const values = house
      .observations('MDC_PULS_OXIM_SAT_O2')
      .map((seen) => ('value' in seen ? seen.value : '?'));
    expect(values).toEqual([97, null, 97]);
  });

  test('a pleth comes in blocks of a second, with the instant of its first sample', async () => {
    await using peer = await openPeer();
    await using house = await openOver('nonin', peer.port);
    for (let n = 0; n < 6; n++) await peer.send(frame('nonin', 'format-2-packet-of-the-reference'));
    const waves = () => house.emitted.flatMap((item) => (item.kind === 'waveform' ? [item] : []));
    await house.until(() => waves().length === 2);
    const [first] = waves();
    expect(first?.samples).toHaveLength(75);
    expect([...(first?.samples ?? [])].every((sample) => sample === 1)).toBe(true);
    expect(clock.nowMs() - (first?.takenAtMs ?? 0)).toBeGreaterThan(980);
  });
});

describe('settings', () => {
  test('the CO2 wave is kept where its period is set, and only there', async () => {
    const sample: Readonly<Record<string, Buffer>> = {
      'welch-allyn-co2': frame('welch-allyn-co2', 'wave-of-the-manual'),
      capnostream: frame('capnostream', 'wave-sample'),
    };
    for (const [name, bytes] of Object.entries(sample)) {
      for (const wavePeriodMs of [undefined, 250]) {
        await using peer = await openPeer();
        await using house = await openOver(name, peer.port, undefined, wavePeriodMs ? { wavePeriodMs } : {});
        for (let n = 0; n < 4; n++) await peer.send(bytes);
        await house.until(() => (house.counts['frame'] ?? 0) === 4);
        const waves = house.emitted.flatMap((item) => (item.kind === 'waveform' ? [item] : []));
        expect(waves, name).toHaveLength(wavePeriodMs ? 1 : 0);
        for (const { samples, gain, offset, periodUs } of waves) {
          expect([...samples].map((raw) => raw * gain + offset)).toEqual([37.5, 37.5, 37.5, 37.5]);
          expect(periodUs).toBe(250_000);
        }
        expect(house.observations()).toEqual([]);
      }
    }
  });

  test('a pleth is left out where the settings say so', async () => {
    for (const name of ['nonin', 'berry', 'contec']) {
      await using peer = await openPeer();
      await using house = await openOver(name, peer.port, undefined, { pleth: false });
      const { good } = families.find((each) => each.name === name) ?? { good: '' };
      for (let n = 0; n < 120; n++) await peer.send(frame(name, good));
      await house.until(() => (house.counts['frame'] ?? 0) === 120);
      expect(house.emitted.filter(({ kind }) => kind === 'waveform')).toEqual([]);
    }
  });

  test.each(['nellcor', 'capnostream'])(
    '%s takes a zone that exists and refuses one that does not',
    async (name) => {
      await using peer = await openPeer();
      await using house = await openOver(name, peer.port, undefined, { timeZone: 'Asia/Shanghai' });
      await peer.send(frame(name, families.find((each) => each.name === name)?.good ?? ''));
      await house.until(() => house.emitted.length > 0);
      const wrong = openOver(name, peer.port, undefined, { timeZone: 'Mars/Olympus' });
      await expect(wrong).rejects.toMatchObject({ code: 'DRIVER_SETTINGS' });
    },
  );

  test('what never ends a line is let go', async () => {
    await using peer = await openPeer();
    await using house = await openOver('nellcor', peer.port);
    await peer.send(Buffer.alloc(600, 0x41));
    await peer.send(Buffer.concat([Buffer.from('\r\n'), frame('nellcor', 'capture-n560-2017')]));
    await house.until(() => house.observations('MDC_PULS_OXIM_SAT_O2').length === 1);
    expect(house.counts['discardedBytes']).toBe(600);
  });
});

async function openOver(
  name: string,
  port: number,
  given?: Clock,
  more: Readonly<Record<string, unknown>> = {},
): Promise<DriverHouse> {
  return openDriver(
    await driverOf(name),
    { port: `tcp://127.0.0.1:${port}`, ...more },
    given ? { clock: given } : {},
  );
}

interface Peer extends AsyncDisposable {
  readonly port: number;
  readonly ready: Promise<Socket>;
  /** When the driver has closed its side. */
  readonly ended: Promise<void>;
  send(bytes: Buffer): Promise<void>;
  heard(): Buffer;
}

async function openPeer(): Promise<Peer> {
  const heard: Buffer[] = [];
  let arrived: (socket: Socket) => void = () => {};
  let over: () => void = () => {};
  const ready = new Promise<Socket>((resolve) => (arrived = resolve));
  const ended = new Promise<void>((resolve) => (over = resolve));
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.on('close', () => over());
    arrived(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    ready,
    ended,
    send: async (bytes) => {
      const socket = await ready;
      if (socket.destroyed) return;
      await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
    },
    heard: () => Buffer.concat(heard),
    [Symbol.asyncDispose]: async () => {
      (await ready).destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
