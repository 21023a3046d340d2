import { createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { createFrames } from '../../drivers/ge-dri/frames.ts';
import geDri from '../../drivers/ge-dri/index.ts';
import ivy from '../../drivers/ivy/index.ts';
import { virtualClock } from '../house/virtual-clock.ts';
import { alarms, at, displayed, type Group } from '../drivers/dri-frames.ts';
import { openDriver, type DriverHouse, type HouseOptions } from '../drivers/driver-house.ts';
import { captured, frame, withLines } from '../drivers/ivy-frames.ts';

interface Line extends AsyncDisposable {
  readonly port: number;
  readonly ready: Promise<Socket>;
  /** Everything the driver sent. */
  got(): Buffer;
  send(bytes: Buffer): Promise<void>;
}

/** A device server with a monitor behind it. */
async function openLine(): Promise<Line> {
  const got: Buffer[] = [];
  let arrived: (socket: Socket) => void = () => {};
  const ready = new Promise<Socket>((resolve) => (arrived = resolve));
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => got.push(chunk));
    arrived(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound ? bound.port : 0,
    ready,
    got: () => Buffer.concat(got),
    send: async (bytes) => {
      const socket = await ready;
      await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
    },
    [Symbol.asyncDispose]: async () => {
      (await ready).destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const open = (
  driver: unknown,
  line: Line,
  more: object = {},
  options: HouseOptions = {},
): Promise<DriverHouse> =>
  openDriver(driver as Driver, { port: `tcp://127.0.0.1:${line.port}`, ...more }, options);
const values = (house: DriverHouse, metric: string): unknown[] =>
  house.observations(metric).map((seen) => ('value' in seen ? seen.value : undefined));
const phases = (house: DriverHouse): string[] =>
  house.emitted.flatMap((item) => (item.kind === 'alerts' ? item.alerts.map(({ phase }) => phase) : []));

describe('a DRI monitor', () => {
  const rate = (value: number): Group => [at.ecg, 3, 0, value, -32_767, -32_767, -32_767, 14];
  const cuff = (label: number, systolic: number): Group => [
    at.nibp,
    3,
    label,
    systolic * 100,
    6_600,
    8_300,
    71,
  ];
  const requests = (line: Line): string[] =>
    createFrames()
      .push(line.got())
      .records.map((record) => `${record.readInt16LE(14)}:${record.subarray(40, 43).toString('hex')}`);

  test('is asked for values and alarms, and told to stop at the end', async () => {
    await using line = await openLine();
    const house = await open(geDri, line, { waves: ['ecg1'] });
    await line.send(displayed(rate(72)));
    await house.until(() => house.links.at(-1)?.link === 'connected');
    await house[Symbol.asyncDispose]();
    await expect.poll(() => requests(line).length).toBe(7);
    const started = ['0:010500', '4:020000', '4:000000', '1:000000'];
    expect(requests(line)).toEqual([...started, '1:010000', '4:030000', '0:010000']);
  });

  test('is read one byte at a time, with garbage between records', async () => {
    await using line = await openLine();
    await using house = await open(geDri, line);
    for (const byte of displayed(rate(71))) await line.send(Buffer.from([byte]));
    const garbled = displayed(rate(99));
    garbled[50] = 1;
    await line.send(
      Buffer.concat([Buffer.alloc(60, 0xa5), displayed(rate(72)), garbled, displayed(rate(73))]),
    );
    await house.until(() => values(house, 'MDC_ECG_HEART_RATE').length === 3);
    expect(values(house, 'MDC_ECG_HEART_RATE')).toEqual([71, 72, 73]);
    expect(house.counts['badChecksum']).toBeGreaterThan(0);
  });

  test('a module is told as missing only after it was there', async () => {
    await using line = await openLine();
    await using house = await open(geDri, line);
    await line.send(displayed(rate(70)));
    await line.send(displayed(rate(71), [at.oximeter, 3, 0, 9_800, 70, 200, -32_767]));
    await line.send(displayed(rate(72)));
    await house.until(() => values(house, 'MDC_ECG_HEART_RATE').length === 3);
    expect(values(house, 'MDC_PULS_OXIM_SAT_O2')).toEqual([98, null]);
    expect(values(house, 'MDC_CONC_AWAY_CO2_ET')).toEqual([]);
  });

  test('a cuff pressure is told once, and again after the cuff was at work', async () => {
    const old = 0x100;
    const measuring = 0x20;
    await using line = await openLine();
    await using house = await open(geDri, line);
    for (const group of [cuff(old, 118), cuff(old, 118), cuff(measuring, 40), cuff(0, 118), cuff(0, 118)]) {
      await line.send(displayed(rate(70), group));
    }
    await house.until(() => values(house, 'MDC_ECG_HEART_RATE').length === 5);
    const told = house.observations('MDC_PRESS_BLD_NONINV_SYS');
    expect(told.map(({ validity, mark }) => [validity, mark])).toEqual([
      ['questionable', 'clock'],
      ['valid', undefined],
    ]);
  });

  test('alarms start, continue and end', async () => {
    await using line = await openLine();
    await using house = await open(geDri, line);
    for (const bytes of [alarms([['APNEA', 3]]), alarms([['APNEA', 3]], 1, 5), alarms([]), alarms([])])
      await line.send(bytes);
    await line.send(displayed(rate(70)));
    await house.until(() => values(house, 'MDC_ECG_HEART_RATE').length === 1);
    expect(phases(house)).toEqual(['start', 'continue', 'end']);
  });

  test('silence loses the link after two and a half intervals, a cut line at once', async () => {
    const clock = virtualClock();
    await using silent = await openLine();
    await using first = await open(geDri, silent, {}, { clock });
    await clock.pass(13_000);
    expect(first.links.at(-1)).toMatchObject({ link: 'lost', fault: { code: 'WIRE_SILENT' } });

    await using line = await openLine();
    await using house = await open(geDri, line);
    (await line.ready).destroy();
    await house.until(() => house.links.at(-1)?.link === 'lost', 1_000);
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');
  });
});

describe('an Ivy monitor', () => {
  test('is listened to, one byte at a time and through garbage, and nothing is sent to it', async () => {
    await using line = await openLine();
    await using house = await open(ivy, line, { waves: true });
    for (const byte of frame(captured)) await line.send(Buffer.from([byte]));
    await line.send(
      Buffer.concat([Buffer.from('noise'), frame(withLines('HR=1;81;;')), frame(withLines('HR=1;8x;;'))]),
    );
    await line.send(frame(withLines('HR=1;82;;'), Buffer.alloc(400, 120)));
    await house.until(() => values(house, 'MDC_ECG_HEART_RATE').length === 3);
    expect(values(house, 'MDC_ECG_HEART_RATE')).toEqual([80, 81, 82]);
    expect(house.emitted.filter(({ kind }) => kind === 'waveform')).toHaveLength(4);
    expect(line.got()).toHaveLength(0);
  });

  test('tells a cuff pressure once, modules that were never there not at all, and alerts with their end', async () => {
    await using line = await openLine();
    await using house = await open(ivy, line);
    await line.send(Buffer.concat([frame(captured), frame(captured)]));
    await line.send(frame(withLines('NIBP=4;125;75;92;80;;', 'SPO2=1;;SEARCHING;', 'P2=3;;;;;')));
    await house.until(() => values(house, 'MDC_ECG_HEART_RATE').length === 3);
    expect(values(house, 'MDC_PRESS_BLD_NONINV_SYS')).toEqual([121, 125]);
    expect(house.observations('MDC_PRESS_BLD_NONINV_SYS').map(({ mark }) => mark)).toEqual([
      'clock',
      undefined,
    ]);
    expect(values(house, 'MDC_PULS_OXIM_SAT_O2')).toEqual([100, 100, null]);
    expect(values(house, 'MDC_PULS_OXIM_PULS_RATE')).toEqual([80, 80, null]);
    expect(values(house, 'MDC_TEMP')).toEqual([]);
    expect(phases(house)).toEqual(['start', 'end']);
  });

  test('silence loses the link within 5 s, a cut line at once; nothing is told after close()', async () => {
    const clock = virtualClock();
    await using silent = await openLine();
    await using first = await open(ivy, silent, {}, { clock });
    await clock.pass(5_000);
    expect(first.links.at(-1)).toMatchObject({ link: 'lost', fault: { code: 'WIRE_SILENT' } });

    await using line = await openLine();
    await using house = await open(ivy, line);
    await line.send(frame(captured));
    await house.until(() => values(house, 'MDC_ECG_HEART_RATE').length === 1);
    const closing = house.session.close();
    house.host.mute();
    await line.send(frame(captured));
    await closing;
    expect(values(house, 'MDC_ECG_HEART_RATE')).toHaveLength(1);
  });
});
