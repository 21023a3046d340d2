import { once } from 'node:events';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { HostStateSchema, ObservationsSchema, StateSchema } from '../../../model/wire.ts';
import { openBroker, openOximeter, type BrokerHouse, type Heard } from './broker-house.ts';

// The driver host as a program of its own, against a real MQTT broker and real wires.
const device = (id: string, port: number, more: object = {}) => ({
  device: id,
  driver: 'masimo',
  settings: { port: `tcp://127.0.0.1:${port}` },
  periodMs: 1_000,
  ...more,
});
const states = (house: BrokerHouse, id: string): Heard[] =>
  house.heard.filter(({ topic }) => topic === `v1/device/${id}/state`);
/** Which line of the oximeter a message is of: it counts in pulse and perfusion. */
const lineOf = ({ message }: Heard): number => {
  const values = message['values'] as Record<string, number>;
  return (values['MDC_PULS_OXIM_PULS_RATE'] ?? -1) + 300 * (values['MDC_BLD_PERF_INDEX'] ?? 0);
};
const pulses = (heard: readonly Heard[]): number[] => heard.map(lineOf);
const seqs = (heard: readonly Heard[]): number[] => heard.map(({ message }) => Number(message['seq']));

test('tells births, values and its own state in the contract’s form', async () => {
  await using broker = await openBroker();
  await using oximeter = await openOximeter(50);
  await broker.configure({ revision: 7, devices: [device('d1', oximeter.port)] });
  const child = broker.startHost();
  await broker.until(
    () => broker.observations('d1').length >= 5 && broker.hostState?.devices?.[0]?.link === 'connected',
  );
  for (const { message } of broker.observations('d1'))
    expect(Value.Check(ObservationsSchema, message)).toBe(true);
  expect(Value.Check(HostStateSchema, broker.hostState)).toBe(true);
  expect(broker.hostState).toMatchObject({ revision: 7, link: 'birth', journal: { recording: true } });
  const [birth] = states(broker, 'd1');
  expect(Value.Check(StateSchema, birth?.message)).toBe(true);
  expect(birth?.message).toMatchObject({ link: 'birth', identity: { serial: '0000056661' } });
  // One number after the other: no hole tears the gateway's intervals of what it has seen.
  const numbers = seqs(broker.observations('d1'));
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));

  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(states(broker, 'd1').at(-1)?.message).toMatchObject({ link: 'death' });
  expect(broker.hostState).toMatchObject({ link: 'death' });
});

test('changes one device without touching the other', async () => {
  await using broker = await openBroker();
  await using first = await openOximeter(50);
  await using second = await openOximeter(50);
  await broker.configure({ revision: 1, devices: [device('d1', first.port), device('d2', second.port)] });
  broker.startHost();
  await broker.until(() => broker.observations('d1').length >= 2 && broker.observations('d2').length >= 2);
  await broker.configure({ revision: 2, devices: [device('d1', first.port), device('d2', first.port)] });
  await broker.until(() => first.connections === 2 && states(broker, 'd2').length === 3);
  await broker.configure({ revision: 3, devices: [device('d1', first.port)] });
  await broker.until(() => broker.hostState?.revision === 3 && broker.hostState.devices?.length === 1);
  await broker.until(() => states(broker, 'd2').length === 4);
  expect(states(broker, 'd1').map(({ message }) => message['link'])).toEqual(['birth']);
  expect(states(broker, 'd2').map(({ message }) => message['link'])).toEqual([
    'birth',
    'death',
    'birth',
    'death',
  ]);
  const numbers = seqs(broker.observations('d1'));
  expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
});

test('keeps what the gateway did not hear while it was away, and tells it once, in order', async () => {
  await using broker = await openBroker();
  await using oximeter = await openOximeter(50);
  await broker.configure({ revision: 1, devices: [device('d1', oximeter.port)] });
  broker.startHost();
  await broker.until(() => broker.observations('d1').length >= 3);
  await broker.away();
  const until = oximeter.sent + 40;
  await broker.until(() => oximeter.sent >= until);
  await broker.back();
  const last = (): number => pulses(broker.observations('d1')).at(-1) ?? -1;
  await broker.until(() => last() > until + 2, 30_000);
  const told = pulses(broker.observations('d1'));
  const distinct = new Set(told);
  for (let pulse = told[0] ?? 0; pulse <= until; pulse++)
    expect(distinct.has(pulse), `pulse ${pulse}`).toBe(true);
  // Births are told again on the new connection, before any value of it.
  expect(states(broker, 'd1').length).toBe(2);
});

