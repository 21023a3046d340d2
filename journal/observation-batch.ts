/**
 * The body of a journal batch of observations: columns, so that the main thread only stores numbers into typed
 * arrays and the historian reads them back without making an object a value. Each body stands alone (its own small
 * dictionaries of devices and series keys), so a damaged neighbour costs it nothing. Little-endian.
 */
import { endianness } from 'node:os';
import { reasons, type Reason, type Validity } from '../model/observation.ts';

const magic = 0x31424f56; // "VOB1"
const headBytes = 64;

/** Running counters of the front door, in observations; received = kept + ledgered + quarantined + duplicate. */
export interface Counters {
  received: number;
  kept: number;
  ledgered: number;
  quarantined: number;
  duplicate: number;
}

export const kinds = { number: 0, none: 1, code: 2, text: 3 } as const;
const validityBits: Record<Validity, number> = { valid: 0, questionable: 1, invalid: 2 };
const validityNames: readonly Validity[] = ['valid', 'questionable', 'invalid'];
const reasonIndex = new Map<Reason, number>(reasons.map((reason, index) => [reason, index + 1]));

export const packFlags = (validity: Validity, kind: number, historical: boolean, unplaced: boolean): number =>
  validityBits[validity] | (kind << 2) | (historical ? 16 : 0) | (unplaced ? 32 : 0);
export const flagsValidity = (flags: number): Validity => validityNames[flags & 3] ?? 'invalid';
export const flagsKind = (flags: number): number => (flags >> 2) & 3;
export const flagsHistorical = (flags: number): boolean => (flags & 16) !== 0;
/** Backlog without a usable time: kept under the device, attributed to nobody (CLINICAL 9). */
export const flagsUnplaced = (flags: number): boolean => (flags & 32) !== 0;
export const packReason = (reason: Reason | undefined): number =>
  reason === undefined ? 0 : (reasonIndex.get(reason) ?? 0);
export const unpackReason = (index: number): Reason | undefined =>
  index === 0 ? undefined : reasons[index - 1];

/** A device boot or a series key that remembers its place in the batch being built. */
export interface BatchName {
  readonly bytes: Uint8Array;
  stamp: number;
  index: number;
}
export const batchName = (text: string): BatchName => ({
  bytes: new TextEncoder().encode(text),
  stamp: 0,
  index: 0,
});
/** A device with its boot: two strings parted by U+0000, which neither may hold. */
export const deviceName = (device: string, boot: string): BatchName => batchName(`${device}\u0000${boot}`);

let stamps = 0;
const noTail = new Uint8Array();

/** Collects messages until sealed. One builder a class; reused after each seal. */
export class ObservationBatchBuilder {
  private stamp = ++stamps;
  private devices: BatchName[] = [];
  private keys: BatchName[] = [];
  private texts: (string | readonly [string, string])[] = [];
  private seq = new Float64Array(512);
  private receivedAt = new Float64Array(512);
  private digest = new Uint32Array(1024);
  private device = new Uint16Array(512);
  private count = new Uint16Array(512);
  private taken = new Float64Array(4096);
  private value = new Float64Array(4096);
  private key = new Uint16Array(4096);
  private flags = new Uint8Array(4096);
  private reason = new Uint8Array(4096);
  messages = 0;
  observations = 0;
  firstAtMs = Infinity;
  lastAtMs = -Infinity;

  /** Begins a message; its observations follow. Digest: 64 bits as two unsigned words. */
  message(device: BatchName, seq: number, receivedAtMs: number, digestHigh: number, digestLow: number): void {
    if (device.stamp !== this.stamp) {
      device.stamp = this.stamp;
      device.index = this.devices.push(device) - 1;
    }
    const at = this.messages++;
    if (at >= this.seq.length) this.growMessages();
    this.seq[at] = seq;
    this.receivedAt[at] = receivedAtMs;
    this.digest[2 * at] = digestHigh;
    this.digest[2 * at + 1] = digestLow;
    this.device[at] = device.index;
    this.count[at] = 0;
    if (receivedAtMs < this.firstAtMs) this.firstAtMs = receivedAtMs;
    if (receivedAtMs > this.lastAtMs) this.lastAtMs = receivedAtMs;
  }

  /** Adds an observation to the message begun last. `value` is ignored for codes, texts and missing ones. */
  observation(key: BatchName, takenAtMs: number, value: number, flags: number, reason: number): void {
    if (key.stamp !== this.stamp) {
      key.stamp = this.stamp;
      key.index = this.keys.push(key) - 1;
    }
    const at = this.observations++;
    if (at >= this.taken.length) this.growObservations();
    this.taken[at] = takenAtMs;
    this.value[at] = value;
    this.key[at] = key.index;
    this.flags[at] = flags;
    this.reason[at] = reason;
    const message = this.messages - 1;
    this.count[message] = (this.count[message] ?? 0) + 1;
  }

