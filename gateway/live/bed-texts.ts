import type { Clock } from '../../model/clock.ts';
import type { BedId } from '../../model/ids.ts';
import type { BedView } from '../../model/stream.ts';

/** How old a text may be: what changes a bed drops it, so this only bounds what nobody told us. */
const freshMs = 250;

/** Each bed's view as JSON, kept while it holds: a ward full of screens that come back at once costs one text a bed. */
export function createBedTexts(view: (bed: BedId) => BedView | undefined, clock: Clock) {
  const texts = new Map<string, { readonly text: string; readonly madeMs: number }>();
  const key = (bed: BedId, patients: boolean): string => `${patients ? '+' : '-'}${bed}`;

  return {
    of(bed: BedId, patients: boolean): string | undefined {
      const nowMs = clock.monotonicMs();
      const held = texts.get(key(bed, patients));
      if (held && nowMs - held.madeMs < freshMs) return held.text;
      const seen = view(bed);
      if (!seen) return undefined;
      const text = JSON.stringify(patients ? seen : withoutPatient(seen));
      texts.set(key(bed, patients), { text, madeMs: nowMs });
      return text;
    },
    drop(bed: BedId): void {
      if (texts.size === 0) return;
      texts.delete(key(bed, true));
      texts.delete(key(bed, false));
    },
    forget(): void {
      texts.clear();
    },
  };
}

export const withoutPatient = (view: BedView): BedView => {
  const { patient: _patient, encounter: _encounter, ...bare } = view;
  return bare;
};
