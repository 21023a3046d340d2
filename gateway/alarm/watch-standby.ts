import type { MonitoringState } from '../../model/census.ts';
import type { Clock } from '../../model/clock.ts';
import type { BedId } from '../../model/ids.ts';
import type { Technical } from './technical.ts';
import type { AlarmCensus, WatchedDevice } from './watched.ts';

/** Standby and patient away end at the first valid value after this long without any (CLINICAL 1). */
const backAfterMs = 30_000;

export interface StandbyTools {
  readonly clock: Clock;
  readonly technical: Technical;
  readonly census: AlarmCensus;
}

/** Ends standby when the patient is back, and asks the nurse when the return is overdue. */
export class StandbyWatch {
  private readonly tools: StandbyTools;
  /** Newest receipt of a valid value, by bed. */
  private readonly validAtMs = new Map<BedId, number>();
  private readonly asked = new Set<BedId>();
  /** Beds that are not on. */
  private readonly off = new Set<BedId>();

  constructor(tools: StandbyTools) {
    this.tools = tools;
  }

  /** The device's own standby is its bed's. */
  deviceOnStandby(watched: WatchedDevice): void {
    const { association } = watched;
    if (!association || this.tools.census.monitoring(association.bed).state !== 'on') return;
    this.set(association.bed, { id: watched.id }, 'standby', 'the device is on standby');
  }

  changed(bed: BedId, state: MonitoringState): void {
    if (state !== 'on') {
      this.off.add(bed);
      return;
    }
    this.off.delete(bed);
    this.asked.delete(bed);
    this.tools.technical.end('return-overdue', bed);
  }

  /** Only beds that are not on are looked at message by message. */
  messageTaken(watched: WatchedDevice, receivedAtMs: number): void {
    if (this.off.size === 0) return;
    const bed = watched.association?.bed;
    if (bed === undefined || !this.off.has(bed)) return;
    const validAtMs = newestValid(watched);
    if (validAtMs !== receivedAtMs) return;
    const before = this.validAtMs.get(bed);
    this.validAtMs.set(bed, validAtMs);
    const sinceMs = before ?? this.tools.census.monitoring(bed).sinceMs;
    if (validAtMs - sinceMs < backAfterMs) return;
    this.set(bed, { id: watched.id }, 'on', 'values are back');
  }

  /** About twice a second. */
  sweep(all: Iterable<WatchedDevice>): void {
    const { census, technical, clock } = this.tools;
    const nowMs = clock.nowMs();
    for (const watched of all) {
      const bed = watched.association?.bed;
      if (bed === undefined) continue;
      const { state, expectedReturnAtMs } = census.monitoring(bed);
      if (state !== 'on') this.off.add(bed);
      if (state === 'on') {
        const validAtMs = newestValid(watched);
        if (validAtMs > (this.validAtMs.get(bed) ?? 0)) this.validAtMs.set(bed, validAtMs);
      } else if (expectedReturnAtMs !== undefined && nowMs >= expectedReturnAtMs && !this.asked.has(bed)) {
        this.asked.add(bed);
        const { ward, label = bed } = census.bed(bed) ?? {};
        technical.raise('return-overdue', {
          about: bed,
          owner: 'nurse',
          priority: 'low',
          bed,
          ward,
          details: { bed: label },
          sinceMs: expectedReturnAtMs,
        });
      }
    }
  }

  /** A state that cannot be written has gone back by itself; the next value or message tries again. */
  private set(bed: BedId, by: { id: string }, state: MonitoringState, reason: string): void {
    this.tools.census.setMonitoring(by, bed, { state, reason }).catch(() => undefined);
  }
}

function newestValid(watched: WatchedDevice): number {
  let newest = 0;
  for (const { latest } of watched.series) {
    if (latest === undefined || latest.value === null || latest.validity !== 'valid' || latest.historical)
      continue;
    if (latest.receivedAtMs > newest) newest = latest.receivedAtMs;
  }
  return newest;
}
