import type { Clock } from '../../model/clock.ts';
import type { Discovered } from '../driver.ts';

/** A sender nobody registered, and how often it spoke. */
export interface Discovery extends Discovered {
  readonly messages: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** What is remembered; the one that was silent longest goes first. */
const mostDiscoveries = 256;

export function createDiscoveries(clock: Clock) {
  const found = new Map<string, Discovery>();
  return {
    note: (item: Discovered): void => {
      const key = JSON.stringify([item.driver, item.settings]);
      const before = found.get(key);
      const nowMs = clock.nowMs();
      found.delete(key);
      found.set(key, {
        ...item,
        messages: (before?.messages ?? 0) + 1,
        firstAtMs: before?.firstAtMs ?? nowMs,
        lastAtMs: nowMs,
      });
      for (const silent of found.keys()) {
        if (found.size <= mostDiscoveries) break;
        found.delete(silent);
      }
    },
    /** The newest first. */
    list: (): Discovery[] => [...found.values()].reverse(),
  };
}
