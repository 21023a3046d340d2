import { metricsNamed } from '../../model/metric-names.ts';
import { metrics } from '../../model/metric-table.ts';
import type { Metric, Quantity } from '../../model/metric.ts';
import { splitKey } from '../../model/observation.ts';
import { convert } from '../../model/units.ts';
import { usualRange } from './usual.ts';

/** One value as a person gives it: a number with an optional UCUM unit, or a code. */
export interface ChartedValue {
  /** Reference id, or a label that names one metric. */
  readonly metric: string;
  readonly value?: number;
  readonly unit?: string;
  readonly code?: string;
}

/** A value that may be charted, in its metric's own unit. */
export interface CheckedValue {
  readonly metric: Metric;
  readonly said: { readonly value: number } | { readonly code: string; readonly system: string };
}
export interface RefusedValue {
  readonly path: string;
  readonly cause: string;
}

/** What a coded metric may say. C is new confusion. */
const codes: Readonly<Record<string, readonly string[]>> = { acvpu: ['A', 'C', 'V', 'P', 'U'] };

/** What machines and premises say of themselves is not for people to chart. */
const machines: ReadonlySet<Quantity> = new Set<Quantity>([
  'infusion-rate',
  'infusion-volume',
  'pump-status',
  'environment',
  'supply',
  'other',
]);

/** `sure`: the person was asked about what is unusual and meant it. */
export function checkValue(
  { metric: name, value, unit, code }: ChartedValue,
  at: { readonly path: string; readonly sure: boolean },
): CheckedValue | RefusedValue {
  const refuse = (cause: string): RefusedValue => ({ path: at.path, cause });
  const ids = metricsNamed(name) ?? [];
  const [id = ''] = ids;
  const metric = metrics.get(splitKey(id).metric);
  if (!metric) return refuse(`there is no metric ${name}; GET /api/v1/metrics lists them`);
  if (ids.length > 1) return refuse(`${name} is several metrics: name one of ${ids.join(', ')}`);
  if (machines.has(metric.quantity) || metric.value === 'text')
    return refuse(`${metric.refId} is not charted by hand`);
  if (metric.value === 'code') {
    const known = codes[metric.refId] ?? [];
    if (code === undefined || !known.includes(code)) return refuse(`give code, one of ${known.join(', ')}`);
    return { metric, said: { code, system: metric.refId } };
  }
  if (value === undefined || code !== undefined) return refuse('give value, a number');
  const own = unit === undefined ? value : convert(value, unit, metric.unit, metric.refId);
  if (own === undefined) return refuse(`${unit} cannot be made into ${metric.unit}`);
  // 100.4 °F is 38 °C, not 38.00000000000001.
  return checkNumber(metric, unit === undefined ? own : Number(own.toFixed(metric.decimals + 2)), at);
}

function checkNumber(
  metric: Metric,
  value: number,
  { path, sure }: { readonly path: string; readonly sure: boolean },
): CheckedValue | RefusedValue {
  const [low, high] = metric.span ?? [-Infinity, Infinity];
  const shown = `${metric.unit === '1' ? '' : ` ${metric.unit}`}`;
  if (value < low || value > high)
    return { path, cause: `impossible: ${metric.label} lies between ${low} and ${high}${shown}` };
  const [least, most] = usualRange(metric.refId, metric.quantity) ?? [-Infinity, Infinity];
  if (!sure && (value < least || value > most))
    return {
      path,
      cause: `unlikely: ${metric.label} is usually between ${least} and ${most}${shown}; send sure: true if it is meant`,
    };
  return { metric, said: { value } };
}
