import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing, personOf } from '../house/nursing-house.ts';

// Goal: who cannot go says so and is let go; the alarm waits for nobody who has said no.
test('when all who ring cannot go the alarm is at the next level at once', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const bela = house.on('bela', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect([anna, bela].flatMap((one) => one.sounds())).toHaveLength(2);

  const { id } = ward.one('limit SpO2 low');
  expect(ward.alarms.reject(id, personOf('anna'))).toBe('done');
  expect(anna.sounds()).toEqual([]);
  expect(bela.sounds()).toEqual(['limit SpO2 low']);
  expect(cleo.sounds()).toEqual([]);
  expect(ward.alarms.reject(id, personOf('bela'))).toBe('done');
  expect(bela.sounds()).toEqual([]);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
  await house.clock.pass(0);
  expect(ward.one('limit SpO2 low').route).toMatchObject({
    level: 2,
    to: ['cleo'],
    rejectedBy: ['anna', 'bela'],
  });
});

test('who accepted and cannot go after all says so: it rings at once, and further on', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const bela = house.on('bela', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.accept(id, personOf('anna'));
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 20);
  expect([anna, bela, cleo].flatMap((one) => one.sounds())).toEqual([]);
  ward.alarms.reject(id, personOf('anna'));
  expect(anna.sounds()).toEqual([]);
  expect([bela, cleo].flatMap((one) => one.sounds())).toHaveLength(2);
});
