import type { DeviceHealth } from '../../model/device.ts';
import type { FaultReport } from '../../model/fault.ts';
import type { HostState } from '../../model/wire.ts';
import type { LiveDevice } from '../intake/live-device.ts';

/** What the gateway itself noticed of a device: refusals at the door, faults of its messages. */
export interface Noticed {
  readonly refusals: number;
  readonly lastFault?: FaultReport & { readonly atMs: number };
}

type ToldByHost = NonNullable<HostState['devices']>[number];

/** One device's health, joined from its driver (by the host), the front door and the intake. */
export function deviceHealth(
  device: string,
  live: LiveDevice | undefined,
  told: ToldByHost | undefined,
  noticed: Noticed,
): DeviceHealth {
  const fromHost = told?.lastFault as DeviceHealth['lastFault'];
  const own = noticed.lastFault;
  const newest = fromHost && (!own || fromHost.atMs >= own.atMs) ? fromHost : own;
  return {
    device,
    link: told?.link ?? live?.link ?? 'never-seen',
    lastMessageAtMs: live?.lastMessageAtMs,
    ...(live?.confirmed === false ? { notConfirmed: true } : {}),
    mode: live?.mode,
    identity: live?.identity,
    clockOffsetMs: told?.clockOffsetMs ?? live?.clock.offsetMs,
    clockTrusted: live === undefined || live.clock.trust !== 'untrusted',
    frames: told?.frames ?? live?.messages ?? 0,
    discardedBytes: told?.discardedBytes ?? 0,
    badChecksums: told?.badChecksums ?? 0,
    lateReplies: told?.lateReplies ?? 0,
    disconnectsLastHour: told?.disconnectsLastHour ?? 0,
    refusals: noticed.refusals,
    roundTripP50Ms: told?.roundTripP50Ms,
    roundTripP99Ms: told?.roundTripP99Ms,
    pollDebt: told?.pollDebt,
    lastFault: newest,
  };
}
