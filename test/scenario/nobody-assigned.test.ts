import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing } from '../house/nursing-house.ts';

// Goal: a bed that nobody has is somebody's to hand out, before anything happens there.
test('nobody assigned is one alarm at the charge nurse, and ends when a nurse takes the beds', async () => {
  const ward = await openWard(3);
  const house = await nursing(ward);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  const anna = house.on('anna', ['bed-1']);
  await house.clock.pass(2_000);
  expect(cleo.sounds()).toEqual(['nobody-assigned']);
  expect(anna.sounds()).toEqual([]);
  expect(ward.one('nobody-assigned').details).toEqual({ beds: 2, labels: '2, 3' });

  // Its alarms wait for nobody: they are at the next level at once.
  await ward.saySeconds('mon-2', { [SPO2]: 80 }, 12);
  expect(cleo.sounds()).toContain('limit SpO2 low');
  for (const bed of ['bed-2', 'bed-3'])
    house.people.assignments.take({ id: 'anna' }, { id: bed, ward: 'icu' });
  await house.clock.pass(2_000);
  expect(ward.present()).not.toContain('nobody-assigned');
  expect(anna.sounds()).toEqual(['limit SpO2 low']);
});
