import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing } from '../house/nursing-house.ts';

// Goal: an alarm that nobody hears is itself an alarm, and is heard by the first screen that comes back.
test('an alarm that reached nobody is a technical alarm, until somebody can ring', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 10);
  anna.die();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 17);
  expect(ward.one('alarm-unreached')).toMatchObject({
    priority: 'high',
    ward: 'icu',
    details: { alarms: 1 },
  });
  const cleo = house.on('cleo', [], ['charge-nurse']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 2);
  expect(cleo.sounds()).toContain('limit SpO2 low');
  expect(ward.present()).not.toContain('alarm-unreached');
});

test('no handheld can ring, a board can: it sounds for it at once, medium ones too', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const board = house.board();
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 10);
  anna.hide();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  expect(board.sounds()).toEqual(['limit SpO2 low']);
  expect(ward.present()).not.toContain('alarm-unreached');
});
