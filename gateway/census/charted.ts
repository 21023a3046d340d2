import type { Encounter } from '../../model/census.ts';
import { chartedSource } from '../../model/charted.ts';
import type { BedId, PatientId } from '../../model/ids.ts';
import type { AssociatedSpan } from './associations.ts';

export type ChartedSpan = AssociatedSpan & { readonly patient: PatientId };

/** The stretches of what was charted for a stay, each with the bed the stay was in then. */
export function chartedSpans(
  stay: Encounter,
  [fromMs, toMs]: readonly [number, number],
  bed?: BedId,
): ChartedSpan[] {
  const { id: encounter, patient, moves = [] } = stay;
  const device = chartedSource(encounter);
  const places = [...moves, { bed: stay.bed, untilMs: Infinity }];
  return places.flatMap((place, index): ChartedSpan[] => {
    const begin = Math.max(fromMs, places[index - 1]?.untilMs ?? -Infinity);
    const end = Math.min(toMs, place.untilMs);
    if (begin >= end || (bed !== undefined && place.bed !== bed)) return [];
    const at = place.bed === undefined ? {} : { bed: place.bed };
    return [{ device, fromMs: begin, toMs: end, encounter, patient, ...at }];
  });
}
