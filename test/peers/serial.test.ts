import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { runDevice } from '../../drivers/host/device-run.ts';
import { createShares } from '../../drivers/host/shares.ts';
import masimoDriver from '../../drivers/masimo/index.ts';
import { systemClock } from '../../model/clock.ts';
import { systemChance } from '../../model/ids.ts';

// A real serial port of the system: a PTY pair by socat. Its end is the plug pulled out, its return the plug put back.
interface Cable extends AsyncDisposable {
  readonly port: string;
  plugIn(): Promise<void>;
  pullOut(): Promise<void>;
  write(text: string): Promise<void>;
}

async function openCable(): Promise<Cable> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-pty-'));
  const port = join(folder, 'host');
  const far = join(folder, 'device');
  let socat: ChildProcess | undefined;
  let device: FileHandle | undefined;
  const cable: Cable = {
    port,
    plugIn: async () => {
      socat = spawn('socat', [`pty,raw,echo=0,link=${port}`, `pty,raw,echo=0,link=${far}`]);
      while (!existsSync(port) || !existsSync(far)) await new Promise((resolve) => setTimeout(resolve, 10));
      device = await open(far, 'w');
    },
    pullOut: async () => {
      await device?.close();
      device = undefined;
      if (!socat) return;
      const gone = once(socat, 'exit');
      socat.kill('SIGKILL');
      await gone;
      socat = undefined;
      rmSync(port, { force: true });
      rmSync(far, { force: true });
    },
    write: async (text) => void (await device?.write(text)),
    [Symbol.asyncDispose]: async () => {
      await cable.pullOut();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return cable;
}

const line = (bpm: number): string =>
  `02/22/16 22:47:45 SN=0000056661 SPO2=098% BPM=${String(bpm).padStart(3, '0')} PI=03.60% ALARM=0000 EXC=000800\r\n`;

function runMasimo(port: string, periodMs = 1_000) {
  const told: string[] = [];
  const pulses: number[] = [];
  const run = runDevice(
    {
      device: 'd',
      driver: masimoDriver as unknown as Driver,
      settings: { port, line: { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false } },
      periodMs,
    },
    {
      clock: systemClock(),
      chance: systemChance(),
      shares: createShares(),
      folder: tmpdir(),
      map: () => undefined,
      discovered: () => {},
      raw: () => ({ close: async () => {} }),
    },
    {
      emit: (_, items) => {
        for (const item of items) {
          if (item.kind === 'observation' && item.metric === 'MDC_PULS_OXIM_PULS_RATE' && 'value' in item) {
            pulses.push(item.value ?? -1);
          }
        }
      },
      kept: async () => {},
      born: () => void told.push('born'),
      died: (_, fault) => void told.push(`died ${fault?.code ?? ''}`),
    },
  );
  return { run, told, pulses };
}

async function until(ready: () => boolean, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!ready()) {
    if (performance.now() > endMs) throw new Error(`not seen in ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a serial port is read, and a line torn into pieces is one line', async () => {
  await using cable = await openCable();
  await cable.plugIn();
  const { run, told, pulses } = runMasimo(cable.port);
  // What is written before the port is open is not for us; a device that sends once a second does not notice.
  const feeding = setInterval(() => void cable.write(line(60)), 100);
  await until(() => pulses.length >= 2);
  clearInterval(feeding);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const text = line(61);
  for (let at = 0; at < text.length; at += 7) await cable.write(text.slice(at, at + 7));
  await until(() => pulses.at(-1) === 61);
  expect(told).toEqual(['born']);
  await run.close();
});

test('a plug pulled out is told as a death and, put back, the device is read again', async () => {
  await using cable = await openCable();
  await cable.plugIn();
  const { run, told, pulses } = runMasimo(cable.port);
  let bpm = 60;
  const feeding = setInterval(() => void cable.write(line(bpm)).catch(() => {}), 100);
  await until(() => pulses.includes(60));
  await cable.pullOut();
  // By the port's own word in milliseconds, or by the watchdog where the system keeps silent about it.
  await until(() => told.length === 2, 8_000);
  expect(told[1]).toMatch(/^died WIRE_/);
  bpm = 77;
  await cable.plugIn();
  await until(() => pulses.includes(77));
  expect(told).toEqual(['born', told[1], 'born']);
  expect(run.report()).toMatchObject({ link: 'connected', disconnectsLastHour: 1 });
  clearInterval(feeding);
  await run.close();
});

test('a port that falls silent without hanging up is told as a death', async () => {
  await using cable = await openCable();
  await cable.plugIn();
  const { run, told, pulses } = runMasimo(cable.port);
  const feeding = setInterval(() => void cable.write(line(60)), 100);
  await until(() => pulses.length >= 1);
  clearInterval(feeding);
  await until(() => told.length === 2, 10_000);
  expect(told[1]).toBe('died WIRE_SILENT');
  // The port was really let go of: it can be opened again, and the device is read as soon as it speaks.
  const before = pulses.length;
  const again = setInterval(() => void cable.write(line(61)), 100);
  await until(() => pulses.length > before);
  clearInterval(again);
  expect(told[2]).toBe('born');
  await run.close();
});

test('a port that is not there is told by its name', async () => {
  const { run } = runMasimo('/dev/serial/by-id/nothing-here');
  await until(() => run.report().lastFault !== undefined);
  expect(run.report().lastFault).toMatchObject({ code: 'WIRE_NO_PORT' });
  await run.close();
});
