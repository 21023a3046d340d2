import { expect, test } from 'vitest';
import { anna, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: the HIS discharges a patient who still lies in the bed; nobody's alarms stop by that.
// Way: discharge, the next patient admitted to the same bed, a desaturation, then the nurse ends the association.
test('discharge in the HIS ends no alarming, and the next patient is not attributed until confirmed', async () => {
  const ward = await openWard();
  const [first] = ward.census.encounters({ open: true });
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 30);
  await ward.census.discharge(anna, first?.id ?? '', {});
  const second = await ward.census.admit(anna, { ward: 'icu', bed: 'bed-1', patient: { mrn: 'next' } });
  if (typeof second === 'string') throw new Error(second);

  await ward.saySeconds('mon-1', { [SPO2]: 84 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ bed: 'bed-1', encounter: first?.id, priority: 'high' });
  expect(ward.census.view('bed-1')?.encounter).toMatchObject({
    id: first?.id,
    dischargedAtMs: expect.any(Number),
  });
  ward.alarms.acknowledge(ward.one('limit SpO2 low').id, anna);

  const [open] = ward.census.associations({ open: true });
  await ward.census.endAssociation(anna, open?.id ?? '', {});
  expect(ward.present()).toEqual([]);

  // The next patient starts with fresh limits, without the acknowledgement, and with an onset of his own.
  await ward.census.associate(anna, { device: 'mon-1', bed: 'bed-1', encounter: second.id });
  await ward.saySeconds('mon-1', { [SPO2]: 84 }, 10);
  expect(ward.present()).toEqual([]);
  ward.say('mon-1', { [SPO2]: 84 });
  expect(ward.one('limit SpO2 low')).toMatchObject({ encounter: second.id, inactivation: 'enabled' });
});
