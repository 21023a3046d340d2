import type { Shared } from '../driver.ts';

interface Held {
  readonly made: Promise<Shared<unknown>>;
  users: number;
}

export interface Shares {
  /** The shared thing of that key, made by the first user; `release` once each. */
  take<T>(key: string, make: () => Promise<Shared<T>>): Promise<{ value: T; release: () => Promise<void> }>;
}

/** Buses and endpoints that several devices use: made once a key, closed when the last user lets go. */
export function createShares(): Shares {
  const held = new Map<string, Held>();
  return {
    take: async <T>(key: string, make: () => Promise<Shared<T>>) => {
      const there = held.get(key) ?? { made: make(), users: 0 };
      held.set(key, there);
      there.users += 1;
      let released = false;
      const release = async (): Promise<void> => {
        if (released) return;
        released = true;
        there.users -= 1;
        if (there.users > 0) return;
        if (held.get(key) === there) held.delete(key);
        const shared = await there.made.catch(() => undefined);
        await shared?.close();
      };
      try {
        return { value: (await there.made).value as T, release };
      } catch (error) {
        await release();
        throw error;
      }
    },
  };
}
