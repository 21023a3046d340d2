import type { Metric } from '../../model/metric.ts';

/**
 * One heart, one quantity (CLINICAL 2): the metrics that measure the same thing, most preferred first. A limit on any
 * of them is a limit on the quantity; the same order rules queries' default source and scores.
 */
export const sourceOrder = {
  'heart-rate': [
    'MDC_ECG_HEART_RATE',
    'MDC_BLD_PULS_RATE_INV',
    'MDC_PULS_OXIM_PULS_RATE',
    'MDC_PULS_RATE',
    'MDC_PULS_RATE_NON_INV',
  ],
  saturation: ['MDC_PULS_OXIM_SAT_O2'],
  respiration: [
    'MDC_RESP_RATE',
    'MDC_TTHOR_RESP_RATE',
    'MDC_CO2_RESP_RATE',
    'MDC_AWAY_RESP_RATE',
    'MDC_PULS_OXIM_PLETH_RESP_RATE',
  ],
  systolic: [
    'MDC_PRESS_BLD_ART_ABP_SYS',
    'MDC_PRESS_BLD_ART_SYS',
    'MDC_PRESS_BLD_SYS',
    'MDC_PRESS_BLD_NONINV_SYS',
    'MDC_PRESS_CUFF_SYS',
  ],
  diastolic: [
    'MDC_PRESS_BLD_ART_ABP_DIA',
    'MDC_PRESS_BLD_ART_DIA',
    'MDC_PRESS_BLD_DIA',
    'MDC_PRESS_BLD_NONINV_DIA',
    'MDC_PRESS_CUFF_DIA',
  ],
  'mean-pressure': [
    'MDC_PRESS_BLD_ART_ABP_MEAN',
    'MDC_PRESS_BLD_ART_MEAN',
    'MDC_PRESS_BLD_MEAN',
    'MDC_PRESS_BLD_NONINV_MEAN',
    'MDC_PRESS_CUFF_MEAN',
  ],
  etco2: ['MDC_CONC_AWAY_CO2_ET', 'MDC_AWAY_CO2_ET'],
} as const satisfies Record<string, readonly string[]>;

export type OrderedQuantity = keyof typeof sourceOrder;

/** The quantities whose loss matters most (CLINICAL 6); a ward setting. */
export const criticalMetrics: readonly string[] = [
  ...sourceOrder['heart-rate'].slice(0, 4),
  ...sourceOrder.saturation,
  ...sourceOrder.respiration,
  ...sourceOrder.systolic.slice(0, 3),
  ...sourceOrder.diastolic.slice(0, 3),
  ...sourceOrder['mean-pressure'].slice(0, 3),
  ...sourceOrder.etco2,
];

const places = new Map<string, { readonly line: string; readonly rank: number }>(
  Object.entries(sourceOrder).flatMap(([line, list]) =>
    list.map((metric, rank) => [metric, { line, rank }] as const),
  ),
);

/** Which line of samples a metric belongs to: its quantity where an order is known, else the metric alone. */
export const lineOf = (metric: string): string => places.get(metric)?.line ?? metric;

/** 0 is the most preferred source of its line. */
export const rankOf = (metric: string): number => places.get(metric)?.rank ?? 0;

/** The other metrics' ids that feed the same line. */
export const sourcesOf = (line: string): readonly string[] =>
  Object.hasOwn(sourceOrder, line) ? sourceOrder[line as OrderedQuantity] : [line];

/** Silence after which a continuous metric's run has a gap, ms: the larger of 10 s and 3 periods (CLINICAL 3). */
export function defaultGapMs(line: string, periodsMs: readonly number[]): number {
  const least = sourcesOf(line).length > 1 ? 15_000 : 10_000;
  return Math.max(least, ...periodsMs.map((periodMs) => 3 * periodMs));
}

/** A limit's metric in words for a person: its own label. */
export const labelOf = (metrics: ReadonlyMap<string, Metric>, metric: string): string =>
  metrics.get(metric)?.label ?? metric;
