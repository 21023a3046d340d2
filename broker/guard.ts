import type { Duplex } from 'node:stream';
import { createGrants, type Grants } from './grants.ts';
import type { GuardHouse } from './guard-house.ts';
import { OutboundStream } from './outbound.ts';
import { isBroken, packetType, readConnect, readFilters, refusingConnack, requiredFlags } from './packets.ts';

type State = 'connect' | 'opening' | 'open' | 'closed';
/** A fixed header has one byte and a remaining length of at most four. */
const longestHeader = 5;
/** A topic longer than this is nobody's. */
const topicBytesAtMost = 4_096;
const lingerMs = 1_000;

/**
 * Stands between a transport (socket, TLS, WebSocket) and aedes, counts bytes and reads every packet before
 * aedes sees it. A packet that lies whole in a chunk is read where it lies; one that does not is gathered first.
 */
export class Guard {
  readonly stream: OutboundStream;
  /** Monotonic time of the last bytes, for the keep-alive. */
  lastHeardMs: number;
  private readonly transport: Duplex;
  private readonly house: GuardHouse;
  private state: State = 'connect';
  private held = false;
  private clean = false;
  private parts: Buffer[] = [];
  private partsLength = 0;
  private needed = 2;
  private readonly grants: Grants;

  constructor(transport: Duplex, house: GuardHouse) {
    this.transport = transport;
    this.house = house;
    this.grants = createGrants(house);
    this.lastHeardMs = house.clock.monotonicMs();
    this.stream = new OutboundStream({
      transport,
      flusher: house.flusher,
      queuedBytes: house.limits.queuedBytesPerClient,
      gone: (error) => this.end(error ?? undefined),
      overflown: () => this.stream.destroy(new Error('drain timeout')),
    });
    transport.on('data', (chunk: Buffer) => this.receive(chunk));
    transport.on('error', () => this.stream.destroy());
    transport.on('end', () => this.stream.destroy());
    transport.on('close', () => this.stream.destroy());
  }

