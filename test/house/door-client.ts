import { connect, type Socket } from 'node:net';
import { generate, parser } from 'mqtt-packet';

export interface DoorClientOptions {
  readonly port: number;
  readonly clientId: string;
  readonly password: string;
}

/** What becomes of a message its sender waits for. */
export interface Fate {
  confirmed?(waitedMs: number): void;
  /** It is not sent again: nobody knows whether it arrived. */
  abandoned?(): void;
}
interface Unconfirmed {
  readonly topic: string;
  readonly payload: string;
  readonly sentAtMs: number;
  readonly fate: Fate;
}

const connectWithinMs = 10_000;

/**
 * A sender at the front door by hand: QoS 1, knows what was confirmed and what was not, and sends what was not again
 * with DUP after a new connection, as a device must.
 */
export class DoorClient {
  readonly options: DoorClientOptions;
  private socket: Socket | undefined;
  private readonly unconfirmed = new Map<number, Unconfirmed>();
  private id = 0;
  /** Longest a confirmation was waited for, ms. */
  worstMs = 0;
  /** PUBACKs that nobody waited for. */
  stray = 0;
  /** Publications that came to us by subscription. */
  readonly heard: { topic: string; payload: string }[] = [];

  constructor(options: DoorClientOptions) {
    this.options = options;
  }

  get open(): boolean {
    return this.socket !== undefined && !this.socket.destroyed;
  }

  get pending(): number {
    return this.unconfirmed.size;
  }

  /** Longest any message has been waiting at this moment, ms. */
  get waitingMs(): number {
    const oldest = Math.min(...[...this.unconfirmed.values()].map((each) => each.sentAtMs), Infinity);
    return oldest === Infinity ? 0 : performance.now() - oldest;
  }

  /** Signs in; a refusal or a closed connection rejects. */
  async connect(): Promise<void> {
    const { port, clientId, password } = this.options;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket = socket;
    const incoming = parser();
    socket.on('data', (chunk) => void incoming.parse(chunk));
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error('no CONNACK')), connectWithinMs);
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(limit);
        reject(new Error('closed'));
      });
      incoming.on('packet', (packet) => {
        if (packet.cmd === 'puback') this.confirm(packet.messageId ?? 0);
        if (packet.cmd === 'publish') {
          this.heard.push({ topic: packet.topic, payload: packet.payload.toString() });
          if (packet.qos === 1) socket.write(generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }));
        }
        if (packet.cmd !== 'connack') return;
        clearTimeout(limit);
        if (packet.returnCode === 0) resolve();
        else reject(new Error(`CONNACK ${packet.returnCode}`));
      });
      const username = clientId;
      const who = { clientId, username, password: Buffer.from(password), keepalive: 0, clean: true } as const;
      socket.write(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, ...who }));
    });
  }

  /** Sends all that is not confirmed again, with DUP, but for what `abandon` gives up. */
  resend(abandon: () => boolean = () => false): void {
    for (const [id, { topic, payload, fate }] of this.unconfirmed) {
      if (!abandon()) this.write(id, topic, payload, true);
      else {
        this.unconfirmed.delete(id);
        fate.abandoned?.();
      }
    }
  }

  publish(topic: string, payload: string, fate: Fate = {}): void {
    do this.id = (this.id % 65_535) + 1;
    while (this.unconfirmed.has(this.id));
    this.unconfirmed.set(this.id, { topic, payload, sentAtMs: performance.now(), fate });
    this.write(this.id, topic, payload, false);
  }

  /** Publishes and waits for the confirmation: a window of one. */
  ask(topic: string, payload: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const closed = (): void => reject(new Error('closed before the confirmation'));
      this.socket?.once('close', closed);
      this.publish(topic, payload, {
        confirmed: (waitedMs) => {
          this.socket?.off('close', closed);
          resolve(waitedMs);
        },
      });
    });
  }

  /** Says every 2 s, as a driver host does, that it is there. */
  speakAsHost(): void {
    const { clientId } = this.options;
    const topic = `v1/host/${clientId}/state`;
    let seq = 0;
    const speak = (): void => {
      const state = {
        boot: clientId,
        seq: ++seq,
        link: 'birth',
        journal: { recording: true, undelivered: 0 },
      };
      const publish = { cmd: 'publish', qos: 0, retain: false, dup: false, topic } as const;
      if (this.open) this.socket?.write(generate({ ...publish, payload: JSON.stringify(state) }));
    };
    speak();
    const timer = setInterval(speak, 2_000);
    this.socket?.once('close', () => clearInterval(timer));
  }

  subscribe(topic: string): void {
    this.socket?.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] }));
  }

  /** Stops reading and writing at the socket, as a frozen program does. */
  freeze(): void {
    this.socket?.pause();
  }

  closed(): Promise<void> {
    const { socket } = this;
    if (!socket || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => void socket.once('close', () => resolve()));
  }

  end(): void {
    this.socket?.destroy();
  }

  private write(messageId: number, topic: string, payload: string, dup: boolean): void {
    if (!this.open) return;
    this.socket?.write(generate({ cmd: 'publish', qos: 1, retain: false, messageId, topic, payload, dup }));
  }

  private confirm(id: number): void {
    const sent = this.unconfirmed.get(id);
    if (!sent) {
      this.stray += 1;
      return;
    }
    this.unconfirmed.delete(id);
    const waitedMs = performance.now() - sent.sentAtMs;
    this.worstMs = Math.max(this.worstMs, waitedMs);
    sent.fate.confirmed?.(waitedMs);
  }
}
