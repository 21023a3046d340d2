import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { chain, nursing } from '../house/nursing-house.ts';

// Goal: a restart neither forgets who was already silent nor makes the next one wait anew.
test('after a restart in the middle of the chain redirection goes on with the remaining patience', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']);
  house.on('bela');
  house.on('cleo', [], ['charge-nurse']);
  await chain(house, [[{ assigned: true }], [{ person: 'bela' }], [{ role: 'charge-nurse' }]]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12 + 60);
  expect(house.handheld('bela').sounds()).toEqual(['limit SpO2 low']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 30);

  const again = await house.restart(3_000);
  await again.ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  const { handheld } = again;
  expect([handheld('anna').sounds(), handheld('bela').sounds()]).toEqual([
    ['limit SpO2 low'],
    ['limit SpO2 low'],
  ]);
  expect(handheld('cleo').sounds()).toEqual([]);
  expect(again.ward.one('limit SpO2 low').route).toMatchObject({ level: 2 });
  await again.ward.saySeconds('mon-1', { [SPO2]: 80 }, 20);
  expect(handheld('cleo').sounds()).toEqual([]);
  await again.ward.saySeconds('mon-1', { [SPO2]: 80 }, 6);
  expect(handheld('cleo').sounds()).toEqual(['limit SpO2 low']);
  expect(again.ward.present()).not.toContain('alarm-unreached');
});

test('patience that ended while nothing ran ends with the start', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']);
  house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12 + 30);
  const again = await house.restart(120_000);
  await again.ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  expect(again.handheld('cleo').sounds()).toEqual(['limit SpO2 low']);
});
