/** Metrics of systolic, diastolic, mean and pulse; empty where the number means nothing for that site. */
export interface PressureLabel {
  readonly metrics: readonly [sys: string, dia: string, mean: string, pulse: string];
  readonly channel?: string;
}

const three = (site: string, pulse: string): PressureLabel['metrics'] => [
  `MDC_PRESS_BLD_${site}SYS`,
  `MDC_PRESS_BLD_${site}DIA`,
  `MDC_PRESS_BLD_${site}MEAN`,
  pulse,
];
const invasivePulse = 'MDC_BLD_PULS_RATE_INV';

const sites: ReadonlyMap<number, PressureLabel> = new Map<number, PressureLabel>([
  [1, { metrics: three('ART_', invasivePulse) }],
  [2, { metrics: ['', '', 'MDC_PRESS_BLD_VEN_CENT_MEAN', ''] }],
  [3, { metrics: three('ART_PULM_', '') }],
  [7, { metrics: ['', '', 'MDC_PRESS_INTRA_CRAN_MEAN', ''] }],
  [8, { metrics: three('ART_ABP_', '') }],
  ...[1, 2, 3, 4, 5, 6].map((number): [number, PressureLabel] => [
    8 + number,
    { metrics: three('', ''), channel: `P${number}` },
  ]),
]);

/** What a pressure measures, by its label; one with another label is told by its slot. */
export const pressureOf = (label: number, slot: number): PressureLabel =>
  sites.get(label) ?? { metrics: three('', ''), channel: `slot-${slot}` };

export const pressureMetrics: readonly string[] = [
  ...new Set([...sites.values()].flatMap(({ metrics }) => metrics).filter((metric) => metric !== '')),
];
