import { metrics } from './metric-table.ts';
import type { Observation, Reason } from './observation.ts';
import { convert } from './units.ts';

type Without<T> = T extends unknown ? Omit<T, 'takenAtMs'> : never;

/** An observation before anybody said when it was made. */
export type Untimed = Without<Observation>;

/** What a driver writes a converted number with: enough for every instrument, without the noise of the conversion. */
const decimals = 4;

const placed = (metric: string, channel: string | undefined) => ({
  metric,
  ...(channel !== undefined && { channel }),
});

/** No value, and why. */
export const missing = (metric: string, reason: Reason, channel?: string): Untimed => ({
  ...placed(metric, channel),
  value: null,
  reason,
  validity: 'invalid',
});

/**
 * A number in the metric's own unit. One that does not convert, or lies outside the instrument's full span, is no
 * value: `unit` and `out-of-span`.
 */
export function measured(metric: string, value: number, unit: string, channel?: string): Untimed {
  const known = metrics.get(metric);
  const converted = known ? convert(value, unit, known.unit, metric) : value;
  if (converted === undefined || !Number.isFinite(converted)) return missing(metric, 'unit', channel);
  const rounded = converted === value ? value : Number(converted.toFixed(decimals));
  const [low, high] = known?.span ?? [-Infinity, Infinity];
  if (rounded < low || rounded > high) return missing(metric, 'out-of-span', channel);
  return { ...placed(metric, channel), value: rounded, validity: 'valid' };
}

/** A text as the device shows it. */
export const words = (metric: string, text: string, channel?: string): Untimed => ({
  ...placed(metric, channel),
  text,
  validity: 'valid',
});
