import type { Clock } from '../../model/clock.ts';
import type { Link } from '../../model/device.ts';
import type { Fault } from '../../model/fault.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { HostState } from '../../model/wire.ts';
import type { Counted } from '../driver.ts';

export type DeviceReport = NonNullable<HostState['devices']>[number];

export interface DeviceHealth {
  count(what: Counted, n: number): void;
  roundTrip(ms: number): void;
  clockOffset(ms: number): void;
  disconnected(): void;
  fault(fault: Fault, raw?: Buffer): void;
  report(device: DeviceId, link: Link): DeviceReport;
}

const keptRoundTrips = 256;
const hourMs = 3_600_000;
const mostRawBytes = 64;

/** Counters and last events of one device; they outlive its sessions. */
export function createDeviceHealth(clock: Clock): DeviceHealth {
  const counts: Record<Counted, number> = {
    frame: 0,
    discardedBytes: 0,
    badChecksum: 0,
    lateReply: 0,
    missedPoll: 0,
  };
  const roundTrips: number[] = [];
  let disconnects: number[] = [];
  let lastFault: Record<string, unknown> | undefined;
  let clockOffsetMs: number | undefined;

  return {
    count: (what, n) => {
      counts[what] += n;
    },
    roundTrip: (ms) => {
      roundTrips.push(ms);
      if (roundTrips.length > keptRoundTrips) roundTrips.shift();
    },
    clockOffset: (ms) => {
      clockOffsetMs = ms;
    },
    disconnected: () => {
      disconnects.push(clock.monotonicMs());
    },
    fault: (fault, raw) => {
      const rawHex = raw?.subarray(0, mostRawBytes).toString('hex');
      lastFault = { ...fault.toJSON(), atMs: clock.nowMs(), ...(rawHex && { rawHex }) };
    },
    report: (device, link) => {
      disconnects = disconnects.filter((atMs) => clock.monotonicMs() - atMs < hourMs);
      const sorted = roundTrips.toSorted((a, b) => a - b);
      return {
        device,
        link,
        frames: counts.frame,
        discardedBytes: counts.discardedBytes,
        badChecksums: counts.badChecksum,
        lateReplies: counts.lateReply,
        disconnectsLastHour: disconnects.length,
        ...(sorted.length > 0 && { roundTripP50Ms: at(sorted, 0.5), roundTripP99Ms: at(sorted, 0.99) }),
        ...(counts.missedPoll > 0 && { pollDebt: counts.missedPoll }),
        ...(clockOffsetMs !== undefined && { clockOffsetMs }),
        ...(lastFault && { lastFault }),
      };
    },
  };
}

const at = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
