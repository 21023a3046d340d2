import type { Duplex } from 'node:stream';
import { pause, type Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance } from '../../model/ids.ts';
import { createBackoff } from '../transport/backoff.ts';
import type { Framing, ReadRequest, Reply } from './frame.ts';
import { createFramer } from './framer.ts';

export interface WireOptions {
  readonly address: string;
  readonly framing: Framing;
  readonly clock: Clock;
  readonly chance: Chance;
  /** At least this long between the end of one frame and the next request (3.5 characters on a serial line). */
  readonly gapMs: number;
  connect(): Promise<Duplex>;
}

export interface WireEvents {
  /** The request in flight: its answer may still be on its way in pieces. */
  expected(): ReadRequest | undefined;
  replied(reply: Reply): void;
  discarded(bytes: Buffer): void;
  cut(fault: Fault): void;
}

export interface BusWire {
  /** Connects if need be; rejects with the same fault until the next try is due. */
  ready(pauseAfterConnectMs: number): Promise<void>;
  write(bytes: Buffer): void;
  /** Waits until the line has been silent for `ms`, and for the gap between two frames at least. */
  gap(ms: number): Promise<void>;
  /** Waits until nothing comes any more; a line that never falls quiet is opened anew. */
  quiet(): Promise<void>;
  /** Throws away what has come of a frame; what it was. */
  flush(): Buffer;
  drop(): void;
  close(): void;
}

/** Silence that counts as quiet: more than 3.5 characters at 1200 baud and a device server's packing delay. */
export const quietMs = 50;
const mostNoiseMs = 1_000;

/** The one connection of a bus, opened when needed and again after each loss, cut into frames. */
export function createWire(options: WireOptions, events: WireEvents): BusWire {
  const { clock } = options;
  const framer = createFramer(options.framing);
  const backoff = createBackoff({ firstMs: 500, mostMs: 10_000, chance: options.chance });
  let stream: Duplex | undefined;
  let lastByteMs = 0;
  let retryAtMs = 0;
  let refusal: Fault | undefined;
  let closed = false;

  const gone = (): Fault => new Fault('WIRE_CLOSED', { address: options.address });
  const silentMs = (): number => clock.monotonicMs() - lastByteMs;

  async function connect(): Promise<void> {
    if (refusal && clock.monotonicMs() < retryAtMs) throw refusal;
    try {
      const made = await options.connect();
      if (closed) made.destroy();
      else listen(made);
      refusal = undefined;
      backoff.reset();
    } catch (error) {
      refusal = error instanceof Fault ? error : gone();
      retryAtMs = clock.monotonicMs() + backoff.next();
      throw refusal;
    }
  }

  function listen(made: Duplex): void {
    stream = made;
    framer.flush();
    made.on('data', (chunk: Buffer) => {
      lastByteMs = clock.monotonicMs();
      const { replies, discarded, broken } = framer.push(chunk, events.expected());
      if (discarded.length > 0) events.discarded(discarded);
      for (const reply of replies) events.replied(reply);
      if (broken) made.destroy();
    });
    made.on('close', () => {
      if (stream !== made) return;
      stream = undefined;
      events.cut(gone());
    });
  }

  return {
    ready: async (pauseAfterConnectMs) => {
      if (!stream) {
        await connect();
        if (pauseAfterConnectMs > 0) await pause(clock, pauseAfterConnectMs);
      }
      if (!stream) throw gone();
    },
    write: (bytes) => void stream?.write(bytes),
    gap: async (ms) => {
      const neededMs = Math.max(options.gapMs, ms);
      if (silentMs() < neededMs) await pause(clock, neededMs - silentMs());
    },
    quiet: async () => {
      const untilMs = clock.monotonicMs() + mostNoiseMs;
      while (silentMs() < quietMs) {
        if (clock.monotonicMs() >= untilMs) return void stream?.destroy();
        await pause(clock, quietMs - silentMs());
      }
    },
    flush: () => framer.flush(),
    drop: () => void stream?.destroy(),
    close: () => {
      closed = true;
      stream?.destroy();
    },
  };
}