test(
  'loses nothing and numbers nothing twice when it is killed while the gateway is away',
  { timeout: 60_000 },
  async () => {
    await using broker = await openBroker();
    await using oximeter = await openOximeter(20);
    await broker.configure({ revision: 1, devices: [device('d1', oximeter.port)] });
    const child = broker.startHost();
    await broker.until(() => broker.observations('d1').length >= 3);
    // Confirmations stop first: what is heard but not confirmed must come again under its own number.
    broker.confirm = false;
    const before = oximeter.sent;
    await broker.until(() => oximeter.sent >= before + 30);
    await broker.away();
    await broker.until(() => oximeter.sent >= before + 80);
    const killedAt = oximeter.sent;
    child.kill('SIGKILL');
    await once(child, 'exit');
    broker.confirm = true;
    await broker.back();
    broker.startHost();
    // The journal is 50 ms at most behind the wire: the last lines before the kill may be lost with the process.
    const wanted = Array.from({ length: killedAt - 6 }, (_, index) => index + 1);
    const missing = (): number[] => {
      const distinct = new Set(pulses(broker.observations('d1')));
      return wanted.filter((pulse) => !distinct.has(pulse));
    };
    await broker.until(() => missing().length === 0, 40_000);
    const heard = broker.observations('d1');
    const bySeq = new Map<string, number>();
    for (const each of heard) {
      const { message } = each;
      const key = `${String(message['boot'])} ${String(message['seq'])}`;
      const pulse = lineOf(each);
      expect(bySeq.get(key) ?? pulse, `number ${key}`).toBe(pulse);
      bySeq.set(key, pulse);
    }
  },
);

test('answers a test of a device and a search for ports', async () => {
  await using broker = await openBroker();
  await using oximeter = await openOximeter(50);
  await broker.configure({ revision: 1, devices: [] });
  broker.startHost();
  await broker.until(() => broker.hostState?.revision === 1);
  const reply = (id: string): Record<string, unknown> | undefined =>
    broker.heard.find(({ topic, message }) => topic === 'v1/host/h1/reply' && message['requestId'] === id)
      ?.message;

  broker.request({
    requestId: 'a',
    ask: 'test',
    driver: 'masimo',
    settings: { port: `tcp://127.0.0.1:${oximeter.port}` },
    forMs: 500,
  });
  broker.request({
    requestId: 'b',
    ask: 'test',
    driver: 'masimo',
    settings: { port: 'tcp://127.0.0.1:1' },
    forMs: 300,
  });
  broker.request({ requestId: 'c', ask: 'test', driver: 'masimo', settings: {}, forMs: 300 });
  broker.request({ requestId: 'd', ask: 'discover-serial' });
  broker.request({ requestId: 'e', ask: 'reboot' });
  await broker.until(() => ['a', 'b', 'c', 'd', 'e'].every((id) => reply(id) !== undefined));
  expect(reply('a')?.['seen']).toEqual(
    expect.arrayContaining([expect.objectContaining({ metric: 'MDC_PULS_OXIM_SAT_O2' })]),
  );
  expect(reply('b')?.['fault']).toMatchObject({ code: 'WIRE_REFUSED' });
  expect(reply('c')?.['fault']).toMatchObject({ code: 'DRIVER_SETTINGS', details: { path: '/port' } });
  expect(reply('d')?.['seen']).toBeInstanceOf(Array);
  expect(reply('e')?.['fault']).toMatchObject({ code: 'CONTRACT_PAYLOAD' });
});

test('a second host on the same data folder is refused', async () => {
  await using broker = await openBroker();
  await broker.configure({ revision: 1, devices: [] });
  broker.startHost();
  await broker.until(() => broker.hostState?.revision === 1);
  const [code] = (await once(broker.startHost(), 'exit')) as [number];
  expect(code).toBe(1);
});
