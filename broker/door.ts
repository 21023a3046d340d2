import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import type { Cancel, Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { isId } from '../model/ids.ts';
import type { AedesClient } from './aedes.ts';
import { createBans } from './bans.ts';
import { createCrowd, type Crowd, type Place } from './crowd.ts';
import type { BrokerLimits } from './limits.ts';
import { createFlusher } from './outbound.ts';
import { levelsOf, type Connect, type Will } from './packets.ts';
import { createRefusals, plainName, type BrokerLog, type Refusal } from './refusals.ts';
import { publishRight, type ForeignTopic, type Identity } from './rights.ts';
import { Session, type SessionHouse } from './session.ts';
import type { Topic } from './topics.ts';

/** A message that passed the front door: its sender is known and has the right to its topic. */
export interface Publication {
  readonly identity: Identity;
  readonly clientId: string;
  readonly topic: Topic | ForeignTopic;
  /** May share its memory with neighbours: copy what is kept for long. */
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  /** As the sender set it. Nothing a client sends is retained: retained state is the gateway's. */
  readonly retain: boolean;
  readonly will: boolean;
}

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

export type Admission =
  | { readonly identity: Identity; readonly refused?: undefined }
  | { readonly refused: number; readonly fault: Fault; readonly client: string };

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

/** CONNACK return codes of MQTT 3.1.1, table 3.1. */
const identifierRejected = 2;
const unavailable = 3;
const notAuthorized = 5;
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
  /** Signed-in clients, by id. */
  const sessions = new Map<string, Session>();
  const byStream = new WeakMap<object, Session>();
  /** Filters of persistent sessions: what is left of them while nobody is connected. */
  const kept = new Map<string, Session['filters']>();
  /** Held back, in the order they go on. */
  const hungry = new Set<Session>();
  let turn: Session | undefined;
  let serving = false;
  let publications = 0;
  let pending = 0;
  let pendingBytes = 0;
  let heldBack = 0;
  let takenOver = 0;
  let closed = false;

  const hasRoom = (): boolean => pending < limits.pendingInAll && pendingBytes < limits.pendingBytesInAll;

  const refused = (code: number, fault: Fault, client: string): Admission => ({
    refused: code,
    fault,
    client,
  });

  const admit = (connect: Connect, session: Session): Admission => {
    const { clientId } = connect;
    const client = isId(clientId) ? clientId : plainName(clientId) || session.address;
    const pair = `pair ${client} ${session.address}`;
    if (bans.isBanned(pair)) return refused(unavailable, new Fault('DOOR_BANNED', { client }), clientId);
    const identity = identify(connect);
    if (typeof identity === 'number') {
      bans.count(pair);
      crowd.misbehaved(session.address);
      return refused(identity, new Fault('DOOR_NOT_AUTHENTICATED', { client }), clientId);
    }
    if (connect.will && !willRight(identity, connect.will, limits)) {
      const topic = plainName(connect.will.topic);
      return refused(notAuthorized, new Fault('DOOR_NOT_ALLOWED', { client, topic }), clientId);
    }
    // Whoever is connected stays: of two that take each other over one goes on sending.
    if (bans.count(clientId)) return refused(unavailable, new Fault('DOOR_BANNED', { client }), clientId);
    const before = sessions.get(clientId);
    if (before) {
      takenOver++;
      before.guard.close(new Error('taken over'));
    }
    sessions.set(clientId, session);
    session.guard.stream.sessionKept = !connect.clean && kept.has(clientId);
    if (connect.clean) kept.delete(clientId);
    else {
      session.filters = kept.get(clientId) ?? session.filters;
      kept.set(clientId, session.filters);
    }
    return { identity };
  };

  const identify = (connect: Connect): Identity | number => {
    const { clientId, userName, password } = connect;
    if (clientId === '' || clientId !== userName) return clientId === '' ? identifierRejected : notAuthorized;
    return (password && isId(clientId) && options.authenticate(clientId, password)) || notAuthorized;
  };

  const shared: SessionHouse = {
    limits,
    clock,
    flusher: createFlusher(),
    handle: options.handle,
    admit,
    note: (refusal) => {
      refusals.note(refusal);
      if (refusal.fault.code === 'DOOR_PROTOCOL' && refusal.client === undefined)
        crowd.misbehaved(refusal.address);
    },
    signedIn: options.connected,
    ended: (session) => {
      hungry.delete(session);
      if (sessions.get(session.clientId) === session) sessions.delete(session.clientId);
      if (!session.identity || closed) return;
      session.publishWill();
      options.disconnected(session.identity, session.clientId);
    },
    took: (bytes) => {
      publications++;
      pending++;
      pendingBytes += bytes;
    },
    released: (session, bytes) => {
      pending--;
      pendingBytes -= bytes;
      if (session.guard.isHeld) hungry.add(session);
      if (serving || hungry.size === 0 || !hasRoom()) return;
      // Not at once: the gateway is in the midst of its own loop.
      serving = true;
      process.nextTick(serve);
    },
    hasRoomFor: (session) => {
      if (!hasRoom()) return false;
      if (hungry.size === 0) return true;
      const itsTurn = turn === session;
      turn = undefined;
      return itsTurn;
    },
    heldBack: (session, inAll) => {
      heldBack++;
      if (inAll) hungry.add(session);
    },
    take: options.take,
  };

  /** Lets those held back go on: one publication a turn while others wait. */
  const serve = (): void => {
    serving = false;
    while (hasRoom()) {
      const [first] = hungry;
      if (!first) break;
      hungry.delete(first);
      turn = first;
      first.guard.resume();
      turn = undefined;
    }
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
      pending,
      pendingBytes,
      banned: bans.size(),
      publications,
      heldBack,
      takenOver,
      refusals: refusals.counts(),
    }),
    close: () => {
      closed = true;
      stopSweep();
      refusals.close();
      for (const session of [...sessions.values()]) session.guard.close();
    },
  };
}

/**
 * A will has the rights of every publication. Retained it would outlive what it says: refused on the contract's
 * branches; on a foreign topic, where such wills are the rule, it is taken and not retained.
 */
function willRight(identity: Identity, will: Will, limits: BrokerLimits): boolean {
  const topic = levelsOf(will.topic) <= limits.topicLevels && publishRight(identity, will.topic);
  return topic !== undefined && topic !== false && (topic.kind === 'foreign' || !will.retain);
}
