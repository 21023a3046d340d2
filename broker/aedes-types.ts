import type { Client, PublishPacket } from 'aedes';
import type { Duplex } from 'node:stream';

/** The parts of aedes 1.2.0 used here that its own types leave out; test/broker holds them to the package. */
export interface AedesClient extends Client {
  /** Its MQTT parser: the guard hands checked packets to whoever listens there. */
  readonly _parser: {
    emit(event: 'packet', packet: object): boolean;
    parse(bytes: Buffer): number;
  };
}

export type AedesHandle = (stream: Duplex) => AedesClient;

export interface AedesPersistence {
  outgoingEnqueueCombi(
    subscriptions: readonly { readonly clientId: string }[],
    packet: object,
  ): Promise<void>;
  outgoingClearMessageId(client: { readonly id: string }, packet: object): Promise<object | undefined>;
  cleanSubscriptions(client: { readonly id: string }): Promise<void>;
}

export type AedesPublish = (
  packet: PublishPacket,
  client: Client | null | ((error?: Error) => void),
  done?: (error?: Error) => void,
) => void;
