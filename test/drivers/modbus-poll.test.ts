import { expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import modbusDriver from '../../drivers/modbus/index.ts';
import { openDriver, type DriverHouse } from './driver-house.ts';
import { exception, openModbusServer, registerBytes, reply, type Asked } from './modbus-server.ts';

// What a poll makes of registers over time: episodes, alerts, identity, silence.
const driver = modbusDriver as unknown as Driver;
const map = {
  map: 'modbus',
  version: 1,
  title: 'test',
  source: 'test',
  table: 'holding',
  pollMs: 50,
  maxAgeMs: 200,
  identity: { serial: { address: 20, length: 6 } },
  marks: [{ address: 1, mask: 4, reason: 'demo', effect: 'questionable', mode: 'demo' }],
  values: [
    { metric: 'MDC_ECG_HEART_RATE', address: 10, type: 'u16' },
    {
      metric: 'MDC_PRESS_BLD_NONINV_SYS',
      address: 11,
      type: 'u16',
      sentinels: { '0xFFFF': 'not-measured' },
      age: { address: 12, type: 'u16', msPer: 1_000, none: '0xFFFF' },
    },
  ],
  alerts: [
    {
      address: 2,
      mask: 1,
      code: 'apnoea',
      text: 'Apnoea',
      priority: 'high',
      type: 'physiological',
      latching: true,
    },
  ],
};

interface Monitor {
  readonly registers: Map<number, number>;
  readonly house: DriverHouse;
  /** Undefined: answers as it should. */
  misbehave: ((asked: Asked) => Buffer | undefined) | undefined;
}

async function withMonitor(use: (monitor: Monitor) => Promise<void>): Promise<void> {
  await using server = await openModbusServer('tcp');
  const registers = new Map([
    [10, 72],
    [11, 120],
    [12, 30],
    [20, 0x534e],
    [21, 0x2d37],
  ]);
  const monitor: { -readonly [Key in keyof Monitor]?: Monitor[Key] } = { registers, misbehave: undefined };
  server.answer = (asked) => {
    if (monitor.misbehave) {
      const bytes = monitor.misbehave(asked);
      return bytes ? { bytes } : {};
    }
    return {
      bytes: reply(
        'tcp',
        asked,
        registerBytes(asked, (address) => registers.get(address) ?? 0),
      ),
    };
  };
  await using house = await openDriver(
    driver,
    { port: `tcp://127.0.0.1:${server.port}`, map: 'm', timeoutMs: 50, lateBoundMs: 50 },
    { maps: { m: map } },
  );
  monitor.house = house;
  await use(monitor as Monitor);
}
const rates = (house: DriverHouse): number => house.observations('MDC_ECG_HEART_RATE').length;
const cuffs = (house: DriverHouse) => house.observations('MDC_PRESS_BLD_NONINV_SYS');

test('a cuff pressure is told once a measurement, at the time it was taken', async () => {
  await withMonitor(async ({ house, registers }) => {
    await house.until(() => rates(house) >= 5);
    expect(cuffs(house)).toHaveLength(1);
    const [first] = cuffs(house);
    expect(first).toMatchObject({ value: 120, validity: 'valid' });
    expect(Math.abs((first?.takenAtMs ?? 0) - (Date.now() - 30_000))).toBeLessThan(2_000);
    // Its age grows by one; that is the same measurement still.
    registers.set(12, 31);
    const before = rates(house);
    await house.until(() => rates(house) >= before + 5);
    expect(cuffs(house)).toHaveLength(1);
    // The same pressure measured anew is another measurement.
    registers.set(12, 0);
    await house.until(() => cuffs(house).length === 2);
    registers.set(11, 0xffff);
    await house.until(() => cuffs(house).length === 3);
    expect(cuffs(house)[2]).toMatchObject({ value: null, reason: 'not-measured' });
    registers.set(11, 118);
    registers.set(12, 0xffff);
    await house.until(() => rates(house) >= before + 20);
    expect(cuffs(house)).toHaveLength(3);
  });
});

test('an alert starts, continues and ends; a mode is told; identity is read first', async () => {
  await withMonitor(async ({ house, registers }) => {
    await house.until(() => rates(house) >= 2);
    expect(house.identities).toEqual([{ serial: 'SN-7' }]);
    expect(house.modes.at(-1)).toBe('operating');
    registers.set(2, 1);
    registers.set(1, 4);
    const phases = (): string[] =>
      house.emitted.flatMap((item) => (item.kind === 'alerts' ? item.alerts.map(({ phase }) => phase) : []));
    await house.until(() => phases().length >= 3);
    expect(house.modes.at(-1)).toBe('demo');
    expect(house.observations('MDC_ECG_HEART_RATE').at(-1)).toMatchObject({
      validity: 'questionable',
      mark: 'demo',
    });
    registers.set(2, 0);
    await house.until(() => phases().includes('end'));
    expect(phases()[0]).toBe('start');
    expect(new Set(phases().slice(1, -1))).toEqual(new Set(['continue']));
    const alert = house.emitted.find((item) => item.kind === 'alerts');
    expect(alert).toMatchObject({
      complete: true,
      alerts: [{ code: 'apnoea', priority: 'high', latching: true }],
    });
  });
});

test('a unit that falls silent: first missing values with the reason, then lost; then all is told anew', async () => {
  await withMonitor(async (monitor) => {
    const { house } = monitor;
    await house.until(() => rates(house) >= 2);
    monitor.misbehave = () => undefined;
    const last = () => house.observations('MDC_ECG_HEART_RATE').at(-1);
    await house.until(() => {
      const seen = last();
      return seen !== undefined && 'reason' in seen && seen.reason === 'link-lost';
    });
    await house.until(() => house.links.at(-1)?.link === 'lost', 12_000);
    const told = house.observations().length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(house.observations()).toHaveLength(told);
    monitor.misbehave = undefined;
    const before = cuffs(house).length;
    await house.until(() => cuffs(house).length > before, 12_000);
    expect(house.links.at(-1)?.link).toBe('connected');
  });
});

test('a gateway that cannot reach the unit is told as that, and the unit as lost', async () => {
  await withMonitor(async (monitor) => {
    const { house } = monitor;
    await house.until(() => rates(house) >= 2);
    monitor.misbehave = (asked) => exception('tcp', asked, 11);
    await house.until(() => house.links.at(-1)?.link === 'lost', 12_000);
    expect(house.links.at(-1)?.fault).toMatchObject({ code: 'MODBUS_EXCEPTION', details: { exception: 11 } });
  });
});
