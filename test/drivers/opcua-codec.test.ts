import { describe, expect, test } from 'vitest';
import { readOwnMaps } from '../../drivers/host/maps.ts';
import { asFault } from '../../drivers/opcua/client.ts';
import { readMap, type OpcuaValue } from '../../drivers/opcua/map.ts';
import { nodeIdOf } from '../../drivers/opcua/nodes.ts';
import { observe, type ObserveOptions } from '../../drivers/opcua/observe.ts';
import { meaningOf } from '../../drivers/opcua/status.ts';
import { ucumOf } from '../../drivers/opcua/units.ts';

const now = Date.UTC(2026, 0, 5, 2);
const options: ObserveOptions = {
  unit: undefined,
  statusReasons: undefined,
  receivedAtMs: now,
  clockOffsetMs: 0,
};
const hr: OpcuaValue = { metric: 'MDC_ECG_HEART_RATE', node: 's=x' };
const good = (value: unknown, sourceAtMs: number | null = now) => ({ value, statusCode: 0, sourceAtMs });

describe('a notification', () => {
  test('keeps the source’s time, corrected by the server’s clock and never in the future', () => {
    expect(observe(hr, good(72, now - 5_000), options)).toMatchObject({ value: 72, takenAtMs: now - 5_000 });
    expect(observe(hr, good(72, now - 5_000), { ...options, clockOffsetMs: 3_000 }).takenAtMs).toBe(
      now - 2_000,
    );
    expect(observe(hr, good(72, now + 5_000), options).takenAtMs).toBe(now);
    expect(observe(hr, good(72, null), options).takenAtMs).toBe(now);
  });

  test('is converted from the unit the server tells, else from the map’s', () => {
    const sys: OpcuaValue = { metric: 'MDC_PRESS_BLD_NONINV_SYS', node: 's=x', unit: 'kPa' };
    expect((observe(sys, good(16), options) as { value: number }).value).toBeCloseTo(120.01, 2);
    expect(observe(sys, good(120), { ...options, unit: 'mm[Hg]' })).toMatchObject({ value: 120 });
    expect(observe(sys, good(120), { ...options, unit: 'unknown' })).toMatchObject({
      value: null,
      reason: 'unit',
    });
    expect(observe(sys, good(120), { ...options, unit: '%' })).toMatchObject({ value: null, reason: 'unit' });
    expect(observe({ ...hr, scale: 0.1 }, good(720), options)).toMatchObject({ value: 72 });
  });

  test('of a metric nobody knows keeps its unit', () => {
    const odd: OpcuaValue = { metric: 'glow', node: 's=x', unit: 'lx', channel: '2' };
    expect(observe(odd, good(3), options)).toEqual({
      metric: 'glow',
      channel: '2',
      value: 3,
      unit: 'lx',
      validity: 'valid',
      takenAtMs: now,
    });
  });

  test('may carry a code or a text', () => {
    const door: OpcuaValue = { metric: 'door', node: 's=x', codes: { '1': 'closed' } };
    expect(observe(door, good(1), options)).toMatchObject({ code: 'closed', system: 'device' });
    expect(observe(door, good(7), options)).toMatchObject({ code: '7' });
    const mode: OpcuaValue = { metric: 'vent-mode', node: 's=x', text: true };
    expect(observe(mode, good('SIMV'), options)).toMatchObject({ text: 'SIMV', validity: 'valid' });
  });

  test.each([null, undefined, 'abc', Number.NaN, Infinity])('without a number (%s) is no value', (value) => {
    expect(observe(hr, good(value), options)).toMatchObject({ value: null, reason: 'not-measured' });
  });

  test('outside the map’s span is invalid and stays', () => {
    expect(observe({ ...hr, span: [0, 350] }, good(400), options)).toMatchObject({
      value: 400,
      validity: 'invalid',
      mark: 'out-of-span',
    });
  });

  test('of an episodic metric that waits was never measured', () => {
    const cuff: OpcuaValue = { metric: 'MDC_PRESS_BLD_NONINV_SYS', node: 's=x' };
    const waiting = { value: null, statusCode: 0x80320000, sourceAtMs: now };
    expect(observe(cuff, waiting, options)).toMatchObject({ reason: 'not-measured' });
    expect(observe(hr, waiting, options)).toMatchObject({ reason: 'searching' });
  });
});

