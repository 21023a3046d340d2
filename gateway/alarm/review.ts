import type { Clock } from '../../model/clock.ts';
import type { BedId, Chance } from '../../model/ids.ts';
import type { ReviewEntry } from '../../model/review.ts';

/** Crossings of one bed that wait to be seen; beyond it the oldest are given up, and the list says how many. */
export const reviewBound = 200;
const rowPrefix = 'review/';

export interface ReviewRows {
  load(table: 'settings'): Promise<readonly { readonly id: string; readonly value: unknown }[]>;
  put(table: 'settings', row: { readonly id: string; readonly value: unknown }): Promise<unknown>;
}

interface Kept {
  readonly entries: readonly ReviewEntry[];
  /** Given up at the bound, never seen by anybody. */
  readonly dropped: number;
}

/** What was crossed and ended in a backlog, bed by bed, until a person has seen it (CLINICAL 9). */
export class ReviewBook {
  private readonly rows: ReviewRows;
  private readonly clock: Clock;
  private readonly chance: Chance;
  private readonly byBed = new Map<BedId, Kept>();
  private readonly listeners = new Set<(bed: BedId) => void>();

  constructor(with_: { rows: ReviewRows; clock: Clock; chance: Chance }) {
    this.rows = with_.rows;
    this.clock = with_.clock;
    this.chance = with_.chance;
  }

  async load(): Promise<void> {
    for (const { id, value } of await this.rows.load('settings'))
      if (id.startsWith(rowPrefix)) this.byBed.set(id.slice(rowPrefix.length), value as Kept);
  }

  /** Told in the tick in which the list of a bed changed. */
  onChange(listener: (bed: BedId) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  at(bed: BedId): Kept {
    return this.byBed.get(bed) ?? { entries: [], dropped: 0 };
  }

  add(found: Omit<ReviewEntry, 'id' | 'notedAtMs'>): void {
    const { entries, dropped } = this.at(found.bed);
    const known = entries.some(
      (one) =>
        one.metric === found.metric && one.direction === found.direction && one.onsetAtMs === found.onsetAtMs,
    );
    if (known) return;
    const entry = { ...found, id: this.chance.id('review'), notedAtMs: this.clock.nowMs() };
    const all = [...entries, entry].toSorted((a, b) => a.onsetAtMs - b.onsetAtMs);
    const kept = all.slice(-reviewBound);
    // A list that cannot be written stays in memory; the rows room tells its own fault.
    this.put(found.bed, { entries: kept, dropped: dropped + all.length - kept.length }).catch(
      () => undefined,
    );
  }

  /** A person has seen it. Rejects with the rows' fault when that could not be kept. */
  async seen(bed: BedId, id: string): Promise<'done' | 'absent'> {
    const before = this.at(bed);
    const entries = before.entries.filter((one) => one.id !== id);
    if (entries.length === before.entries.length) return 'absent';
    await this.put(bed, { entries, dropped: entries.length === 0 ? 0 : before.dropped });
    return 'done';
  }

  private put(bed: BedId, kept: Kept): Promise<unknown> {
    this.byBed.set(bed, kept);
    for (const listener of this.listeners) listener(bed);
    return this.rows.put('settings', { id: `${rowPrefix}${bed}`, value: kept });
  }
}
