import { Duplex } from 'node:stream';

/** Output of many connections, each flushed once a tick: the 3 little writes of 50 PUBACKs become one. */
export interface Flusher {
  add(stream: OutboundStream): void;
}

export function createFlusher(): Flusher {
  let dirty: OutboundStream[] = [];
  const flushAll = (): void => {
    const streams = dirty;
    dirty = [];
    for (const stream of streams) stream.flush();
  };
  return {
    add: (stream) => {
      if (dirty.push(stream) === 1) process.nextTick(flushAll);
    },
  };
}

export interface OutboundOptions {
  readonly transport: Duplex;
  readonly flusher: Flusher;
  /** Bytes that may wait for a reader that does not read. */
  readonly queuedBytes: number;
  /** The stream was destroyed, by aedes or by the guard; called once. */
  readonly gone: (error: Error | null) => void;
  /** More than `queuedBytes` wait. */
  readonly overflown: () => void;
}

const firstBytes = 512;
/** Larger writes go out as they are instead of being copied together. */
const copyBelow = 2_048;
/** Gathering ends here even within one tick. */
const gatherAtMost = 65_536;

/**
 * What aedes holds instead of the socket. Bytes come in through the guard only, so reading yields nothing but the
 * CONNECT; bytes going out are gathered per tick, and a socket that does not take them is seen here.
 */
export class OutboundStream extends Duplex {
  /** Session present, once the CONNACK has been written: a kept session without subscriptions counts too. */
  sessionKept = false;
  private readonly options: OutboundOptions;
  private first: Buffer | null = null;
  private connackSeen = false;
  private gathered: Buffer | undefined;
  private length = 0;
  private waits = false;
  private readonly drained = (): void => {
    if (!this.waits || this.destroyed) return;
    this.waits = false;
    this.emit('drain');
  };

  constructor(options: OutboundOptions) {
    super();
    this.options = options;
    options.transport.on('drain', this.drained);
  }

  /** Hands aedes its first packet; from then on the guard hands it packets already read. */
  offer(connect: Buffer): void {
    this.first = connect;
    this.emit('readable');
  }

  override read(): Buffer | null {
    const first = this.first;
    this.first = null;
    return first;
  }

  override cork(): void {}
  override uncork(): void {}

  // aedes and mqtt-packet write buffers, or a string with its encoding, and never wait for a callback.
  override write(chunk: Buffer | string): boolean {
    if (this.destroyed) return false;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk;
    if (bytes.length >= copyBelow) {
      this.flush();
      this.options.transport.write(bytes);
    } else {
      this.gather(bytes);
    }
    return this.roomLeft();
  }

  private gather(bytes: Buffer): void {
    const end = this.length + bytes.length;
    let into = this.gathered;
    if (!into) {
      into = Buffer.allocUnsafe(Math.max(firstBytes, end));
      this.gathered = into;
      this.options.flusher.add(this);
    } else if (end > into.length) {
      const wider = Buffer.allocUnsafe(Math.max(into.length * 2, end));
      into.copy(wider, 0, 0, this.length);
      into = wider;
      this.gathered = into;
    }
    if (bytes.length <= 4)
      for (let at = 0; at < bytes.length; at++) into[this.length + at] = bytes[at] as number;
    else into.set(bytes, this.length);
    this.length = end;
    if (end >= gatherAtMost) this.flush();
  }

  private roomLeft(): boolean {
    const { transport, queuedBytes, overflown } = this.options;
    if (!transport.writableNeedDrain) return true;
    if (transport.writableLength + this.length > queuedBytes) overflown();
    this.waits = true;
    return false;
  }

  /** Sends what was gathered. */
  flush(): void {
    const gathered = this.gathered;
    if (!gathered) return;
    const bytes = gathered.subarray(0, this.length);
    this.gathered = undefined;
    this.length = 0;
    if (!this.connackSeen) this.markKept(bytes);
    if (!this.options.transport.destroyed) this.options.transport.write(bytes);
  }

  /** aedes says "session present" only for a session with subscriptions [MQTT-3.2.2-2]. */
  private markKept(bytes: Buffer): void {
    this.connackSeen = true;
    if (this.sessionKept && bytes[0] === 0x20 && bytes[3] === 0) bytes[2] = 1;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.flush();
    this.options.transport.off('drain', this.drained);
    this.options.gone(error);
    done(error);
  }
}
