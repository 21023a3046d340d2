import type { AlarmLimit } from '../../model/alarm.ts';
import type { Profile } from '../../model/census.ts';

type Band = readonly [low: number | null, high: number | null];

/** A row: what medium and high bands a profile has for one metric. null = no limit on that side. */
interface Row {
  readonly metric: string;
  readonly medium: Band;
  readonly high: Band;
  readonly hysteresis: number;
}

/** Seconds; the same for every default (CLINICAL 3). */
export const defaultDelayS = 10;

/** Hysteresis by quantity: SpO2 2 %, HR 2, pressures 3, RR 1 (CLINICAL 3). */
const hr = { metric: 'MDC_ECG_HEART_RATE', hysteresis: 2 };
const spo2 = { metric: 'MDC_PULS_OXIM_SAT_O2', hysteresis: 2 };
const rr = { metric: 'MDC_RESP_RATE', hysteresis: 1 };
const systolic = { metric: 'MDC_PRESS_BLD_ART_ABP_SYS', hysteresis: 3 };

const adult: readonly Row[] = [
  { ...hr, medium: [50, 120], high: [40, 140] },
  { ...spo2, medium: [90, null], high: [85, null] },
  { ...rr, medium: [8, 30], high: [6, 35] },
  { ...systolic, medium: [90, 180], high: [80, 200] },
];

/**
 * The limits a ward starts with, by profile. All of them are for a clinician of the hospital to confirm. The adult row
 * is CLINICAL 3; the others are starting points without a source of their own, and `unconfirmedProfiles` names them so
 * that a screen can say it. They stay inside the life-critical range (rates 30–200 and 4–60, SpO2 low ≥ 80).
 */
const rows: Readonly<Record<Profile, readonly Row[]>> = {
  adult,
  obstetric: [
    { ...hr, medium: [50, 120], high: [40, 140] },
    { ...spo2, medium: [94, null], high: [90, null] },
    { ...rr, medium: [10, 25], high: [8, 30] },
    { ...systolic, medium: [90, 150], high: [80, 160] },
  ],
  child: [
    { ...hr, medium: [70, 150], high: [60, 170] },
    { ...spo2, medium: [90, null], high: [85, null] },
    { ...rr, medium: [14, 40], high: [10, 50] },
    { ...systolic, medium: [75, 130], high: [65, 150] },
  ],
  schoolchild: [
    { ...hr, medium: [60, 130], high: [50, 150] },
    { ...spo2, medium: [90, null], high: [85, null] },
    { ...rr, medium: [12, 30], high: [8, 40] },
    { ...systolic, medium: [85, 140], high: [75, 160] },
  ],
  adolescent: [
    { ...hr, medium: [50, 120], high: [40, 140] },
    { ...spo2, medium: [90, null], high: [85, null] },
    { ...rr, medium: [10, 28], high: [6, 35] },
    { ...systolic, medium: [90, 150], high: [80, 170] },
  ],
  infant: [
    { ...hr, medium: [90, 180], high: [80, 200] },
    { ...spo2, medium: [90, null], high: [85, null] },
    { ...rr, medium: [20, 55], high: [15, 60] },
    { ...systolic, medium: [65, 115], high: [55, 130] },
  ],
  neonate: [
    { ...hr, medium: [100, 190], high: [80, 200] },
    { ...spo2, medium: [88, null], high: [85, null] },
    { ...rr, medium: [25, 60], high: [20, 60] },
    { ...systolic, medium: [50, 90], high: [40, 100] },
  ],
};

/** Profiles whose figures have no source yet. */
export const unconfirmedProfiles: readonly Profile[] = [
  'neonate',
  'infant',
  'child',
  'schoolchild',
  'adolescent',
  'obstetric',
];

/** Hysteresis of a limit that somebody sets without naming one. */
export function defaultHysteresis(line: string): number {
  switch (line) {
    case 'saturation':
    case 'heart-rate':
      return 2;
    case 'respiration':
      return 1;
    case 'systolic':
    case 'diastolic':
    case 'mean-pressure':
      return 3;
    default:
      return 0;
  }
}

/** The default limits of a ward profile, one a band. */
export const defaultLimits = (profile: Profile): readonly AlarmLimit[] => limits[profile];

const limitsOf = (row: Row): readonly AlarmLimit[] =>
  (['medium', 'high'] as const).flatMap((priority) =>
    (['low', 'high'] as const).flatMap((direction) => {
      const value = row[priority][direction === 'low' ? 0 : 1];
      if (value === null) return [];
      const { metric, hysteresis } = row;
      return [
        { metric, direction, priority, value, delayS: defaultDelayS, hysteresis, origin: 'default' as const },
      ];
    }),
  );

const limits: Readonly<Record<Profile, readonly AlarmLimit[]>> = {
  adult: rows.adult.flatMap(limitsOf),
  obstetric: rows.obstetric.flatMap(limitsOf),
  child: rows.child.flatMap(limitsOf),
  schoolchild: rows.schoolchild.flatMap(limitsOf),
  adolescent: rows.adolescent.flatMap(limitsOf),
  infant: rows.infant.flatMap(limitsOf),
  neonate: rows.neonate.flatMap(limitsOf),
};
