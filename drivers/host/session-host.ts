import { AsyncLocalStorage } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { Identity, Link, Mode } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance, DeviceId } from '../../model/ids.ts';
import type { Counted, DatagramPort, Discovered, DriverHost, Emitted, Listener } from '../driver.ts';
import type { Line } from '../transport/port.ts';
import { openListener } from '../transport/listen.ts';
import { openStream } from '../transport/stream.ts';
import { openUdp } from '../transport/udp.ts';
import type { Shares } from './shares.ts';

/** What a session says, to whoever runs it. */
export interface SessionEvents {
  emit(items: readonly Emitted[]): void;
  kept(): Promise<void>;
  link(state: Link, why?: Fault): void;
  identity(seen: Identity): void;
  state(seen: { mode?: Mode; clockMs?: number }): void;
  count(what: Counted, n: number, raw?: Buffer): void;
  roundTrip(ms: number): void;
  /** The driver threw outside of open(): the session is over. */
  broke(error: unknown): void;
}

export interface HostServices {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly shares: Shares;
  /** The host's data folder. */
  readonly folder: string;
  /** Undefined where no such map is known. */
  readonly map: (name: string) => unknown;
  readonly raw: (
    device: DeviceId,
    accept: (topic: string, payload: Buffer, receivedAtMs: number) => void,
  ) => Listener;
  readonly discovered: (item: Discovered) => void;
}

export interface SessionHost {
  readonly host: DriverHost;
  /** From here on whatever the driver says is ignored; wires and timers stay for an orderly close(). */
  mute(): void;
  /** Lets go of every wire, timer and share. */
  close(): Promise<void>;
}

const openMs = 10_000;
const mostPeers = 8;

/** Whose code runs: an error that reaches the top of the program is led back to its session. */
export const runningSession = new AsyncLocalStorage<(error: unknown) => void>();

interface WireSettings {
  readonly port?: string;
  readonly line?: Line;
  readonly bind?: { readonly address: string; readonly port: number };
  readonly peer?: { readonly address: string; readonly port: number };
}

/** The DriverHost of one session of one device. */
export function createSessionHost(
  settings: Readonly<Record<string, unknown>>,
  services: HostServices,
  events: SessionEvents,
): SessionHost {
  const { clock } = services;
  const wire = settings as WireSettings;
  const ending = new AbortController();
  const opened = new Set<() => unknown>();
  const timers = new Set<Cancel>();
  let muted = false;
  let closed = false;
  /** While the driver reads a foreign message: when the gateway received it. */
  let receivedAtMs: number | undefined;

  const deadline = { clock, deadlineMs: openMs, signal: ending.signal };
  const guard = <A extends unknown[]>(act: (...args: A) => void): ((...args: A) => void) => {
    return (...args) => {
      if (closed) return;
      try {
        act(...args);
      } catch (error) {
        events.broke(error);
      }
    };
  };

  const keep = <T>(thing: T, close: () => unknown): T => {
    if (closed) close();
    else opened.add(close);
    return thing;
  };

  const host: DriverHost = {
    stream: async () => {
      const port = wire.port ?? '';
      const stream = guardListeners(
        await openStream(port, { ...lineDefaults, ...wire.line }, deadline),
        events,
      );
      return keep(stream, () => stream.destroy());
    },
    datagram: async () => {
      const bind = wire.bind ?? { address: '0.0.0.0', port: 0 };
      const port: DatagramPort = await openUdp({ bind, ...(wire.peer && { peer: wire.peer }) }, deadline);
      return keep(guardListeners(port, events), () => port.close());
    },
    listen: async (accept) => {
      const at = wire.bind ?? { address: '127.0.0.1', port: 0 };
      const guarded = guard((peer: Duplex) => accept(guardListeners(peer, events)));
      const listener = await openListener({ ...at, most: mostPeers }, deadline, guarded);
      return keep(listener, () => listener.close());
    },
    share: async (key, make) => {
      const { value, release } = await services.shares.take(key, () => make(clock));
      return keep(value, release);
    },
    emit: (_, items) => {
      if (!muted) events.emit(Array.isArray(items) ? (items as Emitted[]) : [items as Emitted]);
    },
    kept: () => events.kept(),
    link: (_, state, why) => muted || events.link(state, why),
    identity: (_, seen) => muted || events.identity(seen),
    state: (_, seen) => muted || events.state(seen),
    count: (_, what, n, raw) => muted || events.count(what, n, raw),
    roundTrip: (_, ms) => muted || events.roundTrip(ms),
    raw: async (accept) => {
      const listener = services.raw(
        settings['device'] as DeviceId,
        guard((topic, payload, atMs) => {
          receivedAtMs = atMs;
          try {
            accept(topic, payload);
          } finally {
            receivedAtMs = undefined;
          }
        }),
      );
      return keep(listener, () => listener.close());
    },
    discovered: (item) => muted || services.discovered(item),
    map: (name) => {
      const found = services.map(name);
      if (found === undefined)
        throw new Fault('MAP_INVALID', { map: name, path: '/', cause: 'there is no such map' });
      return found;
    },
    clock: {
      nowMs: () => receivedAtMs ?? clock.nowMs(),
      // What a driver leaves out by the time between two messages must not depend on when they are handed down.
      monotonicMs: () => receivedAtMs ?? clock.monotonicMs(),
      after: (delayMs, run) => keepTimer(clock.after(delayMs, guard(run))),
      every: (periodMs, run) => keepTimer(clock.every(periodMs, guard(run))),
    },
    folder: services.folder,
    chance: services.chance,
  };

  function keepTimer(cancel: Cancel): Cancel {
    timers.add(cancel);
    return () => {
      timers.delete(cancel);
      cancel();
    };
  }

  return {
    host,
    mute: () => {
      muted = true;
    },
    close: async () => {
      if (closed) return;
      muted = true;
      closed = true;
      ending.abort(new Fault('WIRE_CLOSED', { address: wire.port ?? 'the device' }));
      for (const cancel of timers) cancel();
      await Promise.allSettled([...opened].map(async (close) => close()));
    },
  };
}

const lineDefaults: Line = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false };

/** A listener of a driver that throws ends its session, not the program. */
function guardListeners<T extends { emit(name: string | symbol, ...args: unknown[]): boolean }>(
  emitter: T,
  events: SessionEvents,
): T {
  const emit = emitter.emit.bind(emitter) as T['emit'];
  emitter.emit = ((name: string | symbol, ...args: unknown[]) => {
    try {
      return emit(name, ...args);
    } catch (error) {
      events.broke(error);
      return true;
    }
  }) as T['emit'];
  return emitter;
}
