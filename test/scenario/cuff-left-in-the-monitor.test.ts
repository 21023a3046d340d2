import { expect, test } from 'vitest';
import { openCensus } from '../../gateway/census/census.ts';
import type { LatestValue } from '../../model/stream.ts';
import { anna, countedChance, HR, NIBP, openWard } from '../house/alarm-house.ts';
import { memoryRows } from '../house/memory-rows.ts';
import { virtualClock } from '../house/virtual-clock.ts';

// Goal: the pressure of the last patient, still in the monitor, is never the next one's.
test('a cuff value taken before the association rings for nobody; the next one does', async () => {
  const ward = await openWard();
  const begunAtMs = ward.clock.nowMs();
  await ward.clock.pass(60_000);
  ward.say('mon-1', { [NIBP]: 60 }, { takenAtMs: begunAtMs - 300_000 });
  expect(ward.present()).toEqual([]);
  ward.say('mon-1', { [NIBP]: 60 });
  expect(ward.present()).toHaveLength(1);
});

test('the tile of a bed shows only what was taken since the association began', async () => {
  const clock = virtualClock();
  const value = (metric: string, takenAtMs: number): LatestValue => ({
    device: 'mon-1',
    metric,
    label: metric,
    unit: '/min',
    decimals: 0,
    episodic: false,
    value: 70,
    validity: 'valid',
    takenAtMs,
    receivedAtMs: takenAtMs,
  });
  const begunAtMs = clock.nowMs();
  const census = await openCensus({
    rows: memoryRows(),
    clock,
    chance: countedChance(),
    audit: () => undefined,
    glance: (device) => ({
      device: { device, label: device, link: 'connected' },
      values: [value(NIBP, begunAtMs - 1), value(HR, begunAtMs)],
    }),
  });
  await census.addWard(anna, { id: 'icu', name: 'ICU', profile: 'adult' });
  await census.addBed(anna, { id: 'bed-1', ward: 'icu', label: '1' });
  await census.associate(anna, { device: 'mon-1', bed: 'bed-1' });
  expect(census.view('bed-1')?.values.map(({ metric }) => metric)).toEqual([HR]);
  expect(census.values('bed-1')?.values.map(({ metric }) => metric)).toEqual([HR]);
});
