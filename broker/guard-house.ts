import type { Clock } from '../model/clock.ts';
import type { BrokerLimits } from './limits.ts';
import type { Flusher, OutboundStream } from './outbound.ts';
import type { Connect, Subscribe } from './packets.ts';
import type { ForeignTopic } from './rights.ts';
import type { Topic } from './topics.ts';

/** A topic this client may publish on, with its bytes as they stand in the packet. */
export interface Grant {
  readonly bytes: Buffer;
  readonly name: string;
  readonly topic: Topic | ForeignTopic;
}

/** A PUBLISH as aedes' own parser would hand it over, and what the guard knows beside it. */
export interface CheckedPublish {
  readonly cmd: 'publish';
  readonly topic: string;
  /** Let go of once it was taken. */
  payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly messageId: number | undefined;
  readonly grant: Grant;
  readonly house: GuardHouse;
}

/** Why a connection ended: the words for its log line, or nothing when it was the client's own wish. */
export interface Ending {
  /** A packet DISCONNECT came: no will [MQTT-3.14.4-3]. */
  readonly clean: boolean;
  readonly error?: Error;
}

/** What the guard asks of the house behind it; one for each connection. */
export interface GuardHouse {
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly flusher: Flusher;
  /** The CONNECT is whole: undefined lets it in, a number is the CONNACK code of its refusal. */
  admit(connect: Connect): number | undefined;
  /** Hands the connection to aedes; calls `open()` of the guard when its CONNACK has left. */
  start(stream: OutboundStream): void;
  /** The right to publish on a topic never seen on this connection. */
  grant(name: string, bytes: Buffer): Grant | undefined;
  /** Whether a right given earlier still stands (a host's devices change). */
  stillGranted(grant: Grant): boolean;
  /** False: as many publications as may be are unconfirmed; the guard waits for `resume()`. */
  mayTake(): boolean;
  publish(packet: CheckedPublish): void;
  /** The same packet back from aedes' authorizePublish. */
  take(packet: CheckedPublish, toAedes: (error?: Error | null) => void): void;
  subscribe(packet: Subscribe): void;
  unsubscribe(read: Subscribe, packet: Buffer): void;
  /** A whole packet of another kind, for aedes' own parser. */
  pass(packet: Buffer): void;
  /** It broke MQTT or a limit, and is closed. */
  broke(cause: string): void;
  /** It published where it may not, and is closed. */
  notAllowed(topic: string): void;
  ended(ending: Ending): void;
}