  /** Held back by the bound on unconfirmed publications. */
  get isHeld(): boolean {
    return this.held;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** The CONNACK has left: what came after the CONNECT may follow. */
  open(): void {
    if (this.state !== 'opening') return;
    this.state = 'open';
    this.goOn();
  }

  /** The bound has room again. */
  resume(): void {
    if (!this.held || this.state !== 'open') return;
    this.held = false;
    this.goOn();
  }

  /** Ends the connection from our side; what was written before still goes out. */
  close(error?: Error): void {
    this.stream.destroy(error);
  }

  private goOn(): void {
    const rest = this.joined();
    if (rest) this.consume(rest);
    if (!this.held && this.state === 'open') this.transport.resume();
  }

  private receive(chunk: Buffer): void {
    if (this.state === 'closed') return;
    this.lastHeardMs = this.house.clock.monotonicMs();
    if (this.partsLength > 0 || this.held || this.state === 'opening') {
      this.parts.push(chunk);
      this.partsLength += chunk.length;
      if (this.held || this.state === 'opening') return void this.transport.pause();
      if (this.partsLength < this.needed) return;
      const whole = this.joined();
      if (whole) this.consume(whole);
    } else {
      this.consume(chunk);
    }
  }

  private joined(): Buffer | undefined {
    const { parts } = this;
    if (parts.length === 0) return undefined;
    const all = parts.length === 1 ? parts[0] : Buffer.concat(parts, this.partsLength);
    this.parts = [];
    this.partsLength = 0;
    return all;
  }

  private keep(bytes: Buffer, from: number, needed: number): void {
    if (from >= bytes.length) return;
    this.parts = [bytes.subarray(from)];
    this.partsLength = bytes.length - from;
    this.needed = needed;
  }

  /** Takes as many whole packets as there are. */
  private consume(bytes: Buffer): void {
    let at = 0;
    const end = bytes.length;
    while (at < end) {
      const header = bytes[at] as number;
      if (this.state === 'connect' && header !== 0x10) return this.broken('the first packet is no CONNECT');
      // The remaining length [MQTT-2.2.3].
      let remaining = 0;
      let length = 1;
      let more = true;
      while (more && length < longestHeader && at + length < end) {
        const digit = bytes[at + length] as number;
        remaining += (digit & 0x7f) << (7 * (length - 1));
        length++;
        more = digit >= 0x80;
      }
      if (more && length === longestHeader) return this.broken('the remaining length is malformed');
      const total = length + remaining;
      if (more) return this.keep(bytes, at, end - at + 1);
      if (total > this.allowedBytes(bytes, at, length, total)) {
        return this.broken(`a packet of ${total} bytes is too large`);
      }
      if (at + total > end) return this.keep(bytes, at, this.neededOf(total, length, end - at));

      if (header >> 4 === packetType.publish) {
        if (this.state === 'open' && !this.house.mayTake()) {
          this.keep(bytes, at, total);
          this.held = true;
          return void this.transport.pause();
        }
        if (!this.takePublish(bytes, at, length, at + total)) return;
      } else if (!this.takeOther(bytes.subarray(at, at + total), length)) return;
      at += total;
      if (this.state !== 'open') {
        if (this.state === 'opening') {
          this.keep(bytes, at, 0);
          this.transport.pause();
        }
        return;
      }
    }
  }

  /** Larger than an ordinary packet is allowed for waveforms only, which the topic tells once it is here. */
  private allowedBytes(bytes: Buffer, at: number, headerLength: number, total: number): number {
    const { limits } = this.house;
    if (this.state === 'connect') return limits.connectBytes;
    const large = total > limits.packetBytes && (bytes[at] as number) >> 4 === packetType.publish;
    if (!large) return limits.packetBytes;
    const topicAt = at + headerLength + 2;
    if (bytes.length < topicAt) return limits.waveformBytes;
    const topicEnd = topicAt + bytes.readUInt16BE(topicAt - 2);
    if (topicEnd - topicAt > topicBytesAtMost) return limits.packetBytes;
    if (bytes.length < topicEnd) return limits.waveformBytes;
    return bytes.toString('latin1', topicAt, topicEnd).endsWith('/waveforms')
      ? limits.waveformBytes
      : limits.packetBytes;
  }

  /** How many bytes to gather before looking again: a large packet's topic first, then all of it. */
  private neededOf(total: number, headerLength: number, here: number): number {
    const withTopic = headerLength + 2 + topicBytesAtMost;
    return total <= this.house.limits.packetBytes || here >= withTopic ? total : Math.min(total, withTopic);
  }

  /** Reads a PUBLISH in place; false when the connection was closed over it. */
  private takePublish(bytes: Buffer, at: number, headerLength: number, end: number): boolean {
    const flags = (bytes[at] as number) & 0x0f;
    const qos = (flags >> 1) & 3;
    if (qos > 1) return this.fails(qos === 3 ? 'QoS 3' : 'QoS 2 is not offered'); // [MQTT-3.3.1-4]
    if (qos === 0 && flags & 0x08) return this.fails('DUP on QoS 0'); // [MQTT-3.3.1-2]
    let from = at + headerLength;
    if (end - from < 2) return this.fails('PUBLISH is too short');
    const topicEnd = from + 2 + (((bytes[from] as number) << 8) | (bytes[from + 1] as number));
    if (topicEnd > end) return this.fails('PUBLISH is too short');
    const grant = this.grants.of(bytes, from + 2, topicEnd);
    if (grant === 'no topic name') return this.fails('the topic is no topic name');
    if ('refused' in grant) {
      this.house.notAllowed(grant.refused);
      return false;
    }
    from = topicEnd;
    let messageId: number | undefined;
    if (qos === 1) {
      if (end - from < 2) return this.fails('PUBLISH is too short');
      messageId = ((bytes[from] as number) << 8) | (bytes[from + 1] as number);
      if (messageId === 0) return this.fails('packet id 0'); // [MQTT-2.3.1-1]
      from += 2;
    }
    this.house.publish({
      cmd: 'publish',
      topic: grant.name,
      payload: bytes.subarray(from, end),
      qos: qos as 0 | 1,
      retain: (flags & 1) !== 0,
      dup: (flags & 8) !== 0,
      messageId,
      grant,
      house: this.house,
    });
    return true;
  }

  /** Reads a packet that is no PUBLISH; false when the connection was closed over it. */
  private takeOther(packet: Buffer, headerLength: number): boolean {
    const header = packet[0] as number;
    const type = header >> 4;
    const body = packet.length - headerLength;
    const flags = requiredFlags[type];
    if (flags === undefined) return this.fails('a packet only a server sends');
    if (flags !== (header & 0x0f)) return this.fails('reserved header flags'); // [MQTT-2.2.2-2]
    switch (type) {
      case packetType.connect:
        return this.takeConnect(packet, headerLength);
      case packetType.subscribe:
      case packetType.unsubscribe:
        return this.takeFilters(packet, headerLength);
      case packetType.pingreq:
      case packetType.disconnect:
        if (body !== 0) return this.fails('a body where none may be');
        if (type === packetType.disconnect) this.clean = true;
        break;
      default: // PUBACK; the other three belong to QoS 2, which is not offered
        if (body !== 2) return this.fails('an acknowledgement of a wrong length');
        if (packet.readUInt16BE(headerLength) === 0) return this.fails('packet id 0');
        if (type !== packetType.puback) return this.fails('QoS 2 is not offered');
    }
    this.house.pass(packet);
    return this.state === 'open';
  }

  private takeConnect(packet: Buffer, headerLength: number): boolean {
    if (this.state !== 'connect') return this.fails('a second CONNECT'); // [MQTT-3.1.0-2]
    const connect = readConnect(packet, headerLength);
    if (isBroken(connect)) {
      if (connect.code !== undefined) this.answer(connect.code);
      return this.fails(connect.cause);
    }
    const code = this.house.admit(connect);
    if (code !== undefined) {
      this.answer(code);
      this.close();
      return false;
    }
    this.state = 'opening';
    this.house.start(this.stream);
    this.stream.offer(packet);
    return true;
  }

  private takeFilters(packet: Buffer, headerLength: number): boolean {
    const read = readFilters(packet, headerLength, this.house.limits.filtersPerSubscribe);
    if (isBroken(read)) return this.fails(read.cause);
    if ((packet[0] as number) >> 4 === packetType.subscribe) this.house.subscribe(read);
    else this.house.unsubscribe(read, packet);
    return this.state === 'open';
  }

  /** A CONNACK that refuses; the close that follows lets it go out first. */
  private answer(code: number): void {
    this.clean = true;
    this.transport.write(refusingConnack(code));
  }

  private fails(cause: string): false {
    this.broken(cause);
    return false;
  }

  private broken(cause: string): void {
    if (this.state === 'closed') return;
    this.house.broke(cause);
    this.close();
  }

  private end(error: Error | undefined): void {
    if (this.state === 'closed') return;
    const graceful = this.clean;
    this.state = 'closed';
    this.parts = [];
    this.partsLength = 0;
    this.shut(graceful);
    this.house.ended({ clean: graceful, ...(error ? { error } : {}) });
  }

  /** After a DISCONNECT or a refusing CONNACK the peer may still read; whoever broke a rule is cut off. */
  private shut(graceful: boolean): void {
    const { transport } = this;
    if (!graceful || transport.destroyed) return void transport.destroy();
    transport.end();
    transport.resume();
    const cancel = this.house.clock.after(lingerMs, () => transport.destroy());
    transport.once('close', cancel);
  }
}
