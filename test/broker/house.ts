import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createBroker, brokerLimits } from '../../broker/broker.ts';
import type {
  Broker,
  BrokerLimits,
  BrokerOptions,
  Identity,
  Publication,
  Refusal,
} from '../../broker/broker.ts';
import type { Fault } from '../../model/fault.ts';
import { virtualClock, type VirtualClock } from '../house/virtual-clock.ts';

export const secret = 's'.repeat(64);

export interface Taken extends Publication {
  confirm(outcome?: Fault): void;
}

/** A broker on loopback with a virtual clock, and what it told its gateway. */
export interface BrokerHouse extends AsyncDisposable {
  readonly broker: Broker;
  readonly clock: VirtualClock;
  readonly port: number;
  readonly taken: Taken[];
  readonly refused: Refusal[];
  readonly logged: { readonly text: string; readonly [name: string]: unknown }[];
  /** `+id` connected, `-id` disconnected, `!id` a will. */
  readonly presence: string[];
  readonly identities: Map<string, Identity>;
  codes(): string[];
  connect(): Promise<RawClient>;
  /** Connected and signed in. */
  client(id: string, options?: ConnectFields): Promise<RawClient>;
}

export async function openBroker(
  options: {
    readonly limits?: Partial<BrokerLimits>;
    /** False: publications wait until the test confirms them. */
    readonly confirmAtOnce?: boolean;
    readonly override?: Partial<BrokerOptions>;
  } = {},
): Promise<BrokerHouse> {
  const clock = virtualClock();
  const taken: Taken[] = [];
  const refused: Refusal[] = [];
  const logged: BrokerHouse['logged'] = [];
  const presence: string[] = [];
  const identities = new Map<string, Identity>([
    ['mon-1', { kind: 'device', id: 'mon-1' }],
    ['mon-2', { kind: 'device', id: 'mon-2' }],
    ['esp-1', { kind: 'device', id: 'esp-1', extraTopics: new Set(['home/ble/hr', 'home/LWT']) }],
    ['host-1', { kind: 'host', id: 'host-1', devices: new Set(['vent-1', 'vent-2']) }],
    ['board-1', { kind: 'reader', id: 'board-1', ward: 'icu' }],
  ]);
  const log = (details: Readonly<Record<string, unknown>>, text: string) =>
    void logged.push({ ...details, text });
  const broker = await createBroker({
    limits: { ...brokerLimits, ...options.limits },
    clock,
    log: { warn: log, info: log },
    authenticate: (id, given) => (given.toString('latin1') === secret ? identities.get(id) : undefined),
    take: (publication, confirm) => {
      taken.push({ ...publication, confirm });
      if (publication.will) presence.push(`!${publication.clientId}`);
      if (options.confirmAtOnce !== false) confirm();
    },
    connected: (identity) => void presence.push(`+${identity.id}`),
    disconnected: (identity) => void presence.push(`-${identity.id}`),
    refused: (refusal) => void refused.push(refusal),
    ...options.override,
  });
  const { port } = await broker.listen({ host: '127.0.0.1', port: 0 });
  const connect = () => rawClient(connectTcp(port, '127.0.0.1'));
  return {
    broker,
    clock,
    port,
    taken,
    refused,
    logged,
    presence,
    identities,
    codes: () => refused.map(({ fault }) => fault.code),
    connect,
    client: async (id, fields) => {
      const client = await connect();
      client.send(connectPacket({ id, ...fields }));
      await client.until(4);
      return client;
    },
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

/** A socket that keeps what it was sent; nothing in it knows MQTT. */
export interface RawClient {
  readonly stream: Duplex;
  readonly closed: Promise<void>;
  isClosed(): boolean;
  /** All bytes received, as hex. */
  got(): string;
  send(...packets: readonly (Buffer | string)[]): void;
  /** Resolves with all received once there are `length` bytes or the connection is closed. */
  until(length: number): Promise<string>;
  /** The broker has worked off all that was sent: a PINGRESP came back (or it closed). */
  settled(): Promise<string>;
  destroy(): void;
}

export async function rawClient(stream: Duplex & Partial<Pick<Socket, 'connecting'>>): Promise<RawClient> {
  let received = Buffer.alloc(0);
  let isClosed = false;
  let wake: (() => void)[] = [];
  const wakeAll = () => {
    const woken = wake;
    wake = [];
    for (const run of woken) run();
  };
  const closed = new Promise<void>((resolve) => {
    stream.on('close', () => {
      isClosed = true;
      resolve();
      wakeAll();
    });
  });
  stream.on('error', () => stream.destroy());
  stream.on('end', () => stream.destroy());
  stream.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wakeAll();
  });
  if (stream.connecting)
    await new Promise((resolve) => stream.once('connect', resolve).once('close', resolve));
  const until = async (length: number): Promise<string> => {
    while (received.length < length && !isClosed) await new Promise<void>((resolve) => wake.push(resolve));
    return received.toString('hex');
  };
  const send = (...packets: readonly (Buffer | string)[]) => {
    const bytes = packets.map((packet) => (typeof packet === 'string' ? hex(packet) : packet));
    if (!stream.destroyed) stream.write(Buffer.concat(bytes));
  };
  return {
    stream,
    closed,
    isClosed: () => isClosed,
    got: () => received.toString('hex'),
    send,
    until,
    settled: async () => {
      const before = received.length;
      send('c000');
      while (!isClosed && (received.length <= before || received.subarray(-2).toString('hex') !== 'd000')) {
        await new Promise<void>((resolve) => wake.push(resolve));
      }
      return received.toString('hex');
    },
    destroy: () => stream.destroy(),
  };
}

export const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
export const text = (value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
export const word = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

/** A packet with first byte `header` and its remaining length in front of `body`. */
export function packet(header: number, ...body: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(body.map((part) => (typeof part === 'string' ? hex(part) : part)));
  const length = [];
  let rest = bytes.length;
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([header, ...length]), bytes]);
}

export interface ConnectFields {
  readonly id?: string | Buffer;
  readonly userName?: string | Buffer;
  readonly password?: string | Buffer;
  readonly clean?: boolean;
  readonly keepaliveS?: number;
  readonly will?: { readonly topic: string | Buffer; readonly payload?: string | Buffer };
  /** Beside what the other fields ask for. */
  readonly flags?: number;
  readonly name?: string;
  readonly level?: number;
}

export function connectPacket(fields: ConnectFields = {}): Buffer {
  const { id = 'mon-1', password = secret, clean = true, keepaliveS = 0, will, flags = 0 } = fields;
  const { userName = id, name = 'MQTT', level = 4 } = fields;
  const allFlags = 0xc0 | (clean ? 2 : 0) | (will ? 4 : 0) | flags;
  return packet(
    0x10,
    text(name),
    Buffer.from([level, allFlags]),
    word(keepaliveS),
    text(id),
    ...(will ? [text(will.topic), text(will.payload ?? '')] : []),
    text(userName),
    text(password),
  );
}

export const publishPacket = (
  topic: string | Buffer,
  payload: string | Buffer = '{}',
  { id = 1, header = 0x32 }: { readonly id?: number; readonly header?: number } = {},
): Buffer => packet(header, text(topic), ...(header & 6 ? [word(id)] : []), Buffer.from(payload));

export const subscribePacket = (filters: readonly (string | Buffer)[], qos = 1, id = 1): Buffer =>
  packet(0x82, word(id), ...filters.flatMap((filter) => [text(filter), Buffer.from([qos])]));

export const accepted = '20020000';
export const puback = (id: number): string => `4002${word(id).toString('hex')}`;
