import type { Hl7Time } from '../../model/hl7/time.ts';

/** Below it a difference is the way of the message; above it the message is old, or its clock is wrong. */
const wayMs = 60_000;
/** A clock is wrong by the same in every message; a backlog is sent faster than it was taken. */
const steadyMs = 2_000;
const steadyMessages = 3;
/** A clock that is ahead by less is not ahead. */
const slackMs = 1_000;

export interface Placed {
  readonly takenAtMs: number;
  /** Whether the message is old or its clock wrong is not known yet. */
  readonly doubtful: boolean;
}

/** What is known of one sender's clock, from its own messages' times (MSH-7) and when they came. */
export class SenderClock {
  private offsetMs: number | undefined;
  private unsettled: { readonly atMs: number; readonly aheadMs: number }[] = [];

  /** Once a message, before its values are placed. */
  arrived(sent: Hl7Time | undefined, nowMs: number): void {
    if (sent?.atMs === undefined) return;
    const differenceMs = nowMs - sent.atMs;
    const known = this.offsetMs ?? 0;
    if (differenceMs < known - slackMs) return this.settle(differenceMs > 0 ? 0 : differenceMs);
    if (differenceMs <= known + wayMs) return this.settle(known);
    // Old, or a clock that is behind: the same difference over some seconds tells.
    this.unsettled = [...this.unsettled, { atMs: nowMs, aheadMs: differenceMs }].slice(-steadyMessages);
    const all = this.unsettled.map(({ aheadMs }) => aheadMs);
    const first = this.unsettled[0];
    const steady = Math.max(...all) - Math.min(...all) <= steadyMs;
    if (all.length >= steadyMessages && steady && first && nowMs - first.atMs >= 2 * steadyMs)
      this.settle(Math.min(...all));
  }

  /** When it was taken, by our clock. `sent` is the message's own time, `taken` that of a value in it. */
  place(taken: Hl7Time | undefined, sent: Hl7Time | undefined, nowMs: number): Placed {
    if (sent?.atMs === undefined) {
      // Without a zone two times of one sender still tell how old the value was when it was sent.
      const ageMs = taken && sent ? sent.unzonedMs - taken.unzonedMs : 0;
      return { takenAtMs: nowMs - Math.max(0, ageMs), doubtful: taken !== undefined && sent === undefined };
    }
    const atMs = taken?.atMs ?? sent.atMs - (taken ? sent.unzonedMs - taken.unzonedMs : 0);
    const placedMs = Math.min(nowMs, atMs + (this.offsetMs ?? 0));
    return { takenAtMs: placedMs, doubtful: this.unsettled.length > 0 && this.offsetMs === undefined };
  }

  private settle(offsetMs: number): void {
    this.offsetMs = offsetMs;
    this.unsettled = [];
  }
}
