import { expect, test } from 'vitest';
import { anna, openWard, SPO2, type AlarmHouse } from '../house/alarm-house.ts';

/** The link is cut for ten minutes; the patient is as `course` says, by seconds since the cut; then the backlog comes. */
async function cutOff(
  course: (second: number) => number | undefined,
): Promise<{ ward: AlarmHouse; cutAtMs: number }> {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 5);
  const cutAtMs = ward.clock.nowMs();
  await ward.clock.pass(600_000);
  ward.say('mon-1', { [SPO2]: 97 });
  for (let second = 0; second < 540; second++) {
    const value = course(second);
    if (value === undefined) continue;
    ward.say('mon-1', { [SPO2]: value }, { takenAtMs: cutAtMs + second * 1_000, historical: true });
  }
  return { ward, cutAtMs };
}

// Goal: what nobody could hear is not lost: it waits at the bed until somebody has looked at it (CLINICAL 9).
test('a desaturation during the cut is on the bed’s review list, with both its bands as one, and rings nowhere', async () => {
  const { ward, cutAtMs } = await cutOff((s) =>
    s < 100 ? 97 : s < 160 ? 88 : s < 200 ? 80 : s < 230 ? 88 : 97,
  );
  expect(ward.told.filter(({ alarm }) => alarm.kind === 'physiological')).toEqual([]);
  const { entries } = ward.alarms.review.at('bed-1');
  expect(entries).toMatchObject([
    {
      bed: 'bed-1',
      metric: SPO2,
      direction: 'low',
      priority: 'high',
      limit: 85,
      peak: 80,
      onsetAtMs: cutAtMs + 100_000,
      endedAtMs: cutAtMs + 230_000,
      endedBy: 'inside',
    },
  ]);
  expect(ward.census.view('bed-1')?.toReview).toBe(1);
  const again = await ward.restart();
  const [entry] = again.alarms.review.at('bed-1').entries;
  expect(entry).toEqual(entries[0]);
  expect(await again.alarms.review.seen('bed-1', entry?.id ?? '')).toBe('done');
  expect(await again.alarms.review.seen('bed-1', entry?.id ?? '')).toBe('absent');
  expect(again.alarms.review.at('bed-1').entries).toEqual([]);
  expect(again.census.view('bed-1')?.toReview).toBeUndefined();
});

test('shorter than its delay it was no alarm, and is no entry', async () => {
  const { ward } = await cutOff((s) => (s >= 100 && s < 109 ? 80 : 97));
  expect(ward.alarms.review.at('bed-1').entries).toEqual([]);
});

test('one whose end nobody knows ends where the backlog has a gap, or where it stops', async () => {
  const { ward, cutAtMs } = await cutOff((s) => (s < 100 || s >= 300 ? 97 : s < 150 ? 84 : undefined));
  expect(ward.alarms.review.at('bed-1').entries).toMatchObject([
    { onsetAtMs: cutAtMs + 100_000, endedAtMs: cutAtMs + 149_000, endedBy: 'gap' },
  ]);
  const stopped = await cutOff((s) => (s < 500 ? 97 : 84));
  await stopped.ward.saySeconds('mon-1', { [SPO2]: 97 }, 59);
  expect(stopped.ward.alarms.review.at('bed-1').entries).toEqual([]);
  await stopped.ward.saySeconds('mon-1', { [SPO2]: 97 }, 3);
  expect(stopped.ward.alarms.review.at('bed-1').entries).toMatchObject([{ endedBy: 'gap' }]);
});

test('what goes on and rings now is not listed besides, and the same backlog twice is listed once', async () => {
  const ward = await openWard();
  await ward.saySeconds('mon-1', { [SPO2]: 97 }, 5);
  const cutAtMs = ward.clock.nowMs();
  await ward.clock.pass(120_000);
  const say = (): void => {
    for (let second = 0; second < 119; second++) {
      const value = second >= 20 && second < 50 ? 80 : second >= 80 ? 84 : 97;
      ward.say('mon-1', { [SPO2]: value }, { takenAtMs: cutAtMs + second * 1_000, historical: true });
    }
  };
  ward.say('mon-1', { [SPO2]: 84 });
  say();
  await ward.saySeconds('mon-1', { [SPO2]: 84 }, 70);
  expect(ward.one('limit SpO2 low').priority).toBe('high');
  expect(ward.alarms.review.at('bed-1').entries).toMatchObject([{ peak: 80 }]);
  say();
  await ward.saySeconds('mon-1', { [SPO2]: 84 }, 70);
  expect(ward.alarms.review.at('bed-1').entries.filter(({ peak }) => peak === 80)).toHaveLength(1);
  await ward.census.endAssociation(anna, ward.census.associations({ open: true })[0]?.id ?? '', {});
});
