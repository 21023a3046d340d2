import { metrics } from '../../model/metric-table.ts';
import { convert } from '../../model/units.ts';
import type { Observation, Reason, Seen, Validity } from '../../model/observation.ts';
import { invasivePulse, pressureOf, type PressureLabel } from './pressures.ts';

/** What one group says of one metric. */
export interface Value {
  readonly metric: string;
  readonly channel?: string;
  readonly seen: Seen;
  readonly validity: Validity;
  readonly mark?: Reason;
  /** The module is not there: told only of a series that once had a value. */
  readonly optional: boolean;
}

interface Group {
  readonly bytes: Buffer;
  readonly status: number;
  readonly label: number;
  /** Why nothing in the group is a value, though numbers may stand there. */
  readonly none: Reason | undefined;
}

const exists = 1;
const active = 2;
/** Any value below is a code and no measurement. */
const lowestValue = -32_001;
const codes: ReadonlyMap<number, Reason> = new Map([
  [-32_767, 'not-measured'],
  [-32_766, 'stale'],
  [-32_765, 'artefact'],
  [-32_764, 'under-range'],
  [-32_763, 'over-range'],
  [-32_762, 'uncalibrated'],
]);

function group(bytes: Buffer, at: number, restsBetween = false): Group {
  const status = bytes.readUInt32LE(at);
  const label = bytes.readUInt16LE(at + 4);
  const there = (status & exists) !== 0 && (restsBetween || (status & active) !== 0);
  return { bytes: bytes.subarray(at + 6), status, label, none: there ? undefined : 'not-measured' };
}

interface Field {
  readonly metric: string;
  readonly channel?: string;
  /** Which 16-bit number of the group, from 0. */
  readonly index: number;
  /** What the number is divided by. */
  readonly per: number;
  readonly mark?: Reason | undefined;
  /** The reason where a missing value has no better one. */
  readonly missing?: Reason | undefined;
  /** Into the metric's own unit; undefined where that cannot be. */
  readonly turn?: (value: number) => number | undefined;
}

function read(from: Group, { metric, channel, index, per, mark, missing, turn }: Field): Value {
  const base = {
    metric,
    ...(channel !== undefined && { channel }),
    optional: (from.status & exists) === 0,
  };
  const none = (reason: Reason): Value => ({ ...base, seen: { value: null, reason }, validity: 'invalid' });
  const raw = from.bytes.readInt16LE(index * 2);
  if (raw < lowestValue) {
    const reason = codes.get(raw) ?? 'invalid';
    return none(reason === 'not-measured' ? (missing ?? reason) : reason);
  }
  if (from.none) return none(missing ?? from.none);
  const value = turn ? turn(raw / per) : raw / per;
  if (value === undefined) return none('unit');
  const span = metrics.get(metric)?.span;
  if (span && (value < span[0] || value > span[1])) return none('out-of-span');
  return { ...base, seen: { value }, validity: mark ? 'questionable' : 'valid', ...(mark && { mark }) };
}

const st = ['1', '2', '3'];
const ecgBits = { noise: 1 << 7, artefact: 1 << 8, leadsOff: 0b111 << 11 } as const;

function ecg(data: Buffer): Value[] {
  const from = group(data, 0);
  const mark = from.status & (ecgBits.noise | ecgBits.artefact) ? 'artefact' : undefined;
  const missing = from.status & ecgBits.leadsOff ? 'sensor-off' : undefined;
  return [
    read(from, { metric: 'MDC_ECG_HEART_RATE', index: 0, per: 1, mark, missing }),
    ...st.map((channel, at) =>
      read(from, { metric: 'MDC_ECG_AMPL_ST', channel, index: 1 + at, per: 100, mark, missing }),
    ),
    read(from, { metric: 'MDC_TTHOR_RESP_RATE', index: 4, per: 1, missing }),
  ];
}

function invasive(data: Buffer, at: number, slot: number): Value[] {
  const from = group(data, at);
  // Nobody knows what a slot without a module would measure.
  if ((from.status & exists) === 0) return [];
  const { metrics: names, channel, pulse }: PressureLabel = pressureOf(from.label, slot);
  const found = names.flatMap((metric, index) =>
    metric ? [read(from, { metric, ...(channel !== undefined && { channel }), index, per: 100 })] : [],
  );
  return pulse ? [...found, read(from, { metric: invasivePulse, ...pulse, index: 3, per: 1 })] : found;
}

export const nibpBits = { measuring: 1 << 5, stasis: 1 << 6, calibrating: 1 << 7, old: 1 << 8 } as const;

/** Cuff and label bits: the module rests between measurements, so it need not be active. */
function nibp(data: Buffer): Value[] {
  const rested = group(data, 72, true);
  const from: Group = rested.label & nibpBits.calibrating ? { ...rested, none: 'calibrating' } : rested;
  const mark = from.label & (nibpBits.measuring | nibpBits.stasis) ? 'ongoing' : undefined;
  return ['SYS', 'DIA', 'MEAN']
    .map((part, index) => read(from, { metric: `MDC_PRESS_BLD_NONINV_${part}`, index, per: 100, mark }))
    .concat(read(from, { metric: 'MDC_PULS_RATE_NON_INV', index: 3, per: 1, mark }));
}

