import { describe, expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import {
  allowed,
  checksum,
  createFramer,
  encodeAnswer,
  encodeCommand,
  type Item,
} from '../../drivers/medibus/frame.ts';
import medibusDriver from '../../drivers/medibus/index.ts';
import { readResponse } from '../../drivers/medibus/codec.ts';
import { openDriver, type DriverHouse } from './driver-house.ts';
import { expectMutationsHarmless, hexBytes } from './mutated.ts';
import { openPeer, type Peer } from './peer.ts';

const driver = medibusDriver as unknown as Driver;
const measured = hexBytes(
  '0124373820202035423920362e373744202032323832302e343846302020343044362020313445420d',
);
const frame = (start: number, code: number, data = ''): Buffer => {
  const body = Buffer.concat([Buffer.from([start, code]), Buffer.from(data, 'latin1')]);
  return Buffer.concat([body, Buffer.from(`${checksum(body)}\r`)]);
};
const response = (code: number, data = ''): Buffer => frame(1, code, data);
const command = (code: number): Buffer => frame(0x1b, code);

describe('MEDIBUS frames', () => {
  test('the documented commands and answers come out byte for byte', () => {
    expect(encodeCommand(0x51)?.toString('hex')).toBe('1b5136430d');
    expect(encodeCommand(0x52)?.toString('hex')).toBe('1b5236440d');
    expect(encodeCommand(0x30)?.toString('hex')).toBe('1b3034420d');
    expect(encodeCommand(0x24)?.toString('hex')).toBe('1b2433460d');
    expect(encodeAnswer(0x51).toString('hex')).toBe('015135320d');
    expect(encodeAnswer(0x30).toString('hex')).toBe('013033310d');
    expect(encodeAnswer(0x49).toString('latin1')).toBe('\u0001I4A\r');
    expect(encodeAnswer(0x55).toString('latin1')).toBe('\u0001U56\r');
    expect(encodeAnswer(0x24).toString('hex')).toBe('012432350d');
    expect(encodeAnswer(0x52).toString('latin1', 1)).toMatch(/^R0161'VIGIL'01\.00:04\.00[0-9A-F]{2}\r$/);
  });

  test('what the device may not be answered with knowledge is refused', () => {
    expect(encodeAnswer(0x6a).toString('latin1').charCodeAt(2)).toBe(0x15);
  });

  test('nothing but reading, opening and ending can be sent', () => {
    const sendable = Array.from({ length: 256 }, (_, code) => code).filter((code) => encodeCommand(code));
    expect(sendable).toEqual([...allowed].sort((one, other) => one - other));
    expect(sendable.map((code) => code.toString(16))).toEqual([
      '24',
      '27',
      '28',
      '29',
      '2a',
      '2b',
      '2e',
      '30',
      '51',
      '52',
      '55',
    ]);
  });

  test('one byte at a time reads as one chunk', () => {
    const stream = Buffer.concat([
      Buffer.from('x\r'),
      measured,
      command(0x30),
      measured.subarray(0, 9),
      measured,
    ]);
    const whole = createFramer().push(stream).items;
    const framer = createFramer();
    const pieces: Item[] = [];
    for (const byte of stream) pieces.push(...framer.push([byte] as unknown as Uint8Array).items);
    expect(pieces).toEqual(whole);
    expect(whole.map(({ kind }) => kind)).toEqual(['response', 'command', 'bad', 'response']);
  });

  test('realtime bytes are taken out wherever they stand, and kept in order', () => {
    const realtime = [0xd1, 0x85, 0x80, 0xc6, 0xc1];
    const mixed = Buffer.concat(
      [...measured].map((byte, index) => Buffer.from([byte, realtime[index % realtime.length] ?? 0x80])),
    );
    const { items, realtime: taken } = createFramer().push(mixed);
    expect(items).toEqual(createFramer().push(measured).items);
    expect(taken.length).toBe(measured.length);
  });

  test('a flipped bit anywhere gives no value', () => {
    for (let at = 0; at < measured.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const broken = Buffer.from(measured);
        broken.writeUInt8((broken[at] ?? 0) ^ (1 << bit), at);
        const told = driver.decode?.(broken, { clock: { nowMs: () => 0 } as never }) ?? [];
        expect(told.filter(({ kind }) => kind === 'observation')).toEqual([]);
      }
    }
  });

  test('the clock is read with German months', () => {
    for (const [month, number] of [
      ['MRZ', 3],
      ['MAI', 5],
      ['OKT', 10],
      ['DEZ', 12],
    ] as const) {
      expect(readResponse(0x28, `14:05:0901-${month}-26`)).toEqual({
        kind: 'clock',
        clock: { year: 2026, month: number, day: 1, hour: 14, minute: 5, second: 9 },
      });
    }
  });

  test('mutated frames never throw and never tell an undeclared metric', () => {
    const alarms = response(0x27, '119MIN VOL LOW 39APAW $&      ');
    const texts = response(0x2a, '0E5BIPAP\u0003');
    expectMutationsHarmless(driver, [
      measured,
      alarms,
      texts,
      response(0x29, '01   400B    5'),
      command(0x52),
    ]);
  });
});

interface Ventilator {
  measured: Buffer;
  alarms: string;
  silent: boolean;
  /** Codes it passes over without an answer. */
  deaf: readonly number[];
  readonly asked: number[];
}

