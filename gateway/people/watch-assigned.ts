import type { Bed } from '../../model/census.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { BedId, WardId } from '../../model/ids.ts';
import type { TechnicalRequest } from '../alarm/technical.ts';
import type { People } from './people.ts';

const condition = 'nobody-assigned';
const lookEveryMs = 1_000;
/** Beds named in one alarm's text; the number is always told. */
const namedBeds = 40;

export interface AssignedWatch {
  readonly clock: Clock;
  readonly people: Pick<People, 'assignments'>;
  /** Beds with an open association: somebody is watched there. */
  readonly watchedBeds: () => Iterable<BedId>;
  readonly bed: (id: BedId) => Bed | undefined;
  readonly technical: {
    raise(condition: string, request: TechnicalRequest): void;
    end(condition: string, about?: string): void;
    presentOf(condition: string): readonly string[];
  };
}

/** A bed that is watched and that nobody has is an alarm at the charge nurse: one a ward, with its beds (CLINICAL 8). */
export function watchAssigned(watch: AssignedWatch): Cancel {
  /** What was told of each ward, so that an unchanged ward costs no event. */
  const told = new Map<WardId, string>();
  const look = (): void => {
    const alone = bedsAlone(watch);
    for (const ward of watch.technical.presentOf(condition)) {
      if (alone.has(ward)) continue;
      watch.technical.end(condition, ward);
      told.delete(ward);
    }
    for (const [ward, beds] of alone) {
      const bedIds = beds
        .slice(0, namedBeds)
        .map((bed) => bed.id)
        .join(' ');
      const text = `${beds.length} ${bedIds}`;
      if (told.get(ward) === text) continue;
      told.set(ward, text);
      const names = beds.slice(0, namedBeds).map((bed) => bed.label);
      const details = { beds: beds.length, labels: names.join(', ') };
      watch.technical.raise(condition, { about: ward, owner: 'nurse', priority: 'medium', ward, details });
    }
  };
  return watch.clock.every(lookEveryMs, look);
}

function bedsAlone({ people, watchedBeds, bed }: AssignedWatch): ReadonlyMap<WardId, readonly Bed[]> {
  const alone = new Map<WardId, Bed[]>();
  for (const id of watchedBeds()) {
    const found = bed(id);
    if (!found || people.assignments.of(id).length > 0) continue;
    const list = alone.get(found.ward);
    if (list) list.push(found);
    else alone.set(found.ward, [found]);
  }
  return alone;
}
