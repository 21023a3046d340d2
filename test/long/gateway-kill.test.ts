// Goal: twenty rounds of what test/chaos/gateway-kill.test.ts does five of, from another seed each time.
import { test } from 'vitest';
import { killRounds } from '../chaos/gateway-kill-rounds.ts';

test('killed twenty times under 500 messages a second, the gateway keeps each confirmed one exactly once', async () => {
  await killRounds({ rounds: 20, seed: Number(process.env['VIGIL_SEED'] ?? Date.now() % 1_000_000) });
});
