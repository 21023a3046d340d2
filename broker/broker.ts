import { Aedes, type AedesOptions } from 'aedes';
import type { AedesClient, AedesPersistence, AedesPublish } from './aedes-types.ts';
import { createDoor, type DoorOptions, type DoorStats } from './door.ts';
import type { CheckedPublish } from './guard.ts';
import { createUpgrade, listen, type BrokerListener, type ListenOptions, type Upgrade } from './listeners.ts';
import { readRight, subscribeRight } from './rights.ts';

export { BrokerLimitsSchema, brokerLimits, type BrokerLimits } from './limits.ts';
export type { DoorStats, Publication } from './door.ts';
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

/** Mqemitter's slots: a frozen subscriber holds one for each message until it is dropped. */
const concurrency = 10_000;

export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { limits, log } = options;
  const aedes = new Aedes({
    concurrency,
    drainTimeout: limits.drainTimeoutMs,
    connectTimeout: limits.connectDeadlineMs,
    maxTopicLevels: limits.topicLevels,
    ...hooks(),
  });
  const door = createDoor({ ...options, handle: (stream) => aedes.handle(stream) as AedesClient });
  aedes.authorizeSubscribe = (client, subscription, done) => {
    const identity = door.sessionOf(client)?.identity;
    done(null, identity && subscribeRight(identity, subscription.topic) ? subscription : null);
  };
  aedes.authorizeForward = (client, packet) => {
    const identity = door.sessionOf(client)?.identity;
    return identity && readRight(identity, packet.topic) ? packet : null;
  };
  aedes.on('clientReady', (client) => door.ready(client));
  (aedes as unknown as NodeJS.EventEmitter).on('error', (error: Error) =>
    log.warn({ cause: error.message }, 'the broker failed within'),
  );
  const publishWithin = keepFromSubscribers(aedes);
  await aedes.listen();
  const queues = boundQueues(aedes, limits.queuedMessagesPerClient);
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
      const packet = { cmd: 'publish', topic, payload, qos: 1, retain, dup: false } as const;
      publishWithin(packet, (error) => {
        if (error) log.warn({ topic, cause: error.message }, 'a message of the gateway was not published');
      });
    },
    disconnect: (id, why) => {
      door.disconnect(id, why);
      queues.forget(id);
    },
    stats: () => ({ ...door.stats(), notQueued: queues.notQueued() }),
    close: async () => {
      door.close();
      webSockets.close();
      await Promise.all([...listeners].map((listener) => listener.close()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}

/** The CONNECT was judged before aedes saw it; wills and keep-alive are the door's own. */
const hooks = (): AedesOptions => ({
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

/**
 * What a client publishes goes to `take` and nowhere else: no subscriber, no retained store. aedes still sends
 * the PUBACK, then calls its own publish, which ends here. Returns the way for the gateway's messages.
 */
function keepFromSubscribers(aedes: Aedes): (packet: Parameters<Aedes['publish']>[0], done: Done) => void {
  const publish = aedes.publish.bind(aedes) as AedesPublish;
  const own: AedesPublish = (packet, client, done) => {
    if (typeof client === 'function' || !client) publish(packet, client, done);
    else done?.();
  };
  Object.assign(aedes, { publish: own });
  return (packet, done) => publish(packet, done);
}
type Done = (error?: Error) => void;

/** Bounds what is kept in memory for persistent sessions; aedes' own store has no bound. */
function boundQueues(aedes: Aedes, most: number) {
  const store = (aedes as unknown as { persistence: AedesPersistence }).persistence;
  const enqueue = store.outgoingEnqueueCombi.bind(store);
  const clear = store.outgoingClearMessageId.bind(store);
  const queued = new Map<string, number>();
  let notQueued = 0;
  const hasRoom = (id: string): boolean => {
    const count = queued.get(id) ?? 0;
    if (count < most) queued.set(id, count + 1);
    else notQueued++;
    return count < most;
  };
  store.outgoingEnqueueCombi = (subscriptions, packet) =>
    subscriptions.length === 0
      ? Promise.resolve()
      : enqueue(
          subscriptions.filter(({ clientId }) => hasRoom(clientId)),
          packet,
        );
  store.outgoingClearMessageId = async (client, packet) => {
    const found = await clear(client, packet);
    const count = queued.get(client.id) ?? 0;
    if (found && count > 0) queued.set(client.id, count - 1);
    return found;
  };
  return {
    notQueued: () => notQueued,
    forget: (id: string) => void store.cleanSubscriptions({ id }),
  };
}
