import { createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { driverNames, loadDriver } from '../../drivers/index.ts';
import type { Driver } from '../../drivers/driver.ts';
import masimoDriver from '../../drivers/masimo/index.ts';
import { checkSettings, driverSettings } from '../../drivers/settings.ts';
import { metrics } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import { openDriver, type DriverHouse } from '../drivers/driver-house.ts';

// What every driver promises the host, whatever wire it speaks.
const good: Readonly<Record<string, Record<string, unknown>>> = {
  masimo: { port: 'tcp://127.0.0.1:4001' },
  modbus: { port: '/dev/ttyUSB0', map: 'generic-vital-signs' },
  opcua: { endpoint: 'opc.tcp://127.0.0.1:4840', map: 'generic-opcua-monitor' },
  medibus: { port: 'tcp://127.0.0.1:4001' },
  'puritan-bennett': { port: '/dev/ttyUSB0' },
  'bbraun-space': { port: 'tcp://127.0.0.1:4001' },
  alaris: { port: '/dev/ttyUSB0' },
  nonin: { port: 'tcp://127.0.0.1:4001', format: '7' },
  nellcor: { port: 'tcp://127.0.0.1:4001', timeZone: '+08:00' },
  berry: { port: '/dev/ttyUSB0' },
  contec: { port: '/dev/ttyUSB0', pleth: false },
  capnostream: { port: 'tcp://127.0.0.1:4001', wavePeriodMs: 50 },
  'welch-allyn-co2': { port: 'tcp://127.0.0.1:4001' },
  'philips-intellivue': { peer: { address: '127.0.0.1' } },
  'wearable-gatt': { characteristic: '2a37', timeZone: '+08:00' },
  'wearable-json': { properties: { tempc: { metric: 'MDC_TEMP_SKIN', unit: 'Cel' } } },
  'ge-dri': { port: 'tcp://127.0.0.1:4001', waves: ['ecg1', 'pleth'] },
  ivy: { port: 'tcp://127.0.0.1:4001' },
  'hl7-listener': { bind: { address: '127.0.0.1' }, key: { application: 'CENTRAL', location: 'ICU^1^3' } },
};
const bad: Readonly<Record<string, readonly (readonly [path: string, Record<string, unknown>])[]>> = {
  masimo: [
    ['/port', { port: 'COM1' }],
    ['/port', { port: undefined }],
    ['/line/baudRate', { line: { baudRate: 'fast' } }],
    ['/line/parity', { line: { parity: 'mark' } }],
    ['/colour', { colour: 'red' }],
  ],
  modbus: [
    ['/port', { port: 'tcp://host' }],
    ['/unit', { unit: 256 }],
    ['/unit', { unit: '1' }],
    ['/map', { map: undefined }],
    ['/protocol', { protocol: 'ascii' }],
    ['/timeoutMs', { timeoutMs: 0 }],
  ],
  opcua: [
    ['/endpoint', { endpoint: 'http://127.0.0.1' }],
    ['/security', { security: 'sign' }],
    ['/map', { map: 5 }],
  ],
  medibus: [
    ['/port', { port: 'udp://host:1' }],
    ['/pollMs', { pollMs: 10 }],
    ['/timeoutMs', { timeoutMs: '3' }],
    ['/line/parity', { line: { parity: 'mark' } }],
  ],
  'puritan-bennett': [
    ['/port', { port: 5 }],
    ['/request', { request: 'SETP' }],
    ['/pollMs', { pollMs: 100 }],
  ],
  'bbraun-space': [
    ['/port', { port: undefined }],
    ['/bedId', { bedId: '1>MEM:SET' }],
    ['/pollMs', { pollMs: 499 }],
  ],
  alaris: [
    ['/port', { port: '' }],
    ['/pollMs', { pollMs: '2000' }],
    ['/line/baudRate', { line: { baudRate: 12 } }],
  ],
  nonin: [
    ['/port', { port: 'COM1' }],
    ['/format', { format: '8,2' }],
    ['/pleth', { pleth: 'yes' }],
  ],
  nellcor: [
    ['/port', { port: undefined }],
    ['/timeZone', { timeZone: 8 }],
  ],
  berry: [
    ['/port', { port: 'tcp://host' }],
    ['/line/baudRate', { line: { baudRate: 1 } }],
  ],
  contec: [
    ['/port', { port: 7 }],
    ['/colour', { colour: 'red' }],
  ],
  capnostream: [
    ['/port', { port: undefined }],
    ['/wavePeriodMs', { wavePeriodMs: 0 }],
  ],
  'welch-allyn-co2': [
    ['/port', { port: 'COM1' }],
    ['/wavePeriodMs', { wavePeriodMs: 'fast' }],
  ],
  'philips-intellivue': [
    ['/peer/address', { peer: { address: 'monitor 7' } }],
    ['/peer/port', { peer: { address: '127.0.0.1', port: 0 } }],
    ['/port', { port: 'COM1' }],
    ['/waves', { waves: 'all' }],
    ['/wavePriority/0', { wavePriority: ['pleth'] }],
  ],
  'wearable-gatt': [
    ['/characteristic', { characteristic: '2a99' }],
    ['/encoding', { encoding: 'ascii85' }],
  ],
  'wearable-json': [
    ['/topics/0', { topics: ['home/+/state'] }],
    ['/topics/0', { topics: ['v1/device/mon-1/observations'] }],
    ['/topics/0', { topics: ['$SYS/x'] }],
    ['/sparkplug/group', { sparkplug: { group: 'a/b', edgeNode: 'e' } }],
    ['/properties/tempc/metric', { properties: { tempc: { metric: 5 } } }],
    ['/colour', { colour: 'red' }],
  ],
  'ge-dri': [
    ['/port', { port: undefined }],
    ['/intervalS', { intervalS: 1 }],
    ['/line/parity', { line: { parity: 'mark' } }],
  ],
  'hl7-listener': [
    ['/bind', { bind: undefined }],
    ['/bind/port', { bind: { address: '127.0.0.1', port: 70_000 } }],
    ['/key/application', { key: { location: 'ICU' } }],
    ['/vendor', { vendor: 'acme' }],
    ['/colour', { colour: 'red' }],
  ],
  ivy: [
    ['/port', { port: 'COM1' }],
    ['/waves', { waves: 'all' }],
  ],
};

describe('every driver', () => {
  test('is listed with a light half of the same name', async () => {
    expect(driverSettings.map(({ name }) => name)).toEqual(driverNames);
    for (const name of driverNames) expect((await loadDriver(name))?.name).toBe(name);
    expect(await loadDriver('toString')).toBeUndefined();
  });

  for (const name of driverNames) {
    test(`${name} takes good settings and fills in the rest`, () => {
      expect(checkSettings(name, good[name]).faults).toBeUndefined();
    });

    for (const [path, change] of bad[name] ?? []) {
      test(`${name} refuses ${JSON.stringify(change)} and names ${path}`, () => {
        const given = { ...good[name], ...change };
        const cleaned = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const { faults } = checkSettings(name, cleaned);
        expect(faults?.map((fault) => fault.code)).toContain('DRIVER_SETTINGS');
        expect(faults?.map((fault) => fault.details['path'])).toContain(path);
      });
    }

    test(`${name} declares metrics that the table knows`, () => {
      const declared = driverSettings.find((driver) => driver.name === name)?.metrics ?? [];
      for (const metric of declared) if (metric !== '*') expect(metrics.has(metric), metric).toBe(true);
    });
  }

  test('an unknown driver is refused with the names of those there are', () => {
    expect(checkSettings('philips', {}).faults?.[0]?.message).toContain('philips');
    expect(checkSettings('philips', {}).faults?.[0]?.whatToDo).toContain('masimo');
  });
});

const line = (spo2: string, exc = '000800'): string =>
  `02/22/16 22:47:45 SN=0000056661 SPO2=${spo2}% BPM=097 PI=03.60% SPCO=--.-% SPMET=--.-% DESAT=-- PIDELTA=+-- ALARM=0000 EXC=${exc}\r\n`;

interface Oximeter extends AsyncDisposable {
  readonly port: number;
  readonly ready: Promise<Socket>;
  send(bytes: Buffer | string): Promise<void>;
}

async function openOximeter(): Promise<Oximeter> {
  let arrived: (socket: Socket) => void = () => {};
  const ready = new Promise<Socket>((resolve) => (arrived = resolve));
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    arrived(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    ready,
    send: async (bytes) => {
      const socket = await ready;
      await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
    },
    [Symbol.asyncDispose]: async () => {
      (await ready).destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const masimo = masimoDriver as unknown as Driver;
const openMasimo = (port: number): Promise<DriverHouse> =>
  openDriver(masimo, { port: `tcp://127.0.0.1:${port}` });
const saturations = (house: DriverHouse): unknown[] =>
  house.observations('MDC_PULS_OXIM_SAT_O2').map((seen) => ('value' in seen ? seen.value : undefined));

describe('a stream driver (masimo)', () => {
  test('reads one byte at a time as it reads one chunk', async () => {
    await using oximeter = await openOximeter();
    await using house = await openMasimo(oximeter.port);
    for (const byte of Buffer.from(line('098'))) await oximeter.send(Buffer.from([byte]));
    await house.until(() => saturations(house).length === 1);
    await oximeter.send(line('095'));
    await house.until(() => saturations(house).length === 2);
    expect(saturations(house)).toEqual([98, 95]);
  });

  test('reads two frames in a chunk, and garbage before, between and after them', async () => {
    await using oximeter = await openOximeter();
    await using house = await openMasimo(oximeter.port);
    await oximeter.send(line('098') + line('097'));
    await oximeter.send(Buffer.concat([Buffer.from([0, 255, 13, 7]), Buffer.from(line('096'))]));
    await oximeter.send(Buffer.from(`\u0000EXC=\u00ff${line('095')}`, 'latin1'));
    await oximeter.send(Buffer.alloc(4_000, 0xa5));
    await oximeter.send(`\r\n${line('094')}`);
    await house.until(() => saturations(house).length >= 5);
    expect(saturations(house)).toEqual([98, 97, 96, 95, 94]);
    expect(house.counts['discardedBytes']).toBeGreaterThan(3_000);
  });

  test('says nothing after close()', async () => {
    await using oximeter = await openOximeter();
    await using house = await openMasimo(oximeter.port);
    await oximeter.send(line('098'));
    await house.until(() => saturations(house).length === 1);
    const links = house.links.length;
    const closing = house.session.close();
    house.host.mute();
    await oximeter.send(line('097'));
    await closing;
    await house.host.close();
    await oximeter.send(line('096'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(saturations(house)).toEqual([98]);
    expect(house.links.length).toBe(links);
  });

  test('says lost at once when the wire is cut', async () => {
    await using oximeter = await openOximeter();
    await using house = await openMasimo(oximeter.port);
    await oximeter.send(line('098'));
    await house.until(() => house.links.at(-1)?.link === 'connected');
    (await oximeter.ready).destroy();
    await house.until(() => house.links.at(-1)?.link === 'lost', 1_000);
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');
  });

  test('survives any single garbled byte and never tells a metric it has not declared', async () => {
    const random = seeded(20261121);
    const declared = new Set(masimo.metrics);
    await using oximeter = await openOximeter();
    await using house = await openMasimo(oximeter.port);
    const rounds = 300;
    for (let round = 0; round < rounds; round++) {
      const bytes = Buffer.from(line('098'));
      const at = Math.floor(random() * bytes.length);
      bytes.writeUInt8(Math.floor(random() * 256), at);
      await oximeter.send(Buffer.concat([bytes, Buffer.from('\r\n')]));
    }
    await oximeter.send(line('091'));
    await house.until(() => saturations(house).includes(91));
    expect(house.broken).toEqual([]);
    for (const seen of house.observations()) {
      expect(declared.has(seriesKey(seen.metric, seen.channel)), seen.metric).toBe(true);
    }
  });

  test('optional values are told as missing only after they were once there', async () => {
    await using oximeter = await openOximeter();
    await using house = await openMasimo(oximeter.port);
    await oximeter.send(line('098'));
    await oximeter.send(line('098').replace('SPCO=--.-', 'SPCO=02.0'));
    await oximeter.send(line('098'));
    await house.until(() => saturations(house).length === 3);
    expect(house.observations('spco').map((seen) => ('value' in seen ? seen.value : '?'))).toEqual([2, null]);
    expect(house.observations('spmet')).toEqual([]);
  });

  test('an alert starts, continues and ends', async () => {
    await using oximeter = await openOximeter();
    await using house = await openMasimo(oximeter.port);
    for (const alarm of ['0002', '0002', '0000', '0000']) {
      await oximeter.send(line('080').replace('ALARM=0000', `ALARM=${alarm}`));
    }
    await house.until(() => saturations(house).length === 4);
    const phases = house.emitted.flatMap((item) =>
      item.kind === 'alerts' ? item.alerts.map(({ phase }) => phase) : [],
    );
    expect(phases).toEqual(['start', 'continue', 'end']);
  });
});

/** mulberry32: the same rounds at each run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
