import { expect, test } from 'vitest';
import { HR, openWard } from '../house/alarm-house.ts';
import { nursing } from '../house/nursing-house.ts';

// Goal: a switch dies with sixty beds behind it: each nurse hears one alarm, not her beds one by one.
test('sixty beds cut at once are one alarm a person within 10 s', async () => {
  const ward = await openWard(60, { host: 'host-1' });
  const house = await nursing(ward);
  for (let nurse = 0; nurse < 20; nurse++)
    house.on(
      `nurse-${nurse}`,
      [1, 2, 3].map((bed) => `bed-${nurse * 3 + bed}`),
    );
  for (let second = 0; second < 15; second++) {
    for (let bed = 1; bed <= 60; bed++) ward.say(`mon-${bed}`, { [HR]: 80 });
    await ward.clock.pass(1_000);
  }
  await ward.clock.pass(9_000);
  for (let nurse = 0; nurse < 20; nurse++) {
    const { came } = house.handheld(`nurse-${nurse}`);
    expect(came.map(({ alarm, sound }) => [alarm.condition, sound])).toEqual([['device-silent', 'alarm']]);
  }
});
