import type { Clock } from '../model/clock.ts';

/** Counts happenings by key within a minute and bans a key for a while once there are too many. */
export interface Bans {
  /** Counts one; true when the key is banned now. */
  count(key: string): boolean;
  isBanned(key: string): boolean;
  /** Keys banned at this moment. */
  size(): number;
}

interface Entry {
  since: number;
  count: number;
  bannedUntil: number;
}

const windowMs = 60_000;

export function createBans(options: {
  readonly clock: Clock;
  readonly perMinute: number;
  readonly banMs: number;
  /** Keys remembered; the one not heard of for longest is forgotten first. */
  readonly most: number;
}): Bans {
  const { clock, perMinute, banMs, most } = options;
  const entries = new Map<string, Entry>();
  const isBanned = (key: string): boolean => (entries.get(key)?.bannedUntil ?? 0) > clock.monotonicMs();

  return {
    isBanned,
    count: (key) => {
      const now = clock.monotonicMs();
      const entry = entries.get(key) ?? { since: now, count: 0, bannedUntil: 0 };
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > most) entries.delete(entries.keys().next().value as string);
      if (entry.bannedUntil > now) return true;
      if (now - entry.since >= windowMs) {
        entry.since = now;
        entry.count = 0;
      }
      if (++entry.count <= perMinute) return false;
      entry.bannedUntil = now + banMs;
      entry.since = now + banMs;
      entry.count = 0;
      return true;
    },
    size: () => {
      const now = clock.monotonicMs();
      let banned = 0;
      for (const entry of entries.values()) if (entry.bannedUntil > now) banned++;
      return banned;
    },
  };
}
