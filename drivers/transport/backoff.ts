import type { Chance } from '../../model/ids.ts';

export interface Backoff {
  /** How long to wait before the next try; doubles each time, up to the most. */
  next(): number;
  reset(): void;
  /** Tries since the last reset. */
  readonly tries: number;
}

/** Doubling pauses with full jitter over the upper half: never at once, and no two in step. */
export function createBackoff(options: {
  readonly firstMs: number;
  readonly mostMs: number;
  readonly chance: Chance;
}): Backoff {
  let tries = 0;
  return {
    get tries() {
      return tries;
    },
    next: () => {
      const fullMs = Math.min(options.mostMs, options.firstMs * 2 ** Math.min(tries, 20));
      tries += 1;
      return fullMs * (0.5 + 0.5 * options.chance.fraction());
    },
    reset: () => {
      tries = 0;
    },
  };
}
