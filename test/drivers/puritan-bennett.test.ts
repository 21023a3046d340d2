import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { createLines, encodeRequest, readFrame } from '../../drivers/puritan-bennett/frame.ts';
import puritanBennett from '../../drivers/puritan-bennett/index.ts';
import { openDriver, type DriverHouse } from './driver-house.ts';
import { expectMutationsHarmless, hexBytes } from './mutated.ts';
import { openPeer, type Peer } from './peer.ts';

const driver = puritanBennett as unknown as Driver;
const cases = join(import.meta.dirname, '../cases/puritan-bennett');
const captured = (name: string): Buffer => hexBytes(readFileSync(join(cases, name, 'frame.hex'), 'utf8'));
const miscf = captured('capture-2011-miscf');
const misca = captured('capture-2011-misca');
const alarming = captured('alarm-words-with-their-priority');

describe('Puritan Bennett answers', () => {
  test('nothing but the three words can be sent', () => {
    expect(encodeRequest('SNDF')?.toString('latin1')).toBe('SNDF\r');
    expect(encodeRequest('SNDA')?.toString('latin1')).toBe('SNDA\r');
    expect(encodeRequest('RSET')?.toString('latin1')).toBe('RSET\r');
    for (const word of ['', 'sndf', 'SETP', 'SNDF\rRSET', 'toString'])
      expect(encodeRequest(word)).toBeUndefined();
  });

  test('one byte at a time reads as one chunk', () => {
    const stream = Buffer.concat([miscf, Buffer.from('noise\r'), misca]);
    const lines = createLines();
    const pieces: string[] = [];
    for (const byte of stream) pieces.push(...lines.push(Buffer.from([byte])).lines);
    expect(pieces).toEqual(createLines().push(stream).lines);
    expect(pieces).toHaveLength(3);
  });

  test('a babbling line is thrown away and the next answer is read', () => {
    const lines = createLines();
    expect(lines.push(Buffer.alloc(5_000, 0x41)).discarded).toBe(5_000);
    expect(lines.push(misca).lines.map((line) => typeof readFrame(line))).toEqual(['object']);
  });

  test('mutated answers never throw and never tell an undeclared metric', () => {
    expectMutationsHarmless(driver, [miscf, misca, alarming], 1_000);
  });

  test('a lost or doubled byte after STX gives no value', () => {
    for (let at = miscf.indexOf(2); at < miscf.length - 1; at++) {
      for (const broken of [
        Buffer.concat([miscf.subarray(0, at), miscf.subarray(at + 1)]),
        Buffer.concat([miscf.subarray(0, at + 1), miscf.subarray(at)]),
      ]) {
        const told = driver.decode?.(broken, { clock: { nowMs: () => 0 } as never }) ?? [];
        expect(
          told.filter(({ kind }) => kind === 'observation'),
          `byte ${at}`,
        ).toEqual([]);
      }
    }
  });
});

const breath = (samples: readonly string[]): Buffer => Buffer.from(`BS, S:7,\n${samples.join('\n')}\nBE\n`);

describe('the wave port', () => {
  const decode = (bytes: Buffer): readonly { kind: string; metric?: string; samples?: Int16Array }[] =>
    driver.decode?.(bytes, { clock: { nowMs: () => 1_000_000 } as never }) ?? [];

  test('tells flow and pressure of a breath, 20 ms a sample', () => {
    expect(decode(breath(['10.5, 20.0', '-3.2, 5.1']))).toEqual([
      {
        kind: 'waveform',
        metric: 'airway-flow-wave',
        periodUs: 20_000,
        gain: 0.01,
        offset: 0,
        samples: Int16Array.of(1_050, -320),
        takenAtMs: 999_960,
      },
      {
        kind: 'waveform',
        metric: 'airway-pressure-wave',
        periodUs: 20_000,
        gain: 0.01,
        offset: 0,
        samples: Int16Array.of(2_000, 510),
        takenAtMs: 999_960,
      },
    ]);
  });

  test('a garbled line is no sample and keeps its time; lines outside a breath are refused', () => {
    expect(decode(breath(['1.0, 2.0', '1.x, 2.0', '999.0, 2.0', '3.0, 4.0']))[0]?.samples).toEqual(
      Int16Array.of(100, -32_768, -32_768, 300),
    );
    expect(decode(Buffer.from('1.0, 2.0\n')).map(({ kind }) => kind)).toEqual(['refused']);
  });

  test('listens, asks nothing, and tells a block a second', async () => {
    await using peer = await openPeer();
    await using house = await openBennett(peer.port, { request: 'waves' });
    await house.until(() => peer.connections === 1);
    peer.say(breath(Array.from({ length: 120 }, (_, index) => `${index}.0, 5.0`)));
    await house.until(() => house.emitted.length >= 6);
    const lengths = house.emitted.flatMap((item) => (item.kind === 'waveform' ? [item.samples.length] : []));
    expect(lengths).toEqual([50, 50, 50, 50, 20, 20]);
    expect(peer.heard().length).toBe(0);
    expect(house.links.at(-1)?.link).toBe('connected');
    peer.cut();
    await house.until(() => house.links.at(-1)?.link === 'lost');
  });

  test('mutated breaths never throw', () => {
    expectMutationsHarmless(driver, [breath(['10.5, 20.0', '-3.2, 5.1', '0.0, 0.0'])]);
  });
});