  /** The text or [code, system] of the observation added last. */
  text(text: string | readonly [string, string]): void {
    this.texts.push(text);
  }

  /** Room is left for the 16-bit dictionaries and counts. */
  get full(): boolean {
    return this.devices.length > 60_000 || this.keys.length > 60_000 || this.observations > 1_000_000;
  }

  /** Makes the body, `tail` behind it, and empties the builder. */
  seal(counters: Counters, tail: Uint8Array = noTail): Uint8Array {
    const { messages, observations } = this;
    const names = [...this.devices, ...this.keys];
    const texts = this.texts.length === 0 ? undefined : new TextEncoder().encode(JSON.stringify(this.texts));
    const nameBytes = names.reduce((sum, name) => sum + 2 + name.bytes.length, 0);
    const columns = align8(headBytes + nameBytes);
    const total = columns + messages * 28 + observations * 20 + (texts?.length ?? 0) + tail.length;
    const body = new Uint8Array(total);
    const view = new DataView(body.buffer);
    view.setUint32(0, magic, true);
    view.setUint16(4, this.devices.length, true);
    view.setUint16(6, this.keys.length, true);
    view.setUint32(8, messages, true);
    view.setUint32(12, observations, true);
    view.setUint32(16, texts?.length ?? 0, true);
    view.setUint32(20, nameBytes, true);
    for (const [index, name] of counterNames.entries()) view.setFloat64(24 + 8 * index, counters[name], true);
    let at = headBytes;
    for (const name of names) {
      view.setUint16(at, name.bytes.length, true);
      body.set(name.bytes, at + 2);
      at += 2 + name.bytes.length;
    }
    at = columns;
    // Widest columns first, so that each starts aligned to its own width whatever the counts are.
    const put = (array: Float64Array | Uint32Array | Uint16Array | Uint8Array, length: number): void => {
      body.set(new Uint8Array(array.buffer, 0, length * array.BYTES_PER_ELEMENT), at);
      at += length * array.BYTES_PER_ELEMENT;
    };
    put(this.seq, messages);
    put(this.receivedAt, messages);
    put(this.taken, observations);
    put(this.value, observations);
    put(this.digest, messages * 2);
    put(this.device, messages);
    put(this.count, messages);
    put(this.key, observations);
    put(this.flags, observations);
    put(this.reason, observations);
    if (texts) body.set(texts, at);
    body.set(tail, total - tail.length);
    this.reset();
    return body;
  }

  /** Small copies that tell, should this body not be kept, exactly what was lost. Call before `seal`. */
  trace(): BatchTrace {
    return {
      devices: this.devices,
      keys: this.keys,
      seq: this.seq.slice(0, this.messages),
      device: this.device.slice(0, this.messages),
      count: this.count.slice(0, this.messages),
      receivedAtMs: this.receivedAt.slice(0, this.messages),
      key: this.key.slice(0, this.observations),
    };
  }

  /** Empties the builder without making a body. */
  discard(): void {
    this.reset();
  }

  private reset(): void {
    this.stamp = ++stamps;
    this.devices = [];
    this.keys = [];
    this.texts = [];
    this.messages = 0;
    this.observations = 0;
    this.firstAtMs = Infinity;
    this.lastAtMs = -Infinity;
  }

  private growMessages(): void {
    this.seq = grown(this.seq);
    this.receivedAt = grown(this.receivedAt);
    this.digest = grown(this.digest);
    this.device = grown(this.device);
    this.count = grown(this.count);
  }

  private growObservations(): void {
    this.taken = grown(this.taken);
    this.value = grown(this.value);
    this.key = grown(this.key);
    this.flags = grown(this.flags);
    this.reason = grown(this.reason);
  }
}

/** What was in a body, without its values: for the loss ledger. Indexes as in ObservationBatch. */
export interface BatchTrace {
  readonly devices: readonly BatchName[];
  readonly keys: readonly BatchName[];
  readonly seq: Float64Array;
  readonly device: Uint16Array;
  readonly count: Uint16Array;
  readonly receivedAtMs: Float64Array;
  readonly key: Uint16Array;
}

/** The columns of a body read back: views into it, no copies. Observations of message m start at the sum of the counts before it. */
export interface ObservationColumns {
  readonly messages: number;
  readonly observations: number;
  readonly seq: Float64Array;
  readonly receivedAtMs: Float64Array;
  /** Two words a message: high, low. */
  readonly digest: Uint32Array;
  readonly deviceIndex: Uint16Array;
  readonly count: Uint16Array;
  readonly takenAtMs: Float64Array;
  readonly value: Float64Array;
  readonly keyIndex: Uint16Array;
  readonly flags: Uint8Array;
  readonly reason: Uint8Array;
}

