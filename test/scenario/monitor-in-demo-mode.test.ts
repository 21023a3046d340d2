import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a monitor that was left in its demo mode at a patient is noticed, and its pretty curves ring nobody.
// Way: the intake holds back values of a device in demo mode; the alarm that was present keeps and loses its source.
test('a monitor switched to demo while alarming: the alarm stays, the demo is told, no demo value ends it', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 84 }, 11);
  ward.state('mon-1', 'connected', 'demo');
  expect(ward.present()).toEqual(['device-in-demo-mode', 'limit SpO2 low']);
  await ward.saySeconds('mon-1', {}, 20);
  expect(ward.one('limit SpO2 low').presence).toBe('sourceLost');
  expect(ward.one('device-in-demo-mode').priority).toBe('medium');
  ward.state('mon-1', 'connected', 'operating');
  ward.say('mon-1', { [SPO2]: 97 });
  await ward.clock.pass(1_000);
  expect(ward.present()).toEqual([]);
});
