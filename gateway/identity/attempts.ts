import type { Clock } from '../../model/clock.ts';

const mostFailures = 5;
const restMs = 10 * 60_000;
/** An address that tries many accounts rests too. */
const mostFailuresOfAddress = 50;
/** Remembered pairs; the longest untouched is forgotten first. */
const remembered = 20_000;

interface Tally {
  failures: number;
  /** Monotonic ms of the newest failure; the count and the rest end 10 minutes after it. */
  lastMs: number;
}

/**
 * Failed sign-ins by account and address: five, and that account rests for 10 minutes at that address. Elsewhere it
 * does not, so nobody can lock a nurse out of her alarms from another place.
 */
export function createAttempts(clock: Clock) {
  const tallies = new Map<string, Tally>();
  const pair = (user: string, address: string): string => `pair ${address} ${user.toLowerCase()}`;
  const place = (address: string): string => `address ${address}`;

  const current = (key: string): Tally | undefined => {
    const tally = tallies.get(key);
    if (!tally) return undefined;
    if (clock.monotonicMs() - tally.lastMs < restMs) return tally;
    tallies.delete(key);
    return undefined;
  };
  const count = (key: string): void => {
    const failures = (current(key)?.failures ?? 0) + 1;
    tallies.delete(key);
    tallies.set(key, { failures, lastMs: clock.monotonicMs() });
    if (tallies.size > remembered)
      for (const oldest of [...tallies.keys()].slice(0, 1)) tallies.delete(oldest);
  };

  return {
    locked: (user: string, address: string): boolean =>
      (current(pair(user, address))?.failures ?? 0) >= mostFailures ||
      (current(place(address))?.failures ?? 0) >= mostFailuresOfAddress,
    failed(user: string, address: string): void {
      count(pair(user, address));
      count(place(address));
    },
    succeeded(user: string, address: string): void {
      tallies.delete(pair(user, address));
    },
  };
}
