// Goal: kill -9 at any moment loses nothing that was confirmed and doubles nothing (DESIGN promise 1).
// Way: a whole gateway in its own process, eight senders, an oracle that counts; the moments are seeded and printed.
import { test } from 'vitest';
import { killRounds } from './gateway-kill-rounds.ts';

test('killed five times under 500 messages a second, the gateway keeps each confirmed one exactly once', async () => {
  await killRounds({ rounds: 5, seed: Number(process.env['VIGIL_SEED'] ?? 20_261) });
});
