import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { chain, nursing, personOf } from '../house/nursing-house.ts';

// Goal: a nurse who is tied up hands the alarm to a colleague, never to a phone that cannot ring.
test('by hand to a colleague who can ring; if she stays silent the chain goes on', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const bela = house.on('bela');
  const cleo = house.on('cleo', [], ['charge-nurse']);
  house.on('dan').hide();
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  const { id } = ward.one('limit SpO2 low');
  expect(house.deliveries.redirect(personOf('anna'), id, 'dan')).toBe('cannot-ring');
  expect(house.deliveries.redirect(personOf('anna'), id, 'bela')).toBe('done');
  expect([anna.sounds(), bela.sounds(), cleo.sounds()]).toEqual([[], ['limit SpO2 low'], []]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 61);
  expect(cleo.sounds()).toContain('limit SpO2 low');
});

test('an outlet on a level is told once a ring, and one that is not there leaves a failed delivery', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']);
  await chain(house, [
    [{ assigned: true }],
    [{ outlet: 'pagers' }, { outlet: 'sirens' }],
    [{ role: 'nurse' }],
  ]);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12 + 61);
  expect(house.outlets.get('pagers')).toHaveLength(1);
  const way = await house.deliveries.way(ward.one('limit SpO2 low').id);
  expect(way?.deliveries.filter((one) => one.kind === 'outlet')).toMatchObject([
    { to: 'pagers', delivery: 'sent' },
    { to: 'sirens', delivery: 'failed', why: 'absent' },
  ]);
});
