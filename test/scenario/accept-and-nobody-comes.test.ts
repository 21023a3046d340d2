import { expect, test } from 'vitest';
import { mustRing } from '../../model/alarm.ts';
import { anna, openWard, SPO2 } from '../house/alarm-house.ts';

const bela = { id: 'bela', name: 'Bela' };

// Goal: "I go" quiets the ward for a minute, and not for longer if nobody comes (CLINICAL 4).
test('a nurse accepts a desaturation and is held up: after her patience it rings again', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  const { id } = ward.one('limit SpO2 low');
  expect(ward.alarms.accept(id, anna)).toBe('done');
  expect(ward.one('limit SpO2 low')).toMatchObject({
    responsibility: 'accepted',
    acceptedBy: 'Anna',
    acceptUntilMs: ward.clock.nowMs() + 60_000,
  });
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(false);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 59);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(false);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(true);
  expect(ward.one('limit SpO2 low')).toMatchObject({ responsibility: 'undefined', acceptedBy: undefined });
  expect(ward.told.at(-2)?.cause).toBe('acceptanceExpired');
});

test('she comes and acknowledges at the bed: the acceptance is kept, the re-alarm time counts', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.accept(id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 30);
  ward.alarms.acknowledge(id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 119);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(false);
  expect(ward.one('limit SpO2 low').responsibility).toBe('accepted');
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(true);
  expect(ward.one('limit SpO2 low').responsibility).toBe('undefined');
});

test('nobody rejects for another; the one who accepted may change her mind, and it rings at once', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.accept(id, anna);
  expect(ward.alarms.reject(id, bela)).toBe('not-allowed');
  expect(ward.alarms.reject(id, anna)).toBe('done');
  expect(ward.one('limit SpO2 low')).toMatchObject({ responsibility: 'rejected', rejectedBy: 'Anna' });
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(true);
  expect(ward.alarms.accept(id, bela)).toBe('done');
  expect(ward.one('limit SpO2 low')).toMatchObject({ acceptedBy: 'Bela', rejectedBy: undefined });
});

test('a rise in priority ends the acceptance', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.accept(id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ id, priority: 'high', responsibility: 'undefined' });
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(true);
});

test('killed while somebody is on her way: what is left of her patience goes on, downtime counts', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  ward.alarms.accept(ward.one('limit SpO2 low').id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 20);
  const again = await ward.restart(10_000);
  await again.saySeconds('mon-1', { [SPO2]: 80 }, 29);
  expect(again.one('limit SpO2 low').responsibility).toBe('accepted');
  await again.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  expect(again.one('limit SpO2 low').responsibility).toBe('undefined');
});
