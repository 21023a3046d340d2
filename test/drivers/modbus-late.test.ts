import { expect, test } from 'vitest';
import modbus from '../../drivers/modbus/index.ts';
import { createShares } from '../../drivers/host/shares.ts';
import type { Driver } from '../../drivers/driver.ts';
import { openDriver } from './driver-house.ts';
import {
  exception,
  frame,
  openModbusServer,
  registerBytes,
  reply,
  type Asked,
  type Framing,
} from './modbus-server.ts';

// Goal: a reply that comes late is never taken for the answer to another question.
// Way: a server on a real socket whose every register holds its own address, so a crossed value shows itself.
const driver = modbus as unknown as Driver;
const addresses = [100, 200, 300, 400];
const canaryAddress = 7;
const timeoutMs = 60;
const lateBoundMs = 150;

const mapOf = (withCanary: boolean): unknown => ({
  map: 'modbus',
  version: 1,
  title: 'test',
  source: 'test',
  table: 'holding',
  pollMs: 50,
  maxAgeMs: 300,
  workarounds: { oneRequestPerField: true },
  ...(withCanary && { canary: { address: canaryAddress, equals: canaryAddress } }),
  values: addresses.map((address) => ({ metric: `m-${address}`, address, type: 'u16', unit: '1' })),
});

const open = (port: number, framing: Framing, withCanary: boolean, more: object = {}) =>
  openDriver(
    driver,
    {
      port: `tcp://127.0.0.1:${port}`,
      protocol: framing,
      unit: 1,
      map: 'late',
      timeoutMs,
      lateBoundMs,
      ...more,
    },
    { maps: { late: mapOf(withCanary) } },
  );
type House = Awaited<ReturnType<typeof open>>;

/** Every value that was told stands under its own register. */
function expectNoneCrossed(house: House): void {
  for (const seen of house.observations()) {
    if (!('value' in seen) || seen.value === null) continue;
    expect(`${seen.metric} = ${seen.value}`).toBe(`${seen.metric} = ${seen.metric.slice(2)}`);
  }
}
const told = (house: House): number =>
  house.observations().filter((seen) => 'value' in seen && seen.value !== null).length;

const framings: readonly Framing[] = ['rtu', 'tcp'];
for (const framing of framings) {
  for (const withCanary of [false, true]) {
    const name = `${framing}, ${withCanary ? 'with' : 'without'} a canary`;

    test(`one reply late by a little is counted and dropped, and values come back right (${name})`, async () => {
      await using server = await openModbusServer(framing);
      await using house = await open(server.port, framing, withCanary);
      await house.until(() => told(house) >= 4);
      const before = server.asked.length;
      server.answer = (asked) => ({
        bytes: reply(framing, asked, registerBytes(asked)),
        afterMs: server.asked.length === before + 1 ? timeoutMs + 20 : 0,
      });
      await house.until(() => (house.counts['lateReply'] ?? 0) >= 1);
      const after = told(house);
      await house.until(() => told(house) >= after + 8);
      expectNoneCrossed(house);
      expect(house.observations().every((seen) => seen.validity !== 'questionable')).toBe(true);
    });

    test(`a reply beyond the stated bound crosses nothing (${name})`, async () => {
      await using server = await openModbusServer(framing);
      await using house = await open(server.port, framing, withCanary);
      await house.until(() => told(house) >= 4);
      const before = server.asked.length;
      // Answers in order, as a slow unit does: the proof waits behind the reply that is far too late.
      server.answer = (asked) => ({
        bytes: reply(framing, asked, registerBytes(asked)),
        afterMs:
          server.asked.length === before + 1
            ? timeoutMs + lateBoundMs + 30
            : server.asked.length === before + 2
              ? 45
              : 0,
      });
      await house.until(() => (house.counts['lateReply'] ?? 0) >= 1);
      const after = told(house);
      await house.until(() => told(house) >= after + 8);
      expectNoneCrossed(house);
      if (!withCanary) {
        const marked = house.observations().filter((seen) => seen.mark === 'late-reply');
        expect(marked.length).toBeGreaterThan(0);
        expect(marked.every((seen) => seen.validity === 'questionable')).toBe(true);
      }
      // Doubt ends: by the canary at once, without one after the bound has passed in quiet.
      await house.until(() => house.observations().at(-1)?.validity === 'valid');
    });

    test(`a unit that always answers late tells no value and says why (${name})`, async () => {
      await using server = await openModbusServer(framing);
      await using house = await open(server.port, framing, withCanary);
      await house.until(() => told(house) >= 4);
      server.answer = (asked) => ({
        bytes: reply(framing, asked, registerBytes(asked)),
        afterMs: timeoutMs * 1.5,
      });
      const at = told(house);
      await house.until(() =>
        house.observations().some((seen) => 'reason' in seen && seen.reason === 'late-reply'),
      );
      expect(told(house)).toBeLessThanOrEqual(at + 1);
      expect(house.links.at(-1)?.fault?.code).toBe('MODBUS_LATE');
      expectNoneCrossed(house);
    });
  }

  const spoilt: Readonly<Record<string, (asked: Asked) => Buffer>> = {
    'of another unit': (asked) => reply(framing, { ...asked, unit: 9 }, registerBytes(asked)),
    'of another function': (asked) => reply(framing, { ...asked, fc: 4 }, registerBytes(asked)),
    'with a register too many': (asked) =>
      reply(framing, asked, registerBytes({ ...asked, count: asked.count + 1 })),
    'cut short': (asked) => reply(framing, asked, registerBytes(asked)).subarray(0, 5),
    ...(framing === 'tcp'
      ? {
          'of another transaction': (asked: Asked) =>
            reply(framing, { ...asked, transaction: asked.transaction + 1 }, registerBytes(asked)),
        }
      : {
          'with a wrong checksum': (asked: Asked) => {
            const bytes = reply(
              framing,
              asked,
              registerBytes(asked, () => 66),
            );
            bytes.writeUInt8((bytes.at(-1) ?? 0) ^ 0xff, bytes.length - 1);
            return bytes;
          },
        }),
  };
  for (const [what, bytesOf] of Object.entries(spoilt)) {
    test(`a reply ${what} is no value, and the unit comes back after it (${framing})`, async () => {
      await using server = await openModbusServer(framing);
      await using house = await open(server.port, framing, true);
      await house.until(() => told(house) >= 4);
      server.answer = (asked) => ({ bytes: bytesOf(asked) });
      const at = told(house);
      const requests = server.asked.length;
      await house.until(() => server.asked.length >= requests + 2);
      expect(told(house)).toBeLessThanOrEqual(at + 1);
      server.answer = (asked) => ({ bytes: reply(framing, asked, registerBytes(asked)) });
      const after = told(house);
      await house.until(() => told(house) >= after + 4, 10_000);
      expectNoneCrossed(house);
    });
  }

  test(`busy is told as a fault of that block and costs the others nothing (${framing})`, async () => {
    await using server = await openModbusServer(framing);
    server.answer = (asked) => ({
      bytes:
        asked.address === 200 ? exception(framing, asked, 6) : reply(framing, asked, registerBytes(asked)),
    });
    await using house = await open(server.port, framing, false);
    await house.until(() => house.observations('m-300').length >= 3);
    expect(house.links.find(({ fault }) => fault)?.fault?.message).toContain('busy');
    expect(house.observations('m-200').filter((seen) => 'value' in seen && seen.value !== null)).toEqual([]);
    expectNoneCrossed(house);
  });

  test(`bytes nobody asked for are thrown away (${framing})`, async () => {
    await using server = await openModbusServer(framing);
    await using house = await open(server.port, framing, true);
    await house.until(() => told(house) >= 4);
    const asked: Asked = { unit: 1, fc: 3, address: 0, count: 1, transaction: 60_000, index: 0 };
    for (let round = 0; round < 5; round++) {
      server.shout(frame(framing, asked, Buffer.from([3, 2, 0, 42])));
      const at = told(house);
      await house.until(() => told(house) >= at + 4);
    }
    expectNoneCrossed(house);
  });
}

