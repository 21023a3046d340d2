import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { chain, nursing } from '../house/nursing-house.ts';

// Goal: a silent wall board is noticed before it is needed.
test('a board that lost its sound is a technical alarm at the charge nurse, and ends with the sound', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  const board = house.board();
  await house.clock.pass(20_000);
  expect(cleo.sounds()).toEqual([]);
  board.audio = false;
  await house.clock.pass(9_000);
  expect(cleo.sounds()).toEqual(['board-cannot-sound']);
  board.audio = true;
  await house.clock.pass(4_000);
  expect(cleo.sounds()).toEqual([]);
});

test('a board on the chain whose stream has just broken is not waited for', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']).die();
  const cleo = house.on('cleo', [], ['charge-nurse']);
  const board = house.board();
  await chain(house, [[{ assigned: true }], [{ board: true }], [{ role: 'charge-nurse' }]]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 9);
  board.disconnect();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 3);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
});

test('a board on the chain that takes in nothing is waited for as a handheld is', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']).die();
  const cleo = house.on('cleo', [], ['charge-nurse']);
  const board = house.board();
  await chain(house, [[{ assigned: true }], [{ board: true }], [{ role: 'charge-nurse' }]]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 9);
  // Its page hangs; its beats come from a worker and go on.
  board.hung = true;
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 8);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
});
