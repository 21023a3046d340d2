import type { SeriesWatch } from '../intake/types.ts';
import { defaultGapMs } from './source-order.ts';

/** A registered device without a patient that gives valid values this long has a patient (CLINICAL 1). */
export const unregisteredAfterMs = 30_000;

/**
 * Listens to all series of one device that nobody associated. The first valid value at or after 30 s since the first,
 * with no gap over `maxGapMs` between, says that there is a patient on it.
 */
export class UnregisteredWatch implements SeriesWatch {
  private readonly found: (takenAtMs: number) => void;
  private readonly maxGapMs: number;
  private firstMs = NaN;
  private newestMs = NaN;

  constructor(device: { periodMs: number; found: (takenAtMs: number) => void }) {
    this.found = device.found;
    this.maxGapMs = defaultGapMs('', [device.periodMs]);
  }

  sample(takenAtMs: number, _value: number, questionable: boolean, historical: boolean): void {
    if (questionable || historical || takenAtMs < this.newestMs) return;
    if (!(takenAtMs - this.newestMs <= this.maxGapMs)) this.firstMs = takenAtMs;
    this.newestMs = takenAtMs;
    if (takenAtMs - this.firstMs < unregisteredAfterMs) return;
    this.firstMs = takenAtMs;
    this.found(takenAtMs);
  }
}
