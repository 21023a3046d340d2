import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  crc16,
  encodeRtu,
  encodeTcp,
  exceptionName,
  readRequest,
  type ReadRequest,
} from '../../drivers/modbus/frame.ts';
import { createFramer } from '../../drivers/modbus/framer.ts';
import { planPolls, readMap } from '../../drivers/modbus/map.ts';
import type { NumberType, Order } from '../../drivers/modbus/map-schema.ts';
import { createRegisters, numberAt, textAt } from '../../drivers/modbus/registers.ts';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

describe('frames', () => {
  test('are those of the documents', () => {
    expect(encodeRtu({ unit: 1, fc: 4, address: 0, count: 1 }).toString('hex')).toBe('01040000000131ca');
    expect(encodeRtu({ unit: 3, fc: 3, address: 1000, count: 4 }).toString('hex')).toBe('030303e80004c59b');
    expect(encodeTcp({ unit: 1, fc: 3, address: 0, count: 27 }, 0x1234).toString('hex')).toBe(
      '12340000000601030000001b',
    );
    expect(crc16(hex('0104020064'))).toBe(0xdbb8);
  });

  test('of a function that could write are never made', () => {
    for (const fc of [0, 5, 6, 15, 16, 22, 23, 43]) {
      const request = { unit: 1, fc, address: 0, count: 1 } as unknown as ReadRequest;
      expect(() => encodeRtu(request)).toThrow(RangeError);
      expect(() => encodeTcp(request, 1)).toThrow(RangeError);
    }
  });

  test.each([
    ['too short', '0103'],
    ['a wrong checksum', '01040000000131cb'],
    ['a writing function', '010600010002594b'.slice(0, 16)],
    ['no registers at all', '123400000006010300000000'],
    ['more registers than a frame holds', '12340000000601030000007e'],
  ])('of a request with %s are refused in words', (_, text) => {
    expect(typeof readRequest(hex(text))).toBe('string');
  });

  test('of a request are read back as they were made', () => {
    const requests = fc.record({
      unit: fc.nat(255),
      fc: fc.constantFrom(1, 2, 3, 4),
      address: fc.nat(65_535),
      count: fc.integer({ min: 1, max: 125 }),
    }) as fc.Arbitrary<ReadRequest>;
    fc.assert(
      fc.property(requests, fc.nat(65_535), (request, transaction) => {
        expect(readRequest(encodeRtu(request))).toEqual({ framing: 'rtu', request });
        expect(readRequest(encodeTcp(request, transaction))).toEqual({
          framing: 'tcp',
          request,
          transaction,
        });
      }),
    );
  });

  test('name the exceptions of the standard', () => {
    expect([2, 6, 11, 99].map(exceptionName)).toEqual([
      'illegal data address',
      'busy',
      'gateway target failed to respond',
      'unknown',
    ]);
  });
});

describe('a framer', () => {
  const request: ReadRequest = { unit: 1, fc: 4, address: 0, count: 11 };
  const rtu = hex('010416001f03340079002c02ba000003840001009600010000f159');
  const tcp = Buffer.concat([hex('000700000019'), rtu.subarray(0, rtu.length - 2)]);

  test.each([
    ['rtu', rtu],
    ['tcp', tcp],
  ] as const)('finds the same %s replies however the bytes are cut', (framing, bytes) => {
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length * 2), { maxLength: 12 }), (cuts) => {
        const stream = Buffer.concat([bytes, bytes]);
        const framer = createFramer(framing);
        const at = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const found = at.flatMap((from, index) => [
          ...framer.push(stream.subarray(from, at[index + 1] ?? from), request).replies,
        ]);
        expect(found.map(({ raw }) => raw.toString('hex'))).toEqual([
          bytes.toString('hex'),
          bytes.toString('hex'),
        ]);
      }),
    );
  });

  test('finds an RTU reply behind noise and before it, and throws the noise away', () => {
    const framer = createFramer('rtu');
    const { replies, discarded } = framer.push(Buffer.concat([hex('ff0104'), rtu, hex('aabb')]), request);
    expect(replies).toHaveLength(1);
    expect(discarded.toString('hex')).toBe('ff0104');
    expect(framer.flush().toString('hex')).toBe('aabb');
  });

  test('holds endless noise to a bound', () => {
    const framer = createFramer('rtu');
    let discarded = 0;
    for (let n = 0; n < 100; n++)
      discarded += framer.push(Buffer.alloc(100, 0xff), undefined).discarded.length;
    expect(discarded).toBeGreaterThan(8_000);
    expect(framer.flush().length).toBeLessThanOrEqual(1_024);
  });

  test('takes no exception for data and no data for an exception', () => {
    const { replies } = createFramer('rtu').push(hex('018302c0f1'), { ...request, fc: 3 });
    expect(replies).toMatchObject([{ fc: 0x83, exception: 2 }]);
    const [reply] = createFramer('tcp').push(hex('000100000003018306'), request).replies;
    expect(reply).toMatchObject({ exception: 6, transaction: 1 });
  });

  test('gives up a TCP stream whose header is none', () => {
    expect(createFramer('tcp').push(hex('0001000100050103020000'), request).broken).toBeDefined();
    expect(createFramer('tcp').push(hex('000100000002010302'), request).broken).toBeDefined();
    // A byte count that is not the frame's own.
    expect(createFramer('tcp').push(hex('0001000000050103090000'), request)).toMatchObject({ replies: [] });
  });

  test('never throws on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.constantFrom('rtu', 'tcp'), (bytes, framing) => {
        createFramer(framing as 'rtu').push(Buffer.from(bytes), request);
      }),
    );
  });
});

