/**
 * UCUM units and how they convert. A unit is a factor and an offset to the base of its dimension:
 * base = value × factor + offset. Units of different dimensions never convert, with one exception that needs the
 * substance: glucose between mass and amount.
 */
interface Unit {
  readonly dimension: string;
  readonly factor: number;
  readonly offset?: number;
}

const of = (dimension: string, units: Readonly<Record<string, number>>): [string, Unit][] =>
  Object.entries(units).map(([ucum, factor]) => [ucum, { dimension, factor }]);

// Pressures in Pa. mm[Hg] is the conventional one, cm[H2O] at 4 Cel, [in_i'H2O] as the makers use it (249.089 Pa).
const millimetreMercuryPa = 133.322387415;

/** Glucose, C6H12O6: 180.16 g/mol, so 1 mmol/L = 18.016 mg/dL. */
const glucoseMgPerDlPerMmolPerL = 18.016;

const units: ReadonlyMap<string, Unit> = new Map<string, Unit>([
  ['Cel', { dimension: 'temperature', factor: 1 }],
  ['[degF]', { dimension: 'temperature', factor: 5 / 9, offset: -160 / 9 }],
  ['K', { dimension: 'temperature', factor: 1, offset: -273.15 }],
  ...of('pressure', {
    Pa: 1,
    hPa: 100,
    kPa: 1_000,
    MPa: 1_000_000,
    mbar: 100,
    bar: 100_000,
    'mm[Hg]': millimetreMercuryPa,
    'cm[H2O]': 98.0665,
    "[in_i'H2O]": 249.089,
    '[psi]': 6_894.757293168,
  }),
  ...of('ratio', { '1': 1, '%': 0.01, '[ppth]': 0.001, '[ppm]': 0.000001 }),
  ...of('volume', { L: 1, dL: 0.1, cL: 0.01, mL: 0.001, uL: 0.000001, m3: 1_000 }),
  // Flows in L/min. 1 ft3 = 28.316846592 L.
  ...of('flow', {
    'L/min': 1,
    'mL/min': 0.001,
    'L/s': 60,
    'mL/s': 0.06,
    'L/h': 1 / 60,
    'mL/h': 0.001 / 60,
    'm3/h': 1_000 / 60,
    '[cft_i]/min': 28.316846592,
  }),
  ...of('mass', { kg: 1, g: 0.001, mg: 0.000001, '[lb_av]': 0.45359237, '[oz_av]': 0.028349523125 }),
  ...of('length', { m: 1, cm: 0.01, mm: 0.001, '[in_i]': 0.0254, '[ft_i]': 0.3048 }),
  ...of('time', { s: 1, ms: 0.001, us: 0.000001, min: 60, h: 3_600, d: 86_400 }),
  ...of('frequency', { '/min': 1, '{beats}/min': 1, '{breaths}/min': 1, '/s': 60, Hz: 60, '/h': 1 / 60 }),
  ...of('potential', { V: 1, mV: 0.001, uV: 0.000001, kV: 1_000 }),
  ...of('resistance', { Ohm: 1, kOhm: 1_000, MOhm: 1_000_000 }),
  ...of('capacitance', { F: 1, uF: 0.000001, nF: 0.000000001 }),
  ...of('current', { A: 1, mA: 0.001, uA: 0.000001 }),
  ...of('mass concentration', { 'mg/dL': 1, 'g/L': 100, 'g/dL': 1_000, 'mg/L': 0.1, 'kg/L': 100_000 }),
  ...of('amount concentration', { 'mmol/L': 1, 'mol/L': 1_000, 'umol/L': 0.001 }),
  ...of('compliance', { 'mL/cm[H2O]': 1, 'L/bar': 0.980665, 'mL/mbar': 0.980665, 'mL/kPa': 0.0980665 }),
  ...of('airway resistance', { 'cm[H2O].s/L': 1, 'mbar.s/L': 1 / 0.980665, 'kPa.s/L': 10 / 0.980665 }),
]);

/** Whether a unit is known at all: an unknown one goes to quarantine with its value. */
export const isUnit = (ucum: string): boolean => units.has(ucum);

/**
 * Converts between UCUM units; undefined where no conversion is known (mm of an ECG's ST are not mV: the gain is
 * not ours to assume). Glucose alone (`metric` names it) converts between mg/dL and mmol/L. Equal units pass as they
 * are, known or not.
 */
