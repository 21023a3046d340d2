import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import driver from '../../drivers/philips-intellivue/index.ts';
import { createDecoder } from '../../drivers/philips-intellivue/decoder.ts';
import { readMessage } from '../../drivers/philips-intellivue/message.ts';
import { build, type Request } from '../../drivers/philips-intellivue/requests.ts';
import { createSerialFrames, wrapContent, wrapSerial } from '../../drivers/philips-intellivue/serial.ts';
import type { DecodedItem } from '../../model/device.ts';
import { virtualClock } from '../house/virtual-clock.ts';
import * as made from './intellivue-frames.ts';

const clock = virtualClock();
const decode = (bytes: Buffer): readonly DecodedItem[] => driver.decode?.(bytes, { clock }) ?? [];
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const beats = (value: number, handle = 0x8101): Buffer =>
  made.object(handle, { 0x0950: made.value(0x4182, 0, 0x0aa0, made.float(value)) });

describe('what may be sent to a monitor', () => {
  const priority = [0x00020100, 0x00020101, 0x00024bb4, 0x00024a14, 0x00025000];
  test.each<[string, Request, number, string]>([
    [
      'create result',
      { kind: 'create-result', invoke: 1 },
      9,
      'e10000020002001400010001000e002100000000000000000d060000',
    ],
    [
      'single poll',
      { kind: 'poll-self' },
      0x3e9,
      'e10000020001001c03e900070016002100000000000000000c1600080000000100210000',
    ],
    [
      'numeric poll of 60 s',
      { kind: 'poll', what: 'numeric', number: 0 },
      0x3eb,
      'e10000020001002803eb0007002200210000000000000000f13b0014000000010006000000010008f13e000400075300',
    ],
    [
      'wave priority',
      { kind: 'wave-priority', labels: priority },
      0x3ed,
      'e10000020001003203ed0005002c002100000000000000000001001e0000f23a001800050014000201000002010100024bb400024a1400025000',
    ],
    ['release', { kind: 'release' }, 0, '0918c11661803080020101a08062808001000000000000000000'],
  ])('%s is the captured request', (_, request, invoke, bytes) => {
    expect(build(request, invoke).toString('hex')).toBe(bytes);
  });

  test('the association request has the length it says', () => {
    expect(build({ kind: 'associate' }, 0)).toHaveLength(2 + 0xec);
  });

  test('only one request sets anything: the wave priority list', () => {
    const kinds: Request[] = [
      { kind: 'associate' },
      { kind: 'release' },
      { kind: 'poll-self' },
      { kind: 'create-result', invoke: 1 },
      ...(['numeric', 'wave', 'alarms'] as const).map((what): Request => ({ kind: 'poll', what, number: 1 })),
      { kind: 'single-poll', what: 'numeric', number: 1 },
      { kind: 'wave-priority', labels: [1] },
    ];
    const confirmedSet = 5;
    const sets = kinds.filter((request) => {
      const bytes = build(request, 1);
      return bytes[0] === 0xe1 && bytes.readUInt16BE(4) === 1 && bytes.readUInt16BE(10) === confirmedSet;
    });
    expect(sets.map(({ kind }) => kind)).toEqual(['wave-priority']);
  });
});

describe('the serial frame', () => {
  test('carries checksum and escapes as documented', () => {
    expect(wrapContent(hex('3a71')).toString('hex')).toBe('c03a719b26c1');
  });

  test('is read one byte at a time as in one chunk, and after a frame cut short', () => {
    const message = made.pollResult([beats(0x7d), beats(0xc0, 0xc0c1)]);
    const stream = Buffer.concat([hex('00c01101'), wrapSerial(message), hex('7dc1'), wrapSerial(message)]);
    const whole = createSerialFrames().push(stream).messages;
    const frames = createSerialFrames();
    const pieces = [...stream].flatMap((byte) => frames.push(Buffer.from([byte])).messages);
    expect(whole).toEqual([message, message]);
    expect(pieces).toEqual(whole);
  });
});

