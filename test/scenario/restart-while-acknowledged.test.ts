import { expect, test } from 'vitest';
import { anna, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: the gateway is killed while a nurse stands at the bed; nothing rings twice, nothing is forgotten.
test('killed and started within 5 s: the acknowledged alarm stays quiet for the rest of its time, then rings', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 82 }, 11);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.acknowledge(id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 82 }, 100);
  const again = await ward.restart(5_000);
  expect(again.present()).toEqual(['limit SpO2 low']);
  await again.saySeconds('mon-1', { [SPO2]: 82 }, 14);
  expect(again.told).toEqual([]);
  await again.saySeconds('mon-1', { [SPO2]: 82 }, 3);
  expect(again.told[0]).toMatchObject({ cause: 'realarmed', alarm: { id, inactivation: 'enabled' } });
  again.say('mon-1', { [SPO2]: 97 });
  expect(again.present()).toEqual([]);
});
