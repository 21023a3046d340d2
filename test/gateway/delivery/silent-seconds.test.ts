import { expect, test } from 'vitest';
import { silentSeconds } from '../../house/silent-seconds.ts';

// Goal: as long as any screen of the ward can ring, no high alarm is silent without a person; and none is heard by nobody
// without being told. Each seed is a ward of its own; the whole day runs in test/long.
test.each([1, 2, 3, 4, 5, 135])(
  'no silent second in half an hour of mischief, seed %d',
  async (seed) => {
    expect(await silentSeconds({ seed, beds: 8, minutes: 30 })).toBeUndefined();
  },
  60_000,
);