describe('a wave', () => {
  const form = {
    0x096d: Buffer.concat([made.u16(4), Buffer.from([16, 14]), made.u16(0)]),
    0x098d: made.u32(16),
    0x096f: Buffer.concat([made.float(-40, -1), made.float(40, -1), made.u16(0, 16_000)]),
    0x0996: made.u16(0x10b2),
    0x0a16: made.list([made.u16(1, 0x8000)]),
  };
  const samples = Buffer.concat([made.u16(0x0102, 0), made.sized(made.u16(8000, 8200, 0x8000, 16_000))]);
  const take = (decoder: ReturnType<typeof createDecoder>, bytes: Buffer) => {
    const message = readMessage(bytes);
    const told = typeof message === 'string' ? message : decoder.take(message);
    if (typeof told === 'string') throw new Error(told);
    return told.waves;
  };
  const block = (given: Readonly<Record<number, Buffer>>): Buffer =>
    made.pollResult([made.object(0x8201, given)], { objectClass: 9 });

  test('is scaled by the form of the first full poll, also in the polls after it', () => {
    const decoder = createDecoder();
    for (const bytes of [block({ ...form, 0x096e: samples }), block({ 0x096e: samples })]) {
      const [wave] = take(decoder, bytes);
      expect(wave?.series.metric.refId).toBe('MDC_ECG_ELEC_POTL_II');
      expect(wave?.periodUs).toBe(2_000);
      expect([...(wave?.samples ?? [])]).toEqual([8000, 8200, -32_768, 16_000]);
      const physical = [...(wave?.samples ?? [])].map((raw) => raw * (wave?.gain ?? 0) + (wave?.offset ?? 0));
      expect(physical[0]).toBeCloseTo(0);
      expect(physical[1]).toBeCloseTo(0.1);
      expect(physical[3]).toBeCloseTo(4);
    }
  });

  test('without its form, or invalid, it is nothing', () => {
    expect(take(createDecoder(), block({ 0x096e: samples }))).toEqual([]);
    const invalid = Buffer.from(samples);
    invalid.writeUInt16BE(0x8000, 2);
    expect(take(createDecoder(), block({ ...form, 0x096e: invalid }))).toEqual([]);
  });

  test('comes in compounds too, and of 8 bits', () => {
    const eight = Buffer.concat([made.u16(0x4bb4, 0), made.sized(Buffer.from([1, 2, 255]))]);
    const pleth = {
      0x096d: Buffer.concat([made.u16(3), Buffer.from([8, 8]), made.u16(0)]),
      0x098d: made.u32(64),
    };
    const [wave] = take(createDecoder(), block({ ...pleth, 0x0967: made.list([eight]) }));
    expect(wave).toMatchObject({ periodUs: 8_000, gain: 1, offset: 0 });
    expect([...(wave?.samples ?? [])]).toEqual([1, 2, 255]);
  });
});

test('mutated messages never throw, and never tell a metric that is not declared', () => {
  const declared = new Set(driver.metrics);
  const good = [
    made.pollResult([
      beats(72),
      made.object(0x8102, { 0x094b: made.list([made.value(0x4a05, 0, 0x0f20, made.float(118))]) }),
    ]),
    made.createEvent(made.self),
    made.pollResult([made.alarmMonitor([{ source: 0x4bb8, code: 4, type: 0x400, text: 'low' }], [])], {
      objectClass: 54,
    }),
    wrapSerial(made.pollResult([beats(72)], { linked: [2, 1] })),
  ];
  const mutation = fc.record({
    frame: fc.integer({ min: 0, max: good.length - 1 }),
    at: fc.nat(),
    byte: fc.integer({ min: 0, max: 255 }),
    cut: fc.option(fc.nat()),
  });
  fc.assert(
    fc.property(mutation, ({ frame, at, byte, cut }) => {
      const bytes = Buffer.from(good[frame] ?? Buffer.alloc(0));
      bytes[at % bytes.length] = byte;
      const items = decode(cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      for (const item of items) if (item.kind === 'observation') expect(declared.has(item.metric)).toBe(true);
    }),
    { numRuns: 2_000, seed: 20261121 },
  );
});
