import { findMetric } from '../../model/aliases.ts';
import { metricByMdc, metrics } from '../../model/metric-table.ts';
import type { Metric } from '../../model/metric.ts';
import { convert, ucumOfWire } from '../../model/units.ts';

/** A series: the metric and which of several equal ones. */
export interface Series {
  readonly metric: Metric;
  readonly channel?: string;
}

/** Numerics the driver may emit. */
export const numericMetrics: readonly string[] = [
  'MDC_ECG_HEART_RATE',
  'MDC_PULS_RATE',
  'MDC_PULS_OXIM_PULS_RATE',
  'MDC_PULS_RATE_NON_INV',
  'MDC_PULS_OXIM_SAT_O2',
  'MDC_PULS_OXIM_PERF_REL',
  'MDC_RESP_RATE',
  'MDC_CO2_RESP_RATE',
  'MDC_AWAY_RESP_RATE',
  'MDC_CONC_AWAY_CO2_ET',
  'MDC_CONC_AWAY_CO2_INSP',
  'MDC_CONC_AWAY_O2_INSP',
  'MDC_ECG_V_P_C_RATE',
  'MDC_ECG_AMPL_ST',
  'MDC_OUTPUT_CARD',
  'MDC_PRESS_CEREB_PERF',
  'MDC_PRESS_BLD_VEN_CENT_MEAN',
  'MDC_PRESS_INTRA_CRAN_MEAN',
  ...['NONINV', 'ART_ABP', 'ART', 'ART_PULM'].flatMap((site) =>
    ['SYS', 'DIA', 'MEAN'].map((part) => `MDC_PRESS_BLD_${site}_${part}`),
  ),
  'MDC_PRESS_BLD_SYS',
  'MDC_PRESS_BLD_DIA',
  'MDC_PRESS_BLD_MEAN',
  'MDC_TEMP',
  'MDC_TEMP_CORE',
  'MDC_TEMP_SKIN',
  'MDC_TEMP_RECT',
  'MDC_TEMP_ESOPH',
  'MDC_TEMP_BLD',
  'MDC_TEMP_NASOPH',
  'MDC_TEMP_FOLEY',
];
export const waveMetrics: readonly string[] = [
  'MDC_ECG_ELEC_POTL',
  ...['I', 'II', 'III', 'AVR', 'AVL', 'AVF', 'V1', 'V2', 'V3', 'V4', 'V5', 'V6'].map(
    (lead) => `MDC_ECG_ELEC_POTL_${lead}`,
  ),
  'MDC_PULS_OXIM_PLETH',
  'MDC_RESP',
  'MDC_PRESS_BLD',
  'MDC_PRESS_BLD_ART',
  'MDC_PRESS_BLD_ART_ABP',
  'MDC_PRESS_BLD_ART_PULM',
];
const numerics = new Set(numericMetrics);
const waves = new Set(waveMetrics);

const threeOf = (first: number, channel: string): [number, [string, string]][] =>
  ['SYS', 'DIA', 'MEAN'].map((part, at) => [first + at, [`MDC_PRESS_BLD_${part}`, channel]]);
/** The maker's own codes, and codes whose general metric is told apart by a channel. */
const own: ReadonlyMap<number, readonly [refId: string, channel?: string]> = new Map<
  number,
  readonly [string, string?]
