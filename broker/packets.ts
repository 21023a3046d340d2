import { isUtf8 } from 'node:buffer';

/**
 * What the guard reads of MQTT 3.1.1 packets: pure functions over bytes, no state. Numbers in brackets are the
 * standard's conformance statements.
 */
export const packetType = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const;

/** Fixed-header flags a client must set [MQTT-2.2.2-1]; types that are missing are not a client's to send. */
export const requiredFlags: Readonly<Record<number, number>> = {
  [packetType.connect]: 0,
  [packetType.puback]: 0,
  [packetType.pubrec]: 0,
  [packetType.pubrel]: 2,
  [packetType.pubcomp]: 0,
  [packetType.subscribe]: 2,
  [packetType.unsubscribe]: 2,
  [packetType.pingreq]: 0,
  [packetType.disconnect]: 0,
};

export interface Connect {
  readonly clientId: string;
  readonly userName: string | undefined;
  readonly password: Buffer | undefined;
  readonly clean: boolean;
  readonly keepaliveS: number;
  readonly will: Will | undefined;
}

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  readonly retain: boolean;
}

/** A packet the standard forbids: the connection is closed, after a CONNACK with `code` if one is due. */
export interface Broken {
  readonly cause: string;
  readonly code?: number;
}

export const isBroken = (read: object): read is Broken => 'cause' in read;

/** Walks over the fields of one packet; `undefined` once something does not fit. */
class Fields {
  private readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  byte(): number | undefined {
    return this.left >= 1 ? this.bytes[this.at++] : undefined;
  }

  word(): number | undefined {
    if (this.left < 2) return undefined;
    this.at += 2;
    return this.bytes.readUInt16BE(this.at - 2);
  }

  binary(): Buffer | undefined {
    const length = this.word();
    if (length === undefined || this.left < length) return undefined;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** UTF-8 without U+0000 and surrogates [MQTT-1.5.3-1, -2]. */
  text(): string | undefined {
    const bytes = this.binary();
    return bytes && isText(bytes) ? bytes.toString('utf8') : undefined;
  }
}

const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !bytes.includes(0);

/** Reads a whole CONNECT, its fixed header `headerLength` bytes long. */
export function readConnect(packet: Buffer, headerLength: number): Connect | Broken {
  const fields = new Fields(packet, headerLength);
  const name = fields.binary();
  const level = fields.byte();
  if (!name || level === undefined) return { cause: 'CONNECT is too short' };
  // [MQTT-3.1.2-1, -2]: another protocol or level is told so before the connection closes.
  if (name.toString('latin1') !== 'MQTT' || level !== 4) {
    return { cause: 'it is not MQTT 3.1.1', code: 1 };
  }
  const flags = fields.byte();
  const keepaliveS = fields.word();
  if (flags === undefined || keepaliveS === undefined) return { cause: 'CONNECT is too short' };
  const contradiction = connectFlagFault(flags);
  if (contradiction) return { cause: contradiction };

  const clientId = fields.text();
  if (clientId === undefined) return { cause: 'the client id is no text' };
  let will: Will | undefined;
  if (flags & 0x04) {
    const topic = fields.text();
    const payload = fields.binary();
    if (topic === undefined || !payload) return { cause: 'the will is malformed' };
    if (!isTopicName(topic)) return { cause: 'the will topic is no topic name' };
    will = { topic, payload, qos: (flags >> 3) & 3, retain: (flags & 0x20) !== 0 };
  }
  const userName = flags & 0x80 ? fields.text() : undefined;
  if (flags & 0x80 && userName === undefined) return { cause: 'the user name is no text' };
  const password = flags & 0x40 ? fields.binary() : undefined;
  if (flags & 0x40 && !password) return { cause: 'CONNECT is too short' };
  if (fields.left > 0) return { cause: 'CONNECT has bytes after its last field' };
  // [MQTT-3.1.3-8]
  if (clientId === '' && !(flags & 0x02)) return { cause: 'an empty client id keeps no session', code: 2 };
  return { clientId, userName, password, clean: (flags & 0x02) !== 0, keepaliveS, will };
}

function connectFlagFault(flags: number): string | undefined {
  if (flags & 0x01) return 'the reserved connect flag is set'; // [MQTT-3.1.2-3]
  if (!(flags & 0x04) && flags & 0x38) return 'will flags without a will'; // [MQTT-3.1.2-11, -13, -15]
  if ((flags & 0x18) === 0x18) return 'will QoS 3'; // [MQTT-3.1.2-14]
  if (!(flags & 0x80) && flags & 0x40) return 'a password without a user name'; // [MQTT-3.1.2-22]
  return undefined;
}

export interface Subscribe {
  readonly packetId: number;
  readonly filters: readonly { readonly filter: string; readonly qos: number }[];
}

/** Reads a whole SUBSCRIBE or UNSUBSCRIBE (whose filters carry no QoS). */
export function readFilters(packet: Buffer, headerLength: number, most: number): Subscribe | Broken {
  const withQos = (packet[0] ?? 0) >> 4 === packetType.subscribe;
  const fields = new Fields(packet, headerLength);
  const packetId = fields.word();
  if (!packetId) return { cause: 'packet id 0' }; // [MQTT-2.3.1-1]
  const filters = [];
  while (fields.left > 0) {
    const filter = fields.text();
    const qos = withQos ? fields.byte() : 0;
    if (filter === undefined || qos === undefined) return { cause: 'a filter is malformed' };
    if (qos > 2) return { cause: 'reserved bits of a requested QoS are set' }; // [MQTT-3.8.3-4]
    if (!isTopicFilter(filter)) return { cause: 'a filter misplaces its wildcards' };
    if (filters.length >= most) return { cause: `more than ${most} filters in one packet` };
    filters.push({ filter, qos });
  }
  if (filters.length === 0) return { cause: 'no filter' }; // [MQTT-3.8.3-3, -3.10.3-2]
  return { packetId, filters };
}

/** A text that may name a topic: not empty, no wildcard [MQTT-3.3.2-2, -4.7.3-1]. */
export const isTopicName = (topic: string): boolean => topic !== '' && !/[+#]/.test(topic);

/** Wildcards stand alone in their level, `#` in the last [MQTT-4.7.1-2, -3]. */
export function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/');
  return (
    filter !== '' &&
    levels.every(
      (level, at) => !/[+#]/.test(level) || level === '+' || (level === '#' && at === levels.length - 1),
    )
  );
}

/** Whether a message on `topic` is one for `filter` [MQTT-4.7]. */
export function filterMatches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false; // [MQTT-4.7.2-1]
  for (const [at, level] of wanted.entries()) {
    if (level === '#') return true;
    if (at >= levels.length || (level !== '+' && level !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}

export const levelsOf = (topic: string): number => topic.split('/').length;

/** The topic bytes of a PUBLISH as a name; undefined when they may not be one. */
export function topicName(bytes: Buffer): string | undefined {
  if (bytes.length === 0 || !isText(bytes)) return undefined;
  const name = bytes.toString('utf8');
  return isTopicName(name) ? name : undefined;
}

/** CONNACK that refuses with `code`; session present is 0 then [MQTT-3.2.2-4]. */
export const refusingConnack = (code: number): Buffer => Buffer.from([0x20, 2, 0, code]);

/** SUBACK with one return code a filter [MQTT-3.8.4-5]. */
export function suback(packetId: number, codes: readonly number[]): Buffer {
  const length = 2 + codes.length;
  const head = length < 128 ? [0x90, length] : [0x90, (length & 0x7f) | 0x80, length >> 7];
  return Buffer.from([...head, packetId >> 8, packetId & 0xff, ...codes]);
}
