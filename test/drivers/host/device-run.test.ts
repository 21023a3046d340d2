import { EventEmitter } from 'node:events';
import Type from 'typebox';
import { describe, expect, test } from 'vitest';
import type { Driver, DriverHost, Session } from '../../../drivers/driver.ts';
import { runDevice, type Birth, type DeviceRun } from '../../../drivers/host/device-run.ts';
import { createShares } from '../../../drivers/host/shares.ts';
import { Fault } from '../../../model/fault.ts';
import type { Identity } from '../../../model/device.ts';
import { virtualClock, type VirtualClock } from '../../house/virtual-clock.ts';

interface House {
  readonly clock: VirtualClock;
  readonly run: DeviceRun;
  readonly told: string[];
  readonly births: Birth[];
  readonly hosts: DriverHost[];
}

type Open = (host: DriverHost, nth: number) => Promise<Session> | Session;

/** A device run with a driver made for the test, on a virtual clock. */
function openRun(open: Open, identity?: Identity): House {
  const clock = virtualClock();
  const told: string[] = [];
  const births: Birth[] = [];
  const hosts: DriverHost[] = [];
  const driver: Driver = {
    name: 'made-up',
    title: 'made up',
    metrics: ['*'],
    settings: Type.Object({}),
    open: async (_, host) => open(host, hosts.push(host) - 1),
  };
  const run = runDevice(
    { device: 'd', driver, settings: {}, periodMs: 1_000, ...(identity && { identity }) },
    {
      clock,
      chance: { id: (prefix) => prefix, hex: () => '0', fraction: () => 0.5 },
      shares: createShares(),
      folder: '/nowhere',
      map: () => undefined,
      discovered: () => {},
      raw: () => ({ close: async () => {} }),
    },
    {
      emit: (_, items) =>
        void told.push(...items.map((item) => (item.kind === 'observation' ? item.metric : item.kind))),
      kept: async () => {},
      born: (_, birth) => {
        told.push('born');
        births.push(birth);
      },
      died: (_, fault) => void told.push(`died ${fault?.code ?? ''}`.trim()),
    },
  );
  return { clock, run, told, births, hosts };
}

const value = (host: DriverHost, metric = 'MDC_ECG_HEART_RATE'): void =>
  host.emit('d', {
    kind: 'observation',
    metric,
    value: 72,
    validity: 'valid',
    takenAtMs: host.clock.nowMs(),
  });
const session: Session = { close: async () => {} };
const host = ({ hosts }: House): DriverHost => {
  const last = hosts.at(-1);
  if (!last) throw new Error('the driver was not opened');
  return last;
};

