import { hash, verify } from '@node-rs/argon2';

/** OWASP's floor for Argon2id: 19 MiB, 2 passes, 1 lane; about 30 ms on a small box. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** How many may wait to be checked; one more is turned away at once. */
const mostWaiting = 64;

export interface Passwords {
  hash(password: string): Promise<string>;
  /** With `stored` undefined (an unknown user) it takes the same time and answers false. 'busy': ask again later. */
  fits(stored: string | undefined, password: string): Promise<boolean | 'busy'>;
}

/**
 * Argon2id, one at a time: its threads are the ones the journal's disk writes run on, so a flood of sign-ins must not
 * take them all.
 */
export function createPasswords(): Passwords {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  const decoy = hash('nobody has this password', cost);

  const alone = <T>(run: () => Promise<T>): Promise<T> => {
    waiting++;
    const mine = last.then(run, run).finally(() => waiting--);
    last = mine.catch(() => undefined);
    return mine;
  };

  return {
    hash: (password) => alone(() => hash(password, cost)),
    fits: async (stored, password) => {
      if (waiting >= mostWaiting) return 'busy';
      const against = stored ?? (await decoy);
      const same = await alone(() => verify(against, password));
      return stored !== undefined && same;
    },
  };
}
