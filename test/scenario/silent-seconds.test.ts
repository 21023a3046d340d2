import { expect, test } from 'vitest';
import { liveWardDay } from '../house/silence/ward-day.ts';

// Goal: whatever breaks and whoever does not come, a high alarm that nobody has answered is heard somewhere.
// Way: patients, people, handhelds, disk and gateway under seeded mischief on virtual time, beside an oracle that knows
// only CLINICAL.md. Whole ward-days: test/long/silent-seconds.test.ts.
test.each([
  { seed: 3, beds: 8, seconds: 5_400 },
  { seed: 21, beds: 20, seconds: 3_600 },
])(
  'seed $seed: no silent second in $seconds s of $beds beds under mischief',
  { timeout: 120_000 },
  async (day) => {
    const figures = await liveWardDay(day);
    expect(figures.silentMostMs).toBeLessThanOrEqual(1_000);
    // The oracle had something to watch.
    expect(figures.highS).toBeGreaterThan(100);
    expect(figures.acts).toBeGreaterThan(50);
    expect(figures.deaths).toBeGreaterThan(5);
  },
);
