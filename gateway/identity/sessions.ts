import type { Clock } from '../../model/clock.ts';
import type { Chance, PersonId } from '../../model/ids.ts';
import { digest } from './digest.ts';

const idleMs = 15 * 60_000;
const longestMs = 12 * 3_600_000;
const mostSessions = 10_000;
const mostOfPerson = 20;
/** A secret is 256 bits as hex; anything else is none of ours and is not hashed. */
const secretPattern = /^[0-9a-f]{64}$/;

interface Session {
  readonly person: PersonId;
  readonly beganMs: number;
  /** An enrolled display is left alone for days: it does not idle and does not end by itself. */
  readonly lasting: boolean;
  seenMs: number;
}

/**
 * Who is signed in, in memory only: a restart signs everybody out. Held under the SHA-256 of the secret, so a memory
 * image or a heap dump gives no cookie away. Times are monotonic.
 */
export function createSessions(clock: Clock, chance: Chance) {
  const sessions = new Map<string, Session>();

  const find = (secret: string): Session | undefined => {
    if (!secretPattern.test(secret)) return undefined;
    const key = digest(secret);
    const session = sessions.get(key);
    if (!session) return undefined;
    const nowMs = clock.monotonicMs();
    if (session.lasting || (nowMs - session.seenMs < idleMs && nowMs - session.beganMs < longestMs))
      return session;
    sessions.delete(key);
    return undefined;
  };

  const makeRoom = (person: PersonId): void => {
    const own = [...sessions].filter(([, session]) => session.person === person);
    for (const [key] of own.slice(0, Math.max(0, own.length - mostOfPerson + 1))) sessions.delete(key);
    for (const [key] of sessions) {
      if (sessions.size < mostSessions) break;
      sessions.delete(key);
    }
  };

  return {
    begin(person: PersonId, lasting: boolean): string {
      makeRoom(person);
      const secret = chance.hex(256);
      const nowMs = clock.monotonicMs();
      sessions.set(digest(secret), { person, beganMs: nowMs, seenMs: nowMs, lasting });
      return secret;
    },
    /** Counts as activity. */
    touch(secret: string): PersonId | undefined {
      const session = find(secret);
      if (session) session.seenMs = clock.monotonicMs();
      return session?.person;
    },
    end(secret: string): void {
      sessions.delete(digest(secret));
    },
  };
}
