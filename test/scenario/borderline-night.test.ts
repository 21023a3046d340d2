import { expect, test } from 'vitest';
import { limits, openWard, SPO2 } from '../house/alarm-house.ts';

// Goal: twelve hours around the limit neither ring a thousand times nor hide that the patient is low.
test('a saturation that flaps between 88 and 90 at limit 89 is one alarm all night', async () => {
  const ward = await openWard();
  await limits(ward, 'bed-1', [{ metric: SPO2, direction: 'low', priority: 'medium', value: 89 }]);
  for (let second = 0; second < 12 * 3_600; second++) {
    ward.say('mon-1', { [SPO2]: second % 2 ? 90 : 88 });
    ward.clock.passSync(1_000);
    if (second % 1_000 === 0) await ward.clock.pass(0);
  }
  const raised = ward.told.filter((one) => one.cause === 'raised');
  expect(raised).toHaveLength(1);
  expect(ward.one('limit SpO2 low')).toMatchObject({ presence: 'present', peak: 88 });
});
