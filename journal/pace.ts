import type { Clock } from '../model/clock.ts';

/** How much may go at once after a pause, in seconds of the rate: more than one round of the lanes. */
const burstS = 0.5;

/**
 * A rate that is kept on the mean: something goes whenever the account is above nothing, however large it is, and
 * what it overdrew is waited for. Without a rate all may go.
 */
export class Pace {
  private readonly perS: number;
  private readonly clock: Clock;
  private account: number;
  private countedAtMs: number;

  constructor(perS: number | undefined, clock: Clock) {
    this.perS = perS ?? Infinity;
    this.clock = clock;
    this.account = this.perS * burstS;
    this.countedAtMs = clock.monotonicMs();
  }

  get mayGo(): boolean {
    this.earn();
    return this.account > 0;
  }

  spend(count: number): void {
    this.earn();
    this.account -= count;
  }

  private earn(): void {
    const now = this.clock.monotonicMs();
    if (this.perS === Infinity) this.account = Infinity;
    else {
      const earned = ((now - this.countedAtMs) * this.perS) / 1_000;
      this.account = Math.min(this.account + earned, this.perS * burstS);
    }
    this.countedAtMs = now;
  }
}
