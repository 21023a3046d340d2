import type { AlarmLimit } from '../../model/alarm.ts';
import type { AlarmRule } from '../../model/alarm-rule.ts';
import type { Association, Bed, Encounter, MonitoringState, Ward } from '../../model/census.ts';
import type { Device, Mode } from '../../model/device.ts';
import type { BedId, DeviceId, EncounterId, WardId } from '../../model/ids.ts';
import type { LiveSeries } from '../intake/types.ts';
import type { Subject } from './subject.ts';

/** What the alarms need of the census. */
export interface AlarmCensus {
  current(device: DeviceId): Association | undefined;
  associations(filter: { open: true }): readonly Association[];
  bed(id: BedId): Bed | undefined;
  ward(id: WardId): Ward | undefined;
  encounter(id: EncounterId): Encounter | undefined;
  limits(encounter: EncounterId): readonly AlarmLimit[] | undefined;
  wardLimits(ward: WardId): readonly AlarmLimit[];
  rules(ward: WardId): readonly AlarmRule[];
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
  onChange(listener: (change: AlarmCensusChange) => void): () => void;
}

/** Only the device, bed or encounter named is looked at again. */
export type AlarmCensusChange =
  | { readonly kind: 'ward'; readonly ward: WardId }
  | { readonly kind: 'bed' | 'corrected' | 'merged' }
  | { readonly kind: 'association'; readonly association: Association }
  | { readonly kind: 'encounter'; readonly encounter: Encounter }
  | { readonly kind: 'limits'; readonly encounter: EncounterId }
  | { readonly kind: 'monitoring'; readonly bed: BedId; readonly state: MonitoringState };

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
  /** The wire is known to be cut: silent at once. */
  lost: boolean;
  /** Gateway time of its newest live message; undefined before the first of this process. */
  messageAtMs: number | undefined;
  /** Told as silent now. */
  silent: boolean;
}

/** Absence alarms: an associated device in use, on a bed that is on (CLINICAL 1 and 6). */
export const watchedForAbsence = (watched: WatchedDevice, census: AlarmCensus): boolean =>
  watched.association !== undefined &&
  watched.device?.duty === 'in-use' &&
  census.monitoring(watched.association.bed).state === 'on';

/** Where a device's technical alarm is shown. */
export function placeOf(
  watched: WatchedDevice,
  census: AlarmCensus,
): {
  readonly device: DeviceId;
  readonly bed?: BedId;
  readonly ward?: WardId;
  readonly encounter?: EncounterId;
} {
  const { id, association, device } = watched;
  const bed = association?.bed ?? device?.bed;
  const ward = (bed === undefined ? undefined : census.bed(bed)?.ward) ?? device?.ward;
  return {
    device: id,
    ...(bed === undefined ? {} : { bed }),
    ...(ward === undefined ? {} : { ward }),
    ...(association?.encounter === undefined ? {} : { encounter: association.encounter }),
  };
}