/** Answers as an Evita does, and asks for the identity itself when it is initialised. */
async function openVentilator(): Promise<{ peer: Peer; state: Ventilator; answers: Buffer[] }> {
  const state: Ventilator = { measured, alarms: '', silent: false, deaf: [], asked: [] };
  const answers: Buffer[] = [];
  const framer = createFramer();
  const peer = await openPeer((piece, say) => {
    for (const item of framer.push(piece).items) {
      if (item.kind === 'response') answers.push(item.raw);
      if (item.kind !== 'command') continue;
      state.asked.push(item.code);
      if (state.silent || state.deaf.includes(item.code)) continue;
      if (item.code === 0x51) {
        say(response(0x51));
        say(command(0x52));
      } else if (item.code === 0x52) say(response(0x52, "8210'Evita 4'04.10:03.00"));
      else if (item.code === 0x24) {
        // A command of its own in the middle of its response, and realtime bytes.
        say(state.measured.subarray(0, 11));
        say(command(0x30));
        say(Buffer.from([0xd1, 0x85, 0x80]));
        say(state.measured.subarray(11));
      } else if (item.code === 0x2b) say(response(0x2b, '\u0015'));
      else if (item.code === 0x27) say(response(0x27, state.alarms));
      else if (item.code === 0x2a) say(response(0x2a, '0E5BIPAP\u0003'));
      else say(response(item.code));
    }
  });
  return { peer, state, answers };
}
const openMedibus = (port: number): Promise<DriverHouse> =>
  openDriver(driver, { port: `tcp://127.0.0.1:${port}`, pollMs: 500, timeoutMs: 150 });
const peeps = (house: DriverHouse): unknown[] =>
  house.observations('MDC_VENT_PRESS_AWAY_END_EXP_POS').map((seen) => ('value' in seen ? seen.value : '?'));

describe('a talk with a ventilator', () => {
  test('opens, answers the device, reads values, mode and identity', async () => {
    const { peer, state, answers } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length > 0 && house.observations('vent-mode').length > 0);
    expect(peeps(house)[0]).toBe(5.0986);
    expect(house.identities).toContainEqual({ manufacturer: 'Dräger', model: 'Evita 4' });
    expect(house.modes).toContain('operating');
    expect(house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
    expect(answers.map((answer) => answer[1])).toContain(0x52);
    expect(answers.map((answer) => answer[1])).toContain(0x30);
    expect(state.asked.every((code) => allowed.has(code))).toBe(true);
    expect(house.broken).toEqual([]);
  });

  test('a code the device refuses is not asked again', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length >= 3);
    expect(state.asked.filter((code) => code === 0x2b)).toHaveLength(1);
  });

  test('a code the device passes over is given up, and the others are read on', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    state.deaf = [0x2e];
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length >= 6, 10_000);
    expect(state.asked.filter((code) => code === 0x2e)).toHaveLength(3);
    expect(house.links.at(-1)?.link).toBe('connected');
  }, 15_000);

  test('what is no longer in the answer becomes no value, never the last one', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length === 1);
    state.measured = response(0x24, 'F0  40'.padEnd(12).slice(0, 6));
    await house.until(() => peeps(house).includes(null));
    const last = house.observations('MDC_VENT_PRESS_AWAY_END_EXP_POS').at(-1);
    expect(last).toMatchObject({ value: null, reason: 'not-measured', validity: 'invalid' });
  });

  test('an alarm starts, continues and ends', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    state.alarms = '119MIN VOL LOW ';
    const phases = (): string[] =>
      house.emitted.flatMap((item) => (item.kind === 'alerts' ? item.alerts.map(({ phase }) => phase) : []));
    await house.until(() => phases().length >= 2);
    state.alarms = '';
    await house.until(() => phases().includes('end'));
    expect(phases()[0]).toBe('start');
    expect(phases().at(-1)).toBe('end');
  });

  test('a device that suspends us is left alone until it resumes', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length > 0);
    peer.say(Buffer.from([0x11]));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = state.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(state.asked.length).toBe(before);
    peer.say(Buffer.from([0x13]));
    await house.until(() => state.asked.length > before);
    expect(house.links.at(-1)?.link).toBe('connected');
  });

  test('between rare readings it says NOP, whose answers are no late replies', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    const settings = { port: `tcp://127.0.0.1:${peer.port}`, pollMs: 20_000, timeoutMs: 150 };
    await using house = await openDriver(driver, settings);
    await house.until(() => state.asked.includes(0x30));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(house.counts['lateReply']).toBeUndefined();
  });

  test('a device that stops and starts the talk is initialised again', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length > 0);
    peer.say(command(0x55));
    await house.until(() => state.asked.filter((code) => code === 0x51).length === 2);
    const before = peeps(house).length;
    await house.until(() => peeps(house).length > before);
    expect(house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
  });

  test('a device that falls silent is told as lost', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length > 0);
    state.silent = true;
    await house.until(() => house.links.at(-1)?.link === 'lost');
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_TIMEOUT');
  });

  test('a cut wire is told as lost', async () => {
    const { peer } = await openVentilator();
    await using _peer = peer;
    await using house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length > 0);
    peer.cut();
    await house.until(() => house.links.at(-1)?.link === 'lost', 1_000);
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');
  });

  test('closing says stop and is silent afterwards', async () => {
    const { peer, state } = await openVentilator();
    await using _peer = peer;
    const house = await openMedibus(peer.port);
    await house.until(() => peeps(house).length > 0);
    await house[Symbol.asyncDispose]();
    const told = house.emitted.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(state.asked.at(-1)).toBe(0x55);
    expect(house.emitted.length).toBe(told);
  });

  test('a time zone nobody knows is refused by its name', async () => {
    const settings = { port: 'tcp://127.0.0.1:1', timeZone: 'Mars/Olympus' };
    await expect(openDriver(driver, settings)).rejects.toMatchObject({ details: { path: '/timeZone' } });
  });
});
