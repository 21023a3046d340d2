import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAlarms } from '../../../gateway/alarm/engine.ts';
import { openCensus } from '../../../gateway/census/census.ts';
import { openRows } from '../../../gateway/rows/rows.ts';
import { systemClock } from '../../../model/clock.ts';
import { systemChance } from '../../../model/ids.ts';
import type { LiveSeries } from '../../../gateway/intake/types.ts';
import { metrics } from '../../../model/metric-table.ts';
import { anna, device, SPO2 } from '../../house/alarm-house.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

// The same on the real disk: what was acknowledged before the worker's end is there after the next start.
test('census and alarms come back from the rows database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-alarms-'));
  const clock = virtualClock();
  const chance = systemChance();
  const open = async () => {
    const rows = await openRows({ folder, clock: systemClock(), told: () => undefined });
    const census = await openCensus({ rows, clock, chance, audit: () => undefined });
    const alarms = await createAlarms({ clock, chance, rows, census, device: (id) => device(id) });
    return { rows, census, alarms };
  };
  const first = await open();
  await first.census.addWard(anna, { id: 'icu', name: 'ICU', profile: 'adult' });
  await first.census.addBed(anna, { id: 'bed-1', ward: 'icu', label: '1' });
  const stay = await first.census.admit(anna, { ward: 'icu', bed: 'bed-1', patient: { mrn: 'm' } });
  if (typeof stay === 'string') throw new Error(stay);
  await first.census.associate(anna, { device: 'mon-1', bed: 'bed-1', encounter: stay.id });
  await first.census.setLimits(
    anna,
    stay.id,
    [{ metric: SPO2, direction: 'low', priority: 'medium', value: 91, delayS: 0 }],
    'fragile',
  );
  const series: LiveSeries = {
    device: 'mon-1',
    key: SPO2,
    metricId: SPO2,
    channel: undefined,
    metric: metrics.get(SPO2),
    latest: undefined,
    watch: undefined,
  };
  first.alarms.seriesSeen(series);
  const recorded = new Promise<void>((resolve) => {
    first.alarms.onChange((alarm, cause) => {
      if (cause === 'recorded' && alarm.inactivation === 'acknowledged') resolve();
    });
  });
  series.watch?.sample(clock.nowMs(), 88, false, false, clock.nowMs());
  const [raised] = first.alarms.active();
  first.alarms.acknowledge(raised?.id ?? '', anna);
  await recorded;
  const before = first.alarms.active();
  first.alarms.close();
  await first.rows.close();

  const second = await open();
  expect(second.alarms.active()).toEqual(before);
  expect(second.alarms.active()).toMatchObject([
    { condition: 'limit', limit: 91, value: 88, inactivation: 'acknowledged', recorded: true },
  ]);
  expect(second.census.view('bed-1')?.encounter).toEqual(stay);
  second.alarms.close();
  await second.rows.close();
  rmSync(folder, { recursive: true });
});
