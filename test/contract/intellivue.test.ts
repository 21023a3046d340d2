import { describe, expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { wrapSerial } from '../../drivers/philips-intellivue/serial.ts';
import philips from '../../drivers/philips-intellivue/index.ts';
import { openDriver, type DriverHouse, type HouseOptions } from '../drivers/driver-house.ts';
import * as made from '../drivers/intellivue-frames.ts';
import {
  abort,
  kindOf,
  openSerialMonitor,
  openUdpMonitor,
  refused,
  type ScriptedMonitor,
} from '../drivers/intellivue-monitor.ts';
import { virtualClock } from '../house/virtual-clock.ts';

const driver = philips as unknown as Driver;
const open = (
  monitor: ScriptedMonitor,
  more: Record<string, unknown> = {},
  options: HouseOptions = {},
): Promise<DriverHouse> =>
  openDriver(driver, { peer: { address: '127.0.0.1', port: monitor.port }, ...more }, options);
const openSerial = (monitor: ScriptedMonitor): Promise<DriverHouse> =>
  openDriver(driver, { port: `tcp://127.0.0.1:${monitor.port}` });

const rate = (value: number): Buffer =>
  made.pollResult([made.object(0x8101, { 0x0950: made.value(0x4182, 0, 0x0aa0, made.float(value)) })]);
const rates = (house: DriverHouse): unknown[] =>
  house.observations('MDC_ECG_HEART_RATE').map((seen) => ('value' in seen ? seen.value : undefined));
const cuff = (digits: string, systolic: number): Buffer =>
  made.pollResult([
    made.object(0x8111, {
      0x094b: made.list([made.value(0x4a05, 0, 0x0f20, made.float(systolic))]),
      0x0990: made.bcd(digits),
    }),
  ]);
const polling = (house: DriverHouse, monitor: ScriptedMonitor): Promise<void> =>
  house.until(() => house.links.at(-1)?.link === 'connected' && monitor.count('alarms') > 0);

describe('an IntelliVue over the network', () => {
  test('associates, answers the create event, and polls itself, numerics and alarms', async () => {
    await using monitor = await openUdpMonitor();
    await using house = await open(monitor);
    await polling(house, monitor);
    await house.until(() => house.identities.length >= 2);
    expect(house.identities[0]).toEqual({ manufacturer: 'Philips', model: 'M8007A', serial: 'DE12345678' });
    expect(
      ['associate', 'create-result', 'self', 'numeric', 'alarms'].map((kind) =>
        monitor.count(kind as 'self'),
      ),
    ).toEqual([1, 1, 1, 1, 1]);
    expect(monitor.count('wave') + monitor.count('set')).toBe(0);
    monitor.send(rate(72));
    monitor.send(Buffer.concat([rate(73), Buffer.from([0])]));
    monitor.send(rate(74));
    await house.until(() => rates(house).length === 2);
    expect(rates(house)).toEqual([72, 74]);
    expect(house.counts['discardedBytes']).toBeGreaterThan(0);
    expect(house.modes.at(-1)).toBe('operating');
  });

  test('a cuff pressure is told once, at the time it was measured by the clock of the monitor', async () => {
    await using monitor = await openUdpMonitor();
    await using house = await open(monitor);
    await polling(house, monitor);
    const startMs = Date.now();
    // The monitor says 2017-01-02 03:04:05; this was measured ten minutes before.
    monitor.send(cuff('20170102025405', 118));
    monitor.send(cuff('20170102025405', 118));
    monitor.send(cuff('20170102025905', 118));
    monitor.send(rate(70));
    await house.until(() => rates(house).length === 1);
    const told = house.observations('MDC_PRESS_BLD_NONINV_SYS');
    expect(told.map((seen) => Math.round((startMs - seen.takenAtMs) / 60_000))).toEqual([10, 5]);
    expect(told.every(({ validity }) => validity === 'valid')).toBe(true);
  });

  test('an alert starts and ends; linked results count as one', async () => {
    await using monitor = await openUdpMonitor();
    await using house = await open(monitor);
    await polling(house, monitor);
    const low = { source: 0x4bb8, code: 4, type: 0x0400, text: '*** SpO2' };
    const list = (entries: (typeof low)[], linked?: [number, number]): Buffer =>
      made.pollResult([made.alarmMonitor(entries, [])], { objectClass: 54, ...(linked && { linked }) });
    for (const bytes of [list([low]), list([low], [1, 1]), list([low], [3, 2]), list([]), list([])])
      monitor.send(bytes);
    monitor.send(rate(70));
    await house.until(() => rates(house).length === 1);
    const alerts = house.emitted.flatMap((item) => (item.kind === 'alerts' ? item.alerts : []));
    expect(alerts.map(({ phase }) => phase)).toEqual(['start', 'end']);
    expect(alerts[0]).toMatchObject({ priority: 'high', type: 'physiological', text: '*** SpO2' });
  });

  test('demo data are marked, and so is the device', async () => {
    await using monitor = await openUdpMonitor();
    await using house = await open(monitor);
    await polling(house, monitor);
    monitor.send(
      made.pollResult([made.object(0x8101, { 0x0950: made.value(0x4182, 0x0400, 0x0aa0, made.float(72)) })]),
    );
    await house.until(() => rates(house).length === 1);
    expect(house.observations()[0]).toMatchObject({ validity: 'questionable', mark: 'demo' });
    expect(house.modes.at(-1)).toBe('demo');
  });

  test('waves are polled, and their list set, only where the settings say so', async () => {
    const clock = virtualClock();
    await using monitor = await openUdpMonitor();
    await using house = await open(monitor, { waves: true, wavePriority: ['0x00024BB4'] }, { clock });
    await polling(house, monitor);
    await house.until(() => monitor.count('wave') === 1);
    expect(monitor.count('set')).toBe(1);
    const form = {
      0x096d: Buffer.concat([made.u16(4), Buffer.from([16, 12]), made.u16(0)]),
      0x098d: made.u32(64),
    };
    const samples = { 0x096e: Buffer.concat([made.u16(0x4bb4, 0), made.sized(made.u16(1, 2, 3, 4))]) };
    monitor.send(
      made.pollResult([made.object(9, { ...form, ...samples })], { objectClass: 9, ticks: 80_000 }),
    );
    const blocks = () => house.emitted.flatMap((item) => (item.kind === 'waveform' ? [item] : []));
    await house.until(() => blocks().length === 1);
    // 8 ms late on the network: measured 32 ms later all the same.
    await clock.pass(40);
    monitor.send(made.pollResult([made.object(9, samples)], { objectClass: 9, ticks: 80_256 }));
    await house.until(() => blocks().length === 2);
    const [first, second] = blocks();
    expect((second?.takenAtMs ?? 0) - (first?.takenAtMs ?? 0)).toBe(32);
  });

  test('keeps the association alive and renews its polls before they end', async () => {
    const clock = virtualClock();
    await using monitor = await openUdpMonitor();
    await using house = await open(monitor, {}, { clock });
    await polling(house, monitor);
    for (let second = 0; second < 41; second++) {
      monitor.send(rate(60 + second));
      await house.until(() => rates(house).length === second + 1);
      await clock.pass(1_000);
    }
    await house.until(() => monitor.count('numeric') === 3 && monitor.count('self') === 6);
    expect(house.links.map(({ link }) => link)).not.toContain('lost');
  });

  test('a monitor without extended polls is asked once a second', async () => {
    const clock = virtualClock();
    await using monitor = await openUdpMonitor();
    await using house = await open(monitor, {}, { clock });
    await polling(house, monitor);
    const numericPoll = monitor.got.find((request) => kindOf(request) === 'numeric');
    monitor.send(made.data(3, made.u16(numericPoll?.readUInt16BE(8) ?? 0, 2, 0)));
    monitor.send(rate(60));
    await house.until(() => rates(house).length === 1);
    for (let second = 0; second < 3; second++) {
      await clock.pass(1_000);
      await house.until(() => monitor.count('numeric') === 2 + second);
    }
    expect(monitor.got.at(-1)?.readUInt16BE(24)).toBe(0x0c16);
    await clock.pass(1_000);
    monitor.send(rate(61));
    await house.until(() => rates(house).length === 2);
  });

  test.each([
    ['refuses', refused, 'WIRE_REFUSED'],
    ['aborts', abort, 'WIRE_CLOSED'],
  ])('a monitor that %s loses the link', async (_, answer, code) => {
    await using monitor = await openUdpMonitor({ associate: (send) => send(answer) });
    await using house = await open(monitor);
    await house.until(() => house.links.at(-1)?.link === 'lost');
    expect(house.links.at(-1)?.fault?.code).toBe(code);
  });

  test('a monitor that does not answer, or falls silent, loses the link within 5 s', async () => {
    const clock = virtualClock();
    await using dead = await openUdpMonitor({ associate: () => {} });
    await using first = await open(dead, {}, { clock });
    await clock.pass(5_000);
    expect(first.links.at(-1)).toMatchObject({ link: 'lost', fault: { code: 'WIRE_TIMEOUT' } });

    await using monitor = await openUdpMonitor();
    await using second = await open(monitor, {}, { clock });
    await polling(second, monitor);
    await clock.pass(5_000);
    expect(second.links.at(-1)).toMatchObject({ link: 'lost', fault: { code: 'WIRE_SILENT' } });
  });

  test('release ends the association, also where nobody answers it; nothing is told afterwards', async () => {
    await using monitor = await openUdpMonitor({ release: false });
    await using house = await open(monitor);
    await polling(house, monitor);
    const closing = house.session.close();
    house.host.mute();
    monitor.send(rate(72));
    await closing;
    expect(monitor.count('release')).toBe(1);
    expect(rates(house)).toEqual([]);
  });

  test('needs either an address or a serial port', async () => {
    const fault = { code: 'DRIVER_SETTINGS', details: { path: '/peer' } };
    await expect(openDriver(driver, {})).rejects.toMatchObject(fault);
    const both = { port: '/dev/ttyUSB0', peer: { address: '127.0.0.1' } };
    await expect(openDriver(driver, both)).rejects.toMatchObject(fault);
  });
});

describe('an IntelliVue over its serial port', () => {
  test('is read one byte at a time, with garbage between frames', async () => {
    await using monitor = await openSerialMonitor();
    await using house = await openSerial(monitor);
    await polling(house, monitor);
    for (const byte of wrapSerial(rate(72))) monitor.raw(Buffer.from([byte]));
    const garbled = wrapSerial(rate(99));
    garbled[20] = (garbled[20] ?? 0) ^ 1;
    monitor.raw(
      Buffer.concat([Buffer.from([1, 2, 0xc1]), wrapSerial(rate(73)), garbled, wrapSerial(rate(74))]),
    );
    await house.until(() => rates(house).length === 3);
    expect(rates(house)).toEqual([72, 73, 74]);
    expect(house.counts['badChecksum']).toBe(1);
  });

  test('a cut line loses the link at once', async () => {
    await using monitor = await openSerialMonitor();
    await using house = await openSerial(monitor);
    await polling(house, monitor);
    monitor.cut();
    await house.until(() => house.links.at(-1)?.link === 'lost', 1_000);
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');
  });
});
