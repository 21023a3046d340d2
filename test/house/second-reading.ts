import type { Direction, Priority } from '../../model/alarm.ts';
import { HR, RR, SPO2 } from './alarm-house.ts';

/** One limit as CLINICAL 3 writes it: beyond `limit` violates, at `endAt` or further inside ends. */
export interface Band {
  readonly metric: string;
  readonly direction: Direction;
  readonly priority: Priority;
  readonly limit: number;
  readonly endAt: number;
}
const delayMs = 10_000;
const gapMs = 15_000;
const band = (
  metric: string,
  direction: Direction,
  priority: Priority,
  limit: number,
  hysteresis: number,
): Band => ({
  metric,
  direction,
  priority,
  limit,
  endAt: direction === 'high' ? limit - hysteresis : limit + hysteresis,
});

/** The adult limits of CLINICAL 3, of what the virtual patients measure. */
export const adult: readonly Band[] = [
  band(HR, 'low', 'medium', 50, 2),
  band(HR, 'low', 'high', 40, 2),
  band(HR, 'high', 'medium', 120, 2),
  band(HR, 'high', 'high', 140, 2),
  band(SPO2, 'low', 'medium', 90, 2),
  band(SPO2, 'low', 'high', 85, 2),
  band(RR, 'low', 'medium', 8, 1),
  band(RR, 'low', 'high', 6, 1),
  band(RR, 'high', 'medium', 30, 1),
  band(RR, 'high', 'high', 35, 1),
];

/** A second, short reading of CLINICAL 3 for one limit, written from its text and not from the judge. */
export class Reading {
  private readonly band: Band;
  private onsetMs: number | undefined;
  private lastMs = -Infinity;
  present = false;

  constructor(given: Band) {
    this.band = given;
  }

  sample(atMs: number, value: number, questionable: boolean): void {
    const { direction, limit, endAt } = this.band;
    if (!this.present && this.onsetMs !== undefined && atMs - this.lastMs > gapMs) this.onsetMs = undefined;
    this.lastMs = atMs;
    const violating = direction === 'high' ? value > limit : value < limit;
    const inside = direction === 'high' ? value <= endAt : value >= endAt;
    if (violating) {
      this.onsetMs ??= atMs;
      if (atMs >= this.onsetMs + delayMs) this.present = true;
    } else if (inside && !questionable) this.forget();
  }

  /** A run that had not raised is forgotten over a restart; what was raised is not. */
  restart(): void {
    if (!this.present) this.onsetMs = undefined;
  }

  /** It ended, or a person ended the measurement. */
  forget(): void {
    this.onsetMs = undefined;
    this.present = false;
  }
}
