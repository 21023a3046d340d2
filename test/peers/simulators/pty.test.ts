import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSerialDevice } from '../../../simulators/serial-device.ts';
import { openSerialLine } from '../../../simulators/serial-line.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigil-pty-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = async (path: string): Promise<SerialPort> => {
  const port = new SerialPort({ path, baudRate: 9_600, autoOpen: false });
  await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
  return port;
};
const close = (port: SerialPort): Promise<void> => new Promise((resolve) => port.close(() => resolve()));
const text = async (port: SerialPort, length: number): Promise<string> => {
  let heard = '';
  while (heard.length < length) heard += String((await once(port, 'data'))[0]);
  return heard;
};

test('a pair of PTYs carries every byte value, and nothing from before its reader came', async () => {
  const line = await openSerialLine({ kind: 'pty', folder, name: 'oximeter' });
  expect(line.address).toBe(join(folder, 'oximeter'));
  for (let i = 0; i < 200; i++) line.wire.write('an old line of which nobody may think that it is new\r\n');
  // What was sent passes through socat before the reader comes.
  await new Promise((resolve) => setTimeout(resolve, 200));

  const port = await open(line.address);
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const heard = text(port, 256);
  line.wire.write(all);
  expect(Buffer.byteLength(await heard)).toBeGreaterThanOrEqual(256);
  await close(port);

  line.wire.write('between two readers\r\n');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const next = await open(line.address);
  const first = text(next, 3);
  line.wire.write('new');
  expect(await first).toBe('new');
  await close(next);
  await line.close();
});

test('a pulled cable hangs up, its port is gone, and comes back under the same path', async () => {
  const line = await openSerialLine({ kind: 'pty', folder, name: 'oximeter' });
  // Read by hand: serialport does not report every hang-up, the system does.
  const reader = openSync(line.address, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  expect(() => readSync(reader, Buffer.alloc(1))).toThrow(/EAGAIN/);
  await line.hangUp();
  expect(readSync(reader, Buffer.alloc(1))).toBe(0);
  expect(() => writeSync(reader, 'x')).toThrow(/EIO/);
  closeSync(reader);
  line.wire.write('nobody hears this');
  await expect(open(line.address)).rejects.toThrow();
  await line.restore();
  const again = await open(line.address);
  const heard = text(again, 4);
  line.wire.write('back');
  expect(await heard).toBe('back');
  await close(again);
  await line.close();
  expect(existsSync(line.address)).toBe(false);
});

test('a device that is a serial port of this machine speaks through the cable to its reader', async () => {
  const line = await openSerialLine({ kind: 'pty', folder, name: 'cable' });
  const device = await openSerialDevice(`${line.address}.device`);
  const reader = await open(line.address);
  const heard = text(reader, 5);
  device.wire.write('hello');
  expect(await heard).toBe('hello');
  await device.hangUp();
  device.wire.write('nobody hears this');
  await device.close();
  await close(reader);
  await line.close();
  await expect(openSerialDevice(join(folder, 'none'))).rejects.toMatchObject({ code: 'SIM_PORT' });
});

test('a simulator that is killed takes its PTYs with it', async () => {
  const program = `
    import { openSerialLine } from ${JSON.stringify(join(import.meta.dirname, '../../../simulators/serial-line.ts'))};
    await openSerialLine({ kind: 'pty', folder: ${JSON.stringify(folder)}, name: 'orphan' });
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(existsSync(join(folder, 'orphan'))).toBe(true);
  child.kill('SIGKILL');
  for (let i = 0; i < 50 && existsSync(join(folder, 'orphan')); i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(existsSync(join(folder, 'orphan'))).toBe(false);
});
