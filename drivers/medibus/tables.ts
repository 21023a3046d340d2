import type { AlertState, Priority } from '../../model/alarm.ts';

/** One code: its metric, the unit the device sends it in, and its place: of two codes of a metric the later is taken. */
export interface Coded {
  readonly metric: string;
  readonly unit: string;
  readonly rank: number;
}
export type CodeTable = ReadonlyMap<string, Coded>;

type Row = readonly [code: string, metric: string, unit: string];
const tableOf = (rows: readonly Row[]): CodeTable =>
  new Map(rows.map(([code, metric, unit], rank) => [code, { metric, unit, rank }]));

/**
 * Measured data, code page 1. Where several codes mean one metric (etCO2 in three units, tidal volume in L and mL)
 * the later row stands nearer to the metric's own unit and is taken.
 */
export const measured1: CodeTable = tableOf([
  ['06', 'MDC_COMPL_LUNG', 'mL/mbar'],
  ['07', 'MDC_COMPL_LUNG', 'L/bar'],
  ['08', 'MDC_RES_AWAY', 'mbar.s/L'],
  ['6B', 'ambient-pressure', 'mbar'],
  ['71', 'airway-pressure-min', 'mbar'],
  ['73', 'MDC_VENT_PRESS_AWAY_MEAN', 'mbar'],
  ['74', 'MDC_VENT_PRESS_RESP_PLAT', 'mbar'],
  ['78', 'MDC_VENT_PRESS_AWAY_END_EXP_POS', 'mbar'],
  ['79', 'peep-intrinsic', 'mbar'],
  ['7D', 'MDC_VENT_PRESS_AWAY_MAX', 'mbar'],
  ['82', 'MDC_VENT_VOL_TIDAL', 'L'],
  ['88', 'MDC_VENT_VOL_TIDAL', 'mL'],
  ['7B', 'MDC_VENT_RESP_RATE', '/min'],
  ['B5', 'MDC_VENT_RESP_BTSD_P_RATE', '/min'],
  ['B7', 'minute-volume-spontaneous', 'L/min'],
  ['7A', 'minute-volume-spontaneous', 'L/min'],
  ['B8', 'MDC_VOL_MINUTE_AWAY', 'L/min'],
  ['B9', 'MDC_VOL_MINUTE_AWAY', 'L/min'],
  ['C1', 'airway-temperature', 'Cel'],
  ['D5', 'MDC_CO2_RESP_RATE', '/min'],
  ['D6', 'MDC_RESP_RATE', '/min'],
  ['DA', 'co2-inspired-percent', '%'],
  ['FF', 'MDC_CONC_AWAY_CO2_INSP', 'kPa'],
  ['E5', 'MDC_CONC_AWAY_CO2_INSP', 'mm[Hg]'],
  ['DB', 'co2-end-tidal-percent', '%'],
  ['E3', 'MDC_CONC_AWAY_CO2_ET', 'kPa'],
  ['E6', 'MDC_CONC_AWAY_CO2_ET', 'mm[Hg]'],
  ['E1', 'MDC_PULS_OXIM_PULS_RATE', '/min'],
  ['EB', 'MDC_PULS_OXIM_SAT_O2', '%'],
  ['EF', 'MDC_CONC_AWAY_O2_ET', '%'],
  ['F0', 'MDC_CONC_AWAY_O2_INSP', '%'],
  ['FB', 'n2o-inspired', '%'],
  ['FC', 'n2o-end-tidal', '%'],
  ['E9', 'agent-inspired', '%'],
  ['EA', 'agent-end-tidal', '%'],
]);

/** Measured data, code page 2: its codes mean other parameters than those of page 1. */
export const measured2: CodeTable = tableOf([
  ['21', 'MDC_VOL_AWAY_TIDAL', 'mL'],
  ['22', 'tidal-volume-inspired', 'mL'],
]);

/** Device settings. Where a device sends the rates of IMV (09) and of IPPV (0A), the latter is taken. */
export const deviceSettings: CodeTable = tableOf([
  ['01', 'fio2-set', '%'],
  ['02', 'peak-flow-set', 'L/min'],
  ['04', 'MDC_VENT_VOL_TIDAL_SETTING', 'L'],
  ['40', 'MDC_VENT_VOL_TIDAL_SETTING', 'mL'],
  ['09', 'vent-rate-set', '/min'],
  ['0A', 'vent-rate-set', '/min'],
  ['0B', 'peep-set', 'mbar'],
  ['11', 'apnoea-interval-set', 's'],
]);

/** Text messages that name a way of ventilating; the others tell of a monitor's configuration. */
export const modeTexts: ReadonlySet<string> = new Set(
  '01 02 04 05 06 07 08 09 0A 0B 0C 0D 0E 11 18 19 1A 1E 2B 34 36 54 59 5A 5B 5C 5D'.split(' '),
);
export const standbyTexts: ReadonlySet<string> = new Set(['1E', '54']);
export const testTexts: ReadonlySet<string> = new Set(['53']);

interface Kind {
  readonly priority: Priority;
  readonly type: AlertState['type'];
}
const kinds: readonly (readonly [page: 1 | 2, Kind, codes: string])[] = [
  // Apnoea, disconnection, pressure high, minute volume low, oxygen low, saturation and pulse low.
  [1, { priority: 'high', type: 'physiological' }, '00 01 02 07 08 0D 0E 0F 10 19 98 9A A3 C0 F8'],
  // Other limits crossed.
  [
    1,
    { priority: 'medium', type: 'physiological' },
    '09 0B 0C 1E 1F 22 24 27 28 29 2A 2B 2C 32 37 3A 3C 90 9B BA BF C3 C4 DA E8 EE',
  ],
  // Gas or power fails, or the machine no longer ventilates as set.
  [1, { priority: 'high', type: 'technical' }, '11 12 13 9F A0 AD B0 BC BD C7 C8 EF'],
  [
    1,
    { priority: 'medium', type: 'technical' },
    '33 35 3D 42 4B 63 64 65 66 67 68 69 6A 6E A1 A4 B7 B8 B9 BE C1 C2 C5 C6 C9 CA D9 EA ED F1 F4',
  ],
  // Somebody switched an alarm off, or a line beside the patient's.
  [1, { priority: 'low', type: 'technical' }, '40 57 5B 5E 78 79 7C AC BB F7'],
  [2, { priority: 'high', type: 'physiological' }, '6A 8D 93'],
  [2, { priority: 'medium', type: 'physiological' }, '3A A2 A3 A4 A5 A6'],
  [2, { priority: 'high', type: 'technical' }, '31 32 36 37 38 39 A1 A7'],
  [
    2,
    { priority: 'medium', type: 'technical' },
    '33 34 35 91 9C A0 A8 A9 AC AD AF B0 B1 B2 B3 B4 B5 C7 C8 C9 CA CB',
  ],
];
const kindOf: ReadonlyMap<string, Kind> = new Map(
  kinds.flatMap(([page, kind, codes]) => codes.split(' ').map((each) => [`${page}-${each}`, kind] as const)),
);

/** Priority and kind of an alarm code; one that nobody has named is medium. */
export const alarmKind = (page: 1 | 2, code: string): Kind =>
  kindOf.get(`${page}-${code}`) ?? { priority: 'medium', type: 'physiological' };
