import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import type { Cancel, Clock } from '../model/clock.ts';
import type { Fault } from '../model/fault.ts';
import { createAdmission, type Admission } from './admission.ts';
import type { AedesClient } from './aedes.ts';
import { createBans } from './bans.ts';
import { createCrowd, type Crowd, type Place } from './crowd.ts';
import type { BrokerLimits } from './limits.ts';
import { createFlusher } from './outbound.ts';
import type { Connect } from './packets.ts';
import { createRefusals, type BrokerLog, type Refusal } from './refusals.ts';
import type { Publication } from './publication.ts';
import type { Identity } from './rights.ts';
import { createRoom } from './room.ts';
import { Session, type SessionHouse } from './session.ts';

/** What the broker asks of the gateway. */
export interface DoorOptions {
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly log: BrokerLog;
  /** Who this is; undefined when the id is unknown or the secret wrong. Compares in constant time. */
  authenticate(clientId: string, secret: Buffer): Identity | undefined;
  /**
   * Called in the tick the message is read. `confirm()`, now or later, lets the PUBACK leave; with a fault it
   * closes the connection unconfirmed instead, so the sender sends again.
   */
  take(publication: Publication, confirm: (outcome?: Fault) => void): void;
  /** Signed in; its CONNACK leaves next. */
  connected(identity: Identity, clientId: string): void;
  /** After its will, if it had one to publish; before `connected` of whoever took it over. */
  disconnected(identity: Identity, clientId: string): void;
  /** Every refusal, as it happens. */
  refused(refusal: Refusal): void;
}

/** Counters since the start, and what is the case now. */
export interface DoorStats {
  readonly connections: number;
  readonly waiting: number;
  readonly signedIn: number;
  readonly pending: number;
  readonly pendingBytes: number;
  readonly banned: number;
  readonly publications: number;
  /** Times a socket was left unread because too much was unconfirmed. */
  readonly heldBack: number;
  readonly takenOver: number;
  readonly refusals: Readonly<Record<string, number>>;
}

export interface Door {
  readonly crowd: Crowd;
  /** A new connection, its place taken. */
  accept(transport: Duplex, place: Place): void;
  sessionOf(client: Client): Session | undefined;
  disconnect(id: string, why: string): void;
  stats(): DoorStats;
  close(): void;
}

const sweepMs = 500;

/** Identity, topic rights and limits: everything between a transport and aedes. */
export function createDoor(
  options: DoorOptions & { handle(stream: Duplex, clientId: string): AedesClient },
): Door {
  const { limits, clock } = options;
  const refusals = createRefusals({
    clock,
    log: options.log,
    most: limits.rememberedClients,
    refused: options.refused,
  });
  const bans = createBans({
    clock,
    perMinute: limits.connectsPerMinute,
    banMs: limits.banMs,
    most: limits.rememberedClients,
  });
  const crowd = createCrowd({ limits, clock, bans, note: (refusal) => shared.note(refusal) });
  const room = createRoom(limits);
  /** Signed-in clients, by id. */
  const sessions = new Map<string, Session>();
  /** Every connection there is, by the stream aedes has for it. */
  const byStream = new Map<object, Session>();
  /** Filters of persistent sessions: what is left of them while nobody is connected. */
  const kept = new Map<string, Session['filters']>();
  let takenOver = 0;
  let closed = false;

  const admission = createAdmission({ limits, bans, crowd, authenticate: options.authenticate });

  const admit = (connect: Connect, session: Session): Admission => {
    const outcome = admission(connect, session.address);
    if (outcome.refused === undefined) enter(connect, session);
    return outcome;
  };

  /** Puts a judged client in its place: whoever was there is gone, its will told, before. */
  const enter = ({ clientId, clean }: Connect, session: Session): void => {
    const before = sessions.get(clientId);
    if (before) {
      takenOver++;
      before.guard.close(new Error('taken over'));
    }
    sessions.set(clientId, session);
    session.guard.stream.sessionKept = !clean && kept.has(clientId);
    if (clean) kept.delete(clientId);
    else {
      session.filters = kept.get(clientId) ?? session.filters;
      kept.set(clientId, session.filters);
    }
  };

  const shared: SessionHouse = {
    limits,
    clock,
    flusher: createFlusher(),
    room,
    handle: options.handle,
    admit,
    note: (refusal) => {
      refusals.note(refusal);
      if (refusal.fault.code === 'DOOR_PROTOCOL' && refusal.client === undefined)
        crowd.misbehaved(refusal.address);
    },
    signedIn: options.connected,
    ended: (session) => {
      room.forget(session);
      byStream.delete(session.guard.stream);
      if (sessions.get(session.clientId) === session) sessions.delete(session.clientId);
      if (!session.identity || closed) return;
      session.publishWill();
      options.disconnected(session.identity, session.clientId);
    },
    take: options.take,
  };

  const stopSweep: Cancel = clock.every(sweepMs, () => {
    const now = clock.monotonicMs();
    for (const session of sessions.values()) {
      const { guard, keepaliveS } = session;
      // Nobody is late whose packets we do not read [MQTT-3.1.2-24].
      if (!guard.isHeld && keepaliveS > 0 && now - guard.lastHeardMs > keepaliveS * 1_500) {
        options.log.info({ client: session.clientId, keepaliveS }, 'keep-alive ran out');
        guard.close(new Error('keep alive timeout'));
      }
    }
  });

  return {
    crowd,
    accept: (transport, place) => {
      const session = new Session(shared, transport, place);
      byStream.set(session.guard.stream, session);
    },
    sessionOf: (client) => byStream.get(client.conn),
    disconnect: (id, why) => {
      kept.delete(id);
      const session = sessions.get(id);
      if (!session) return;
      options.log.info({ client: id, why }, 'disconnected by the gateway');
      session.guard.close(new Error(why));
    },
    stats: () => ({
      ...crowd.counts(),
      signedIn: sessions.size,
      ...room.counts(),
      banned: bans.size(),
      takenOver,
      refusals: refusals.counts(),
    }),
    close: () => {
      closed = true;
      stopSweep();
      refusals.close();
      for (const session of [...byStream.values()]) session.guard.close();
    },
  };
}
