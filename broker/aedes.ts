import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';
import { Readable, type Duplex } from 'node:stream';

/**
 * aedes 1.2.0 as it is needed here. Beside its own types a few of its inner parts are used, named below and
 * nowhere else; test/broker holds each of them to the package.
 */
export interface AedesClient extends Client {
  /** Its MQTT parser: the guard hands checked packets to whoever listens there. */
  readonly _parser: {
    emit(event: 'packet', packet: object): boolean;
    parse(bytes: Buffer): number;
  };
  /** The packet id its next message takes. */
  _nextId: number;
  /** The newest message delivered, by broker. */
  readonly duplicates: object;
}

interface Store {
  storeRetained(packet: object): Promise<void>;
  cleanSubscriptions(client: { readonly id: string }): Promise<void>;
  outgoingEnqueueCombi(
    subscriptions: readonly { readonly clientId: string }[],
    packet: object,
  ): Promise<void>;
  outgoingUpdate(client: { readonly id: string }, packet: { readonly messageId: number }): Promise<void>;
  outgoingClearMessageId(client: { readonly id: string }, packet: object): Promise<object | undefined>;
  outgoingStream(client: { readonly id: string }): AsyncIterable<Queued>;
}

interface Queued {
  readonly cmd: string;
  readonly messageId?: number;
  dup: boolean;
}

type Done = (error?: Error) => void;
type Publish = (packet: PublishPacket, client: Client | null | Done, done?: Done) => void;

export interface FittedAedes {
  readonly aedes: Aedes;
  /** A client for a connection whose CONNECT was judged. */
  handle(stream: Duplex, clientId: string): AedesClient;
  /** A message of the gateway. */
  publish(packet: PublishPacket, done: Done): void;
  /** Forgets the kept session of a client. */
  forget(id: string): void;
  /** Messages not queued because a persistent session had too many. */
  notQueued(): number;
}

/** Makes an aedes whose clients' messages go to authorizePublish alone, and whose queues have a bound. */
export async function createAedes(
  options: AedesOptions,
  queuedMessagesPerClient: number,
): Promise<FittedAedes> {
  const aedes = new Aedes(options);
  const publish = keepFromSubscribers(aedes);
  await aedes.listen();
  const store = (aedes as unknown as { persistence: Store }).persistence;
  const queues = boundQueues(store, queuedMessagesPerClient);
  const lastIds = rememberIds(store);
  markRedelivered(store);

  return {
    aedes,
    handle: (stream, clientId) => {
      const client = aedes.handle(stream) as AedesClient;
      const last = lastIds.get(clientId);
      // What a kept session has not confirmed keeps its packet ids: the next one is free [MQTT-2.3.1-4].
      if (last !== undefined) client._nextId = (last % 65_535) + 1;
      // aedes drops what it takes for a copy of an overlapping subscription, the one of higher QoS too
      // [MQTT-3.3.5-1]; that copies are delivered is allowed.
      Object.defineProperty(client.duplicates, aedes.id, { get: () => 0, set() {} });
      return client;
    },
    publish: (packet, report) => {
      // Retained first and by itself: aedes would let a later message overtake the one it still retains.
      if (packet.retain) store.storeRetained(packet).catch(report);
      publish({ ...packet, retain: false }, report);
    },
    forget: (id) => void store.cleanSubscriptions({ id }),
    notQueued: queues.notQueued,
  };
}

/**
 * What a client publishes goes to authorizePublish and nowhere else: no subscriber, no retained store. aedes still
 * sends the PUBACK, then calls its own publish, which ends here. Returns the way for the gateway's messages.
 */
function keepFromSubscribers(aedes: Aedes): (packet: PublishPacket, done: Done) => void {
  const publish = aedes.publish.bind(aedes) as Publish;
  const own: Publish = (packet, client, done) => {
    if (typeof client === 'function' || !client) publish(packet, client, done);
    else done?.();
  };
  Object.assign(aedes, { publish: own });
  return publish;
}

/** One copy a client, and no more than `most`: aedes' own store has no bound. */
function boundQueues(store: Store, most: number): { notQueued(): number } {
  const enqueue = store.outgoingEnqueueCombi.bind(store);
  const clear = store.outgoingClearMessageId.bind(store);
  const queued = new Map<string, number>();
  let notQueued = 0;
  const hasRoom = ({ clientId }: { readonly clientId: string }): boolean => {
    const count = queued.get(clientId) ?? 0;
    if (count < most) queued.set(clientId, count + 1);
    else notQueued++;
    return count < most;
  };
  const onceEach = (subscriptions: readonly { readonly clientId: string }[]) => {
    if (subscriptions.length < 2) return subscriptions;
    return [...new Map(subscriptions.map((subscription) => [subscription.clientId, subscription])).values()];
  };
  store.outgoingEnqueueCombi = (subscriptions, packet) =>
    enqueue(onceEach(subscriptions).filter(hasRoom), packet);
  store.outgoingClearMessageId = async (client, packet) => {
    const found = await clear(client, packet);
    if (found) queued.set(client.id, Math.max(0, (queued.get(client.id) ?? 0) - 1));
    return found;
  };
  return { notQueued: () => notQueued };
}

/** The last packet id used towards each persistent session. */
function rememberIds(store: Store): ReadonlyMap<string, number> {
  const update = store.outgoingUpdate.bind(store);
  const last = new Map<string, number>();
  store.outgoingUpdate = (client, packet) => {
    last.set(client.id, packet.messageId);
    return update(client, packet);
  };
  return last;
}

/** What was sent once and not confirmed carries DUP when it is sent again [MQTT-3.3.1-1]. */
function markRedelivered(store: Store): void {
  const read = store.outgoingStream.bind(store);
  async function* marked(client: { readonly id: string }): AsyncGenerator<Queued> {
    for await (const queued of read(client)) {
      if (queued.messageId !== undefined && queued.cmd === 'publish') queued.dup = true;
      yield queued;
    }
  }
  store.outgoingStream = (client) => Readable.from(marked(client)) as AsyncIterable<Queued>;
}
