import { expect, test } from 'vitest';
import { anna, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a full disk silences nobody. Way: every write is refused while a patient desaturates, is acknowledged, gets
// worse and recovers; then there is room again.
test('with a full disk alarms ring, are acknowledged, escalate and end; all of it is written when there is room', async () => {
  const ward = await openWard();
  ward.rows.refuse(true);
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ priority: 'medium', recorded: false });
  ward.alarms.acknowledge(ward.one('limit SpO2 low').id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 82 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({
    priority: 'high',
    inactivation: 'enabled',
    recorded: false,
  });
  const { id } = ward.one('limit SpO2 low');
  ward.say('mon-1', { [SPO2]: 97 });
  expect(ward.present()).toEqual([]);
  ward.rows.refuse(false);
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 2);
  expect(ward.alarms.alarm(id)?.recorded).toBe(true);
  const events = ward.rows.logged.map((one) => (one.entry as { event: string }).event);
  expect(events).toEqual(['raised', 'acknowledged', 'escalated', 'ended']);
});
