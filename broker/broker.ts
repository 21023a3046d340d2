import type { AedesOptions } from 'aedes';
import { createAedes } from './aedes.ts';
import { createDoor, type DoorOptions, type DoorStats } from './door.ts';
import type { CheckedPublish } from './guard-house.ts';
import { createUpgrade, listen, type BrokerListener, type ListenOptions, type Upgrade } from './listeners.ts';
import type { BrokerLimits } from './limits.ts';
import { readRight, subscribeRight } from './rights.ts';

export { BrokerLimitsSchema, brokerLimits, type BrokerLimits } from './limits.ts';
export type { DoorStats } from './door.ts';
export type { Publication } from './publication.ts';
export type { ForeignTopic, Identity } from './rights.ts';
export type { BrokerLog, Refusal } from './refusals.ts';
export type { BrokerListener, ListenOptions, Upgrade } from './listeners.ts';

export type BrokerOptions = DoorOptions;

/** The MQTT 3.1.1 broker: aedes behind a front door that knows everybody and bounds everything. */
export interface Broker {
  /** Another listener; several may be open. Rejects when the port cannot be had. */
  listen(options: ListenOptions): Promise<BrokerListener>;
  /** Takes an HTTP server's `upgrade` for the path of MQTT over WebSocket (the caller compares the path). */
  readonly upgrade: Upgrade;
  /** From the gateway to hosts and ward displays, QoS 1. A retained empty payload forgets the retained one. */
  publish(topic: string, payload: Buffer, options?: { readonly retain?: boolean }): void;
  /** Ends the client's connection and forgets its kept session, as when its credentials are revoked. */
  disconnect(id: string, why: string): void;
  stats(): BrokerStats;
  /** Closes listeners and connections; wills are not published, for nobody died. */
  close(): Promise<void>;
}

export interface BrokerStats extends DoorStats {
  /** Messages not queued for persistent sessions that had `queuedMessagesPerClient` waiting. */
  readonly notQueued: number;
}

/** Slots for messages on their way: a frozen subscriber holds one for each until it is dropped. */
const concurrency = 10_000;

export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { limits, log } = options;
  const fitted = await createAedes(aedesOptions(limits), limits.queuedMessagesPerClient);
  const { aedes } = fitted;
  const door = createDoor({ ...options, handle: fitted.handle });
  aedes.authorizeSubscribe = (client, subscription, done) => {
    const identity = door.sessionOf(client)?.identity;
    done(null, identity && subscribeRight(identity, subscription.topic) ? subscription : null);
  };
  aedes.authorizeForward = (client, packet) => {
    const session = door.sessionOf(client);
    if (!session?.identity || !readRight(session.identity, packet.topic)) return null;
    if (packet.retain) packet.qos = packet.qos > 0 && session.grantedQos(packet.topic) > 0 ? 1 : 0;
    return packet;
  };
  aedes.on('clientReady', (client) => door.sessionOf(client)?.ready());
  (aedes as NodeJS.EventEmitter).on('error', (error: Error) =>
    log.warn({ cause: error.message }, 'the broker failed within'),
  );
  const webSockets = createUpgrade(door, limits);
  const listeners = new Set<BrokerListener>();

  return {
    listen: async (where) => {
      const listener = await listen(door, limits, where);
      listeners.add(listener);
      return listener;
    },
    upgrade: webSockets.upgrade,
    publish: (topic, payload, { retain = false } = {}) => {
      fitted.publish({ cmd: 'publish', topic, payload, qos: 1, retain, dup: false }, (error) => {
        if (error) log.warn({ topic, cause: error.message }, 'a message of the gateway was not published');
      });
    },
    disconnect: (id, why) => {
      door.disconnect(id, why);
      fitted.forget(id);
    },
    stats: () => ({ ...door.stats(), notQueued: fitted.notQueued() }),
    close: async () => {
      door.close();
      webSockets.close();
      await Promise.all([...listeners].map((listener) => listener.close()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}

/** The CONNECT was judged before aedes sees it; wills and keep-alive are the door's own. */
const aedesOptions = (limits: BrokerLimits): AedesOptions => ({
  concurrency,
  drainTimeout: limits.drainTimeoutMs,
  maxTopicLevels: limits.topicLevels,
  preConnect: (_client, packet, done) => {
    delete packet.will;
    packet.keepalive = 0;
    done(null, true);
  },
  authenticate: (_client, _userName, _password, done) => done(null, true),
  authorizePublish: (_client, packet, done) => {
    const checked = packet as unknown as CheckedPublish;
    checked.house.take(checked, done);
  },
});
