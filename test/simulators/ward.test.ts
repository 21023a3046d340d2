import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { AttributeIds, OPCUAClient } from 'node-opcua-client';
import modbusSerial from 'modbus-serial';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkSettings } from '../../drivers/settings.ts';
import { openWard, type Ward } from '../../simulators/ward.ts';
import { virtualClock, type VirtualClock } from '../house/virtual-clock.ts';

let folder: string;
let clock: VirtualClock;
let ward: Ward | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigil-ward-'));
  clock = virtualClock();
});
afterEach(async () => {
  await ward?.close();
  ward = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const portOf = (address: unknown): number => Number(new URL(String(address)).port);
const settingsOf = (bed: string): Readonly<Record<string, string | number>> =>
  ward?.beds.find((one) => one.bed === bed)?.settings ?? {};

async function registersOf(bed: string, address: number, count: number): Promise<number[]> {
  const client = new modbusSerial.default();
  client.setTimeout(2_000);
  const { port, unit } = settingsOf(bed);
  await client.connectTCP('127.0.0.1', { port: portOf(port) });
  client.setID(Number(unit));
  const { data } = await client.readHoldingRegisters(address, count);
  await new Promise<void>((resolve) => void client.close(() => resolve()));
  return data;
}

describe('the ward', () => {
  test('has eight beds, two on each kind of wire, and says how to reach them', async () => {
    ward = await openWard({ clock, folder, serial: 'tcp' });
    expect(ward.beds.map(({ bed, kind, driver }) => [bed, kind, driver])).toEqual([
      ['01', 'masimo', 'masimo'],
      ['02', 'masimo', 'masimo'],
      ['03', 'modbus', 'modbus'],
      ['04', 'modbus', 'modbus'],
      ['05', 'opcua', 'opcua'],
      ['06', 'opcua', 'opcua'],
      ['07', 'wearable', undefined],
      ['08', 'wearable', undefined],
    ]);
    expect(settingsOf('01')).toEqual({ port: expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:\d+$/) });
    expect(settingsOf('04')).toMatchObject({ unit: 2, map: 'generic-vital-signs' });
    expect(settingsOf('06')).toMatchObject({
      endpoint: expect.stringMatching(/^opc\.tcp:\/\/127\.0\.0\.1:\d+$/),
      map: 'generic-opcua-monitor',
      root: 'monitor2',
    });
    expect(ward.beds[6]?.wear).toBeTypeOf('function');
  });

  test('gives settings that the drivers take', async () => {
    ward = await openWard({ clock, folder, serial: 'tcp' });
    for (const { driver, settings } of ward.beds) {
      if (driver) expect(checkSettings(driver, settings).faults ?? []).toEqual([]);
    }
  });

  test('brings a true alarm within two minutes: bed 03 stays above 120 /min from 35 s on', async () => {
    ward = await openWard({ clock, folder, serial: 'tcp', beds: 4 });
    expect((await registersOf('03', 10, 1))[0]).toBeLessThanOrEqual(120);
    for (const s of [35, 50, 120]) {
      clock.passSync(s * 1_000 - clock.monotonicMs());
      expect((await registersOf('03', 10, 1))[0]).toBeGreaterThan(120);
    }
    // Bed 04 has what the 1 Hz recordings have not: temperature and a cuff pressure with its age.
    const cuff = await registersOf('04', 20, 7);
    expect(cuff.slice(2, 5).every((value) => value < 300)).toBe(true);
    expect(cuff[6]).toBeGreaterThanOrEqual(300);
  });

  test('answers OPC UA through its wire, which a cut closes', async () => {
    ward = await openWard({ clock, folder, serial: 'tcp', beds: 6 });
    const certificates = new OPCUACertificateManager({ rootFolder: join(folder, 'client') });
    await certificates.initialize();
    const client = OPCUAClient.create({
      clientCertificateManager: certificates,
      connectionStrategy: { maxRetry: 0 },
    });
    await client.connect(String(settingsOf('06').endpoint));
    const session = await client.createSession();
    const hr = await session.read({ nodeId: 'ns=1;s=monitor2.ecg.hr', attributeId: AttributeIds.Value });
    expect(hr.value.value).toBe(60.9);
    const lost = new Promise<void>((resolve) => void client.once('connection_lost', () => resolve()));
    ward.mischief('06', 'cut');
    await lost;
    await client.disconnect();
    await certificates.dispose();
  });

  test('runs faster by its speed', async () => {
    ward = await openWard({ clock, folder, serial: 'tcp', beds: 4, speed: 35 });
    clock.passSync(1_000);
    expect((await registersOf('03', 10, 1))[0]).toBeGreaterThan(120);
  });

  test('lays in further beds other patients, the same for the same seed', async () => {
    const heartRates = async (seed: number): Promise<number[]> => {
      ward = await openWard({ clock, folder, serial: 'tcp', beds: 12, seed });
      const seen = [...(await registersOf('11', 10, 4)), ...(await registersOf('12', 10, 4))];
      await ward.close();
      return seen;
    };
    const first = await heartRates(1);
    expect(await heartRates(1)).toEqual(first);
    expect(await heartRates(2)).not.toEqual(first);
  });

  test('takes the recordings it is given, and refuses one that is not there leaving nothing open', async () => {
    ward = await openWard({ clock, folder, serial: 'tcp', beds: 2, recordings: { '02': 'icu_b05_1s' } });
    expect(ward.beds[1]?.recording).toBe('icu_b05_1s');
    await expect(openWard({ clock, folder, recordings: { '01': 'nobody' } })).rejects.toMatchObject({
      code: 'SIM_NO_RECORDING',
    });
  });

  test('does mischief to one bed and not to its neighbour', async () => {
    ward = await openWard({ clock, folder, serial: 'tcp', beds: 2 });
    const [one, other] = ['01', '02'].map((bed) =>
      connect(portOf(settingsOf(bed).port), '127.0.0.1').on('error', () => undefined),
    );
    if (!one || !other) throw new Error('two beds');
    await Promise.all([once(one, 'connect'), once(other, 'connect')]);
    await new Promise((resolve) => setImmediate(resolve));
    clock.passSync(1_000);
    expect(String((await once(one, 'data'))[0])).toMatch(/SPO2=09\d%.*\r\n$/);
    const closed = once(one, 'close');
    ward.mischief('01', 'cut', { forMs: 5_000 });
    await closed;
    expect(String((await once(other, 'data'))[0])).toMatch(/SN=0000056602/);
    other.destroy();
    expect(() => ward?.mischief('99', 'cut')).toThrow(RangeError);

    clock.passSync(5_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const again = connect(portOf(settingsOf('01').port), '127.0.0.1');
    await once(again, 'connect');
    again.destroy();
  });
});

describe('npm run simulate', () => {
  const run = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, '../../cli/run.mjs'),
      'simulate',
      ...args,
    ]);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (out.includes('"unit":2')) child.kill('SIGTERM');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, err };
  };

  test('tells how to reach the device, and ends cleanly', async () => {
    const { code, out } = await run('modbus', '--recording', 'icu_b01_1s', '--recording', 'icu_b02_1s');
    const lines = out.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { bed: '01', recording: 'icu_b01_1s', driver: 'modbus', settings: { unit: 1 } },
      { bed: '02', recording: 'icu_b02_1s', driver: 'modbus', settings: { unit: 2 } },
    ]);
    expect(code).toBe(0);
  });

  test.each([
    [['--help'], 0, /Usage: npm run simulate/],
    [['--list'], 0, /icu_b21_1s/],
    [[], 2, /Usage/],
    [['toaster'], 2, /no simulator toaster/],
    [['masimo', '--recording', 'nobody'], 2, /no recording nobody/],
    [['masimo', '--speed', 'fast'], 2, /--speed takes a number/],
    [['masimo', '--mischief', 'explode'], 2, /one of cut, delay/],
    [['masimo', '--mischief', 'cut:hard=1'], 2, /knows no hard/],
    [['wearable'], 2, /needs --id and --secret/],
    [['masimo', '--nonsense'], 2, /nonsense/],
  ])('%j ends with %i and says why', async (args, code, words) => {
    const ended = await run(...args);
    expect(ended.code).toBe(code);
    expect(code === 0 ? ended.out : ended.err).toMatch(words);
  });
});
