import { readFileSync } from 'node:fs';
import modbusSerial from 'modbus-serial';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openModbusMonitor, registers, type ModbusMonitor } from '../../simulators/modbus-monitor.ts';
import type { Numerics, Patient } from '../../simulators/recording.ts';
import { virtualClock } from '../house/virtual-clock.ts';

const ModbusRTU = modbusSerial.default;
type ModbusClient = InstanceType<typeof ModbusRTU>;

const measured = new Set<never>();
const lying = (seen: Numerics): Patient => ({ seen, measured });
const well: Patient = {
  seen: { hr: 72, pr: 71, spo2: 97.5, rr: 0 },
  measured,
  cuff: { sys: 120, dia: 80, mean: 93, ageMs: 70_000_000 },
  temp: { celsius: 36.8, ageMs: 1_000 },
};

describe('the registers', () => {
  test('hold the layout README.md says, to the bit', () => {
    expect([...registers(well, false)]).toEqual([
      ...[0x5647, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[72, 975, 71, 0, 0, 0, 0, 0, 0, 0],
      ...[0x3333, 0x4213, 120, 80, 93, 1, 4464, 0, 0, 0],
      ...[0, 0],
    ]);
  });

  test('say no value for what is not measured, and which sensor is off', () => {
    const none = registers(lying({}), false);
    expect(none[1]).toBe(3);
    expect([...none.subarray(10, 14)]).toEqual([0xffff, 0xffff, 0xffff, 0xffff]);
    expect([...none.subarray(20, 27)]).toEqual([0, 0x7fc0, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff]);
  });

  test.each([
    [{ spo2: 97, pr: 60 }, false, 2],
    [{ hr: 60, pr: 60 }, false, 0],
    [{ hr: 60, spo2: 97 }, true, 4],
    [{ hr: 60 }, true, 5],
  ])('status of %j, demo %s, is %i', (seen, demo, bits) => {
    expect(registers(lying(seen), demo)[1]).toBe(bits);
  });

  test('stand in README.md under these addresses', () => {
    const readme = readFileSync(new URL('../../simulators/README.md', import.meta.url), 'utf8');
    const section = readme.split(/^## /m).find((part) => part.startsWith('Generic vital-sign module')) ?? '';
    const rows = section.split('\n').flatMap((line) => {
      const match = /^\| (\d+)(?:–(\d+))? \|/.exec(line);
      return match ? [[Number(match[1]), Number(match[2] ?? match[1])] as const] : [];
    });
    // Together they cover 0 to 31, each once.
    expect(rows.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))).toEqual(
      Array.from({ length: 32 }, (_, address) => address),
    );
  });
});

describe('read by a Modbus client', () => {
  const clock = virtualClock();
  let second: Patient = lying({ hr: 50 });
  let monitor: ModbusMonitor;
  let client: ModbusClient;

  beforeEach(async () => {
    monitor = await openModbusMonitor({ clock, patients: [() => well, () => second] });
    client = new ModbusRTU();
    client.setTimeout(2_000);
    await client.connectTCP('127.0.0.1', { port: monitor.port });
  });
  afterEach(async () => {
    await new Promise<void>((resolve) => void client.close(() => resolve()));
    await monitor.close();
  });

  test('each patient stands under a unit id of its own, renewed once a second', async () => {
    client.setID(1);
    const block = await client.readHoldingRegisters(0, 32);
    expect(block.data).toEqual([...registers(well, false)]);
    expect((await client.readHoldingRegisters(0, 1)).data).toEqual([0x5647]);
    client.setID(2);
    expect((await client.readHoldingRegisters(10, 2)).data).toEqual([50, 0xffff]);
    second = lying({ hr: 51 });
    expect((await client.readHoldingRegisters(10, 1)).data).toEqual([50]);
    clock.passSync(1_000);
    expect((await client.readHoldingRegisters(10, 1)).data).toEqual([51]);
  });

  test.each([
    ['beyond the last address', 1, (c: ModbusClient) => c.readHoldingRegisters(30, 3), 2],
    ['an address that is not there', 1, (c: ModbusClient) => c.readHoldingRegisters(100, 1), 2],
    ['an unknown unit', 9, (c: ModbusClient) => c.readHoldingRegisters(0, 1), 11],
    ['input registers', 1, (c: ModbusClient) => c.readInputRegisters(0, 1), 1],
    ['coils', 1, (c: ModbusClient) => c.readCoils(0, 1), 1],
    ['writing', 1, (c: ModbusClient) => c.writeRegister(10, 5), 1],
    ['writing several', 1, (c: ModbusClient) => c.writeRegisters(10, [5, 6]), 1],
  ])('%s is answered with an exception', async (_, unit, ask, code) => {
    client.setID(unit);
    await expect(ask(client)).rejects.toMatchObject({ modbusCode: code });
    client.setID(1);
    expect((await client.readHoldingRegisters(0, 1)).data).toEqual([0x5647]);
  });

  test('a port that is taken is said in words', async () => {
    await expect(openModbusMonitor({ clock, patients: [], port: monitor.port })).rejects.toMatchObject({
      code: 'SIM_PORT',
    });
  });
});
