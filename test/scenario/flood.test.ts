import { expect, test } from 'vitest';
import { openWard, SPO2 } from '../house/alarm-house.ts';
import { nursing } from '../house/nursing-house.ts';

// Goal: a flood hides nothing. Way: a thousand low alarms a second for five seconds at one nurse, and one patient falls.
test('with 1,000 low alarms a second the high one is shown at once, and the low ones come grouped', async () => {
  const ward = await openWard(10);
  const house = await nursing(ward);
  const beds = Array.from({ length: 10 }, (_, at) => `bed-${at + 1}`);
  const anna = house.on('anna', beds);
  await house.clock.pass(1_000);
  anna.frozen = true;
  const raised: string[] = [];
  const flood = (): void => {
    for (let n = 0; n < 1_000; n++) {
      const bed = beds[n % beds.length] ?? '';
      const about = `flood-${raised.length}`;
      raised.push(
        ward.alarms.technical.raise('device-silent', {
          about,
          owner: 'nurse',
          priority: 'low',
          bed,
          ward: 'icu',
        }),
      );
    }
  };
  flood();
  anna.frozen = false;
  anna.connect();
  for (let second = 0; second < 4; second++) {
    flood();
    await ward.saySeconds('mon-4', { [SPO2]: 80 }, 1);
  }
  await ward.saySeconds('mon-4', { [SPO2]: 80 }, 7);
  const high = anna.came.find(({ alarm }) => alarm.priority === 'high');
  expect(high?.alarm.bed).toBe('bed-4');
  const way = await house.deliveries.way(high?.alarm.id ?? '');
  const [delivery] = way?.deliveries ?? [];
  expect((delivery?.shownAtMs ?? Infinity) - (way?.judgedAtMs ?? 0)).toBeLessThan(1_000);
  const shown = new Set(anna.came.flatMap(({ alarm, group }) => group ?? [alarm.id]));
  expect(raised.filter((id) => !shown.has(id))).toEqual([]);
  expect(anna.came.some(({ group }) => (group?.length ?? 0) > 1)).toBe(true);
}, 60_000);
