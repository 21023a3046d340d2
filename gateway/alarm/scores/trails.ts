import type { LatestSample, LiveSeries } from '../../intake/types.ts';

/** The median of this long is scored (CLINICAL 10). */
export const medianMs = 5 * 60_000;
/** How often the newest value of each series is noted. */
export const notedEveryMs = 5_000;
const samplesBound = medianMs / notedEveryMs;

interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/** The last minutes of continuous values, thinly: enough for a median, and bounded. */
export class Trails {
  private readonly bySeries = new Map<LiveSeries, Sample[]>();

  note(series: LiveSeries): void {
    const { latest } = series;
    if (latest === undefined || typeof latest.value !== 'number' || latest.validity !== 'valid') return;
    if (latest.historical) return;
    let trail = this.bySeries.get(series);
    if (!trail) this.bySeries.set(series, (trail = []));
    if ((trail.at(-1)?.atMs ?? -Infinity) >= latest.takenAtMs) return;
    trail.push({ atMs: latest.takenAtMs, value: latest.value });
    while (trail.length > samplesBound) trail.shift();
  }

  /** Of the 5 minutes before the newest value, it among them. */
  median(series: LiveSeries, latest: LatestSample): number {
    const own = typeof latest.value === 'number' ? latest.value : NaN;
    const trail = this.bySeries.get(series) ?? [];
    const values = trail
      .filter(({ atMs }) => atMs < latest.takenAtMs && latest.takenAtMs - atMs < medianMs)
      .map(({ value }) => value);
    const sorted = [...values, own].toSorted((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    return ((sorted[Math.floor(middle)] ?? own) + (sorted[Math.ceil(middle)] ?? own)) / 2;
  }

  /** What is not there any more. */
  keepOnly(present: ReadonlySet<LiveSeries>): void {
    for (const series of this.bySeries.keys()) if (!present.has(series)) this.bySeries.delete(series);
  }
}
