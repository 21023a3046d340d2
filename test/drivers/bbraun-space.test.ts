import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { createFramer, encodeRequest, stuff, unstuff } from '../../drivers/bbraun-space/frame.ts';
import bbraunSpace from '../../drivers/bbraun-space/index.ts';
import { openDriver, type DriverHouse } from './driver-house.ts';
import { expectMutationsHarmless, hexBytes } from './mutated.ts';
import { openPeer, type Peer } from './peer.ts';

const driver = bbraunSpace as unknown as Driver;
const cases = join(import.meta.dirname, '../cases/bbraun-space');
const caseBytes = (name: string): Buffer => hexBytes(readFileSync(join(cases, name, 'frame.hex'), 'utf8'));

function block(information: string, last = true): Buffer {
  const body = `ComSystem/1/1>${information}`;
  const text = `\u0001${String(body.length + 14).padStart(5, '0')}\u0002${body}${last ? '\u0003' : '\u0017'}`;
  const sum = Buffer.from(text, 'latin1').reduce((total, byte) => total + byte, 0) & 0xff;
  return Buffer.from(`${text}${String(sum).padStart(5, '0')}\u0004`, 'latin1');
}
const records = (address: string, parameters: Record<string, string>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `310,${address},${name},${value}`)
    .join('\u001e');

