/** What a sample says to a limit's run. */
export type Step = 'violating' | 'between' | 'ending';

/** The newest steps a limit remembers; an onset is never moved back beyond them. */
export const trailBound = 1_024;

/**
 * The recent samples of one limit since the last one that ended a run, in order of sample time: what is needed to move
 * an onset back when an older sample arrives late (CLINICAL 9). Empty while all is inside.
 */
export class SampleTrail {
  /** Instant of the newest judged sample that ended a run (or would have): nothing before it matters any more. */
  endedAtMs = -Infinity;
  private timesMs: number[] = [];
  private steps: Step[] = [];

  add(takenAtMs: number, step: Step): void {
    if (this.timesMs.length >= trailBound) {
      this.timesMs.splice(0, trailBound / 2);
      this.steps.splice(0, trailBound / 2);
    }
    let at = this.timesMs.length;
    while (at > 0 && (this.timesMs[at - 1] ?? 0) > takenAtMs) at -= 1;
    if (at === this.timesMs.length) {
      this.timesMs.push(takenAtMs);
      this.steps.push(step);
    } else {
      this.timesMs.splice(at, 0, takenAtMs);
      this.steps.splice(at, 0, step);
    }
  }

  clear(): void {
    if (this.timesMs.length === 0) return;
    this.timesMs.length = 0;
    this.steps.length = 0;
  }

  /** The earliest violating sample that reaches `onsetMs` without an ending sample or a gap over `maxGapMs` between. */
  onsetBefore(onsetMs: number, maxGapMs: number): number {
    let earliest = onsetMs;
    let reachedMs = onsetMs;
    for (let at = this.timesMs.length - 1; at >= 0; at--) {
      const takenAtMs = this.timesMs[at] ?? onsetMs;
      if (takenAtMs >= onsetMs) continue;
      if (reachedMs - takenAtMs > maxGapMs || this.steps[at] === 'ending') break;
      reachedMs = takenAtMs;
      if (this.steps[at] === 'violating') earliest = takenAtMs;
    }
    return earliest;
  }
}
