import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { crc, createFramer, encodeQuestion, questions } from '../../drivers/alaris/frame.ts';
import alaris from '../../drivers/alaris/index.ts';
import { openDriver, type DriverHouse } from './driver-house.ts';
import { expectMutationsHarmless, hexBytes } from './mutated.ts';
import { openPeer, type Peer } from './peer.ts';

const driver = alaris as unknown as Driver;
const cases = join(import.meta.dirname, '../cases/alaris');
const caseBytes = (name: string): Buffer => hexBytes(readFileSync(join(cases, name, 'frame.hex'), 'utf8'));
const framed = (text: string): string => `!${text}|${crc(text)}\r`;
const infusion = (rate: string, alarm = '-'): string =>
  framed(`INF^8002-51733^${alarm}^SET^${rate}^ml/h^^3.20^ml^120.00^mmHg^03:20:15^EVENT^185995`);

describe('Alaris frames', () => {
  test('the recorded checksums come out', () => {
    for (const [text, sum] of [
      ['INF_VTBI', '8456'],
      ['INST_SERIALNO^8002-51733', 'ACFF'],
      ['COMMS_PROTOCOL^Asena Rev 2.1.5', '661A'],
      ['INF', '4961'],
      ['COMMS_PROTOCOL', 'E8DA'],
      ['INST_SERIALNO', '457D'],
      ['SYRINGE_STATUS', '4102'],
      ['INF_RATE_MAX_SYRINGE', '8F30'],
      ['COMMS_RESPONSE_MAX', '7E29'],
    ] as const) {
      expect(crc(text), text).toBe(sum);
    }
  });

  test('nothing but reading can be sent, and no question carries a value', () => {
    for (const word of questions) expect(encodeQuestion(word)?.toString('latin1')).toBe(framed(word));
    for (const word of [
      'INF_START',
      'INF_STOP',
      'INF_RATE',
      'INF_RATE^5.00^ml/h',
      'INF_VTBI^DEACT',
      'INF_VI_CLEAR',
      'INF_BOLUS^ENABLED',
      'REMOTE_CTRL^ENABLED^3CC1',
      'REMOTE_CFG',
      'REMQUERY^DEACT',
      'INF\r!INF_START|38F3',
      'toString',
      '',
    ]) {
      expect(encodeQuestion(word), word).toBeUndefined();
    }
  });

  test('one byte at a time reads as one chunk', () => {
    const stream = Buffer.from(`xx${infusion('1.00')}\n${infusion('2.00').slice(0, 30)}${infusion('3.00')}`);
    const framer = createFramer();
    const pieces = [...stream].flatMap((byte) => [...framer.push([byte] as unknown as Uint8Array).items]);
    expect(pieces).toEqual(createFramer().push(stream).items);
    expect(pieces.map(({ kind }) => kind)).toEqual(['answer', 'bad', 'answer']);
  });

  test('a flipped bit anywhere gives no value', () => {
    const whole = Buffer.from(infusion('12.50'));
    for (let at = 0; at < whole.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const broken = Buffer.from(whole);
        broken.writeUInt8((broken[at] ?? 0) ^ (1 << bit), at);
        const told = driver.decode?.(broken, { clock: { nowMs: () => 0 } as never }) ?? [];
        expect(
          told.filter(({ kind }) => kind === 'observation'),
          `byte ${at} bit ${bit}`,
        ).toEqual([]);
      }
    }
  });

  test('mutated answers never throw and never tell an undeclared metric', () => {
    const names = ['infusion-with-a-drug-and-an-alarm', 'recorded-vtbi-active', 'recorded-syringe-status'];
    expectMutationsHarmless(driver, names.map(caseBytes));
  });
});

interface Pump {
  readonly peer: Peer;
  rate: string;
  alarm: string;
  silent: boolean;
  readonly asked: string[];
}

