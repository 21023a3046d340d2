import type { AlarmLimit, Priority } from '../../model/alarm.ts';
import type { Metric } from '../../model/metric.ts';
import { lineOf } from '../alarm/source-order.ts';

/** What a person asks for; value null: that band is off for this encounter. */
export type LimitWish = Pick<AlarmLimit, 'metric' | 'direction' | 'priority'> & {
  readonly value: number | null;
  readonly delayS?: number;
  readonly hysteresis?: number;
  readonly untilMs?: number;
};

export interface LimitRefusal {
  readonly metric: string;
  readonly cause: string;
}

/** No limit outside these (CLINICAL 3, life-critical range), by line. */
export const lifeCritical: Readonly<Record<string, readonly [number, number]>> = {
  'heart-rate': [30, 200],
  respiration: [4, 60],
};
/** No low limit of SpO2 below this one. */
export const saturationLowest = 80;
/** No delay longer than this on a high band. */
export const highBandDelayS = 60;
/** No delay longer than this on any band: a limit that waits longer is no limit. */
export const longestDelayS = 600;

/** Every reason to refuse the wanted bands; `after` is all limits as they would be in force. */
export function limitRefusals(
  wishes: readonly LimitWish[],
  after: readonly AlarmLimit[],
  known: { readonly metrics: ReadonlyMap<string, Metric>; readonly nowMs: number },
): readonly LimitRefusal[] {
  const refused = wishes.flatMap((wish) =>
    causes(wish, known).map((cause) => ({ metric: wish.metric, cause })),
  );
  return refused.length > 0 ? refused : crossings(wishes, after);
}

function causes(
  wish: LimitWish,
  known: { readonly metrics: ReadonlyMap<string, Metric>; readonly nowMs: number },
): string[] {
  const metric = known.metrics.get(wish.metric);
  if (!metric || metric.value !== 'number') return ['no limit can be set on this metric'];
  const found: string[] = [];
  const { value, delayS = 0, hysteresis = 0, untilMs } = wish;
  if (value !== null) found.push(...valueCauses(wish, value, metric));
  if (!Number.isFinite(delayS) || delayS < 0 || delayS > longestDelayS) {
    found.push(`the delay must be 0 to ${longestDelayS} s`);
  } else if (wish.priority === 'high' && delayS > highBandDelayS) {
    found.push(`the delay of a high band must be at most ${highBandDelayS} s`);
  }
  if (!Number.isFinite(hysteresis) || hysteresis < 0) found.push('the hysteresis must be 0 or more');
  if (untilMs !== undefined && untilMs <= known.nowMs) found.push('the end lies in the past');
  return found;
}

function valueCauses(wish: LimitWish, value: number, metric: Metric): string[] {
  if (!Number.isFinite(value)) return ['the limit must be a number'];
  const line = lineOf(wish.metric);
  const [low, high] = lifeCritical[line] ?? metric.span ?? [-Infinity, Infinity];
  if (value < low || value > high) return [`the limit must be within ${low} to ${high} ${metric.unit}`];
  if (line === 'saturation' && wish.direction === 'low' && value < saturationLowest) {
    return [`the low limit must be at least ${saturationLowest} ${metric.unit}`];
  }
  return [];
}

/** A low limit at or above the high one of the same band would ring at every value. */
function crossings(wishes: readonly LimitWish[], after: readonly AlarmLimit[]): readonly LimitRefusal[] {
  const touched = new Set(wishes.map((wish) => `${lineOf(wish.metric)}.${wish.priority}`));
  const value = (line: string, priority: Priority, direction: 'low' | 'high'): number | undefined =>
    after.find(
      (limit) =>
        lineOf(limit.metric) === line && limit.priority === priority && limit.direction === direction,
    )?.value;
  return wishes.flatMap((wish) => {
    const line = lineOf(wish.metric);
    if (!touched.delete(`${line}.${wish.priority}`)) return [];
    const low = value(line, wish.priority, 'low');
    const high = value(line, wish.priority, 'high');
    if (low === undefined || high === undefined || low < high) return [];
    return [{ metric: wish.metric, cause: `the low limit ${low} is not below the high limit ${high}` }];
  });
}
