/** Metrics of systolic, diastolic and mean; empty where the number means nothing for that site. */
export interface PressureLabel {
  readonly metrics: readonly [sys: string, dia: string, mean: string];
  /** Tells general pressures apart. */
  readonly channel?: string;
  /** The pulse rate of an arterial line: its channel, or none for the artery that is named first. */
  readonly pulse?: { readonly channel?: string };
}

const three = (site: string): PressureLabel['metrics'] => [
  `MDC_PRESS_BLD_${site}SYS`,
  `MDC_PRESS_BLD_${site}DIA`,
  `MDC_PRESS_BLD_${site}MEAN`,
];
export const invasivePulse = 'MDC_BLD_PULS_RATE_INV';
const general = (channel: string): PressureLabel => ({ metrics: three(''), channel, pulse: { channel } });

const sites: ReadonlyMap<number, PressureLabel> = new Map<number, PressureLabel>([
  [1, { metrics: three('ART_'), pulse: {} }],
  [2, { metrics: ['', '', 'MDC_PRESS_BLD_VEN_CENT_MEAN'] }],
  [3, { metrics: three('ART_PULM_') }],
  [7, { metrics: ['', '', 'MDC_PRESS_INTRA_CRAN_MEAN'] }],
  [8, { metrics: three('ART_ABP_'), pulse: { channel: 'ABP' } }],
  ...[1, 2, 3, 4, 5, 6].map((number): [number, PressureLabel] => [8 + number, general(`P${number}`)]),
]);

/** What a pressure measures, by its label; one with another label is told by its slot. */
export const pressureOf = (label: number, slot: number): PressureLabel =>
  sites.get(label) ?? general(`slot-${slot}`);

export const pressureMetrics: readonly string[] = [
  ...new Set([...sites.values()].flatMap(({ metrics }) => metrics).filter((metric) => metric !== '')),
  invasivePulse,
];
