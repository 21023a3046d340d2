import type { Identity, Link, Mode } from '../../model/device.ts';
import { Fault } from '../../model/fault.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { Driver, Emitted, Session } from '../driver.ts';
import { withDeadline } from '../transport/deadline.ts';
import { createBackoff } from '../transport/backoff.ts';
import { createDeviceHealth, type DeviceReport } from './device-health.ts';
import { createSessionHost, runningSession, type HostServices, type SessionHost } from './session-host.ts';

export interface DeviceSpec {
  readonly device: DeviceId;
  readonly driver: Driver;
  /** Checked, with defaults. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** As registered; another device on the wire is not published. */
  readonly identity?: Identity;
  readonly periodMs: number;
}

export interface Birth {
  readonly mode?: Mode;
  readonly identity?: Identity;
}

/** What a run tells the host. */
export interface RunEvents {
  emit(device: DeviceId, items: readonly Emitted[]): void;
  kept(): Promise<void>;
  born(device: DeviceId, birth: Birth): void;
  died(device: DeviceId, fault: Fault | undefined): void;
}

export interface DeviceRun {
  /** Says the birth again: the gateway has not heard the one before. */
  announce(): void;
  report(): DeviceReport;
  /** The error of a driver that reached the top of the program. */
  broke(error: unknown): void;
  close(): Promise<void>;
}

const openMs = 30_000;
const closeMs = 5_000;
/** The same rule as the gateway's for a silent device (CLINICAL 6). */
const silentAfterMs = (periodMs: number): number => Math.max(6_000, 3 * periodMs);
/** A session that finds back by itself and did not is made anew. */
const stuckAfterMs = 120_000;
const stableMs = 30_000;
/** Breaker: after this many tries in a row without a byte of sense, or for what only a person can mend. */
const breakerTries = 6;
const breakerMs = 30_000;

/**
 * Runs one device for as long as it is registered: opens its session, watches that data come, says birth and death,
 * and opens again after a pause that grows. Nothing here touches another device.
 */
