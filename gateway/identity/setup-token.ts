import type { Clock } from '../../model/clock.ts';
import type { Chance } from '../../model/ids.ts';
import { digest, sameDigest } from './digest.ts';

const goodForMs = 15 * 60_000;

/** Printed once at the first start; opens the making of the first administrator for 15 minutes, once. */
export interface SetupToken {
  readonly text: string;
  check(given: string): 'fits' | 'token-wrong' | 'token-expired';
}

export function createSetupToken(clock: Clock, chance: Chance): SetupToken {
  const madeMs = clock.monotonicMs();
  const text = (chance.hex(80).match(/.{5}/g) ?? []).join('-');
  const kept = digest(text);
  return {
    text,
    check: (given) => {
      if (clock.monotonicMs() - madeMs >= goodForMs) return 'token-expired';
      return sameDigest(digest(given.trim().toLowerCase()), kept) ? 'fits' : 'token-wrong';
    },
  };
}
