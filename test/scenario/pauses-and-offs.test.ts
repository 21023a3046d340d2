import { expect, test } from 'vitest';
import { mustRing } from '../../model/alarm.ts';
import { anna, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a pause is what CLINICAL 4 allows and no more; what is off without an end reminds.
test('an audio pause for suctioning holds two minutes at most, whatever was asked for', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const { id } = ward.one('limit SpO2 low');
  expect(ward.alarms.pauseAudio(id, anna, { forMs: 600_000 })).toBe('done');
  expect(ward.one('limit SpO2 low')).toMatchObject({
    inactivation: 'audioPaused',
    inactivatedBy: 'Anna',
    inactivatedUntilMs: ward.clock.nowMs() + 120_000,
  });
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 119);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(false);
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 2);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(true);
  expect(ward.one('limit SpO2 low').inactivatedUntilMs).toBeUndefined();
});

test('an alarm pause holds as long as asked, ten minutes at most, and may be ended before', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.pauseAlarm(id, anna, { reason: 'turning the patient', forMs: 300_000 });
  expect(ward.one('limit SpO2 low')).toMatchObject({
    inactivation: 'alarmPaused',
    inactivationReason: 'turning the patient',
    inactivatedUntilMs: ward.clock.nowMs() + 300_000,
  });
  expect(ward.alarms.resume(id, anna)).toBe('done');
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(true);
  ward.alarms.pauseAlarm(id, anna, { reason: 'still turning', forMs: 3_600_000 });
  expect(ward.one('limit SpO2 low').inactivatedUntilMs).toBe(ward.clock.nowMs() + 600_000);
});

test('what is off without an end reminds, and rings when it becomes high', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const { id } = ward.one('limit SpO2 low');
  expect(ward.alarms.switchOff(id, anna, { what: 'alarm', reason: 'palliative care' })).toBe('done');
  expect(ward.alarms.acknowledge(id, anna)).toBe('not-allowed');
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 905);
  expect(ward.told.filter((one) => one.cause === 'reminded')).toHaveLength(3);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(false);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  expect(mustRing(ward.one('limit SpO2 low'))).toBe(true);
});

test('a pause outlives a kill by what is left of it', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  ward.alarms.pauseAudio(ward.one('limit SpO2 low').id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 60);
  const again = await ward.restart(30_000);
  await again.saySeconds('mon-1', { [SPO2]: 88 }, 29);
  expect(mustRing(again.one('limit SpO2 low'))).toBe(false);
  await again.saySeconds('mon-1', { [SPO2]: 88 }, 2);
  expect(mustRing(again.one('limit SpO2 low'))).toBe(true);
});
