import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: yesterday never rings. Way: a device is cut off for ten minutes, desaturates meanwhile, recovers, and sends
// its backlog afterwards; then the same with a desaturation that goes on.
test('a crossing that ended in the backlog raises nothing', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 5);
  const cutAtMs = ward.clock.nowMs();
  await ward.clock.pass(600_000);
  ward.say('mon-1', { [SPO2]: 97 });
  for (let second = 0; second < 540; second++) {
    ward.say('mon-1', { [SPO2]: 82 }, { takenAtMs: cutAtMs + second * 1_000, historical: true });
  }
  await ward.clock.pass(500);
  expect(ward.present()).toEqual([]);
  expect(ward.told.filter((one) => one.alarm.kind === 'physiological')).toEqual([]);
});

test('a crossing that goes on is raised by a live value, with the onset the backlog tells', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 5);
  const cutAtMs = ward.clock.nowMs();
  await ward.clock.pass(120_000);
  const backAtMs = ward.clock.nowMs();
  ward.say('mon-1', { [SPO2]: 88 });
  for (let atMs = cutAtMs; atMs < backAtMs; atMs += 1_000) {
    const value = atMs < backAtMs - 40_000 ? 97 : 88;
    ward.say('mon-1', { [SPO2]: value }, { takenAtMs: atMs, historical: true });
  }
  expect(ward.present()).toEqual([]);
  await ward.clock.pass(1_000);
  ward.say('mon-1', { [SPO2]: 88 });
  expect(ward.one('limit SpO2 low')).toMatchObject({ onsetAtMs: backAtMs - 40_000 });
});

test('delay counts sample time inside a late batch that is still live', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 5);
  const cutAtMs = ward.clock.nowMs();
  await ward.clock.pass(30_000);
  for (let second = 0; second < 30; second++) {
    ward.say('mon-1', { [SPO2]: 88 }, { takenAtMs: cutAtMs + second * 1_000 });
  }
  expect(ward.one('limit SpO2 low').onsetAtMs).toBe(cutAtMs);
});
