import { expect, test } from 'vitest';
import { mustRing } from '../../model/alarm.ts';
import { anna, HR, openWard } from '../house/alarm-house.ts';

const asystole = { alertId: 'asy', code: 'ASYS', text: '*** ASYSTOLE', metric: HR };

// Goal: a pause of the heart that ended by itself is seen by a person, however long it takes (CLINICAL 4).
test('asystole of eight seconds stays until a person clears it; it reminds and never escalates', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [asystole], 8, { [HR]: 70 });
  const { id } = ward.one('device');
  expect(ward.one('device')).toMatchObject({ priority: 'high', direction: 'low', latching: true });
  expect(ward.alarms.clear(id, anna)).toBe('not-allowed');
  await ward.alertSeconds('mon-1', [], 200, { [HR]: 70 });
  expect(ward.one('device')).toMatchObject({ id, presence: 'absent', signal: 'latched', priority: 'high' });
  expect(mustRing(ward.one('device'))).toBe(false);
  expect(ward.told.map((one) => one.cause).filter((cause) => cause !== 'recorded')).toEqual([
    'raised',
    'latched',
    'reminded',
  ]);
  expect(ward.alarms.accept(id, anna)).toBe('not-allowed');
  expect(ward.alarms.clear(id, anna)).toBe('done');
  expect(ward.present()).toEqual([]);
  expect(ward.alarms.alarm(id)).toMatchObject({ signal: 'off' });
});

test('a new episode of what is latched rings again', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [asystole], 8);
  await ward.alertSeconds('mon-1', [], 5);
  const { id } = ward.one('device');
  ward.alarms.acknowledge(id, anna);
  await ward.alertSeconds('mon-1', [asystole], 1);
  expect(ward.one('device')).toMatchObject({
    id,
    presence: 'present',
    signal: 'on',
    inactivation: 'enabled',
  });
  expect(ward.told.filter((one) => one.cause === 'raised')).toHaveLength(2);
});

test('it can be silenced for two minutes, and never paused or switched off', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [asystole], 1);
  const { id } = ward.one('device');
  expect(ward.alarms.pauseAlarm(id, anna, { reason: 'x' })).toBe('not-allowed');
  expect(ward.alarms.switchOff(id, anna, { what: 'audio', reason: 'x' })).toBe('not-allowed');
  expect(ward.alarms.pauseAudio(id, anna)).toBe('done');
});

test('latched alarms outlive a kill; the next patient does not inherit them', async () => {
  const ward = await openWard();
  await ward.alertSeconds('mon-1', [{ code: 'VF', text: 'V-FIB' }], 3);
  await ward.alertSeconds('mon-1', [], 3);
  const again = await ward.restart();
  expect(again.one('device')).toMatchObject({ signal: 'latched', sources: [{ text: 'V-FIB' }] });
  const [open] = again.census.associations({ open: true });
  await again.census.endAssociation(anna, open?.id ?? '', { reason: 'moved' });
  expect(again.present()).toEqual([]);
});
