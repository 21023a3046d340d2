/**
 * What is usual in people, by metric: a value outside is asked about once more, never refused. For a clinician to
 * confirm. The instrument's span, which is refused outside, stands in the metric table.
 */
const byMetric: Readonly<Record<string, readonly [number, number]>> = {
  MDC_MASS_BODY_ACTUAL: [0.4, 250],
  MDC_ATTR_PT_HEIGHT: [25, 220],
  MDC_VOL_URINE_COL: [0, 2_000],
  MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD: [30, 600],
  'oxygen-flow': [0, 60],
  'oxygen-inspired': [21, 100],
  MDC_CONC_AWAY_O2_INSP: [21, 100],
};

const byQuantity: Readonly<Record<string, readonly [number, number]>> = {
  'heart-rate': [25, 250],
  saturation: [50, 100],
  respiration: [4, 80],
  systolic: [50, 260],
  diastolic: [20, 160],
  'mean-pressure': [30, 200],
  temperature: [30, 43],
  'skin-temperature': [20, 43],
};

/** Absent: every value within the span is. */
export const usualRange = (metric: string, quantity: string): readonly [number, number] | undefined =>
  byMetric[metric] ?? byQuantity[quantity];
