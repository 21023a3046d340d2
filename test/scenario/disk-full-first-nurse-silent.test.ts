import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing, personOf } from '../house/nursing-house.ts';

// Goal: a full disk silences no level. Way: every write is refused from before the fall on; people come and go meanwhile.
test('disk full and first nurse silent: all levels still ring', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  ward.rows.refuse(true);
  const dan = house.on('dan');
  const board = house.board();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect(anna.sounds()).toEqual(['limit SpO2 low']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect(cleo.sounds()).toEqual(['limit SpO2 low']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 60);
  expect([anna, cleo, dan, board].flatMap((one) => one.sounds())).toHaveLength(4);
  ward.alarms.acknowledge(ward.one('limit SpO2 low').id, personOf('anna'));
  expect([anna, cleo, dan, board].flatMap((one) => one.sounds())).toEqual([]);

  // Dan's shift counted at once; it is written when there is room.
  expect(house.people.behind).toBeGreaterThan(0);
  ward.rows.refuse(false);
  await house.clock.pass(2_000);
  expect(house.people.behind).toBe(0);
});
