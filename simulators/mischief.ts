import { Transform } from 'node:stream';
import type { Cancel, Clock } from '../model/clock.ts';
import type { Chance } from '../model/ids.ts';

/** What a wire or a network can do to what it carries. */
export const mischiefKinds = ['cut', 'delay', 'garble', 'repeat', 'flood'] as const;
export type MischiefKind = (typeof mischiefKinds)[number];

export interface MischiefOptions {
  /** How long it lasts; absent: until ended. */
  readonly forMs?: number;
  /** delay: how late everything arrives, ms; default 2000. Order is kept. */
  readonly delayMs?: number;
  /** garble: chance of each byte (of each message) to lose one bit's truth; default 0.01 for bytes, 0.5 for messages. */
  readonly rate?: number;
  /** repeat: how many times more everything arrives; default 1. */
  readonly times?: number;
  /** flood: how many pieces of rubbish a second come beside the true ones; default 50. */
  readonly perS?: number;
}

export interface Mischief {
  /** Begins one kind; the same kind again replaces it. Returns its end. */
  begin(kind: MischiefKind, options?: MischiefOptions): Cancel;
  endAll(): void;
  active(kind: MischiefKind): boolean;
  /** Calls back when a cut begins (true) and ends (false): sockets close, cables are pulled. */
  onCut(tell: (cut: boolean) => void): void;
  /** A wire that does to bytes what is going on. */
  bytes(): Transform;
  /** The same for whole messages: hands each on 0, 1 or several times, now or later, with whatever else it carries. */
  messages<M extends Message>(send: (message: M | Message) => void): (message: M) => void;
}

export interface Message {
  readonly payload: Buffer;
}

/** A wire has no memory for a reader that does not read: beyond this its bytes fall away. */
const unreadLimit = 1_048_576;

interface Going {
  readonly options: MischiefOptions;
  readonly end: Cancel;
}

/** Seeded: the same seed on the same traffic does the same harm. */
export function createMischief({ clock, chance }: { clock: Clock; chance: Chance }): Mischief {
  const going = new Map<MischiefKind, Going>();
  const cutListeners: ((cut: boolean) => void)[] = [];
  const floods = new Set<(piece: Buffer) => void>();
  const deal = { clock, going };

  const end = (kind: MischiefKind): void => {
    const one = going.get(kind);
    if (!one) return;
    going.delete(kind);
    one.end();
    if (kind === 'cut') for (const tell of cutListeners) tell(false);
  };

  return {
    begin: (kind, options = {}) => {
      const already = going.get(kind);
      already?.end();
      const stops: Cancel[] = [];
      const one: Going = { options, end: () => stops.forEach((stop) => stop()) };
      going.set(kind, one);
      if (options.forMs !== undefined) stops.push(clock.after(options.forMs, () => end(kind)));
      if (kind === 'flood') {
        const periodMs = 1_000 / (options.perS ?? 50);
        stops.push(clock.every(periodMs, () => floods.forEach((into) => into(rubbish(chance)))));
      }
      if (kind === 'cut' && !already) for (const tell of cutListeners) tell(true);
      return () => {
        if (going.get(kind) === one) end(kind);
      };
    },
    endAll: () => {
      for (const kind of mischiefKinds) end(kind);
    },
    active: (kind) => going.has(kind),
    onCut: (tell) => void cutListeners.push(tell),
    bytes: () => {
      const wire = new Transform({
        transform: (chunk: Buffer, _encoding, done) => {
          pass(chunk);
          done();
        },
        flush: (done) => {
          floods.delete(put);
          done();
        },
      });
      const put = (piece: Buffer): void => {
        if (wire.writable && wire.readableLength < unreadLimit) wire.push(piece);
      };
      const pass = handler({
        ...deal,
        garbled: (piece: Buffer, rate) => garbleBytes(piece, rate, chance),
        put,
      });
      floods.add(put);
      wire.once('close', () => floods.delete(put));
      return wire;
    },
    messages: (send) => {
      floods.add((payload) => send({ payload }));
      return handler({
        ...deal,
        garbled: (message, rate) => ({ ...message, payload: garbleMessage(message.payload, rate, chance) }),
        put: send,
      });
    },
  };
}

interface Deal<P> {
  readonly clock: Clock;
  readonly going: ReadonlyMap<MischiefKind, Going>;
  readonly garbled: (piece: P, rate: number | undefined) => P;
  readonly put: (piece: P) => void;
}

/** The way of one piece. After a delay ends, what was late still comes first: a wire never overtakes itself. */
function handler<P>({ clock, going, garbled, put }: Deal<P>): (piece: P) => void {
  let freeAtMs = 0;
  const late: (() => void)[] = [];
  return (piece) => {
    if (going.has('cut')) return;
    const garble = going.get('garble');
    const told = garble ? garbled(piece, garble.options.rate) : piece;
    const times = 1 + (going.has('repeat') ? (going.get('repeat')?.options.times ?? 1) : 0);
    const send = (): void => {
      for (let time = 0; time < times; time++) put(told);
    };
    const delay = going.get('delay');
    const nowMs = clock.monotonicMs();
    const dueMs = Math.max(freeAtMs, delay ? nowMs + (delay.options.delayMs ?? 2_000) : nowMs);
    if (dueMs <= nowMs) return send();
    freeAtMs = dueMs;
    late.push(send);
    // Timers of a machine may change places within a millisecond; the queue may not.
    clock.after(dueMs - nowMs, () => {
      const first = late.shift();
      if (!going.has('cut')) first?.();
    });
  };
}

const garbleRate = { byte: 0.01, message: 0.5 };

const flipBit = (bytes: Buffer, at: number, chance: Chance): void => {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(chance.fraction() * 8));
};

function garbleBytes(piece: Buffer, rate: number | undefined, chance: Chance): Buffer {
  const told = Buffer.from(piece);
  for (let at = 0; at < told.length; at++)
    if (chance.fraction() < (rate ?? garbleRate.byte)) flipBit(told, at, chance);
  return told;
}

function garbleMessage(piece: Buffer, rate: number | undefined, chance: Chance): Buffer {
  if (chance.fraction() >= (rate ?? garbleRate.message) || piece.length === 0) return piece;
  const told = Buffer.from(piece);
  flipBit(told, Math.floor(chance.fraction() * told.length), chance);
  return told;
}

/** 1 to 64 random bytes. */
function rubbish(chance: Chance): Buffer {
  const bytes = Buffer.alloc(1 + Math.floor(chance.fraction() * 64));
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(chance.fraction() * 256);
  return bytes;
}
