import { metrics } from '../../../model/metric-table.ts';
import type { Quantity } from '../../../model/metric.ts';
import type { BedView, LatestValue } from '../../../model/stream.ts';

/** How a value may be believed now. `stale`: too old; `missing`: none, or one outside the instrument's span. */
export type Standing = 'valid' | 'questionable' | 'stale' | 'missing';

/** The pressures of one source, shown as one: systolic over diastolic, and the mean. */
export interface Pressure {
  readonly systolic?: LatestValue;
  readonly diastolic?: LatestValue;
  readonly mean?: LatestValue;
}

/** What a tile shows large, always at the same place, and the rest small. */
export interface VitalSigns {
  readonly rate?: LatestValue;
  readonly saturation?: LatestValue;
  readonly respiration?: LatestValue;
  readonly pressure?: Pressure;
  readonly rest: readonly LatestValue[];
}

export const quantityOf = (metric: string): Quantity => metrics.get(metric)?.quantity ?? 'other';

export function standingOf(value: LatestValue, nowMs: number): Standing {
  const something = value.value !== null || value.text !== undefined || value.code !== undefined;
  if (!something || value.validity === 'invalid') return 'missing';
  if (value.staleAfterMs !== undefined && nowMs - value.takenAtMs > value.staleAfterMs) return 'stale';
  return value.validity;
}

/** One heart, one quantity (CLINICAL 2): of each quantity's sources the first one that can be believed is large. */
export function arrange(values: readonly LatestValue[], nowMs: number): VitalSigns {
  const continuous = values.filter((value) => !value.episodic);
  const rate = best(continuous, 'heart-rate', nowMs);
  const saturation = best(continuous, 'saturation', nowMs);
  const respiration = best(continuous, 'respiration', nowMs);
  const pressure = bestPressure(values, nowMs);
  const large = new Set([rate, saturation, respiration, ...Object.values(pressure ?? {})]);
  const rest = values.filter((value) => !large.has(value)).toSorted(byOrder);
  return { rate, saturation, respiration, pressure, rest };
}

/** Most preferred first, as the judge takes them; a source that is not named comes last. */
const sourceOrder: readonly string[] = [
  'MDC_ECG_HEART_RATE',
  'MDC_BLD_PULS_RATE_INV',
  'MDC_PULS_OXIM_PULS_RATE',
  'MDC_PULS_RATE',
  'MDC_RESP_RATE',
  'MDC_TTHOR_RESP_RATE',
  'MDC_CO2_RESP_RATE',
  'MDC_AWAY_RESP_RATE',
  'MDC_PULS_OXIM_PLETH_RESP_RATE',
];
const preference = ({ metric }: LatestValue): number => {
  const at = sourceOrder.indexOf(metric);
  return at < 0 ? sourceOrder.length : at;
};

function best(values: readonly LatestValue[], quantity: Quantity, nowMs: number): LatestValue | undefined {
  const sources = values
    .filter((value) => quantityOf(value.metric) === quantity)
    .toSorted((a, b) => preference(a) - preference(b));
  return sources.find((value) => usable(value, nowMs)) ?? sources[0];
}

const usable = (value: LatestValue, nowMs: number): boolean =>
  standingOf(value, nowMs) === 'valid' || standingOf(value, nowMs) === 'questionable';

/** The arterial line where it measures, else the cuff. */
function bestPressure(values: readonly LatestValue[], nowMs: number): Pressure | undefined {
  const bySource = new Map<string, Record<string, LatestValue>>();
  for (const value of values) {
    const part = pressureParts[quantityOf(value.metric)];
    if (part === undefined) continue;
    const source = `${value.device} ${value.label.replace(/-[SDM]$/, '')} ${value.channel ?? ''}`;
    bySource.set(source, { ...bySource.get(source), [part]: value });
  }
  const sources = [...bySource.values()].toSorted((a, b) => Number(isCuff(a)) - Number(isCuff(b)));
  return sources.find((one) => Object.values(one).some((value) => usable(value, nowMs))) ?? sources[0];
}

const pressureParts: Partial<Record<Quantity, keyof Pressure>> = {
  systolic: 'systolic',
  diastolic: 'diastolic',
  'mean-pressure': 'mean',
};

const isCuff = (pressure: Record<string, LatestValue>): boolean =>
  Object.values(pressure).some((value) => value.episodic);

const restOrder: readonly Quantity[] = [
  'etco2',
  'temperature',
  'heart-rate',
  'systolic',
  'diastolic',
  'mean-pressure',
  'perfusion',
];

/** A standing order: nothing jumps about when a value comes or goes. */
const byOrder = (a: LatestValue, b: LatestValue) => rank(a) - rank(b) || a.label.localeCompare(b.label);

const rank = (value: LatestValue): number => {
  const at = restOrder.indexOf(quantityOf(value.metric));
  return at < 0 ? restOrder.length : at;
};

/** The limits that judge this value's quantity: those of the medium band, which is crossed first. */
export function limitsOf(bed: BedView, value: LatestValue): { high?: number; low?: number } {
  const quantity = quantityOf(value.metric);
  const own = bed.limits.filter(
    (limit) =>
      limit.priority === 'medium' &&
      (limit.metric === value.metric || (quantity !== 'other' && quantityOf(limit.metric) === quantity)),
  );
  const of = (direction: 'high' | 'low') => own.find((limit) => limit.direction === direction)?.value;
  return { high: of('high'), low: of('low') };
}

export const figureOf = (value: LatestValue): string =>
  value.value === null ? (value.text ?? value.code ?? '–') : value.value.toFixed(value.decimals);
