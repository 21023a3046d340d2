import { expect, test } from 'vitest';
import { anna, limits, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a ward's own limits are what its patients start from; a patient's own stand over them (CLINICAL 3).
test('the charge nurse sets the ward at 88: who is watched already follows at once', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 89 }, 8);
  const wish = [{ metric: SPO2, direction: 'low', priority: 'medium', value: 88 }] as const;
  const set = await ward.census.setWardSettings(anna, 'icu', { limits: wish }, 'too many alarms');
  expect(set).toMatchObject({ profile: 'adult' });
  await ward.saySeconds('mon-1', { [SPO2]: 89 }, 30);
  expect(ward.present()).toEqual([]);
  await ward.saySeconds('mon-1', { [SPO2]: 87 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ priority: 'medium', limit: 88 });
  const [stay] = ward.census.encounters({ open: true });
  expect(ward.census.limits(stay?.id ?? '')?.find((one) => one.metric === SPO2)).toMatchObject({
    origin: 'ward',
    setBy: 'anna',
  });
});

test('a patient’s own limit stands over the ward’s, whichever came first; both outlive a restart', async () => {
  const ward = await openWard();
  await limits(ward, 'bed-1', [{ metric: SPO2, direction: 'low', priority: 'medium', value: 86 }]);
  const wish = [{ metric: SPO2, direction: 'low', priority: 'medium', value: 92 }] as const;
  await ward.census.setWardSettings(anna, 'icu', { limits: wish }, 'x');
  const again = await ward.restart();
  const [stay] = again.census.encounters({ open: true });
  const medium = (all: readonly { metric: string; priority: string; value: number }[] = []) =>
    all.find((one) => one.metric === SPO2 && one.priority === 'medium')?.value;
  expect(medium(again.census.limits(stay?.id ?? ''))).toBe(86);
  expect(medium(again.census.wardLimits('icu'))).toBe(92);
});

test('nobody sets a ward outside the life-critical range', async () => {
  const ward = await openWard();
  const wish = [{ metric: SPO2, direction: 'low', priority: 'high', value: 70 }] as const;
  expect(await ward.census.setWardSettings(anna, 'icu', { limits: wish }, 'x')).toMatchObject({
    refused: [{ metric: SPO2, cause: 'the low limit must be at least 80 %' }],
  });
});

test('a quantity left to the devices is judged by them alone, is shown on the bed, and an own limit counts', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  expect(ward.present()).toEqual(['limit SpO2 low']);
  await ward.census.setWardSettings(anna, 'icu', { deviceJudged: [SPO2] }, 'the monitor judges');
  expect(ward.present()).toEqual([]);
  expect(ward.census.view('bed-1')).toMatchObject({ deviceJudged: ['saturation'] });
  await ward.saySeconds('mon-1', { [SPO2]: 80 }, 20);
  expect(ward.present()).toEqual([]);
  await ward.alertSeconds('mon-1', [{ code: 'SL', text: 'SpO2 low', metric: SPO2 }], 2, { [SPO2]: 80 });
  expect(ward.present()).toEqual(['device']);
  await limits(ward, 'bed-1', [{ metric: SPO2, direction: 'low', priority: 'high', value: 85 }]);
  await ward.alertSeconds('mon-1', [], 12, { [SPO2]: 80 });
  expect(ward.present()).toEqual(['limit SpO2 low']);
});

test('the profile is asked about until a person confirms it', async () => {
  const ward = await openWard();
  expect(ward.census.view('bed-1')?.profileAsked).toBe('age');
  const [stay] = ward.census.encounters({ open: true });
  await ward.saySeconds('mon-1', { [SPO2]: 92 }, 11);
  await ward.census.setProfile(anna, stay?.id ?? '', 'obstetric');
  expect(ward.census.view('bed-1')).toMatchObject({
    profileAsked: 'no',
    encounter: { profile: 'obstetric', profileConfirmedBy: 'anna' },
  });
  await ward.saySeconds('mon-1', { [SPO2]: 92 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ limit: 94 });
});
