import { expect, test } from 'vitest';
import { liveWardDay } from '../house/silence/ward-day.ts';

// Goal: over whole ward-days under mischief a high alarm that nobody has answered is never silent.
// Way: as test/scenario/silent-seconds.test.ts. VIGIL_WARD_DAYS (default half a day) and VIGIL_SEED (default 1) choose;
// each further day is the next seed, and a failure prints its own with what went before.
const days = Number(process.env['VIGIL_WARD_DAYS'] ?? 0.5);
const firstSeed = Number(process.env['VIGIL_SEED'] ?? 1);
const beds = 60;

test.each(Array.from({ length: Math.ceil(days) }, (_, at) => firstSeed + at))(
  'seed %d: no silent second in a day of 60 beds',
  async (seed) => {
    const share = Math.min(1, days - (seed - firstSeed));
    const startedMs = performance.now();
    const cpu = process.cpuUsage();
    const figures = await liveWardDay({ seed, beds, seconds: Math.round(share * 86_400) });
    const tookS = (performance.now() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const perDay = (seconds: number): string => `${Math.round(seconds / share)} s`;
    console.log(
      `seed ${seed}: ${share} ward-day of ${beds} beds; a whole one takes ${perDay(tookS)}, ` +
        `${perDay((user + system) / 1e6)} of processor time; ${JSON.stringify(figures)}`,
    );
    expect(figures.silentMostMs).toBeLessThanOrEqual(1_000);
    expect(figures.highS).toBeGreaterThan(1_000 * share);
  },
);
