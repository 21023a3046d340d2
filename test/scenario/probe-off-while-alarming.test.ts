import { expect, test } from 'vitest';
import { anna, HR, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a probe that falls off a desaturating patient does not silence him.
test('probe off while alarming keeps the alarm, says what is lost, and ends by a person or a good value', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 83 }, 11);
  const off = { [HR]: 80, [SPO2]: { value: null, reason: 'sensor-off' } } as const;
  await ward.saySeconds('mon-1', off, 30);
  expect(ward.present()).toEqual(['limit SpO2 low', 'source-lost', 'value-missing']);
  expect(ward.one('limit SpO2 low')).toMatchObject({ presence: 'sourceLost', priority: 'high', value: 83 });

  // The probe is back with a value that still violates: the same alarm, its source found.
  const { id } = ward.one('limit SpO2 low');
  await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 84 }, 2);
  expect(ward.one('limit SpO2 low')).toMatchObject({ id, presence: 'present' });
  expect(ward.present()).toEqual(['limit SpO2 low']);

  await ward.saySeconds('mon-1', off, 30);
  expect(ward.alarms.endMeasurement(id, anna, 'probe moved to the other hand')).toBe('done');
  expect(ward.present()).toEqual(['value-missing']);
  await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 97 }, 2);
  expect(ward.present()).toEqual([]);
});
