import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import type { Clock } from '../../model/clock.ts';
import type { Chance, HostId } from '../../model/ids.ts';
import { createBackoff } from '../transport/backoff.ts';

export interface GatewayLinkOptions {
  /** mqtt://, mqtts://, ws:// or wss:// */
  readonly url: string;
  readonly host: HostId;
  readonly secret: string;
  /** PEM of the authority that signed the gateway's certificate, where it is the hospital's own. */
  readonly ca?: Buffer;
  readonly topics: readonly string[];
  readonly clock: Clock;
  readonly chance: Chance;
  /** Made anew for each connection: its number belongs to that connection. */
  readonly will: () => { readonly topic: string; readonly payload: string };
  readonly connected: () => void;
  readonly lost: (cause: string) => void;
  readonly received: (topic: string, payload: Buffer) => void;
}

export interface GatewayLink {
  readonly up: boolean;
  /**
   * Sends with QoS 1 when connected and calls `done` once: true on PUBACK, false when the connection ended first.
   * False at once when there is no connection: nothing is queued here.
   */
  publish(topic: string, payload: string, done: (confirmed: boolean) => void): boolean;
  close(): Promise<void>;
}

const connectMs = 10_000;
/** Also how soon a half-open connection is noticed: one and a half of it. */
const keepaliveS = 5;
const stableMs = 30_000;

/**
 * The host's one connection. A fresh client each time, reconnecting after a pause of our own with jitter, so that a
 * ward's hosts do not come back in one blow and no queue of the library's lives on from a lost connection.
 */
export function openGatewayLink(options: GatewayLinkOptions): GatewayLink {
  const { clock } = options;
  const backoff = createBackoff({ firstMs: 250, mostMs: 10_000, chance: options.chance });
  let closed = false;
  let client: MqttClient | undefined;
  let up = false;
  let cancelRetry = (): void => {};
  const waiting = new Set<(confirmed: boolean) => void>();

  const open = (): void => {
    const made = connect(options.url, clientOptions(options));
    client = made;
    let upSinceMs: number | undefined;
    let cause = 'no connection';
    made.on('error', (error) => (cause = error.message || error.name));
    made.on('message', (topic, payload) => options.received(topic, payload));
    made.on('connect', () => {
      made.subscribe([...options.topics], { qos: 1 }, (error) => {
        if (made !== client || closed) return;
        if (error) {
          cause = 'subscription refused';
          return made.end(true);
        }
        up = true;
        upSinceMs = clock.monotonicMs();
        options.connected();
      });
    });
    made.once('close', () => {
      if (made !== client) return;
      client = undefined;
      made.end(true);
      up = false;
      const pending = [...waiting];
      waiting.clear();
      if (upSinceMs !== undefined && clock.monotonicMs() - upSinceMs >= stableMs) backoff.reset();
      if (!closed) options.lost(cause);
      for (const done of pending) done(false);
      if (!closed) cancelRetry = clock.after(backoff.next(), open);
    });
  };
  open();

  return {
    get up() {
      return up;
    },
    publish: (topic, payload, done) => {
      if (!up || !client) return false;
      waiting.add(done);
      client.publish(topic, payload, { qos: 1 }, (error) => {
        if (!error && waiting.delete(done)) done(true);
      });
      return true;
    },
    close: async () => {
      closed = true;
      cancelRetry();
      await client?.endAsync(false).catch(() => {});
    },
  };
}

function clientOptions({ host, secret, ca, will }: GatewayLinkOptions): IClientOptions {
  const last = will();
  return {
    clientId: host,
    username: host,
    password: secret,
    protocolVersion: 4,
    clean: true,
    keepalive: keepaliveS,
    connectTimeout: connectMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    will: { topic: last.topic, payload: Buffer.from(last.payload), qos: 1, retain: false },
    ...(ca && { ca }),
  };
}
