import type { Duplex } from 'node:stream';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import type { Bans } from './bans.ts';
import type { BrokerLimits } from './limits.ts';
import type { Refusal } from './refusals.ts';

/** A connection's place in the crowd, from accept to close. */
export interface Place {
  readonly address: string;
  /** It gave a right secret: it no longer waits. */
  signedIn(): void;
  /** It was answered, or is over: its deadline no longer runs, though the socket may linger. */
  done(): void;
}

/** Bounds connections per address and in all, and those that have not signed in yet. */
export interface Crowd {
  /** Undefined: no place; the socket was destroyed. */
  enter(socket: Duplex, address: string): Place | undefined;
  /** A connection of this address was refused before or at its CONNECT. */
  misbehaved(address: string): void;
  counts(): { readonly connections: number; readonly waiting: number };
}

export function createCrowd(options: {
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly bans: Bans;
  note(refusal: Refusal): void;
}): Crowd {
  const { limits, clock, bans, note } = options;
  const byAddress = new Map<string, number>();
  const signedInBy = new Map<string, number>();
  const waiting = new Set<Waiting>();
  const waitingBy = new Map<string, Set<Waiting>>();
  let connections = 0;

  const refuse = (socket: Duplex, fault: Fault, address: string): undefined => {
    socket.destroy();
    note({ fault, address });
    return undefined;
  };

  /** Whoever waited longest yields: a flood then pushes out itself, and a good client needs milliseconds. */
  const makeRoom = (address: string): void => {
    const here = waitingBy.get(address);
    const full = here && here.size >= limits.waitingPerAddress ? here : waiting;
    if (full === waiting && waiting.size < limits.waiting) return;
    const [oldest] = full;
    if (!oldest) return;
    note({ fault: new Fault('DOOR_TOO_MANY', { address: oldest.address }), address: oldest.address });
    oldest.leave();
    oldest.socket.destroy();
  };

  const enter = (socket: Duplex, address: string): Place | undefined => {
    // Behind a proxy or on this machine many share an address: one of them must not lock the others out.
    const shared = isLoopback(address) || (signedInBy.get(address) ?? 0) > 0;
    if (!shared && bans.isBanned(`address ${address}`)) {
      return refuse(socket, new Fault('DOOR_BANNED', { client: address }), address);
    }
    if (connections >= limits.connections || (byAddress.get(address) ?? 0) >= limits.connectionsPerAddress) {
      return refuse(socket, new Fault('DOOR_TOO_MANY', { address }), address);
    }
    makeRoom(address);
    connections++;
    add(byAddress, address, 1);
    const cancelDeadline = clock.after(limits.connectDeadlineMs, () => {
      note({
        fault: new Fault('DOOR_PROTOCOL', { client: address, cause: 'no whole CONNECT in time' }),
        address,
      });
      socket.destroy();
    });
    const place: Waiting = {
      address,
      socket,
      leave: () => {
        cancelDeadline();
        waiting.delete(place);
        const here = waitingBy.get(address);
        here?.delete(place);
        if (here?.size === 0) waitingBy.delete(address);
      },
    };
    waiting.add(place);
    waitingBy.set(address, (waitingBy.get(address) ?? new Set()).add(place));
    let isSignedIn = false;
    socket.once('close', () => {
      place.leave();
      connections--;
      add(byAddress, address, -1);
      if (isSignedIn) add(signedInBy, address, -1);
    });
    return {
      address,
      done: place.leave,
      signedIn: () => {
        place.leave();
        if (isSignedIn || socket.destroyed) return;
        isSignedIn = true;
        add(signedInBy, address, 1);
      },
    };
  };

  return {
    enter,
    misbehaved: (address) => void bans.count(`address ${address}`),
    counts: () => ({ connections, waiting: waiting.size }),
  };
}

interface Waiting {
  readonly address: string;
  readonly socket: Duplex;
  leave(): void;
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

export const isLoopback = (address: string): boolean => address === '::1' || /^(::ffff:)?127\./.test(address);
