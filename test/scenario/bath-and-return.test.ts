import { expect, test } from 'vitest';
import { anna, HR, openWard, SPO2 } from '../house/alarm-house.ts';

const well = { [HR]: 80, [SPO2]: 97 };

// Goal: one touch lets a nurse take the patient to the bath without an alarm, and watching comes back by itself.
test('patient away: nothing is told as absent, limits are judged as ever, and the first value after 30 s ends it', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', well, 20);
  await ward.census.setMonitoring(anna, 'bed-1', { state: 'away', reason: 'bath' });
  await ward.saySeconds('mon-1', { [HR]: 145, [SPO2]: 97 }, 11);
  expect(ward.present()).toEqual(['limit HR high']);
  await ward.saySeconds('mon-1', well, 1);
  await ward.clock.pass(25 * 60_000);
  expect(ward.present()).toEqual([]);
  expect(ward.census.monitoring('bed-1').state).toBe('away');

  ward.say('mon-1', { [HR]: { value: null, reason: 'sensor-off' } });
  await ward.clock.pass(0);
  expect(ward.census.monitoring('bed-1').state).toBe('away');
  ward.say('mon-1', well);
  await ward.clock.pass(0);
  expect(ward.census.monitoring('bed-1')).toMatchObject({ state: 'on', by: 'mon-1' });
  await ward.clock.pass(8_000);
  expect(ward.present()).toEqual(['device-silent']);
});

test('values that go on, or stop for less than 30 s, do not end patient away', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', well, 20);
  await ward.census.setMonitoring(anna, 'bed-1', { state: 'away', reason: 'walk' });
  await ward.saySeconds('mon-1', well, 5);
  await ward.clock.pass(28_000);
  await ward.saySeconds('mon-1', well, 3);
  expect(ward.census.monitoring('bed-1').state).toBe('away');
});

test('a return that is overdue asks the nurse once, until the bed is on again', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', well, 5);
  const expectedReturnAtMs = ward.clock.nowMs() + 600_000;
  await ward.census.setMonitoring(anna, 'bed-1', { state: 'away', reason: 'CT', expectedReturnAtMs });
  await ward.clock.pass(599_000);
  expect(ward.present()).toEqual([]);
  await ward.clock.pass(60_000);
  expect(ward.one('return-overdue')).toMatchObject({ owner: 'nurse', priority: 'low', bed: 'bed-1' });
  await ward.census.setMonitoring(anna, 'bed-1', { state: 'on' });
  expect(ward.present()).toEqual([]);
});

test("the device's own standby is its bed's", async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', well, 5);
  ward.state('mon-1', 'connected', 'standby');
  await ward.clock.pass(60_000);
  expect(ward.census.monitoring('bed-1')).toMatchObject({ state: 'standby', by: 'mon-1' });
  expect(ward.present()).toEqual([]);
});
