import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing, personOf } from '../house/nursing-house.ts';

// Goal: at handover a bed is never between two nurses. Way: Bela takes the bed, both ring, Anna leaves; nobody leaves first.
test('both ring in the overlap, and the last one of a bed cannot leave it', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  const anna = house.on('anna', ['bed-1']);
  const { assignments, shifts } = house.people;
  const [first] = assignments.of('bed-1');
  expect(assignments.end(personOf('anna'), first?.id ?? '')).toBe('nobody-else');
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 13 * 60 * 60);
  expect(assignments.of('bed-1')).toHaveLength(1);

  const bela = house.on('bela', ['bed-1']);
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect([anna, bela].flatMap((one) => one.sounds())).toHaveLength(2);
  expect(assignments.end(personOf('anna'), first?.id ?? '')).toMatchObject({ endedBy: 'anna' });
  expect(bela.sounds()).toEqual(['limit SpO2 low']);
  expect(anna.sounds()).toEqual([]);
  const shift = shifts.openOf('anna')?.id ?? '';
  expect(shifts.end(personOf('anna'), shift)).toMatchObject({ person: 'anna' });
  expect(house.deliveries.status('icu').map((one) => one.person)).toEqual(['bela']);
}, 60_000);

test('a nurse who signs off with a bed keeps it, and its alarms go on at once', async () => {
  const ward = await openWard();
  const house = await nursing(ward);
  house.on('anna', ['bed-1']);
  const cleo = house.on('cleo', [], ['charge-nurse']);
  house.people.shifts.end(personOf('anna'), house.people.shifts.openOf('anna')?.id ?? '');
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 12);
  expect(cleo.sounds()).toContain('limit SpO2 low');
  expect(ward.present()).not.toContain('nobody-assigned');
});
