import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import modbusDriver from '../../drivers/modbus/index.ts';
import { openDriver, type DriverHouse } from '../drivers/driver-house.ts';

// pymodbus on the other side: another hand's reading of the same standard. By the system's own Python, whose it is.
const driver = modbusDriver as unknown as Driver;

const server = `
import sys
from pymodbus.server import StartTcpServer, StartSerialServer
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusSlaveContext, ModbusServerContext
from pymodbus.transaction import ModbusRtuFramer
block = lambda: ModbusSequentialDataBlock(0, [(address * 3 + 1) & 0xffff for address in range(200)])
bits = lambda: ModbusSequentialDataBlock(0, [address % 3 == 0 for address in range(200)])
unit = ModbusSlaveContext(hr=block(), ir=block(), co=bits(), di=bits(), zero_mode=True)
context = ModbusServerContext(slaves={1: unit}, single=False)
if sys.argv[1] == 'tcp':
    StartTcpServer(context=context, address=('127.0.0.1', int(sys.argv[2])))
else:
    StartSerialServer(context=context, framer=ModbusRtuFramer, port=sys.argv[2], baudrate=19200, timeout=0.005)
`;

const map = {
  map: 'modbus',
  version: 1,
  title: 'test',
  source: 'test',
  table: 'holding',
  pollMs: 100,
  maxAgeMs: 1_000,
  canary: { address: 0, equals: 1 },
  values: [
    { metric: 'holding-10', address: 10, type: 'u16', unit: '1' },
    { metric: 'holding-60', address: 60, type: 'u16', unit: '1' },
    { metric: 'input-20', table: 'input', address: 20, type: 'u32', unit: '1' },
    { metric: 'coil-9', table: 'coil', address: 9, type: 'bit', unit: '1' },
    { metric: 'coil-10', table: 'coil', address: 10, type: 'bit', unit: '1' },
    { metric: 'discrete-12', table: 'discrete', address: 12, type: 'bit', unit: '1' },
  ],
};
const wanted = {
  'holding-10': 31,
  'holding-60': 181,
  'input-20': 61 * 65_536 + 64,
  'coil-9': 1,
  'coil-10': 0,
  'discrete-12': 1,
};

const newest = (house: DriverHouse): Record<string, unknown> =>
  Object.fromEntries(
    house.observations().map((seen) => [seen.metric, 'value' in seen ? seen.value : undefined]),
  );
const running: ChildProcess[] = [];
const start = (command: string, args: readonly string[]): ChildProcess => {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  running.push(child);
  return child;
};
const stopAll = (): void => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
};

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const bound = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof bound === 'object' && bound ? bound.port : 0;
}

test('reads all four tables of pymodbus over Modbus TCP', async () => {
  const port = await freePort();
  start('/usr/bin/python3', ['-c', server, 'tcp', String(port)]);
  try {
    await using house = await openDriver(
      driver,
      { port: `tcp://127.0.0.1:${port}`, protocol: 'tcp', unit: 1, map: 'm', timeoutMs: 500 },
      { maps: { m: map } },
    );
    await house.until(() => Object.keys(newest(house)).length === 6, 20_000);
    expect(newest(house)).toEqual(wanted);
    // mbpoll, a third hand, counts from 1 and reads the same register.
    const mbpoll = spawnSync('mbpoll', [
      '-m',
      'tcp',
      '-p',
      String(port),
      '-a',
      '1',
      '-t',
      '4',
      '-r',
      '11',
      '-1',
      '127.0.0.1',
    ]);
    expect(mbpoll.stdout.toString()).toContain(`${wanted['holding-10']}`);
  } finally {
    stopAll();
  }
});

test('tells an illegal address of pymodbus as the exception it is', async () => {
  const port = await freePort();
  start('/usr/bin/python3', ['-c', server, 'tcp', String(port)]);
  try {
    const far = {
      ...map,
      values: [...map.values, { metric: 'far', address: 5_000, type: 'u16', unit: '1' }],
    };
    await using house = await openDriver(
      driver,
      { port: `tcp://127.0.0.1:${port}`, unit: 1, map: 'm', timeoutMs: 500 },
      { maps: { m: far } },
    );
    await house.until(() => house.links.some(({ fault }) => fault?.code === 'MODBUS_EXCEPTION'), 20_000);
    await house.until(() => Object.keys(newest(house)).length >= 6);
    expect(newest(house)).toMatchObject(wanted);
    expect(newest(house)['far'] ?? null).toBeNull();
  } finally {
    stopAll();
  }
});

test('reads all four tables of pymodbus over RTU on a serial line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-rtu-'));
  const [near, far] = [join(folder, 'near'), join(folder, 'far')];
  start('socat', [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`]);
  try {
    while (!existsSync(near) || !existsSync(far)) await new Promise((resolve) => setTimeout(resolve, 20));
    start('/usr/bin/python3', ['-c', server, 'rtu', far]);
    await using house = await openDriver(
      driver,
      { port: near, line: { baudRate: 19_200 }, unit: 1, map: 'm', timeoutMs: 500, lateBoundMs: 300 },
      { maps: { m: map } },
    );
    await house.until(() => Object.keys(newest(house)).length === 6, 20_000);
    expect(newest(house)).toEqual(wanted);
  } finally {
    stopAll();
    rmSync(folder, { recursive: true, force: true });
  }
});
