import { expect, test } from 'vitest';
import { anna, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: two nurses, one alarm, one second: nobody quiets something she did not see.
test('an acknowledgement that comes after the end is told so, and quiets nothing that comes later', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const seen = ward.one('limit SpO2 low');
  ward.say('mon-1', { [SPO2]: 97 });
  expect(ward.alarms.acknowledge(seen.id, anna, seen.version)).toBe('gone');
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const next = ward.one('limit SpO2 low');
  expect(next.id).not.toBe(seen.id);
  expect(next.inactivation).toBe('enabled');
});

test('an acknowledgement of the medium alarm does not quiet the high one it has become', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  const seen = ward.one('limit SpO2 low');
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  expect(ward.alarms.acknowledge(seen.id, anna, seen.version)).toBe('changed');
  expect(ward.one('limit SpO2 low')).toMatchObject({ priority: 'high', inactivation: 'enabled' });
});
