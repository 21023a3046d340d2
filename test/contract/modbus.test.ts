import { expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import modbusDriver from '../../drivers/modbus/index.ts';
import { openDriver, type DriverHouse } from '../drivers/driver-house.ts';
import { openModbusServer, registerBytes, reply, type Framing } from '../drivers/modbus-server.ts';

// The promises of every driver, on a request-and-reply wire.
const driver = modbusDriver as unknown as Driver;
const map = {
  map: 'modbus',
  version: 1,
  title: 'test',
  source: 'test',
  table: 'holding',
  pollMs: 50,
  maxAgeMs: 300,
  values: [10, 11, 12].map((address) => ({ metric: `m-${address}`, address, type: 'u16', unit: '1' })),
};
const open = (port: number, protocol: Framing): Promise<DriverHouse> =>
  openDriver(
    driver,
    { port: `tcp://127.0.0.1:${port}`, protocol, unit: 1, map: 'm', timeoutMs: 60, lateBoundMs: 60 },
    { maps: { m: map } },
  );
const values = (house: DriverHouse): string[] =>
  house
    .observations()
    .flatMap((seen) => ('value' in seen && seen.value !== null ? [`${seen.metric}=${seen.value}`] : []));
const right = ['m-10=10', 'm-11=11', 'm-12=12'];

for (const framing of ['rtu', 'tcp'] as const) {
  test(`replies in single bytes read as whole ones (${framing})`, async () => {
    await using server = await openModbusServer(framing);
    server.answer = (asked) => {
      const bytes = reply(framing, asked, registerBytes(asked));
      for (const [index, byte] of bytes.entries()) setTimeout(() => server.shout(Buffer.from([byte])), index);
      return {};
    };
    await using house = await open(server.port, framing);
    await house.until(() => values(house).length >= 6);
    expect(new Set(values(house))).toEqual(new Set(right));
  });

  test(`a garbled byte anywhere in a reply never changes a value of it (${framing})`, async () => {
    await using server = await openModbusServer(framing);
    let state = 4711;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    let garbled = 0;
    server.answer = (asked) => {
      const bytes = reply(framing, asked, registerBytes(asked));
      // Modbus TCP has no checksum of its own: there only its header is garbled, the rest is TCP's to protect.
      const at = random(framing === 'rtu' ? bytes.length : 9);
      if (asked.index % 2 === 1) {
        garbled += 1;
        bytes.writeUInt8((bytes[at] ?? 0) ^ (1 + random(255)), at);
      }
      return { bytes };
    };
    await using house = await open(server.port, framing);
    await house.until(() => garbled >= 8, 15_000);
    expect(house.broken).toEqual([]);
    for (const value of values(house)) expect(right).toContain(value);
  });

  test(`a wire that stays cut is told as lost with its reason (${framing})`, async () => {
    const server = await openModbusServer(framing);
    await using house = await open(server.port, framing);
    await house.until(() => values(house).length >= 3);
    await server[Symbol.asyncDispose]();
    await house.until(() => house.links.at(-1)?.link === 'lost');
    expect(['WIRE_CLOSED', 'WIRE_REFUSED']).toContain(house.links.at(-1)?.fault?.code);
  });

  test(`values come back by themselves after a cut (${framing})`, async () => {
    await using server = await openModbusServer(framing);
    await using house = await open(server.port, framing);
    await house.until(() => values(house).length >= 3);
    server.cut();
    const before = values(house).length;
    await house.until(() => values(house).length >= before + 6);
    expect(house.links.at(-1)?.link).toBe('connected');
  });

  test(`nothing is told after close(), and the wire is let go (${framing})`, async () => {
    await using server = await openModbusServer(framing);
    const house = await open(server.port, framing);
    await house.until(() => values(house).length >= 3);
    await house[Symbol.asyncDispose]();
    const told = house.emitted.length;
    const asked = server.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(house.emitted.length).toBe(told);
    expect(server.asked.length).toBe(asked);
  });
}

test('nobody at the other end is told as lost with the reason, not as zeros', async () => {
  const server = await openModbusServer('tcp');
  const { port } = server;
  await server[Symbol.asyncDispose]();
  await using house = await open(port, 'tcp');
  await house.until(() => house.links.at(-1)?.link === 'lost');
  expect(house.links.at(-1)?.fault?.code).toBe('WIRE_REFUSED');
  expect(values(house)).toEqual([]);
});

test('a wrong map is refused with the place that is wrong', async () => {
  const wrong = { ...map, values: [{ metric: 'MDC_TEMP', address: 1, type: 'u16', unit: 'mm[Hg]' }] };
  const settings = { port: 'tcp://127.0.0.1:1', map: 'm' };
  await expect(openDriver(driver, settings, { maps: { m: wrong } })).rejects.toMatchObject({
    code: 'MAP_INVALID',
    details: { path: '/values/0/unit' },
  });
  await expect(
    openDriver(driver, settings, { maps: { m: { ...map, table: 'files' } } }),
  ).rejects.toMatchObject({
    code: 'MAP_INVALID',
    details: { path: '/table' },
  });
  await expect(openDriver(driver, { ...settings, map: 'none' })).rejects.toMatchObject({
    code: 'MAP_INVALID',
  });
});