test.each([
  [0x00000000, 'valid', undefined, true],
  [0x00000400, 'valid', undefined, true],
  [0x40000000, 'questionable', 'low-signal', true],
  [0x40900000, 'invalid', 'stale', false],
  [0x40930000, 'questionable', 'uncalibrated', true],
  [0x40ab0000, 'questionable', 'low-signal', true],
  [0x808c0000, 'invalid', 'sensor-off', false],
  [0x80310000, 'invalid', 'link-lost', false],
  [0x80320000, 'invalid', 'searching', false],
  [0x80ff0000, 'invalid', 'invalid', false],
] as const)('status %i means %s, %s', (code, validity, reason, usable) => {
  expect(meaningOf(code)).toEqual({ validity, usable, ...(reason && { reason }) });
});

test('a map may say what its server means by a status', () => {
  const named = { '0x40000000': 'demo', '0x808C0000': 'device-fault' } as const;
  expect(meaningOf(0x40000000, named)).toMatchObject({ reason: 'demo', validity: 'questionable' });
  expect(meaningOf(0x808c0000, named)).toMatchObject({ reason: 'device-fault', usable: false });
});

test('units are those of the UNECE codes, or of their names where there is no code', () => {
  const of = (unitId: number, displayName = ''): string | undefined => ucumOf({ unitId, displayName });
  expect(
    [20529, 4408652, 18510, 4935745, 5063250, 4732728, 4345933, 5065812, 19506, 4403766].map((id) => of(id)),
  ).toEqual(['%', 'Cel', 'mm[Hg]', 'kPa', 'mbar', 'cm[H2O]', '/min', 'mL', 'L/min', 'ms']);
  expect(of(-1, ' 1/min ')).toBe('/min');
  expect(of(-1, 'furlong')).toBeUndefined();
  expect(of(4600000, '%')).toBeUndefined();
});

test('nodes are named by namespace, whatever its index is today', () => {
  expect(nodeIdOf('nsu=urn:b;s={root}.hr', 'm1', ['urn:0', 'urn:a', 'urn:b'])).toBe('ns=2;s=m1.hr');
  expect(nodeIdOf('i=2258', '', [])).toBe('i=2258');
  expect(() => nodeIdOf('nsu=urn:c;s=x', '', ['urn:0'])).toThrow(
    expect.objectContaining({ code: 'OPCUA_NODE' }),
  );
});

test('the library’s long errors become one fault in words', () => {
  const code = (text: string): string => asFault(new Error(text), 'opc.tcp://x:1').code;
  expect(code('connect ECONNREFUSED 127.0.0.1:1')).toBe('WIRE_REFUSED');
  expect(code('err BadCertificateUntrusted (0x801a0000)')).toBe('OPCUA_UNTRUSTED');
  expect(code('BadSecurityChecksFailed (0x80130000)')).toBe('OPCUA_SESSION');
  expect(asFault(new Error(`BadTooManySessions\n${'x'.repeat(500)}`), 'a').message).toBe(
    'no session with a (BadTooManySessions)',
  );
  expect(asFault('odd', 'a').message).toContain('odd');
});

test('a map is checked before anything is opened', () => {
  const own = readOwnMaps().get('generic-opcua-monitor') as Record<string, unknown>;
  expect(readMap('own', own).values).toHaveLength(9);
  const bad = (values: unknown): unknown => ({ ...own, values });
  const refused = expect.objectContaining({ code: 'MAP_INVALID' });
  expect(() => readMap('m', bad([]))).toThrow(refused);
  expect(() => readMap('m', bad([{ metric: 'MDC_TEMP', node: 'temp' }]))).toThrow(refused);
  expect(() => readMap('m', bad([{ metric: 'MDC_TEMP', node: 's=t', unit: '%' }]))).toThrow(refused);
  expect(() =>
    readMap(
      'm',
      bad([
        { metric: 'a', node: 's=t' },
        { metric: 'a', node: 's=u' },
      ]),
    ),
  ).toThrow(refused);
  expect(() => readMap('m', { ...own, extra: 1 })).toThrow(refused);
});
