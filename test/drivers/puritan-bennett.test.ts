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
