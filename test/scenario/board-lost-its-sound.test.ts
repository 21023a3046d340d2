import { expect, test } from 'vitest';
import { openWard } from '../house/alarm-house.ts';
import { nursing } from '../house/nursing-house.ts';

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
