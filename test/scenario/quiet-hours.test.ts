import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { chain, nursing } from '../house/nursing-house.ts';

// Goal: patients sleep, and nobody is quieter about what is dangerous. The clock starts at 02:00 UTC.
test('in quiet hours medium sounds softer and high as ever; outside them nothing changes', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const quietHours = { from: '22:00', to: '06:00', zone: 'UTC' };
  await chain(house, [[{ assigned: true }]], { quietHours });
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 12);
  expect(anna.with('soft')).toEqual(['limit SpO2 low']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect(anna.with('alarm')).toEqual(['limit SpO2 low']);
  ward.say('mon-1', { [SPO2]: 97 });
  await chain(house, [[{ assigned: true }]], { quietHours: { ...quietHours, zone: 'Asia/Shanghai' } });
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 12);
  expect(anna.with('alarm')).toEqual(['limit SpO2 low']);
});
