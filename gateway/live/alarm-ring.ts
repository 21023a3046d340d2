import type { Alarm } from '../../model/alarm.ts';

export interface AlarmEvent {
  readonly seq: number;
  readonly atMs: number;
  readonly alarm: Alarm;
  /** The frame as it was sent. */
  readonly text: string;
}

/** How long an alarm event can be re-read from its seq (DESIGN 6). */
const keptMs = 24 * 3_600_000;

/** The alarm events of the last 24 h, at most `limit` of them, as they were sent. */
export function createAlarmRing(limit: number) {
  let events: AlarmEvent[] = [];
  let first = 0;
  /** Seq of the newest event that is gone: from there or earlier nothing can be resumed. */
  let goneSeq = -1;

  const dropFirst = (): void => {
    goneSeq = events[first]?.seq ?? goneSeq;
    first++;
    if (first > 1_024 && first * 2 > events.length) {
      events = events.slice(first);
      first = 0;
    }
  };

  return {
    add(event: AlarmEvent): void {
      events.push(event);
      while (events.length - first > limit) dropFirst();
      while ((events[first]?.atMs ?? Infinity) < event.atMs - keptMs) dropFirst();
    },
    /** What came after `seq`, oldest first; undefined when some of it is gone. */
    after(seq: number, nowMs: number): readonly AlarmEvent[] | undefined {
      while ((events[first]?.atMs ?? Infinity) < nowMs - keptMs) dropFirst();
      if (seq < goneSeq) return undefined;
      let from = events.length;
      while (from > first && (events[from - 1]?.seq ?? -1) > seq) from--;
      return events.slice(from);
    },
  };
}
