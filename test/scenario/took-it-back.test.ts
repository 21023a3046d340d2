import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { chain, nursing, personOf } from '../house/nursing-house.ts';

// Goal: who said "I go" and takes it back, or undoes an acknowledgement, leaves nobody in silence.
const anna = personOf('anna');

test('accepted, then rejected by the same nurse: the next person rings at once', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const annas = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  const { id } = ward.one('limit SpO2 low');
  expect(ward.alarms.accept(id, anna)).toBe('done');
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 5);
  expect(ward.alarms.reject(id, anna)).toBe('done');
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 1);
  expect([annas.sounds(), cleo.sounds()]).toEqual([[], ['limit SpO2 low']]);
});

test('acknowledged by who had accepted it, then resumed: it rings again', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const annas = house.on('anna', ['bed-1']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.accept(id, anna);
  ward.alarms.acknowledge(id, anna);
  expect(ward.alarms.resume(id, anna)).toBe('done');
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 1);
  expect(annas.sounds()).toEqual(['limit SpO2 low']);
});

test('accepted while acknowledged, then resumed after the patience: it rings again', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const annas = house.on('anna', ['bed-1']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.acknowledge(id, anna);
  ward.alarms.accept(id, anna);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 70);
  expect(ward.alarms.resume(id, anna)).toBe('done');
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 1);
  expect(annas.sounds()).toEqual(['limit SpO2 low']);
});

test('one rejects and another accepts in the same instant: it rings again when the patience is over', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const annas = house.on('anna', ['bed-1']);
  const belas = house.on('bela');
  await chain(house, [[{ assigned: true }], [{ person: 'bela' }]]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12 + 70);
  const { id } = ward.one('limit SpO2 low');
  ward.alarms.reject(id, anna);
  ward.alarms.reject(id, personOf('bela'));
  ward.alarms.accept(id, personOf('bela'));
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  expect(ward.one('limit SpO2 low')).toMatchObject({ responsibility: 'accepted', acceptedBy: 'bela' });
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect([...annas.sounds(), ...belas.sounds()]).toContain('limit SpO2 low');
});
