import type { Clock } from '../../model/clock.ts';
import type { JournalClass } from '../../journal/types.ts';

/** The journal batch a message belongs to. */
export interface EntryBatch {
  readonly klass: JournalClass;
  /** Given by the journal once it is on disk. */
  number: number | undefined;
  /** Messages of it not yet confirmed. */
  left: number;
  /** The journal has handed it over too and waits for an answer. */
  handed: boolean;
  recorded: boolean;
  /** Messages of it that memory gave up. */
  givenUp: number;
}

export interface Entry {
  readonly topic: string;
  readonly takenAtMs: number;
  /** The message without `ageMs` and `historical`, which are true only at the instant of sending. */
  readonly json: string;
  readonly batch: EntryBatch;
}

export interface LaneOptions {
  readonly clock: Clock;
  readonly memoryBytes: number;
  readonly window: number;
  readonly publish: (topic: string, payload: string, done: (confirmed: boolean) => void) => boolean;
  readonly confirmed: (entry: Entry) => void;
  /** Entries of one batch given up because memory is full. */
  readonly dropped: (batch: EntryBatch, count: number) => void;
}

export interface Lanes {
  add(entry: Entry): void;
  pump(): void;
  /** Not yet confirmed. */
  readonly count: number;
}

/** CLINICAL 9: what is older on sending goes in the backlog lane and is flagged. */
export const historicalAfterMs = 60_000;

interface Placed {
  readonly entry: Entry;
  readonly order: number;
}

/**
 * Two lanes: what is younger than 60 s first, oldest first, then the backlog, which never fills more than half the
 * window, so that a new value does not wait behind yesterday.
 */
export function createLanes(options: LaneOptions): Lanes {
  const { clock } = options;
  let live: Placed[] = [];
  let backlog: Placed[] = [];
  let orders = 0;
  let bytes = 0;
  let inFlight = 0;
  let backlogInFlight = 0;

  const ageMs = ({ takenAtMs }: Entry): number => Math.max(0, clock.nowMs() - takenAtMs);
  const isOld = (placed: Placed): boolean => ageMs(placed.entry) > historicalAfterMs;

  const settleAges = (): void => {
    let old = 0;
    while (old < live.length && isOld(live[old] as Placed)) old += 1;
    if (old > 0) backlog.push(...live.splice(0, old));
  };

  const next = (): Placed | undefined =>
    live[0] ?? (backlogInFlight < options.window / 2 ? backlog[0] : undefined);

  const send = (placed: Placed): boolean => {
    const { entry } = placed;
    const historical = isOld(placed);
    const age = `"ageMs":${Math.round(ageMs(entry))}`;
    const payload = `${entry.json.slice(0, -1)},${age}${historical ? ',"historical":true' : ''}}`;
    // Counted before sending: a refusal of the library may call back at once.
    inFlight += 1;
    if (historical) backlogInFlight += 1;
    const leave = (): void => {
      inFlight -= 1;
      if (historical) backlogInFlight -= 1;
    };
    const sent = options.publish(entry.topic, payload, (confirmed) => {
      leave();
      if (!confirmed) return putBack(placed);
      bytes -= entry.json.length;
      options.confirmed(entry);
      pump();
    });
    if (!sent) leave();
    return sent;
  };

  const putBack = (placed: Placed): void => {
    let at = live.length;
    while (at > 0 && (live[at - 1] as Placed).order > placed.order) at -= 1;
    live.splice(at, 0, placed);
  };

  function pump(): void {
    while (inFlight < options.window) {
      settleAges();
      const placed = next();
      if (!placed) return;
      const lane = placed === live[0] ? live : backlog;
      lane.shift();
      if (send(placed)) continue;
      lane.unshift(placed);
      return;
    }
  }

  /**
   * Gives up the oldest until a tenth is free again: first what the journal can bring back, then what is in memory
   * alone. What the journal has handed over stays: it is bounded by the journal's own window.
   */
  const makeRoom = (): void => {
    if (bytes <= options.memoryBytes) return;
    const waiting = [...backlog, ...live].filter(({ entry }) => !entry.batch.handed);
    const inJournal = waiting.filter(({ entry }) => entry.batch.recorded);
    const inMemory = waiting.filter(({ entry }) => !entry.batch.recorded);
    const gone = new Map<EntryBatch, number>();
    for (const { entry } of [...inJournal, ...inMemory]) {
      if (bytes <= options.memoryBytes * 0.9 && !gone.has(entry.batch)) break;
      bytes -= entry.json.length;
      gone.set(entry.batch, (gone.get(entry.batch) ?? 0) + 1);
    }
    const stays = (placed: Placed): boolean => !gone.has(placed.entry.batch);
    live = live.filter(stays);
    backlog = backlog.filter(stays);
    for (const [batch, count] of gone) options.dropped(batch, count);
  };

  return {
    add: (entry) => {
      const placed = { entry, order: orders++ };
      bytes += entry.json.length;
      if (isOld(placed)) backlog.push(placed);
      else live.push(placed);
      makeRoom();
    },
    pump,
    get count() {
      return live.length + backlog.length + inFlight;
    },
  };
}