describe('a device run', () => {
  test('says birth before the first value and death when the wire is lost, then opens again', async () => {
    const house = openRun(() => session);
    await house.clock.pass(1);
    value(host(house));
    host(house).link('d', 'lost', new Fault('WIRE_CLOSED', { address: 'x' }));
    expect(house.told).toEqual(['born', 'MDC_ECG_HEART_RATE', 'died WIRE_CLOSED']);
    await house.clock.pass(1_000);
    expect(house.hosts).toHaveLength(2);
    value(host(house));
    expect(house.told.slice(3)).toEqual(['born', 'MDC_ECG_HEART_RATE']);
    await house.run.close();
  });

  test('takes silence on an open wire for a lost one', async () => {
    const house = openRun(() => session);
    await house.clock.pass(1);
    value(host(house));
    await house.clock.pass(5_000);
    expect(house.told.at(-1)).toBe('MDC_ECG_HEART_RATE');
    await house.clock.pass(2_000);
    expect(house.told.at(-1)).toBe('died WIRE_SILENT');
    expect(house.run.report()).toMatchObject({ disconnectsLastHour: 1 });
    await house.run.close();
  });

  test('waits longer after each failure and at least 30 s once it looks hopeless', async () => {
    const openedAtMs: number[] = [];
    const house = openRun((opened) => {
      openedAtMs.push(opened.clock.monotonicMs());
      throw new Fault('WIRE_REFUSED', { address: 'x' });
    });
    await house.clock.pass(120_000);
    const pauses = openedAtMs.slice(1).map((atMs, index) => atMs - (openedAtMs[index] ?? 0));
    expect(
      pauses.slice(0, 4).every((pauseMs, index) => index === 0 || pauseMs > (pauses[index - 1] ?? 0)),
    ).toBe(true);
    expect(pauses.at(-1)).toBeGreaterThanOrEqual(30_000);
    expect(house.run.report().lastFault).toMatchObject({ code: 'WIRE_REFUSED' });
    await house.run.close();
  });

  test('ends only its own session when the driver throws, wherever it throws', async () => {
    const emitter = new EventEmitter();
    const house = openRun((opened, nth) => {
      if (nth === 0) throw new TypeError('in open');
      opened.clock.after(10, () => {
        throw new TypeError('in a timer');
      });
      return session;
    });
    await house.clock.pass(1);
    expect(house.run.report().lastFault).toMatchObject({
      code: 'DRIVER_BROKE',
      details: { cause: 'in open' },
    });
    await house.clock.pass(31_000);
    expect(house.run.report().lastFault).toMatchObject({
      code: 'DRIVER_BROKE',
      details: { cause: 'in a timer' },
    });
    await house.clock.pass(31_000);
    expect(house.hosts.length).toBeGreaterThanOrEqual(3);
    emitter.removeAllListeners();
    await house.run.close();
  });

  test('publishes nothing of a device that is not the registered one', async () => {
    const house = openRun(() => session, { serial: 'A1' });
    await house.clock.pass(1);
    host(house).identity('d', { serial: 'B2' });
    value(host(house));
    expect(house.told).toEqual([]);
    expect(house.run.report()).toMatchObject({ link: 'lost', lastFault: { code: 'IDENTITY_MISMATCH' } });
    await house.clock.pass(31_000);
    host(house).identity('d', { serial: 'a1', model: 'any' });
    value(host(house));
    expect(house.told).toEqual(['born', 'MDC_ECG_HEART_RATE']);
    expect(house.births[0]?.identity).toEqual({ serial: 'a1', model: 'any' });
    await house.run.close();
  });

  test('leaves a session open that finds back by itself', async () => {
    const house = openRun(() => ({ ...session, recovers: true }));
    await house.clock.pass(1);
    value(host(house));
    host(house).link('d', 'lost', new Fault('WIRE_SILENT', { address: 'x', sinceMs: 1 }));
    expect(house.told.at(-1)).toBe('died WIRE_SILENT');
    await house.clock.pass(20_000);
    expect(house.hosts).toHaveLength(1);
    value(host(house));
    expect(house.told.slice(-2)).toEqual(['born', 'MDC_ECG_HEART_RATE']);
    await house.run.close();
  });

  test('opens such a session anew when it stays silent all the same', async () => {
    const house = openRun(() => ({ ...session, recovers: true }));
    await house.clock.pass(130_000);
    expect(house.hosts.length).toBeGreaterThan(1);
    await house.run.close();
  });

  test('hears nothing of an ended session', async () => {
    const house = openRun(() => session);
    await house.clock.pass(1);
    const old = host(house);
    value(old);
    old.link('d', 'lost');
    await house.clock.pass(2_000);
    value(host(house));
    const told = house.told.length;
    value(old);
    old.link('d', 'lost');
    old.identity('d', { serial: 'other' });
    expect(house.told).toHaveLength(told);
    await house.run.close();
  });

  test('is closed in time even when its driver hangs in close()', async () => {
    const house = openRun(() => ({ close: () => new Promise<void>(() => {}) }));
    await house.clock.pass(1);
    value(host(house));
    let closed = false;
    void house.run.close().then(() => (closed = true));
    await house.clock.pass(4_000);
    expect(closed).toBe(false);
    await house.clock.pass(1_100);
    expect(closed).toBe(true);
    expect(house.told.at(-1)).toBe('died');
  });

  test('tells a change of the device’s mode as a new birth', async () => {
    const house = openRun(() => session);
    await house.clock.pass(1);
    value(host(house));
    host(house).state('d', { mode: 'demo' });
    host(house).state('d', { mode: 'demo' });
    expect(house.births).toEqual([{}, { mode: 'demo' }]);
    await house.run.close();
  });
});
