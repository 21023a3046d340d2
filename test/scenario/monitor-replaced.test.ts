import { expect, test } from 'vitest';
import { anna, device, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a monitor is replaced at the bed; alarms of the old one end with it, the new one watches the same patient.
test('a replaced monitor ends its alarms with the association, and the new one judges afresh', async () => {
  const ward = await openWard();
  const [stay] = ward.census.encounters({ open: true });
  await ward.saySeconds('mon-1', { [SPO2]: 84 }, 20);
  expect(ward.present()).toEqual(['limit SpO2 low']);
  const [open] = ward.census.associations({ open: true });
  await ward.census.endAssociation(anna, open?.id ?? '', { reason: 'replaced' });
  ward.devices.set('mon-9', device('mon-9'));
  await ward.census.associate(anna, { device: 'mon-9', bed: 'bed-1', encounter: stay?.id ?? '' });
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-9', { [SPO2]: 84 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ device: 'mon-9', encounter: stay?.id });
  // The old one is in a drawer: nobody misses it.
  expect(ward.present()).toEqual(['limit SpO2 low']);
});

test('a second device of the same patient takes over the line without a new alarm', async () => {
  const ward = await openWard();
  const [stay] = ward.census.encounters({ open: true });
  ward.devices.set('mon-9', device('mon-9'));
  await ward.census.associate(anna, { device: 'mon-9', bed: 'bed-1', encounter: stay?.id ?? '' });
  for (let second = 0; second < 15; second++) {
    ward.say('mon-1', { [SPO2]: 84 });
    ward.say('mon-9', { [SPO2]: 84 });
    await ward.clock.pass(1_000);
  }
  const { id } = ward.one('limit SpO2 low');
  const [first] = ward.census.associations({ device: 'mon-1', open: true });
  await ward.census.endAssociation(anna, first?.id ?? '', {});
  await ward.saySeconds('mon-9', { [SPO2]: 84 }, 20);
  expect(ward.one('limit SpO2 low').id).toBe(id);
});
