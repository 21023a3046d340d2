import { expect, test } from 'vitest';
import { HR, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a switch dies with sixty beds behind it: one alarm within 10 s, not sixty, and the one patient who was
// alarming is not forgotten under it.
test('sixty beds cut at once are one alarm within 10 s, and the desaturation before it stays', async () => {
  const ward = await openWard(60, { host: 'host-1' });
  for (let second = 0; second < 15; second++) {
    for (let bed = 1; bed <= 60; bed++) ward.say(`mon-${bed}`, { [HR]: 80, [SPO2]: bed === 17 ? 84 : 97 });
    await ward.clock.pass(1_000);
  }
  expect(ward.present()).toEqual(['limit SpO2 low']);
  ward.told.length = 0;
  await ward.clock.pass(8_500);
  expect(ward.present()).toEqual(['device-silent', 'limit SpO2 low']);
  expect(ward.told.filter((one) => one.cause === 'raised')).toHaveLength(1);
  expect(ward.one('device-silent').details).toMatchObject({ devices: 60 });
  await ward.clock.pass(5_000);
  expect(ward.one('limit SpO2 low')).toMatchObject({ bed: 'bed-17', presence: 'sourceLost' });
  await ward.clock.pass(60_000);
  expect(ward.one('device-silent').priority).toBe('medium');
});