const oximeter = (data: Buffer): Value[] => {
  const from = group(data, 118);
  return [
    read(from, { metric: 'MDC_PULS_OXIM_SAT_O2', index: 0, per: 100 }),
    read(from, { metric: 'MDC_PULS_OXIM_PULS_RATE', index: 1, per: 1 }),
    read(from, { metric: 'MDC_PULS_OXIM_PERF_REL', index: 2, per: 100 }),
  ];
};

/** Carbon dioxide comes in % of the ambient pressure, which stands beside it in 0.1 mmHg. */
function carbonDioxide(data: Buffer): Value[] {
  const from = group(data, 132);
  const ambient = ambientOf(data);
  const turn = (percent: number): number | undefined =>
    ambient === undefined ? undefined : Number(((percent * ambient) / 100).toFixed(3));
  const kilopascal = (mmHg: number): number | undefined => {
    const value = convert(mmHg, 'mm[Hg]', 'kPa');
    return value === undefined ? undefined : Number(value.toFixed(3));
  };
  return [
    read(from, { metric: 'MDC_CONC_AWAY_CO2_ET', index: 0, per: 100, turn }),
    read(from, { metric: 'MDC_CONC_AWAY_CO2_INSP', index: 1, per: 100, turn }),
    read(from, { metric: 'MDC_CO2_RESP_RATE', index: 2, per: 1 }),
    read(from, { metric: 'ambient-pressure', index: 3, per: 10, turn: kilopascal }),
  ];
}

/** mmHg; undefined where the CO2 module does not tell it. */
export function ambientOf(data: Buffer): number | undefined {
  const raw = data.readInt16LE(144);
  return raw < lowestValue || raw <= 0 ? undefined : raw / 10;
}

const agents = [undefined, 'none', 'HAL', 'ENF', 'ISO', 'DES', 'SEV'];

function gases(data: Buffer): Value[] {
  const agent = group(data, 166);
  const code = agent.none === undefined ? agents[agent.label] : undefined;
  const named: Value[] = code
    ? [{ metric: 'agent', seen: { code, system: 'ge-dri' }, validity: 'valid', optional: false }]
    : [];
  const two = (at: number, et: string, fi: string): Value[] => {
    const from = group(data, at);
    return [read(from, { metric: et, index: 0, per: 100 }), read(from, { metric: fi, index: 1, per: 100 })];
  };
  return [
    ...two(146, 'MDC_CONC_AWAY_O2_ET', 'MDC_CONC_AWAY_O2_INSP'),
    ...two(156, 'n2o-end-tidal', 'n2o-inspired'),
    ...two(166, 'agent-end-tidal', 'agent-inspired'),
    read(agent, { metric: 'MDC_CONC_MAC', index: 2, per: 100 }),
    ...named,
  ];
}

const breathing: readonly (readonly [metric: string, per: number])[] = [
  ['MDC_VENT_RESP_RATE', 1],
  ['MDC_VENT_PRESS_AWAY_MAX', 100],
  ['MDC_VENT_PRESS_AWAY_END_EXP_POS', 100],
  ['MDC_VENT_PRESS_RESP_PLAT', 100],
  ['tidal-volume-inspired', 10],
  ['MDC_VOL_AWAY_TIDAL', 10],
  ['MDC_COMPL_LUNG', 100],
  ['MDC_VOL_MINUTE_AWAY', 100],
];

/** From its own module; where that has none, from the oximeter's. */
function venous(data: Buffer): Value {
  const own = read(group(data, 232), { metric: 'svo2', index: 0, per: 100 });
  const other = read(group(data, 118), { metric: 'svo2', index: 3, per: 100 });
  return own.validity === 'invalid' && other.validity !== 'invalid' ? other : own;
}

/** Everything the basic class (270 bytes) says. */
export function valuesOf(data: Buffer): Value[] {
  const flow = group(data, 178);
  const temperatures = [86, 94, 102, 110].map((at, index) =>
    read(group(data, at), { metric: 'MDC_TEMP', channel: String(index + 1), index: 0, per: 100 }),
  );
  return [
    ...ecg(data),
    ...[16, 30, 44, 58, 240, 254].flatMap((at, index) => invasive(data, at, index + 1)),
    ...nibp(data),
    ...temperatures,
    ...oximeter(data),
    ...carbonDioxide(data),
    ...gases(data),
    ...breathing.map(([metric, per], index) => read(flow, { metric, index, per })),
    venous(data),
  ];
}

/** The label of the NIBP group: what the cuff is doing. */
export const cuffLabel = (data: Buffer): number => data.readUInt16LE(76);

export const observationOf = ({ optional: _, seen, ...value }: Value): Omit<Observation, 'takenAtMs'> =>
  ({ ...value, ...seen }) as Omit<Observation, 'takenAtMs'>;
