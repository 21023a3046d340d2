import type { Clock } from '../../model/clock.ts';
import type { BedId } from '../../model/ids.ts';
import { seriesKey } from '../../model/observation.ts';
import type { LatestValue } from '../../model/stream.ts';

/** Values go at most once a second a bed. */
const apartMs = 1_000;

/** Which beds have values to tell, and which of their series changed since they were told. */
export function createChanges(clock: Clock) {
  const marked = new Set<BedId>();
  const toldAtMs = new Map<BedId, number>();
  const told = new Map<BedId, Map<string, LatestValue>>();

  const remember = (bed: BedId, values: readonly LatestValue[]): void => {
    const known = told.get(bed) ?? new Map<string, LatestValue>();
    for (const value of values) known.set(keyOf(value), value);
    told.set(bed, known);
  };

  return {
    mark(bed: BedId): void {
      marked.add(bed);
    },
    /** Marked beds that were not told within the last second, longest marked first; each counts as told when taken. */
    *due(): Generator<BedId> {
      const nowMs = clock.monotonicMs();
      for (const bed of marked) {
        if (nowMs - (toldAtMs.get(bed) ?? -Infinity) < apartMs) continue;
        toldAtMs.set(bed, nowMs);
        marked.delete(bed);
        yield bed;
      }
    },
    /** The series that differ from what was told; they count as told from now on. */
    since(bed: BedId, values: readonly LatestValue[]): readonly LatestValue[] {
      const known = told.get(bed);
      const changed = known ? values.filter((value) => differs(known.get(keyOf(value)), value)) : values;
      remember(bed, changed);
      return changed;
    },
    /** The whole bed was told: its values need not follow. */
    sent(bed: BedId, values: readonly LatestValue[]): void {
      told.delete(bed);
      remember(bed, values);
      toldAtMs.set(bed, clock.monotonicMs());
      marked.delete(bed);
    },
    forget(): void {
      marked.clear();
      toldAtMs.clear();
      told.clear();
    },
  };
}

const keyOf = (value: LatestValue): string => `${value.device} ${seriesKey(value.metric, value.channel)}`;

const differs = (before: LatestValue | undefined, now: LatestValue): boolean =>
  before === undefined ||
  before.takenAtMs !== now.takenAtMs ||
  before.receivedAtMs !== now.receivedAtMs ||
  before.value !== now.value ||
  before.text !== now.text ||
  before.code !== now.code ||
  before.validity !== now.validity ||
  before.reason !== now.reason ||
  before.staleAfterMs !== now.staleAfterMs;
