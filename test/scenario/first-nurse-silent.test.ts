import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { chain, nursing } from '../house/nursing-house.ts';

// Goal: a fall in saturation reaches the nurse in time, and nobody's silence ends it.
test('an unanswered desaturation goes to the second nurse, then the charge nurse, then to everybody and the board', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const bela = house.on('bela');
  const cleo = house.on('cleo', [], ['charge-nurse']);
  const dan = house.on('dan');
  const board = house.board();
  await chain(house, [[{ assigned: true }], [{ person: 'bela' }], [{ role: 'charge-nurse' }]]);
  await house.clock.pass(2_000);

  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 11);
  expect(anna.sounds()).toEqual(['limit SpO2 low']);
  expect([bela, cleo, dan, board].flatMap((one) => one.sounds())).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect(bela.sounds()).toEqual(['limit SpO2 low']);
  // Nobody of the first level answered: the board sounds, and the first nurse is not let go.
  expect([anna, board].flatMap((one) => one.sounds())).toHaveLength(2);
  expect(cleo.sounds()).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
  expect(dan.sounds()).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect(dan.sounds()).toEqual(['limit SpO2 low']);
  expect(ward.one('limit SpO2 low').route).toMatchObject({ level: 4, round: 1 });
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect(ward.one('limit SpO2 low').route).toMatchObject({ level: 1, round: 2 });
  expect([anna, bela, cleo, dan, board].flatMap((one) => one.sounds())).toHaveLength(5);

  ward.say('mon-1', { [SPO2]: 97 });
  expect([anna, bela, cleo, dan, board].flatMap((one) => one.sounds())).toEqual([]);
});
