import { expect, test } from 'vitest';
import { HR, openWard, PR, SPO2 } from '../house/alarm-house.ts';

// Goal: an ECG electrode falls off a tachycardic patient; the pulse of the oximeter goes on watching.
test('the pulse takes over, marked; the alarm is one throughout, and the missing ECG is told', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [HR]: 128, [PR]: 127, [SPO2]: 97 }, 12);
  const { id, onsetAtMs } = ward.one('limit HR high');
  const off = { [HR]: { value: null, reason: 'sensor-off' }, [PR]: 127, [SPO2]: 97 } as const;
  await ward.saySeconds('mon-1', off, 30);
  expect(ward.present()).toEqual(['limit PR high', 'value-missing']);
  expect(ward.one('limit PR high')).toMatchObject({
    id,
    onsetAtMs,
    presence: 'present',
    details: { insteadOf: 'HR' },
  });
  expect(ward.one('value-missing').details).toMatchObject({ metrics: 'HR', reason: 'sensor-off' });
  await ward.saySeconds('mon-1', { [HR]: 100, [PR]: 100, [SPO2]: 97 }, 1);
  expect(ward.present()).toEqual([]);
});
