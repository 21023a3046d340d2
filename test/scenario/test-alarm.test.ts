import { expect, test } from 'vitest';
import { openWard } from '../house/alarm-house.ts';
import { nursing, personOf } from '../house/nursing-house.ts';

// Goal: a handheld is proved before it is trusted, and nobody else is disturbed by it.
test('a test alarm rings at the named handheld only, marked TEST, and is over after its time', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  const by = personOf('anna');
  const shift = house.people.shifts.openOf('anna')?.id ?? '';
  const wanted = { bed: 'bed-1', shift, priority: 'high', minutes: 10 } as const;
  expect(house.deliveries.test.begin(by, { ...wanted, minutes: 31 })).toBe('too-long');
  expect(house.deliveries.test.begin(by, { ...wanted, shift: 'none' })).toBe('absent');
  house.deliveries.test.begin(by, wanted);
  expect(anna.came.at(-1)).toMatchObject({ sound: 'alarm', alarm: { details: { test: 'TEST' } } });
  await house.clock.pass(9 * 60_000);
  expect([anna.sounds(), cleo.sounds()]).toEqual([['test'], []]);
  expect(ward.present()).toEqual(['test']);
  await house.clock.pass(61_000);
  expect(ward.present()).toEqual([]);
  expect(anna.sounds()).toEqual([]);
});