export function runDevice(spec: DeviceSpec, services: HostServices, events: RunEvents): DeviceRun {
  const { clock } = services;
  const { device } = spec;
  const health = createDeviceHealth(clock);
  const backoff = createBackoff({ firstMs: 500, mostMs: 15_000, chance: services.chance });
  let link: Link = 'searching';
  let born: Birth | undefined;
  let current: { host: SessionHost; session: Session | undefined; over: boolean } | undefined;
  let cancelRetry = (): void => {};
  let lastDataMs = clock.monotonicMs();
  let connectedSinceMs: number | undefined;
  let identity: Identity | undefined;
  let mode: Mode | undefined;
  let closed = false;
  let ended: Promise<unknown> = Promise.resolve();

  const open = (): void => {
    link = 'searching';
    lastDataMs = clock.monotonicMs();
    const host = createSessionHost({ ...spec.settings, device }, services, sessionEvents);
    const mine: NonNullable<typeof current> = { host, session: undefined, over: false };
    current = mine;
    const opening = (): Promise<Session> =>
      runningSession.run(broke, async () =>
        spec.driver.open({ ...spec.settings, device } as never, host.host),
      );
    const timeout = (): Fault => new Fault('WIRE_TIMEOUT', { address: device, deadlineMs: openMs });
    withDeadline({ clock, deadlineMs: openMs }, timeout, opening, (late) => void endSession(late, host)).then(
      (session) => {
        if (mine.over) void endSession(session, host);
        else mine.session = session;
      },
      (error: unknown) => end(asFault(error)),
    );
  };

  /** The session is over: say so, let go of everything, try again later. */
  const end = (fault: Fault): void => {
    const ending = current;
    if (!ending || ending.over || closed) return;
    ending.over = true;
    current = undefined;
    lose(fault);
    ended = endSession(ending.session, ending.host);
    const { tries } = backoff;
    const waitMs = backoff.next();
    const hopeless = fault.class !== 'world' || fault.code === 'IDENTITY_MISMATCH' || tries >= breakerTries;
    cancelRetry = clock.after(hopeless ? Math.max(breakerMs, waitMs) : waitMs, () => void ended.then(reopen));
  };
  const reopen = (): void => {
    if (!closed) open();
  };

  const lose = (fault: Fault | undefined): void => {
    const wasConnected = link === 'connected';
    link = 'lost';
    if (fault) health.fault(fault);
    if (wasConnected) health.disconnected();
    if (connectedSinceMs !== undefined && clock.monotonicMs() - connectedSinceMs >= stableMs) backoff.reset();
    connectedSinceMs = undefined;
    if (born) events.died(device, fault);
    born = undefined;
  };

  const asFault = (error: unknown): Fault => {
    if (error instanceof Fault) return error;
    const cause = error instanceof Error ? error.message : String(error);
    return new Fault('DRIVER_BROKE', { driver: spec.driver.name, cause }, { cause: error });
  };
  const broke = (error: unknown): void => end(asFault(error));

  const announce = (): void => {
    if (link !== 'connected') return;
    born = { ...(mode && { mode }), ...(identity && { identity }) };
    events.born(device, born);
  };

  const sessionEvents = {
    emit: (items: readonly Emitted[]) => {
      lastDataMs = clock.monotonicMs();
      // Data are the best proof of a link; a driver that found back need not say so first.
      if (link !== 'connected') connect();
      if (link === 'connected') events.emit(device, items);
    },
    kept: () => events.kept(),
    link: (state: Link, why?: Fault) => {
      if (state === 'connected') return connect();
      if (state === 'searching') {
        if (link !== 'connected') link = 'searching';
        if (why) health.fault(why);
        return;
      }
      if (current?.session?.recovers) return lose(why);
      end(why ?? new Fault('WIRE_CLOSED', { address: device }));
    },
    identity: (seen: Identity) => {
      const other = difference(spec.identity, seen);
      if (other) return end(new Fault('IDENTITY_MISMATCH', other));
      const changed = JSON.stringify(seen) !== JSON.stringify(identity);
      identity = seen;
      if (changed && born) announce();
    },
    state: (seen: { mode?: Mode; clockMs?: number }) => {
      if (seen.clockMs !== undefined) health.clockOffset(seen.clockMs - clock.nowMs());
      if (seen.mode === undefined || seen.mode === mode) return;
      mode = seen.mode;
      if (born) announce();
    },
    count: (what: Parameters<typeof health.count>[0], n: number, raw?: Buffer) => {
      health.count(what, n);
      if (what === 'frame') lastDataMs = clock.monotonicMs();
      else if (raw) health.fault(new Fault('FRAME_BAD', { cause: badness[what] }), raw);
    },
    roundTrip: (ms: number) => health.roundTrip(ms),
    broke,
  };

  function connect(): void {
    if (link === 'connected') return;
    link = 'connected';
    connectedSinceMs = clock.monotonicMs();
    lastDataMs = clock.monotonicMs();
    announce();
  }

  const cancelWatch = clock.every(500, () => {
    if (!current) return;
    const sinceMs = Math.round(clock.monotonicMs() - lastDataMs);
    if (sinceMs < silentAfterMs(spec.periodMs)) return;
    const fault = new Fault('WIRE_SILENT', { address: addressOf(spec.settings), sinceMs });
    if (!current.session) return;
    if (!current.session.recovers || sinceMs >= stuckAfterMs) end(fault);
    else if (link !== 'lost') lose(fault);
  });

  open();
  return {
    announce,
    broke,
    report: () => health.report(device, link),
    close: async () => {
      const ending = current;
      lose(undefined);
      closed = true;
      current = undefined;
      cancelRetry();
      cancelWatch();
      if (ending) {
        ending.over = true;
        ended = endSession(ending.session, ending.host);
      }
      await ended;
    },
  };

  async function endSession(session: Session | undefined, host: SessionHost): Promise<void> {
    host.mute();
    const bounded = { clock, deadlineMs: closeMs };
    const timeout = (): Fault =>
      new Fault('DRIVER_BROKE', { driver: spec.driver.name, cause: 'close() hangs' });
    // A session that cannot be closed loses its wires and timers all the same.
    await withDeadline(bounded, timeout, async () => session?.close()).catch((error: unknown) => {
      health.fault(asFault(error));
    });
    await host.close();
  }
}

const badness = {
  frame: '',
  discardedBytes: 'bytes discarded',
  badChecksum: 'wrong checksum',
  lateReply: 'a reply came late',
  missedPoll: 'a poll was missed',
} as const;

const addressOf = (settings: Readonly<Record<string, unknown>>): string =>
  String(settings['port'] ?? settings['endpoint'] ?? 'the device');

/** What differs between the registered and the seen device; only what both name is compared. */
function difference(
  registered: Identity | undefined,
  seen: Identity,
): { readonly seen: string; readonly registered: string } | undefined {
  for (const field of ['manufacturer', 'model', 'serial'] as const) {
    const want = registered?.[field]?.trim().toLowerCase();
    const got = seen[field]?.trim().toLowerCase();
    if (want && got && want !== got) {
      return { seen: `${field} ${seen[field] ?? ''}`, registered: `${field} ${registered?.[field] ?? ''}` };
    }
  }
  return undefined;
}
