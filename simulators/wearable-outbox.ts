import type { ObservationsMessage } from '../model/wire.ts';

/** One message's worth, from its measurement until the gateway has confirmed it. */
export interface Entry {
  readonly seq: number;
  readonly takenMonoMs: number;
  /** By the wearable's own clock; absent where it has none. */
  readonly takenAtMs: number | undefined;
  readonly values: ObservationsMessage['values'];
}

export interface Outbox {
  add(entry: Entry): void;
  /** Hands out up to `room` entries and holds them as unconfirmed: the live lane first, then the backlog, each oldest first. */
  next(room: number, nowMonoMs: number): readonly { readonly entry: Entry; readonly historical: boolean }[];
  confirm(seq: number): void;
  /** The connection is lost: whatever is not confirmed waits again. */
  takeBack(): void;
  unconfirmed(): number;
  counts(): {
    readonly taken: number;
    readonly confirmed: number;
    readonly waiting: number;
    readonly fellAway: number;
  };
}

/** CLINICAL 9: younger than this goes into the live lane. */
const liveMs = 60_000;

/** Keeps at most `keepAtMost` entries; beyond that the oldest falls away and is counted. */
export function createOutbox(keepAtMost: number): Outbox {
  const entries = new Map<number, Entry>();
  const sent = new Set<number>();
  let taken = 0;
  let confirmed = 0;
  let fellAway = 0;

  return {
    add: (entry) => {
      taken++;
      entries.set(entry.seq, entry);
      const oldest = entries.keys().next();
      if (entries.size > keepAtMost && !oldest.done) {
        entries.delete(oldest.value);
        sent.delete(oldest.value);
        fellAway++;
      }
    },
    next: (room, nowMonoMs) => {
      const waiting = [...entries.values()].filter(({ seq }) => !sent.has(seq));
      const isLive = (entry: Entry): boolean => nowMonoMs - entry.takenMonoMs < liveMs;
      const lanes = [
        ...waiting.filter(isLive).map((entry) => ({ entry, historical: false })),
        ...waiting.filter((entry) => !isLive(entry)).map((entry) => ({ entry, historical: true })),
      ].slice(0, Math.max(0, room));
      for (const { entry } of lanes) sent.add(entry.seq);
      return lanes;
    },
    confirm: (seq) => {
      sent.delete(seq);
      if (entries.delete(seq)) confirmed++;
    },
    takeBack: () => sent.clear(),
    unconfirmed: () => sent.size,
    counts: () => ({ taken, confirmed, waiting: entries.size, fellAway }),
  };
}
