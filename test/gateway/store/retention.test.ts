import { expect, test } from 'vitest';
import { classOf, retentionOf } from '../../../gateway/store/retention.ts';
import { numberRow } from './bodies.ts';
import { openCore } from './core-room.ts';

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 0, 5, 12);
const retention = { vital: 48 * hourMs, settings: 24 * hourMs, technical: 12 * hourMs };
const keys = ['MDC_ECG_HEART_RATE', 'MDC_VENT_VOL_TIDAL_SETTING', 'room-temperature'];

const seenAt = (atMs: number, device = 'mx-1', receivedAtMs = atMs) => [
  keys.map((key) => ({ ...numberRow(device, key, atMs, 20, atMs / 1_000), receivedAtMs })),
];
const all = (device = 'mx-1') => [{ device, fromMs: 0, toMs: 1e15 }];

test('each class of metrics is kept for its own time, and a backlog for as long after it came', async () => {
  using room = openCore({ retention });
  room.chunk(seenAt(nowMs - 30 * hourMs));
  room.chunk(seenAt(nowMs - 2 * hourMs));
  room.chunk(seenAt(nowMs - 30 * hourMs, 'watch-1', nowMs - hourMs));
  while (!room.core.expireStep(nowMs));

  expect((await room.rows(all())).map(({ metric, takenAtMs }) => [metric, takenAtMs])).toEqual([
    ['MDC_ECG_HEART_RATE', nowMs - 30 * hourMs],
    ...keys.map((key) => [key, nowMs - 2 * hourMs]),
  ]);
  expect(await room.rows(all('watch-1'))).toHaveLength(3);
  expect(room.core.status()).toMatchObject({ expired: 2, stored: 7, series: 6 });
});

test('a chunk goes when the last of it is old, and as a whole', async () => {
  using room = openCore({ retention });
  const fromMs = nowMs - 12 * hourMs;
  room.chunk([...seenAt(fromMs - 60_000), ...seenAt(fromMs - 1_000)]);
  while (!room.core.expireStep(nowMs - 10_000));
  expect(await room.rows(all())).toHaveLength(6);
  while (!room.core.expireStep(nowMs));
  expect((await room.rows(all())).map(({ metric }) => metric)).not.toContain('room-temperature');
});

test('many series expire in steps, each of few, and the room they took is given back', () => {
  using room = openCore({ retention });
  const devices = Array.from({ length: 300 }, (_, at) => `mx-${at}`);
  room.chunk(devices.flatMap((device) => seenAt(nowMs - 100 * hourMs, device)));
  const before = room.core.status();
  let steps = 0;
  while (!room.core.expireStep(nowMs)) steps++;
  expect(steps).toBeGreaterThanOrEqual(4);
  room.core.checkpoint();
  expect(room.core.status()).toMatchObject({ stored: 0, series: 0, expired: 900 });
  expect(room.core.status().bytes).toBeLessThan(before.bytes / 2);
});

test('beside a time-series server that answers long queries nothing is kept longer than 72 h', () => {
  const settings = {
    retentionHours: 720,
    settingsRetentionHours: 48,
    technicalRetentionHours: 168,
    besideServerHours: 72,
  };
  const alone = { vital: 720 * hourMs, settings: 48 * hourMs, technical: 168 * hourMs };
  expect(retentionOf(settings, [])).toEqual(alone);
  expect(retentionOf(settings, [{ longQueries: false }])).toEqual(alone);
  expect(retentionOf(settings, [{ longQueries: false }, { longQueries: true }])).toEqual({
    vital: 72 * hourMs,
    settings: 48 * hourMs,
    technical: 72 * hourMs,
  });
});

test.each([
  ['MDC_ECG_HEART_RATE', 'vital'],
  ['consciousness', 'vital'],
  ['a-word-nobody-knows', 'vital'],
  ['vent-mode', 'settings'],
  ['MDC_VENT_VOL_TIDAL_SETTING', 'settings'],
  ['battery-voltage', 'technical'],
  ['door', 'technical'],
] as const)('%s is of the class %s', (metric, name) => {
  expect(classOf(metric)).toBe(name);
});