test('a dead unit on a shared bus takes at most a tenth of its time', async () => {
  await using server = await openModbusServer('rtu');
  let deadMs = 0;
  server.answer = (asked) => (asked.unit === 2 ? {} : { bytes: reply('rtu', asked, registerBytes(asked)) });
  const shares = createShares();
  const settings = {
    port: `tcp://127.0.0.1:${server.port}`,
    protocol: 'rtu',
    map: 'late',
    timeoutMs,
    lateBoundMs,
  };
  const maps = { late: mapOf(false) };
  await using living = await openDriver(driver, { ...settings, unit: 1 }, { shares, maps });
  await using dead = await openDriver(driver, { ...settings, unit: 2 }, { shares, maps });
  const startedMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  deadMs = server.asked.filter(({ unit }) => unit === 2).length * timeoutMs;
  // Two timeouts at once are allowed before the share counts.
  expect(deadMs).toBeLessThanOrEqual((performance.now() - startedMs) * 0.1 + 3 * timeoutMs);
  expect(dead.observations().filter((seen) => 'value' in seen && seen.value !== null)).toEqual([]);
  expect(told(living as House)).toBeGreaterThan(150);
  expectNoneCrossed(living as House);
});

test('a unit whose canary cannot be read is not believed again, and says why', async () => {
  await using server = await openModbusServer('tcp');
  server.answer = (asked) => ({
    bytes:
      asked.address === canaryAddress
        ? exception('tcp', asked, 2)
        : reply('tcp', asked, registerBytes(asked)),
  });
  await using house = await open(server.port, 'tcp', true);
  await house.until(() => told(house) >= 4);
  let swallowed = false;
  const answer = server.answer;
  server.answer = (asked) => {
    if (swallowed || asked.address === canaryAddress) return answer(asked);
    swallowed = true;
    return {};
  };
  await house.until(() =>
    house.links.some(({ fault }) => fault?.message.includes('canary register cannot be read')),
  );
  const at = told(house);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told(house)).toBe(at);
});

test('only reading functions ever leave', async () => {
  await using server = await openModbusServer('tcp');
  await using house = await open(server.port, 'tcp', true);
  await house.until(() => told(house) >= 8);
  expect(server.asked.every(({ fc }) => fc >= 1 && fc <= 4)).toBe(true);
});

for (const withCanary of [false, true]) {
  test(`a reply that turns up long after the proof is caught by the proof behind it (${withCanary ? 'with' : 'without'} a canary)`, async () => {
    await using server = await openModbusServer('rtu');
    await using house = await open(server.port, 'rtu', withCanary);
    await house.until(() => told(house) >= 4);
    let held: Buffer | undefined;
    let heldFor: Asked | undefined;
    let released = false;
    // Swallows one answer and pushes it in front of the answer to a later question of the same form.
    server.answer = (asked) => {
      const own = reply('rtu', asked, registerBytes(asked));
      const isValue = addresses.includes(asked.address) && asked.count === 1;
      if (!held && isValue) {
        held = own;
        heldFor = asked;
        return {};
      }
      if (held && !released && isValue && asked.address !== heldFor?.address) {
        released = true;
        return { bytes: Buffer.concat([held, own]) };
      }
      return { bytes: own };
    };
    await house.until(() => released);
    const after = told(house);
    await house.until(() => told(house) >= after + 8);
    expectNoneCrossed(house);
  });
}
