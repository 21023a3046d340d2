import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing } from '../house/nursing-house.ts';

// Goal: a battery that gives up silently costs seconds, not minutes.
test('two beats missed while it rings there: the next person within 5 s', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  anna.frozen = true;
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 5);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
});

test('dead before anything rang: nobody waits for it', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']).die();
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
});

test('frozen with an open socket: unconfirmed, so the next person within 5 s, and the way says so', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 10);
  anna.frozen = true;
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 6);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
  const way = await house.deliveries.way(ward.one('limit SpO2 low').id);
  expect(way?.deliveries.map((one) => [one.person, one.delivery, one.why])).toEqual([
    ['anna', 'failed', 'unconfirmed'],
    ['cleo', 'shown', undefined],
  ]);
});

test('a short gap of the network is no reason: the phone is back in two seconds and gets what it missed', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  anna.disconnect();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  anna.connect();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 10);
  expect([anna.sounds(), cleo.sounds()]).toEqual([['limit SpO2 low'], []]);
  expect(anna.came.filter((one) => one.sound === 'alarm')).toHaveLength(1);
});