export function convert(value: number, from: string, to: string, metric?: string): number | undefined {
  if (from === to) return value;
  const source = units.get(from);
  const target = units.get(to);
  if (!source || !target) return undefined;
  const base = value * source.factor + (source.offset ?? 0);
  const bridged = bridge(base, source.dimension, target.dimension, metric);
  return bridged === undefined ? undefined : (bridged - (target.offset ?? 0)) / target.factor;
}

const isGlucose = (metric: string | undefined): boolean =>
  metric !== undefined && /^(MDC_CONC_GLU_|glucose)/.test(metric);

function bridge(base: number, from: string, to: string, metric: string | undefined): number | undefined {
  if (from === to) return base;
  if (!isGlucose(metric)) return undefined;
  if (from === 'amount concentration' && to === 'mass concentration') return base * glucoseMgPerDlPerMmolPerL;
  if (from === 'mass concentration' && to === 'amount concentration') return base / glucoseMgPerDlPerMmolPerL;
  return undefined;
}

/** A unit as it stands on the wire: MDC_DIM code (4 × 65536 + term), reference id, UCUM. */
export interface WireUnit {
  readonly mdc: number;
  readonly refId: string;
  readonly ucum: string;
  /** True where captured messages show it; the others are derived from the 16-bit term code. */
  readonly confirmed: boolean;
}

const seen = (mdc: number, refId: string, ucum: string): WireUnit => ({ mdc, refId, ucum, confirmed: true });
const derived = (mdc: number, refId: string, ucum: string): WireUnit => ({
  mdc,
  refId,
  ucum,
  confirmed: false,
});

export const wireUnits: readonly WireUnit[] = [
  seen(264864, 'MDC_DIM_BEAT_PER_MIN', '/min'),
  seen(264928, 'MDC_DIM_RESP_PER_MIN', '/min'),
  seen(262688, 'MDC_DIM_PERCENT', '%'),
  seen(266016, 'MDC_DIM_MMHG', 'mm[Hg]'),
  seen(268192, 'MDC_DIM_DEGC', 'Cel'),
  seen(263762, 'MDC_DIM_MILLI_L', 'mL'),
  seen(265266, 'MDC_DIM_MILLI_L_PER_HR', 'mL/h'),
  seen(266048, 'MDC_DIM_CM_H2O', 'cm[H2O]'),
  seen(266418, 'MDC_DIM_MILLI_VOLT', 'mV'),
  seen(264640, 'MDC_DIM_HZ', 'Hz'),
  derived(262656, 'MDC_DIM_DIMLESS', '1'),
  derived(266419, 'MDC_DIM_MICRO_VOLT', 'uV'),
  derived(263744, 'MDC_DIM_L', 'L'),
  derived(265216, 'MDC_DIM_L_PER_MIN', 'L/min'),
  derived(265234, 'MDC_DIM_MILLI_L_PER_MIN', 'mL/min'),
  derived(264274, 'MDC_DIM_MILLI_G_PER_DL', 'mg/dL'),
  derived(266866, 'MDC_DIM_MILLI_MOLE_PER_L', 'mmol/L'),
  derived(266560, 'MDC_DIM_FAHR', '[degF]'),
  derived(265987, 'MDC_DIM_KILO_PASCAL', 'kPa'),
  derived(263441, 'MDC_DIM_CENTI_M', 'cm'),
  derived(263442, 'MDC_DIM_MILLI_M', 'mm'),
  derived(263875, 'MDC_DIM_KILO_G', 'kg'),
  derived(263904, 'MDC_DIM_LB', '[lb_av]'),
  derived(264320, 'MDC_DIM_SEC', 's'),
  derived(264338, 'MDC_DIM_MILLI_SEC', 'ms'),
  derived(264352, 'MDC_DIM_MIN', 'min'),
  derived(264384, 'MDC_DIM_HR', 'h'),
];

const byWire: ReadonlyMap<string, WireUnit> = new Map(
  wireUnits.flatMap((unit) => [[String(unit.mdc), unit] as const, [unit.refId, unit] as const]),
);

/** UCUM of an MDC_DIM code or reference id; undefined where it is not known. */
export const ucumOfWire = (codeOrRefId: string | number): string | undefined =>
  byWire.get(String(codeOrRefId))?.ucum;

/** What an outlet writes for a UCUM unit of ours; rates of breathing and beating share `/min` in UCUM. */
export const wireOfUcum = (ucum: string, quantity?: string): WireUnit | undefined =>
  ucum === '/min' && (quantity === 'respiration' || quantity === 'vent-rate')
    ? byWire.get('MDC_DIM_RESP_PER_MIN')
    : wireUnits.find((unit) => unit.ucum === ucum);
