import { expect, test } from 'vitest';
import { anna, HR, NIBP, openWard } from '../house/alarm-house.ts';

// Goal: a cuff pressure that stays high rings with every measurement, and with nothing else.
test('three high measurements a quarter of an hour apart ring three times, each quieted by one touch', async () => {
  const ward = await openWard();
  const rings: number[] = [];
  ward.alarms.onChange((alarm, cause) => {
    if (cause === 'raised' || cause === 'realarmed') rings.push(alarm.raisedAtMs);
  });
  for (let turn = 1; turn <= 3; turn++) {
    const takenAtMs = ward.clock.nowMs();
    // The monitor repeats its newest measurement with every message.
    for (let second = 0; second < 900; second++) {
      ward.say('mon-1', { [HR]: 80 });
      ward.say('mon-1', { [NIBP]: 190 + turn }, { takenAtMs });
      if (second === 30) ward.alarms.acknowledge(ward.one('limit NIBP-S high').id, anna);
      await ward.clock.pass(1_000);
    }
    expect(ward.one('limit NIBP-S high')).toMatchObject({ value: 190 + turn, inactivation: 'acknowledged' });
    expect(rings).toHaveLength(turn);
  }
  ward.say('mon-1', { [NIBP]: 150 });
  expect(ward.present()).toEqual([]);
});