async function openPump(): Promise<Pump> {
  const framer = createFramer();
  const pump: Pump = {
    rate: '12.50',
    alarm: '-',
    silent: false,
    asked: [],
    peer: await openPeer((piece, say) => {
      for (const item of framer.push(piece).items) {
        if (item.kind !== 'answer') continue;
        pump.asked.push([item.word, ...item.values].join('^'));
        if (pump.silent) continue;
        // The line echoes, as a two-wire adapter does.
        say(framed(item.word));
        if (item.word === 'INF') say(infusion(pump.rate, pump.alarm));
        if (item.word === 'ALARM')
          say(framed(pump.alarm === '-' ? 'ALARM^AL_NOALM^ ^' : `ALARM^${pump.alarm}^ ^`));
        if (item.word === 'INF_VTBI') say(framed('INF_VTBI^ACTIV^11.000^ml^STOP'));
        if (item.word === 'SYRINGE_STATUS') say('!SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF|1CF8\r');
      }
    }),
  };
  return pump;
}
const openAlaris = (port: number): Promise<DriverHouse> =>
  openDriver(driver, { port: `tcp://127.0.0.1:${port}`, pollMs: 500, timeoutMs: 150 });
const rates = (house: DriverHouse): unknown[] =>
  house.observations('MDC_FLOW_FLUID_PUMP_CURRENT').map((seen) => ('value' in seen ? seen.value : '?'));

describe('a talk with a pump', () => {
  test('reads rate, volume, syringe and serial number, and asks reading words only', async () => {
    const pump = await openPump();
    await using _peer = pump.peer;
    await using house = await openAlaris(pump.peer.port);
    await house.until(() => rates(house).length >= 2 && house.observations('syringe-size').length > 0);
    expect(rates(house)[0]).toBe(12.5);
    expect(house.observations('MDC_VOL_FLUID_TBI')[0]).toMatchObject({ value: 11 });
    expect(house.identities[0]).toEqual({ manufacturer: 'Alaris', model: 'Asena', serial: '8002-51733' });
    expect(new Set(pump.asked)).toEqual(new Set(['INF', 'ALARM', 'INF_VTBI', 'SYRINGE_STATUS']));
    expect(house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
    expect(house.counts['lateReply']).toBeUndefined();
  });

  test('an alarm starts once and ends', async () => {
    const pump = await openPump();
    await using _peer = pump.peer;
    pump.alarm = 'AL_OCCLU';
    await using house = await openAlaris(pump.peer.port);
    const phases = (): string[] =>
      house.emitted.flatMap((item) => (item.kind === 'alerts' ? item.alerts.map(({ phase }) => phase) : []));
    await house.until(() => phases().length >= 3);
    pump.alarm = '-';
    await house.until(() => phases().includes('end'));
    expect(phases().filter((phase) => phase === 'start')).toHaveLength(1);
    expect(phases().at(-1)).toBe('end');
  });

  test('a pump that falls silent is told as lost, and so is a cut wire', async () => {
    const pump = await openPump();
    await using _peer = pump.peer;
    await using house = await openAlaris(pump.peer.port);
    await house.until(() => rates(house).length > 0);
    pump.silent = true;
    await house.until(() => house.links.at(-1)?.link === 'lost');
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_TIMEOUT');
    pump.silent = false;
    await using again = await openAlaris(pump.peer.port);
    await again.until(() => rates(again).length > 0);
    pump.peer.cut();
    await again.until(() => again.links.at(-1)?.link === 'lost', 1_000);
    expect(again.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');
  });

  test('nothing is told or asked after close()', async () => {
    const pump = await openPump();
    await using _peer = pump.peer;
    const house = await openAlaris(pump.peer.port);
    await house.until(() => rates(house).length > 0);
    await house[Symbol.asyncDispose]();
    const counts = [house.emitted.length, pump.asked.length];
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([house.emitted.length, pump.asked.length]).toEqual(counts);
  });
});