describe('BCC blocks', () => {
  test('the documented request comes out byte for byte', () => {
    const alive = '01303030333102312f312f313e41444d494e3a414c49564503303030363104';
    expect(encodeRequest('1', 'ADMIN:ALIVE', false)?.toString('hex')).toBe(alive);
    expect(encodeRequest('1', 'ADMIN:ALIVE', true)).toEqual(stuff(Buffer.from(alive, 'hex')));
  });

  test('nothing but the four requests can be sent', () => {
    for (const request of ['ADMIN:ALIVE', 'ADMIN:VERSION', 'MEM:GET', 'MEM:GETSLOT#12']) {
      expect(encodeRequest('1', request, true)).toBeDefined();
    }
    for (const request of [
      'MEM:SET',
      'MEM:GETSLOT#0',
      'MEM:GETSLOT#123',
      'PUMP:START',
      'MEM:GET\u0003',
      'MEM:GET\n',
      '',
    ]) {
      expect(encodeRequest('1', request, true), request).toBeUndefined();
    }
    expect(encodeRequest('1>x', 'MEM:GET', true)).toBeUndefined();
  });

  test('stuffing is undone pair by pair from the left', () => {
    expect(unstuff(Buffer.from('EEX'))?.toString()).toBe('EX');
    expect(unstuff(Buffer.from('EX'))?.toString()).toBe('D');
    expect(unstuff(Buffer.from('eexex'))?.toString()).toBe('exd');
    expect(unstuff(Buffer.from('Em'))).toBeUndefined();
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(unstuff(stuff(all))).toEqual(all);
  });

  test('one byte at a time reads as one chunk', () => {
    const stream = Buffer.concat([Buffer.from('x'), block('a'), caseBytes('worked-pump-data-stuffed')]);
    const framer = createFramer();
    const pieces = [...stream].flatMap((byte) => [...framer.push([byte] as unknown as Uint8Array).items]);
    expect(pieces).toEqual(createFramer().push(stream).items);
    expect(pieces.map(({ kind }) => kind)).toEqual(['block', 'block']);
  });

  test('a flipped bit anywhere gives no value', () => {
    const whole = caseBytes('worked-pump-data-stuffed');
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

  test('mutated blocks never throw and never tell an undeclared metric', () => {
    expectMutationsHarmless(driver, [
      caseBytes('worked-pump-data'),
      caseBytes('three-pumps-one-channel-each'),
      caseBytes('several-blocks-cut-inside-a-record'),
      caseBytes('all-alarms'),
    ]);
  });
});

interface Rack {
  readonly peer: Peer;
  blocks: Buffer[];
  silent: boolean;
  readonly asked: string[];
  acknowledged: number;
  refused: number;
}

/** Sends each next block only after the one before was acknowledged, as a rack does. */
async function openRack(): Promise<Rack> {
  const framer = createFramer();
  let left: Buffer[] = [];
  const rack: Rack = {
    blocks: [],
    silent: false,
    asked: [],
    acknowledged: 0,
    refused: 0,
    peer: await openPeer((piece, say) => {
      for (const byte of piece) {
        if (byte === 0x06) {
          rack.acknowledged += 1;
          const next = left.shift();
          if (next) say(next);
        } else if (byte === 0x15) rack.refused += 1;
      }
      for (const item of framer.push(piece).items) {
        if (item.kind !== 'block') continue;
        const request = item.block.information.toString('latin1');
        rack.asked.push(request);
        if (rack.silent) continue;
        left = request === 'MEM:GET' ? [...rack.blocks] : [block('206,50100,GNACK,0')];
        const first = left.shift();
        if (first) say(first);
      }
    }),
  };
  return rack;
}
const openSpace = (port: number): Promise<DriverHouse> =>
  openDriver(driver, { port: `tcp://127.0.0.1:${port}`, pollMs: 500, timeoutMs: 300 });
const rates = (house: DriverHouse, channel: string): unknown[] =>
  house
    .observations('MDC_FLOW_FLUID_PUMP_CURRENT')
    .filter((seen) => seen.channel === channel)
    .map((seen) => ('value' in seen ? seen.value : '?'));

describe('a talk with a rack', () => {
  test('reads several pumps from several blocks, each acknowledged', async () => {
    const rack = await openRack();
    await using _peer = rack.peer;
    const all = `${records('50111', { INRT: '12.50', INM3: '1' })}\u001e${records('50112', { INRT: '4.20' })}`;
    rack.blocks = [block(all.slice(0, 25), false), stuff(block(all.slice(25)))];
    await using house = await openSpace(rack.peer.port);
    await house.until(() => rates(house, '12').length >= 2);
    expect([rates(house, '11')[0], rates(house, '12')[0]]).toEqual([12.5, 4.2]);
    expect(rack.acknowledged).toBeGreaterThanOrEqual(3);
    expect(new Set(rack.asked)).toEqual(new Set(['ADMIN:ALIVE', 'MEM:GET']));
    expect(house.links.map(({ link }) => link)).toEqual(['searching', 'connected']);
  });

  test('a pump taken out of the rack becomes no value, and its alarm ends', async () => {
    const rack = await openRack();
    await using _peer = rack.peer;
    const first = records('50111', { INRT: '12.50', INA3: '0' });
    const second = records('50112', { INRT: '4.20', INA3: '1' });
    rack.blocks = [block(`${first}\u001e${second}`)];
    await using house = await openSpace(rack.peer.port);
    await house.until(() => rates(house, '12').length >= 1);
    rack.blocks = [block(first)];
    await house.until(() => rates(house, '12').includes(null));
    const alerts = house.emitted.flatMap((item) => (item.kind === 'alerts' ? item.alerts : []));
    expect(alerts[0]).toMatchObject({ alertId: '12-INA3', phase: 'start', priority: 'high' });
    expect(alerts.at(-1)).toMatchObject({ alertId: '12-INA3', phase: 'end' });
    expect(rates(house, '11').at(-1)).toBe(12.5);
  });

  test('a garbled block is refused to the rack and gives no value', async () => {
    const rack = await openRack();
    await using _peer = rack.peer;
    const broken = block(records('50111', { INRT: '12.50' }));
    broken.writeUInt8((broken[30] ?? 0) ^ 1, 30);
    rack.blocks = [broken];
    await using house = await openSpace(rack.peer.port);
    await house.until(() => rack.refused >= 1);
    expect(house.counts['badChecksum']).toBeGreaterThanOrEqual(1);
    expect(rates(house, '11')).toEqual([]);
  });

  test('a rack that falls silent is told as lost, and so is a cut wire', async () => {
    const rack = await openRack();
    await using _peer = rack.peer;
    rack.blocks = [block(records('50111', { INRT: '12.50' }))];
    await using house = await openSpace(rack.peer.port);
    await house.until(() => rates(house, '11').length > 0);
    rack.silent = true;
    await house.until(() => house.links.at(-1)?.link === 'lost', 8_000);
    expect(house.links.at(-1)?.fault?.code).toBe('WIRE_TIMEOUT');
    rack.silent = false;
    await using again = await openSpace(rack.peer.port);
    await again.until(() => rates(again, '11').length > 0);
    rack.peer.cut();
    await again.until(() => again.links.at(-1)?.link === 'lost', 1_000);
    expect(again.links.at(-1)?.fault?.code).toBe('WIRE_CLOSED');
  }, 20_000);

  test('nothing is told or asked after close()', async () => {
    const rack = await openRack();
    await using _peer = rack.peer;
    rack.blocks = [block(records('50111', { INRT: '12.50' }))];
    const house = await openSpace(rack.peer.port);
    await house.until(() => rates(house, '11').length > 0);
    await house[Symbol.asyncDispose]();
    const counts = [house.emitted.length, rack.asked.length];
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([house.emitted.length, rack.asked.length]).toEqual(counts);
  });
});