describe('registers', () => {
  const at = (text: string, type: NumberType, order: Order): number | undefined => {
    const data = hex(text);
    const registers = createRegisters([{ table: 'holding', address: 40, count: data.length / 2, data }]);
    return numberAt(registers, { table: 'holding', address: 40, type }, order);
  };

  test.each([
    ['ABCD', '42133333'],
    ['CDAB', '33334213'],
    ['BADC', '13423333'],
    ['DCBA', '33331342'],
  ] as const)('read 36.8 in the order %s', (order, text) => {
    expect(at(text, 'f32', order)).toBe(36.8);
  });

  test('read every type', () => {
    expect(at('fffe', 'u16', 'ABCD')).toBe(65_534);
    expect(at('fffe', 's16', 'ABCD')).toBe(-2);
    expect(at('feff', 's16', 'BADC')).toBe(-2);
    expect(at('fffffce0', 's32', 'ABCD')).toBe(-800);
    expect(at('fce0ffff', 's32', 'CDAB')).toBe(-800);
    expect(at('00010002', 'u32', 'ABCD')).toBe(65_538);
    expect(at('0000000100000002', 'u64', 'ABCD')).toBe(4_294_967_298);
    expect(at('0002000000010000', 'u64', 'CDAB')).toBe(4_294_967_298);
    expect(at('ffffffffffffffff', 's64', 'ABCD')).toBe(-1);
    expect(at('4042666666666666', 'f64', 'ABCD')).toBe(36.8);
  });

  test('of a bit table are the bits', () => {
    const registers = createRegisters([{ table: 'coil', address: 8, count: 10, data: hex('0502') }]);
    const bits = Array.from({ length: 10 }, (_, index) =>
      numberAt(registers, { table: 'coil', address: 8 + index, type: 'bit' }, 'ABCD'),
    );
    expect(bits).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
  });

  test('that were not read are not there', () => {
    const registers = createRegisters([{ table: 'holding', address: 0, count: 1, data: hex('0001') }]);
    expect(numberAt(registers, { table: 'holding', address: 0, type: 'u32' }, 'ABCD')).toBeUndefined();
    expect(numberAt(registers, { table: 'input', address: 0, type: 'u16' }, 'ABCD')).toBeUndefined();
    expect(textAt(registers, 'holding', 5, 4)).toBeUndefined();
  });

  test('hold texts that end at NUL or blanks', () => {
    const data = Buffer.from('SN-42 \0xx', 'latin1');
    const registers = createRegisters([
      { table: 'holding', address: 0, count: 5, data: Buffer.concat([data, hex('00')]) },
    ]);
    expect(textAt(registers, 'holding', 0, 10)).toBe('SN-42');
  });
});

describe('a map', () => {
  const base = { map: 'modbus', version: 1, title: 't', source: 's', table: 'holding', pollMs: 1_000 };
  const value = (address: number, more: object = {}) => ({
    metric: `m-${address}`,
    address,
    type: 'u16',
    unit: '1',
    ...more,
  });
  const plan = (more: object): unknown => planPolls(readMap('m', { ...base, ...more }));

  test('is read in as few blocks as its gaps and sizes allow', () => {
    expect(plan({ values: [value(10), value(12), value(40)] })).toMatchObject([
      {
        blocks: [
          { address: 10, count: 3 },
          { address: 40, count: 1 },
        ],
      },
    ]);
    expect(
      plan({ values: [value(10), value(12), value(40)], workarounds: { largestGap: 50 } }),
    ).toMatchObject([{ blocks: [{ address: 10, count: 31 }] }]);
    expect(
      plan({ values: [value(10), value(11), value(12)], workarounds: { largestBlock: 2 } }),
    ).toMatchObject([
      {
        blocks: [
          { address: 10, count: 2 },
          { address: 12, count: 1 },
        ],
      },
    ]);
    expect(plan({ values: [value(10), value(11)], workarounds: { oneRequestPerField: true } })).toMatchObject(
      [{ blocks: [{ count: 1 }, { count: 1 }] }],
    );
  });

  test('reads the canary along, and slow values in polls of their own', () => {
    const read = plan({
      canary: { address: 0, equals: 1 },
      values: [value(10), value(11, { pollMs: 60_000 })],
      alerts: [{ address: 2, code: 'c', text: 't', priority: 'low', type: 'technical' }],
    });
    expect(read).toMatchObject([
      { pollMs: 1_000, alerts: true, blocks: [{ address: 0, count: 11 }] },
      { pollMs: 60_000, alerts: false, blocks: [{ address: 0, count: 12 }] },
    ]);
  });

  test.each([
    ['/values/1', { values: [value(1), value(1)] }],
    ['/values/0/address', { values: [value(65_535, { type: 'u32' })] }],
    ['/values/0/unit', { values: [{ metric: 'm', address: 1, type: 'u16' }] }],
    ['/values/0', { values: [value(1, { sentinels: { none: 'sensor-off' } })] }],
    [
      '/marks/0/series',
      { values: [value(1)], marks: [{ address: 0, reason: 'demo', effect: 'missing', series: ['x'] }] },
    ],
    ['/colour', { values: [value(1)], colour: 'red' }],
    ['/values', { values: undefined }],
    ['/table', { table: 'files', values: [value(1)] }],
    ['/values/0/type', { values: [value(1, { type: 'bcd' })] }],
  ])('is refused at %s', (path, more) => {
    expect(() => plan(more)).toThrow(expect.objectContaining({ code: 'MAP_INVALID' }));
    try {
      plan(more);
    } catch (error) {
      expect((error as { details: { path: string } }).details.path).toBe(path);
    }
  });
});