export interface ObservationBatch extends ObservationColumns {
  readonly counters: Counters;
  readonly devices: readonly { readonly device: string; readonly boot: string }[];
  readonly keys: readonly string[];
  /** Texts and codes in the order of the observations that carry them. */
  readonly texts: readonly (string | readonly [string, string])[];
}

export const isObservationBatch = (body: Uint8Array): boolean =>
  body.length >= headBytes && new DataView(body.buffer, body.byteOffset).getUint32(0, true) === magic;

/** Throws a RangeError when the body is not one of ours; its checksum was checked before. */
export function readObservationBatch(bytes: Uint8Array): ObservationBatch {
  const opened = openBatch(bytes);
  const { body, view, textBytes } = opened;
  const counters = Object.fromEntries(
    counterNames.map((name, index) => [name, view.getFloat64(24 + 8 * index, true)]),
  ) as unknown as Counters;
  const names = namesOf(opened, opened.deviceCount + opened.keyCount);
  const devices = names.slice(0, opened.deviceCount).map((name) => {
    const [device = '', boot = ''] = name.split('\u0000');
    return { device, boot };
  });
  const { columns, end } = columnsOf(opened);
  const texts =
    textBytes === 0
      ? []
      : (JSON.parse(decoder.decode(body.subarray(end, end + textBytes))) as ObservationBatch['texts']);
  return { counters, devices, keys: names.slice(opened.deviceCount), ...columns, texts };
}

/** Only who sent what when, without metrics and texts: for counting. Throws as `readObservationBatch`. */
export function readSenders(bytes: Uint8Array): ObservationColumns & { readonly senders: readonly string[] } {
  const opened = openBatch(bytes);
  const senders = namesOf(opened, opened.deviceCount).map((name) => name.split('\u0000')[0] ?? '');
  return { ...columnsOf(opened).columns, senders };
}

interface OpenedBatch {
  readonly body: Uint8Array;
  readonly view: DataView;
  readonly deviceCount: number;
  readonly keyCount: number;
  readonly messages: number;
  readonly observations: number;
  readonly textBytes: number;
  readonly nameBytes: number;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function openBatch(bytes: Uint8Array): OpenedBatch {
  if (endianness() !== 'LE') throw new RangeError('the journal is little-endian and so must be the machine');
  // A copy, not slice(): a Buffer's slice is a view of the same, unaligned bytes.
  const body = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (view.getUint32(0, true) !== magic) throw new RangeError('not an observation batch');
  return {
    body,
    view,
    deviceCount: view.getUint16(4, true),
    keyCount: view.getUint16(6, true),
    messages: view.getUint32(8, true),
    observations: view.getUint32(12, true),
    textBytes: view.getUint32(16, true),
    nameBytes: view.getUint32(20, true),
  };
}

function namesOf({ body, view }: OpenedBatch, count: number): string[] {
  let at = headBytes;
  return Array.from({ length: count }, () => {
    const length = view.getUint16(at, true);
    const text = decoder.decode(body.subarray(at + 2, at + 2 + length));
    at += 2 + length;
    return text;
  });
}

/** `end` is where the texts begin. */
function columnsOf(opened: OpenedBatch): { readonly columns: ObservationColumns; readonly end: number } {
  const { body, messages, observations, nameBytes } = opened;
  let offset = body.byteOffset + align8(headBytes + nameBytes);
  const take = <A>(
    make: new (buffer: ArrayBufferLike, offset: number, length: number) => A,
    width: number,
    length: number,
  ): A => {
    const column = new make(body.buffer, offset, length);
    offset += width * length;
    return column;
  };
  const columns = {
    messages,
    observations,
    seq: take(Float64Array, 8, messages),
    receivedAtMs: take(Float64Array, 8, messages),
    takenAtMs: take(Float64Array, 8, observations),
    value: take(Float64Array, 8, observations),
    digest: take(Uint32Array, 4, messages * 2),
    deviceIndex: take(Uint16Array, 2, messages),
    count: take(Uint16Array, 2, messages),
    keyIndex: take(Uint16Array, 2, observations),
    flags: take(Uint8Array, 1, observations),
    reason: take(Uint8Array, 1, observations),
  };
  return { columns, end: offset - body.byteOffset };
}

const counterNames = ['received', 'kept', 'ledgered', 'quarantined', 'duplicate'] as const;
const align8 = (bytes: number): number => (bytes + 7) & ~7;

function grown<A extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(array: A): A {
  const larger = new (array.constructor as new (length: number) => A)(array.length * 2);
  larger.set(array);
  return larger;
}
