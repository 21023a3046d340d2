import type { Clock } from '../../model/clock.ts';
import type { Chance } from '../../model/ids.ts';
import { digest, sameDigest } from './digest.ts';

/** What is kept of a device's or host's secret. */
export interface CredentialRow {
  /** The device's or host's id: also its MQTT client id and user name. */
  readonly id: string;
  readonly digest: string;
  readonly madeAtMs: number;
}

export interface CredentialRows {
  load(table: 'credentials'): Promise<readonly unknown[]> | readonly unknown[];
  put(table: 'credentials', row: CredentialRow): Promise<void>;
  remove(table: 'credentials', id: string): Promise<void>;
}

export interface Credentials {
  /** In the tick of CONNECT: one SHA-256 and one comparison, the same for an unknown id. */
  authenticate(clientId: string, secret: string): boolean;
  /** A new secret of 256 bits; it is good once the promise resolves (on disk), and the old one ends then. */
  make(id: string): Promise<{ clientId: string; username: string; password: string }>;
  revoke(id: string): Promise<void>;
  has(id: string): boolean;
}

const nobody = '0'.repeat(64);
/** Longer ones are not hashed: CONNECT is bounded before, and ours have 64 characters. */
const longestSecret = 256;

export async function createCredentials(house: {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly rows: CredentialRows;
}): Promise<Credentials> {
  const { clock, chance, rows } = house;
  const held = new Map<string, string>();
  for (const row of (await rows.load('credentials')) as readonly CredentialRow[])
    held.set(row.id, row.digest);

  return {
    authenticate(clientId, secret) {
      if (secret.length > longestSecret) return false;
      const kept = held.get(clientId);
      return sameDigest(digest(secret), kept ?? nobody) && kept !== undefined;
    },
    async make(id) {
      const password = chance.hex(256);
      const row = { id, digest: digest(password), madeAtMs: clock.nowMs() };
      await rows.put('credentials', row);
      held.set(id, row.digest);
      return { clientId: id, username: id, password };
    },
    async revoke(id) {
      held.delete(id);
      await rows.remove('credentials', id);
    },
    has: (id) => held.has(id),
  };
}
