// Goal: a machine clock that is set by hours moves no alarm, no delay and no time of a value (DESIGN section 2, times).
// Way: a whole gateway under libfaketime, its clock stepped by hours while an alarm is pending and while it is present.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { BedView } from '../../model/stream.ts';
import { atRest, openGatewayProcess, until } from '../house/gateway-process.ts';

const library = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
const heart = 'MDC_ECG_HEART_RATE';
const delayS = 6;
const periodMs = 500;

const rooms: string[] = [];
afterEach(() => {
  for (const room of rooms.splice(0)) rmSync(room, { recursive: true, force: true });
});

test('stepped by hours while an alarm is pending and present, it rings once, in time, and ends once', async () => {
  const room = mkdtempSync(join(tmpdir(), 'vigil-clock-'));
  rooms.push(room);
  const { step, env } = fakeClock(room);
  await using gateway = await openGatewayProcess({ devices: 2, hosts: 1, env });
  const { view } = await gateway.call<{ view: BedView }>('GET', '/api/v1/beds/bed-0');
  const limit = { metric: heart, direction: 'high', priority: 'high', value: 140, delayS };
  await gateway.call('PUT', `/api/v1/encounters/${view.encounter?.id}/alarm-limits`, {
    limits: [limit],
    reason: 'a delay to step the clock in',
  });

  const [client] = gateway.clients();
  if (!client) throw new Error('a sender was wanted');
  await client.connect();
  client.speakAsHost();
  using stream = await gateway.stream();
  const startedAtMs = Date.now();
  let rate = 72;
  let seq = 0;
  const sentAtMs: number[] = [];
  const sending = setInterval(() => {
    seq += 1;
    sentAtMs[seq] = Date.now();
    const message = { boot: 'clock', seq, values: { [heart]: rate } };
    client.publish('v1/device/device-0/observations', JSON.stringify(message));
    // The second one tells its own, right, time; it must not be taken for a wrong one when ours is set.
    const told = { ...message, takenAtMs: Date.now(), values: { [heart]: 72 } };
    client.publish('v1/device/device-1/observations', JSON.stringify(told));
  }, periodMs);

  const ringing = () => stream.alarms.filter(({ alarm }) => alarm.kind === 'physiological');
  const last = () => ringing().at(-1)?.alarm;
  const clockAlarm = () =>
    stream.alarms.filter(({ alarm }) => alarm.condition === 'clock-stepped').at(-1)?.alarm;
  const clockPart = async () => (await gateway.health()).parts.find(({ part }) => part === 'clock');
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  try {
    await wait(2_000);
    rate = 180;
    const crossedMs = performance.now();
    await wait(2_000);
    step('+2h');
    await until('the technical alarm of the clock', 5_000, () => clockAlarm()?.presence === 'present');
    expect(await clockPart()).toMatchObject({ status: 'yellow' });
    await until('the alarm after its delay', 12_000, () => last()?.presence === 'present');
    const raisedMs = ringing()[0]?.atMs ?? 0;
    expect(raisedMs - crossedMs).toBeGreaterThan(delayS * 1_000 - periodMs);

    step('-2h');
    await wait(3_000);
    expect(new Set(ringing().map(({ alarm }) => alarm.id)).size).toBe(1);
    expect(last()?.presence).toBe('present');
    rate = 72;
    await until('the end of the alarm', 5_000, () => last()?.presence === 'absent');

    rate = 180;
    const againMs = performance.now();
    await wait(2_000);
    step('+0');
    await until('the second alarm', 12_000, () => last()?.presence === 'present');
    expect((ringing().at(-1)?.atMs ?? 0) - againMs).toBeGreaterThan(delayS * 1_000 - periodMs);
    await until('the end of the clock’s alarm', 5_000, () => clockAlarm()?.presence === 'absent');
    expect(await clockPart()).toMatchObject({ status: 'green' });
  } finally {
    clearInterval(sending);
  }

  // Two crossings, two alarms; each began before it was raised, and was raised once.
  const told = ringing().map(({ alarm }) => alarm);
  expect(new Set(told.map((alarm) => alarm.id)).size).toBe(2);
  for (const alarm of told) {
    expect(alarm.raisedAtMs - alarm.onsetAtMs).toBeGreaterThanOrEqual(delayS * 1_000);
    expect(alarm.raisedAtMs - alarm.onsetAtMs).toBeLessThan(delayS * 1_000 + 3_000);
  }
  expect(stream.times.toSorted((a, b) => a - b)).toEqual(stream.times);

  await until('all is confirmed', 5_000, () => client.pending === 0);
  client.end();
  await atRest(gateway);
  for (const device of ['device-0', 'device-1']) {
    const rows = await gateway.rows(device, startedAtMs - 10_000_000, Date.now() + 10_000_000);
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: seq }, (_, at) => at + 1));
    expect(rows.filter((row) => row.validity !== 'valid' || row.reason !== undefined)).toEqual([]);
    const astray = rows.filter((row) => Math.abs(row.takenAtMs - (sentAtMs[row.seq] ?? 0)) > 1_000);
    expect(astray).toEqual([]);
  }
});

test('started again on a clock two hours behind, it stamps nothing earlier than before, and rings', async () => {
  const room = mkdtempSync(join(tmpdir(), 'vigil-clock-'));
  rooms.push(room);
  const { step, env } = fakeClock(room);
  await using gateway = await openGatewayProcess({ devices: 2, hosts: 1, env });
  const [client] = gateway.clients();
  if (!client) throw new Error('a sender was wanted');
  const startedAtMs = Date.now();
  let seq = 0;
  const say = async (rate: number): Promise<void> => {
    seq += 1;
    const message = { boot: 'clock', seq, values: { [heart]: rate } };
    await client.ask('v1/device/device-0/observations', JSON.stringify(message));
    const told = { ...message, takenAtMs: Date.now(), values: { [heart]: 72 } };
    await client.ask('v1/device/device-1/observations', JSON.stringify(told));
  };
  await client.connect();
  for (let more = 0; more < 5; more++) await say(72);

  await gateway.stage.stop('SIGKILL');
  step('-2h');
  await gateway.restart('SIGKILL');
  await client.connect();
  using stream = await gateway.stream();
  for (let more = 0; more < 5; more++) await say(72);
  await say(180);
  await until('the alarm', 2_000, () =>
    stream.alarms.some(({ alarm }) => alarm.kind === 'physiological' && alarm.presence === 'present'),
  );
  await until('the technical alarm of the clock', 5_000, () =>
    stream.alarms.some(({ alarm }) => alarm.condition === 'clock-stepped'),
  );
  await atRest(gateway);
  for (const device of ['device-0', 'device-1']) {
    const rows = await gateway.rows(device, startedAtMs - 10_000_000, Date.now() + 10_000_000);
    // Oldest first, as they were taken.
    expect(rows.map((row) => row.seq)).toEqual(Array.from({ length: seq }, (_, at) => at + 1));
    expect(rows.filter((row) => row.validity !== 'valid' || row.reason !== undefined)).toEqual([]);
    expect(rows.filter((row) => Math.abs(row.takenAtMs - startedAtMs) > 60_000)).toEqual([]);
  }
  client.end();
});

function fakeClock(room: string): { step: (offset: string) => void; env: Record<string, string> } {
  expect(existsSync(library), `${library} is missing: npm run peers installs libfaketime`).toBe(true);
  const file = join(room, 'offset');
  const step = (offset: string): void => writeFileSync(file, offset);
  step('+0');
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  return { step, env };
}
