import type { Clock } from '../../model/clock.ts';
import type { Census } from '../census/census.ts';
import type { Registry } from '../devices/registry.ts';
import { latestValues } from '../intake/glance.ts';
import type { Intake } from '../intake/intake.ts';
import type { Historian, LongStore } from '../store/types.ts';
import { Observations } from './observations.ts';
import type { Whose } from './types.ts';

const hourMs = 3_600_000;

export interface QueryRooms {
  readonly clock: Clock;
  readonly historian: Historian;
  readonly census: Census;
  readonly registry: Registry;
  readonly intake: Intake;
  /** The time-series server that answers long queries, if one is configured; looked up with each query. */
  readonly long?: () => LongStore | undefined;
  /** How long the historian keeps values; older ones are asked of the time-series server. */
  readonly retentionMs: number;
  readonly isCharted: (device: string) => boolean;
}

/** Joins stored series to people and places as they are known at the moment of asking. */
export function openQueries(rooms: QueryRooms): Observations {
  const { clock, historian, census, intake, isCharted } = rooms;
  return new Observations({
    historian,
    long: () => {
      const store = rooms.long?.();
      // The historian deletes whole chunks of an hour: what is at the very edge is asked of the server.
      const edgeMs = clock.nowMs() - rooms.retentionMs + hourMs;
      return store && { store, ownMs: Math.ceil(edgeMs / hourMs) * hourMs };
    },
    spansOf: (whose, fromMs, toMs) => census.spansOf(whose, fromMs, toMs),
    known: knownIn(rooms),
    latest: (device) => {
      const live = intake.device(device);
      return live ? latestValues(live) : [];
    },
    sinceMs: (device) => census.current(device)?.beginAtMs,
    watchedAs: (bed) => census.watchedAs(bed),
    isCharted,
    nowMs: () => clock.nowMs(),
  });
}

/** Whether there is such a patient, encounter, bed or device. */
export const knownIn =
  ({ census, registry, isCharted }: Pick<QueryRooms, 'census' | 'registry' | 'isCharted'>) =>
  ({ patient, encounter, bed, device }: Whose): boolean =>
    (patient === undefined || census.patient(patient) !== undefined) &&
    (encounter === undefined || census.encounter(encounter) !== undefined) &&
    (bed === undefined || census.bed(bed) !== undefined) &&
    (device === undefined || registry.get(device) !== undefined || isCharted(device));
