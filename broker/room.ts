import type { BrokerLimits } from './limits.ts';

/** A connection that can be held back and let go on. */
export interface Held {
  readonly guard: { readonly isHeld: boolean; resume(): void };
}

/** The bound on publications of all clients that are not confirmed yet, and whose turn it is under it. */
export interface Room {
  took(bytes: number): void;
  released(session: Held, bytes: number): void;
  /** Room among all, and nobody who waits for it is before this one. */
  hasRoomFor(session: Held): boolean;
  /** Its socket is left unread; `inAll`: for what all have pending, not for its own. */
  heldBack(session: Held, inAll: boolean): void;
  forget(session: Held): void;
  counts(): {
    readonly publications: number;
    readonly pending: number;
    readonly pendingBytes: number;
    readonly heldBack: number;
  };
}

export function createRoom(limits: BrokerLimits): Room {
  /** Held back, in the order they go on. */
  const waiting = new Set<Held>();
  let turn: Held | undefined;
  let serving = false;
  let publications = 0;
  let pending = 0;
  let pendingBytes = 0;
  let heldBack = 0;

  const hasRoom = (): boolean => pending < limits.pendingInAll && pendingBytes < limits.pendingBytesInAll;

  /** Lets those held back go on: one publication a turn while others wait. */
  const serve = (): void => {
    serving = false;
    while (hasRoom()) {
      const [first] = waiting;
      if (!first) break;
      waiting.delete(first);
      turn = first;
      first.guard.resume();
      turn = undefined;
    }
  };

  return {
    took: (bytes) => {
      publications++;
      pending++;
      pendingBytes += bytes;
    },
    released: (session, bytes) => {
      pending--;
      pendingBytes -= bytes;
      if (session.guard.isHeld) waiting.add(session);
      if (serving || waiting.size === 0 || !hasRoom()) return;
      // Not at once: the gateway is in the midst of its own loop.
      serving = true;
      process.nextTick(serve);
    },
    hasRoomFor: (session) => {
      if (!hasRoom()) return false;
      if (waiting.size === 0) return true;
      const itsTurn = turn === session;
      turn = undefined;
      return itsTurn;
    },
    heldBack: (session, inAll) => {
      heldBack++;
      if (inAll) waiting.add(session);
    },
    forget: (session) => void waiting.delete(session),
    counts: () => ({ publications, pending, pendingBytes, heldBack }),
  };
}
