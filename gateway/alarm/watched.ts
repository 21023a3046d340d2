import type { AlarmLimit } from '../../model/alarm.ts';
import type { Association, Bed, Encounter, MonitoringState, Ward } from '../../model/census.ts';
import type { Device, Mode } from '../../model/device.ts';
import type { BedId, DeviceId, EncounterId, WardId } from '../../model/ids.ts';
import type { LiveSeries } from '../intake/types.ts';
import type { Subject } from './subject.ts';

/** What the alarms need of the census. */
export interface AlarmCensus {
  current(device: DeviceId): Association | undefined;
  associations(filter: { open?: boolean }): readonly Association[];
  bed(id: BedId): Bed | undefined;
  ward(id: WardId): Ward | undefined;
  encounter(id: EncounterId): Encounter | undefined;
  limits(encounter: EncounterId): readonly AlarmLimit[] | undefined;
  wardLimits(ward: WardId): readonly AlarmLimit[];
  monitoring(bed: BedId): {
    readonly state: MonitoringState;
    readonly expectedReturnAtMs?: number;
    readonly sinceMs: number;
  };
  setMonitoring(
    by: { readonly id: string },
    bed: BedId,
    state: { state: MonitoringState; reason?: string },
  ): Promise<unknown>;
  onChange(listener: (change: { readonly kind: string }) => void): () => void;
}

/** One device as the alarms watch it. */
export interface WatchedDevice {
  readonly id: DeviceId;
  /** As registered; undefined while it is not. */
  device: Device | undefined;
  readonly series: LiveSeries[];
  association: Association | undefined;
  /** Whose limits judge its series now. */
  subject: Subject | undefined;
  mode: Mode;
  /** Gateway time of its newest live message; undefined before the first of this process. */
  messageAtMs: number | undefined;
  /** A message was seen since its association began. */
  seen: boolean;
  /** Silent now, as told. */
  silent: boolean;
}
