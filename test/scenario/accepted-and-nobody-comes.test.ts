import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing, personOf } from '../house/nursing-house.ts';

// Goal: "I go" silences everybody, and only for so long as one goes. Way: Anna accepts and is held up.
test('accepted and nobody came: after 60 s it rings again, and further on', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.accept(id, personOf('anna'));
  expect(anna.sounds()).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 58);
  expect([anna, cleo].flatMap((one) => one.sounds())).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 3);
  expect([anna, cleo].flatMap((one) => one.sounds())).toHaveLength(2);
});

test('accepted, then acknowledged at the bed: it rests, and rings again from the first level after its re-alarm time', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.accept(id, personOf('anna'));
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 30);
  ward.alarms.acknowledge(id, personOf('anna'));
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 118);
  expect([anna, cleo].flatMap((one) => one.sounds())).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 4);
  expect(anna.sounds()).toEqual(['limit SpO2 low']);
  expect(cleo.sounds()).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
});
