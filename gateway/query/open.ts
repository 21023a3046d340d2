import { chartedFor, chartedSource, isCharted } from '../../model/charted.ts';
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
}

/** Joins stored series to people and places as they are known at the moment of asking. */
export function openQueries(rooms: QueryRooms): Observations {
  const { clock, historian, census, intake } = rooms;
  return new Observations({
    historian,
    long: () => {
      const store = rooms.long?.();
      // The historian deletes whole chunks of an hour: what is at the very edge is asked of the server.
      const edgeMs = clock.nowMs() - rooms.retentionMs + hourMs;
      return store && { store, ownMs: Math.ceil(edgeMs / hourMs) * hourMs };
    },
    spansOf: (whose, fromMs, toMs) => {
      const charted = census.chartedOf(whose, fromMs, toMs);
      if (whose.device !== undefined && isCharted(whose.device)) return charted;
      return [...census.spansOf(whose, fromMs, toMs), ...charted];
    },
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
  ({ census, registry }: Pick<QueryRooms, 'census' | 'registry'>) =>
  ({ patient, encounter, bed, device }: Whose): boolean =>
    (patient === undefined || census.patient(patient) !== undefined) &&
    (encounter === undefined || census.encounter(encounter) !== undefined) &&
    (bed === undefined || census.bed(bed) !== undefined) &&
    (device === undefined || registry.get(device) !== undefined || isStaysOwn(census, device));

const isStaysOwn = (census: Census, device: string): boolean => {
  const stay = chartedFor(device);
  return stay !== undefined && census.encounter(stay) !== undefined;
};

/** Whose newest values stand on the screens after a start: registered devices, and what was charted for those here. */
export const shownSources = ({ registry, census }: Pick<QueryRooms, 'census' | 'registry'>): string[] => [
  ...registry.list({}).map(({ id }) => id),
  ...census.encounters({ open: true }).map(({ id }) => chartedSource(id)),
];
