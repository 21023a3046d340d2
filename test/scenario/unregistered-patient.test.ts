import { expect, test } from 'vitest';
import { anna, HR, openWard, SPO2, type AlarmHouse } from '../house/alarm-house.ts';

const well = { [HR]: 80, [SPO2]: 97 };

/** A ward whose only device stands at bed 1 and belongs to nobody. */
async function freeDevice(): Promise<AlarmHouse> {
  const ward = await openWard();
  const [open] = ward.census.associations({ open: true });
  await ward.census.endAssociation(anna, open?.id ?? '', {});
  return ward;
}

// Goal: somebody is put on a free monitor at night and nobody registers him: he is watched all the same.
test('a patient nobody registered is told after 30 s and watched by the ward defaults', async () => {
  const ward = await freeDevice();
  await ward.saySeconds('mon-1', well, 30);
  expect(ward.present()).toEqual([]);
  ward.say('mon-1', well);
  expect(ward.one('unregistered-patient')).toMatchObject({
    priority: 'low',
    owner: 'nurse',
    bed: 'bed-1',
    device: 'mon-1',
    details: { bed: '1' },
  });
  await ward.saySeconds('mon-1', { [SPO2]: 84 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ bed: 'bed-1', priority: 'high' });
  expect(ward.one('limit SpO2 low').encounter).toBeUndefined();
});

test('a gap over maxGapS begins the 30 s anew; technical alarms there are none', async () => {
  const ward = await freeDevice();
  await ward.saySeconds('mon-1', well, 25);
  await ward.clock.pass(11_000);
  await ward.saySeconds('mon-1', well, 25);
  await ward.saySeconds('mon-1', { [HR]: { value: 900, validity: 'invalid' } }, 12);
  await ward.clock.pass(60_000);
  expect(ward.present()).toEqual([]);
});

test('associating ends it, and the judges begin anew under the patient', async () => {
  const ward = await freeDevice();
  await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 84 }, 45);
  expect(ward.present()).toEqual(['limit SpO2 low', 'unregistered-patient']);
  const [stay] = ward.census.encounters({ open: true });
  await ward.census.associate(anna, { device: 'mon-1', bed: 'bed-1', encounter: stay?.id ?? '' });
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 84 }, 11);
  expect(ward.one('limit SpO2 low').encounter).toBe(stay?.id);
});

test('a person ends it; whoever still gives values is found again after 30 s', async () => {
  const ward = await freeDevice();
  await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 84 }, 45);
  const { id } = ward.one('unregistered-patient');
  expect(ward.alarms.endMeasurement(id, anna, 'tested on myself')).toBe('done');
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', well, 29);
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', well, 3);
  expect(ward.present()).toEqual(['unregistered-patient']);
});

test('a restart keeps it, and the limits with it', async () => {
  const ward = await freeDevice();
  await ward.saySeconds('mon-1', { [HR]: 80, [SPO2]: 84 }, 45);
  const again = await ward.restart();
  expect(again.present()).toEqual(['limit SpO2 low', 'unregistered-patient']);
  again.say('mon-1', well);
  expect(again.present()).toEqual(['unregistered-patient']);
});