interface Ventilator {
  readonly peer: Peer;
  answer: Buffer | undefined;
  readonly asked: string[];
}

async function openVentilator(): Promise<Ventilator> {
  const asked: string[] = [];
  let open = '';
  const ventilator: Ventilator = {
    asked,
    answer: miscf,
    peer: await openPeer((piece, say) => {
      const words = (open + piece.toString('latin1')).split('\r');
      open = words.pop() ?? '';
      for (const word of words) {
        asked.push(word);
        if (!word.startsWith('SND') || !ventilator.answer) continue;
        say(ventilator.answer.subarray(0, 600));
        say(ventilator.answer.subarray(600));
      }
    }),
  };
  return ventilator;
}
const openBennett = (port: number, more: Record<string, unknown> = {}): Promise<DriverHouse> =>
  openDriver(driver, { port: `tcp://127.0.0.1:${port}`, pollMs: 500, timeoutMs: 150, ...more });
const volumes = (house: DriverHouse): unknown[] =>
  house.observations('MDC_VOL_AWAY_TIDAL').map((seen) => ('value' in seen ? seen.value : '?'));

describe('a talk with a ventilator', () => {
  test('asks SNDF, reads values and identity', async () => {
    const { peer, asked } = await openVentilator();
    await using _peer = peer;
    await using house = await openBennett(peer.port);
    await house.until(() => volumes(house).length >= 2);
    expect(volumes(house)[0]).toBe(378);
    expect(house.identities[0]).toEqual({
      manufacturer: 'Puritan Bennett',
      model: '840',
      serial: '3510053249',
    });
    expect(new Set(asked)).toEqual(new Set(['RSET', 'SNDF']));
    expect(house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
  });

  test('asks SNDA where that is set', async () => {
    const ventilator = await openVentilator();
    await using _peer = ventilator.peer;
    ventilator.answer = misca;
    await using house = await openBennett(ventilator.peer.port, { request: 'SNDA' });
    await house.until(() => volumes(house).length >= 1);
    expect(volumes(house)[0]).toBe(380);
    expect(ventilator.asked).toContain('SNDA');
  });

  test('alarms start and end', async () => {
    const ventilator = await openVentilator();
    await using _peer = ventilator.peer;
    ventilator.answer = alarming;
    await using house = await openBennett(ventilator.peer.port);
    const phases = (): string[] =>
      house.emitted.flatMap((item) => (item.kind === 'alerts' ? item.alerts.map(({ phase }) => phase) : []));
    await house.until(() => phases().length >= 5);
    ventilator.answer = miscf;
    await house.until(() => phases().includes('end'));
    expect(phases().slice(0, 5)).toEqual(Array(5).fill('start'));
  });

  test('a broken answer is counted and gives no value', async () => {
    const ventilator = await openVentilator();
    await using _peer = ventilator.peer;
    ventilator.answer = captured('one-byte-lost');
    await using house = await openBennett(ventilator.peer.port);
    await house.until(() => (house.counts['badChecksum'] ?? 0) >= 1);
    expect(volumes(house)).toEqual([]);
  });

  test('a ventilator that falls silent is told as lost, and so is a cut wire', async () => {
    const ventilator = await openVentilator();
    await using _peer = ventilator.peer;
    await using house = await openBennett(ventilator.peer.port);
    await house.until(() => volumes(house).length > 0);
    ventilator.answer = undefined;
    await house.until(() => house.links.at(-1)?.link === 'lost');
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_TIMEOUT');
    ventilator.answer = miscf;
    await using again = await openBennett(ventilator.peer.port);
    await again.until(() => volumes(again).length > 0);
    ventilator.peer.cut();
    await again.until(() => again.links.at(-1)?.link === 'lost', 1_000);
    expect(again.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');
  });

  test('nothing is told or asked after close()', async () => {
    const { peer, asked } = await openVentilator();
    await using _peer = peer;
    const house = await openBennett(peer.port);
    await house.until(() => volumes(house).length > 0);
    await house[Symbol.asyncDispose]();
    const counts = [house.emitted.length, asked.length];
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([house.emitted.length, asked.length]).toEqual(counts);
  });
});
