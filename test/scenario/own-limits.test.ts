import { expect, test } from 'vitest';
import { anna, limits, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: a patient who lives at 88 % gets limits of his own; they end with him.
test('limits of one stay are his alone, are kept with who and when, and the next patient has the ward defaults', async () => {
  const ward = await openWard();
  const low = { metric: SPO2, direction: 'low' } as const;
  await limits(ward, 'bed-1', [
    { ...low, priority: 'medium', value: 86 },
    { ...low, priority: 'high', value: 82 },
  ]);
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 60);
  expect(ward.present()).toEqual([]);
  const [first] = ward.census.encounters({ open: true });
  const own = ward.census.limits(first?.id ?? '')?.filter((one) => one.origin === 'encounter');
  expect(own).toMatchObject([
    { value: 86, setBy: 'anna' },
    { value: 82, setBy: 'anna' },
  ]);
  expect(ward.audit.at(-1)).toMatchObject({
    act: 'limits.set',
    by: 'anna',
    after: { reason: 'for this patient' },
  });

  const [open] = ward.census.associations({ open: true });
  await ward.census.endAssociation(anna, open?.id ?? '', {});
  await ward.census.discharge(anna, first?.id ?? '', {});
  const next = await ward.census.admit(anna, { ward: 'icu', bed: 'bed-1', patient: { mrn: 'next' } });
  if (typeof next === 'string') throw new Error(next);
  await ward.census.associate(anna, { device: 'mon-1', bed: 'bed-1', encounter: next.id });
  await ward.saySeconds('mon-1', { [SPO2]: 88 }, 11);
  expect(ward.one('limit SpO2 low')).toMatchObject({ encounter: next.id, limit: 90 });
});