>([
  [0x4261, ['MDC_ECG_V_P_C_RATE']],
  [0x50ba, ['MDC_CONC_AWAY_CO2_INSP']],
  [0x4bcc, ['MDC_PULS_OXIM_SAT_O2', 'right']],
  [0x4bc8, ['MDC_PULS_OXIM_SAT_O2', 'left']],
  [0xf1c0, ['MDC_PULS_OXIM_SAT_O2', 'pre-ductal']],
  [0xf1d4, ['MDC_PULS_OXIM_SAT_O2', 'post-ductal']],
  ...threeOf(0xf0a5, 'P1'),
  ...threeOf(0xf0a9, 'P2'),
  ...threeOf(0xf0ad, 'P3'),
  ...threeOf(0xf0b1, 'P4'),
  [0xf0b7, ['MDC_PRESS_INTRA_CRAN_MEAN', 'IC1']],
  [0xf0bb, ['MDC_PRESS_INTRA_CRAN_MEAN', 'IC2']],
  [0xf0c4, ['MDC_TEMP_FOLEY']],
  [0xf0c7, ['MDC_TEMP', 'T1']],
  [0xf0c8, ['MDC_TEMP', 'T2']],
  [0xf0c9, ['MDC_TEMP', 'T3']],
  [0xf0ca, ['MDC_TEMP', 'T4']],
]);
// ST comes in mm of paper: kept in mm, the lead as its channel.
const stLeads: Readonly<Record<number, string>> = {
  0x0300: '',
  0x0301: 'I',
  0x0302: 'II',
  0x0303: 'V1',
  0x0304: 'V2',
  0x0305: 'V3',
  0x0306: 'V4',
  0x0307: 'V5',
  0x0308: 'V6',
  0x033d: 'III',
  0x033e: 'aVR',
  0x033f: 'aVL',
  0x0340: 'aVF',
  0x0343: 'V',
  0x034b: 'MCL',
};
/** Pulse rates of several pressures have one physio code; their labels tell them apart. */
const pulseLabels: ReadonlyMap<number, string> = new Map([
  [0x80035402, 'ABP'],
  [0x80035403, 'ART'],
  [0x80035404, 'Ao'],
  [0x80035405, 'PAP'],
  [0x8003540a, 'UAP'],
  [0x80035434, 'FAP'],
  [0x80035437, 'BAP'],
  [0x80035401, 'P'],
  [0x80035422, 'P1'],
  [0x80035425, 'P2'],
  [0x80035428, 'P3'],
  [0x8003542b, 'P4'],
  [0x80155401, 'left'],
  [0x80155402, 'right'],
  [0x8015543d, 'pre-ductal'],
  [0x80155440, 'post-ductal'],
]);

/** MDC codes of measurements are partition 2. */
const scada = 2 * 0x10000;
/** The metric of a physio code; `label` is the object's label code, where it is known. Undefined: not one of ours. */
export function seriesOf(physio: number, label?: number): Series | undefined {
  const lead = stLeads[physio];
  if (lead !== undefined) return made('MDC_ECG_AMPL_ST', lead || undefined);
  const [refId, channel] = own.get(physio) ?? [];
  if (refId) return made(refId, channel);
  const code = `0x${physio.toString(16).padStart(4, '0')}`;
  const found = findMetric({ vendor: 'philips', system: 'physio', code }) ?? metricByMdc.get(scada + physio);
  return found && made(found.refId, label === undefined ? undefined : pulseLabels.get(label));
}

/** A series of numbers, and not of samples. */
export const isNumeric = ({ metric }: Series): boolean => numerics.has(metric.refId);

function made(refId: string, channel: string | undefined): Series | undefined {
  const metric = metrics.get(refId);
  if (!metric || !(numerics.has(refId) || waves.has(refId))) return undefined;
  return channel === undefined ? { metric } : { metric, channel };
}

const dimensionless = 0x0200;
const perMinute = 0x09e0;
const millimetre = 0x0512;

/** The value in the metric's own unit; undefined where its unit does not fit the metric. */
export function inOwnUnit(value: number, unit: number, metric: Metric): number | undefined {
  if (metric.unit === 'mm' && unit === millimetre) return value;
  if (metric.unit === '1') return value;
  // Relative perfusion comes as a bare number: what other makers show as perfusion index in %.
  if (unit === dimensionless) return metric.quantity === 'perfusion' ? value : undefined;
  // MDC_DIM is partition 4.
  const ucum = unit === perMinute ? '/min' : ucumOfWire(4 * 0x10000 + unit);
  const converted = ucum === undefined ? undefined : convert(value, ucum, metric.unit);
  return converted === undefined || ucum === metric.unit ? converted : Number(converted.toPrecision(6));
}
