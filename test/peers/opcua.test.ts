import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Driver } from '../../drivers/driver.ts';
import { createShares } from '../../drivers/host/shares.ts';
import opcuaDriver from '../../drivers/opcua/index.ts';
import { openDriver, type DriverHouse } from '../drivers/driver-house.ts';
import { openMonitorServer, StatusCodes, trust, uri } from './opcua-server.ts';

// node-opcua's own server on the other side, with an address space made here.
const driver = opcuaDriver as unknown as Driver;
const node = (name: string): string => `nsu=${uri};s={root}.${name}`;
const map = {
  map: 'opcua',
  version: 1,
  title: 'test',
  source: 'test',
  publishingMs: 100,
  samplingMs: 100,
  identity: { serial: node('serial') },
  statusReasons: { '0x40000000': 'demo' },
  values: [
    { metric: 'MDC_ECG_HEART_RATE', node: node('hr'), span: [0, 350] },
    { metric: 'MDC_PRESS_BLD_NONINV_SYS', node: node('sys') },
    { metric: 'MDC_TEMP', node: node('temp') },
    { metric: 'MDC_RESP_RATE', node: node('odd') },
    { metric: 'MDC_PULS_OXIM_SAT_O2', node: node('plain'), unit: '%' },
  ],
};
const open = (endpoint: string, more: object = {}, options: object = {}): Promise<DriverHouse> =>
  openDriver(
    driver,
    { endpoint, root: 'm1', map: 'm', security: 'None', ...more },
    { maps: { m: map }, ...options },
  );
const newest = (house: DriverHouse, metric: string): Record<string, unknown> =>
  (house.observations(metric).at(-1) ?? {}) as unknown as Record<string, unknown>;

test('tells values in the metric’s own unit, as the server’s EngineeringUnits say', async () => {
  await using server = await openMonitorServer();
  const cuffAtMs = Date.now() - 600_000;
  server.set('hr', 72);
  server.set('sys', 16, StatusCodes.Good, cuffAtMs);
  server.set('temp', 36.8);
  server.set('odd', 14);
  server.set('plain', 97);
  await using house = await open(server.endpoint);
  await house.until(() => new Set(house.observations().map(({ metric }) => metric)).size === 5, 20_000);
  expect(newest(house, 'MDC_ECG_HEART_RATE')).toMatchObject({ value: 72, validity: 'valid' });
  // 16 kPa; and an old cuff pressure keeps its own time.
  expect(newest(house, 'MDC_PRESS_BLD_NONINV_SYS')['value']).toBeCloseTo(120.01, 2);
  expect(newest(house, 'MDC_PRESS_BLD_NONINV_SYS')).toMatchObject({ takenAtMs: cuffAtMs, validity: 'valid' });
  expect(newest(house, 'MDC_TEMP')).toMatchObject({ value: 36.8 });
  expect(newest(house, 'MDC_RESP_RATE')).toMatchObject({ value: null, reason: 'unit' });
  expect(newest(house, 'MDC_PULS_OXIM_SAT_O2')).toMatchObject({ value: 97 });
  expect(house.identities).toEqual([{ serial: 'SN-1' }]);
});

test('tells a status code as validity and reason, and a value that stays the same again', async () => {
  await using server = await openMonitorServer();
  server.set('hr', 72);
  await using house = await open(server.endpoint);
  const hr = (): Record<string, unknown> => newest(house, 'MDC_ECG_HEART_RATE');
  await house.until(() => hr()['value'] === 72, 20_000);
  const count = house.observations('MDC_ECG_HEART_RATE').length;
  server.set('hr', 72, StatusCodes.Good, Date.now() + 1);
  await house.until(() => house.observations('MDC_ECG_HEART_RATE').length > count);
  server.set('hr', null, StatusCodes.BadSensorFailure);
  await house.until(() => hr()['reason'] === 'sensor-off');
  server.set('hr', null, StatusCodes.BadWaitingForInitialData);
  await house.until(() => hr()['reason'] === 'searching');
  server.set('hr', null, StatusCodes.BadNoCommunication);
  await house.until(() => hr()['reason'] === 'link-lost');
  server.set('hr', 80, StatusCodes.UncertainLastUsableValue);
  await house.until(() => hr()['reason'] === 'stale');
  expect(hr()['value']).toBeNull();
  server.set('hr', 80, StatusCodes.Uncertain);
  await house.until(() => hr()['mark'] === 'demo');
  expect(hr()).toMatchObject({ value: 80, validity: 'questionable' });
  expect(house.modes.at(-1)).toBe('demo');
  server.set('hr', 400);
  await house.until(() => hr()['mark'] === 'out-of-span');
  expect(hr()).toMatchObject({ value: 400, validity: 'invalid' });
});

test('two monitors of one endpoint share one session', async () => {
  await using server = await openMonitorServer();
  server.set('hr', 72);
  const shares = createShares();
  await using first = await open(server.endpoint, {}, { shares });
  await using second = await open(server.endpoint, {}, { shares });
  await first.until(() => newest(first, 'MDC_ECG_HEART_RATE')['value'] === 72, 20_000);
  await second.until(() => newest(second, 'MDC_ECG_HEART_RATE')['value'] === 72, 20_000);
  expect(server.sessions).toBe(1);
  expect(server.subscriptions).toBe(1);
});

test('says lost when the server goes, and finds everything again on one that numbers its namespaces anew', async () => {
  const server = await openMonitorServer();
  const { port, endpoint } = server;
  server.set('hr', 72);
  await using house = await open(endpoint);
  await house.until(() => newest(house, 'MDC_ECG_HEART_RATE')['value'] === 72, 20_000);
  await server[Symbol.asyncDispose]();
  await house.until(() => house.links.at(-1)?.link === 'lost', 20_000);
  const told = house.observations().length;
  await using again = await openMonitorServer({ port, before: ['urn:test:a', 'urn:test:b'] });
  again.set('hr', 55);
  await house.until(() => newest(house, 'MDC_ECG_HEART_RATE')['value'] === 55, 60_000);
  expect(house.links.at(-1)?.link).toBe('connected');
  expect(house.observations().length).toBeGreaterThan(told);
  expect(house.broken).toEqual([]);
});

test('never takes a certificate nobody has vouched for, and takes it once somebody has', async () => {
  await using server = await openMonitorServer();
  server.set('hr', 72);
  await using house = await open(server.endpoint, { security: 'SignAndEncrypt' });
  await house.until(() => house.links.some(({ fault }) => fault !== undefined), 30_000);
  expect(house.observations()).toEqual([]);
  expect(house.links.find(({ fault }) => fault)?.fault?.code).toBe('OPCUA_UNTRUSTED');
  const pki = join(house.folder, 'opcua-pki');
  await house.until(() => trust(pki) > 0);
  // The server, too, must be told to trust us.
  await house.until(
    () => house.links.some(({ fault }) => fault?.message.includes('does not trust us')),
    60_000,
  );
  await server.trustStrangers();
  await house.until(() => newest(house, 'MDC_ECG_HEART_RATE')['value'] === 72, 60_000);
});

test('a map that names a node the server does not have tells so, and the rest is read', async () => {
  await using server = await openMonitorServer();
  server.set('hr', 72);
  const wrong = { ...map, values: [...map.values, { metric: 'MDC_TEMP_CORE', node: node('nowhere') }] };
  await using house = await open(server.endpoint, {}, { maps: { m: wrong } });
  await house.until(() => newest(house, 'MDC_ECG_HEART_RATE')['value'] === 72, 20_000);
  await house.until(() => house.links.some(({ fault }) => fault?.code === 'OPCUA_NODE'));
});
