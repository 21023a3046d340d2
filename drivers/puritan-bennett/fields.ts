import type { AlertState, Priority } from '../../model/alarm.ts';

export type Kind = 'A' | 'F';
export interface NumberField {
  readonly field: number;
  readonly metric: string;
  readonly unit: string;
}
export interface TextField {
  readonly field: number;
  readonly metric: string;
}
export interface AlarmField {
  readonly field: number;
  readonly text: string;
  readonly type: AlertState['type'];
  /** For the word ALARM, which names no priority of its own. */
  readonly priority: Priority;
}

// Field numbers follow the maker's manual: 5 is the first after STX.
const rows = (
  list: readonly (readonly [field: number, metric: string, unit: string])[],
): readonly NumberField[] => list.map(([field, metric, unit]) => ({ field, metric, unit }));

export const numbers: Readonly<Record<Kind, readonly NumberField[]>> = {
  A: rows([
    [10, 'vent-rate-set', '/min'],
    [11, 'MDC_VENT_VOL_TIDAL_SETTING', 'L'],
    [12, 'peak-flow-set', 'L/min'],
    [13, 'fio2-set', '%'],
    [15, 'peep-set', 'cm[H2O]'],
    [21, 'apnoea-interval-set', 's'],
    [34, 'MDC_VENT_RESP_BTSD_PSAZC_RATE', '/min'],
    [35, 'MDC_VOL_AWAY_TIDAL', 'L'],
    [36, 'MDC_VOL_MINUTE_AWAY', 'L/min'],
    [37, 'minute-volume-spontaneous', 'L/min'],
    [38, 'MDC_VENT_PRESS_AWAY_MAX', 'cm[H2O]'],
    [39, 'MDC_VENT_PRESS_AWAY_MEAN', 'cm[H2O]'],
    [40, 'end-inspiratory-pressure', 'cm[H2O]'],
    [41, 'expiratory-part', '1'],
  ]),
  F: rows([
    [13, 'vent-rate-set', '/min'],
    [14, 'MDC_VENT_VOL_TIDAL_SETTING', 'L'],
    [15, 'peak-flow-set', 'L/min'],
    [16, 'fio2-set', '%'],
    [18, 'peep-set', 'cm[H2O]'],
    [20, 'apnoea-interval-set', 's'],
    [69, 'end-inspiratory-pressure', 'cm[H2O]'],
    [70, 'MDC_VENT_RESP_BTSD_PSAZC_RATE', '/min'],
    [71, 'MDC_VOL_AWAY_TIDAL', 'L'],
    [72, 'MDC_VOL_MINUTE_AWAY', 'L/min'],
    [73, 'MDC_VENT_PRESS_AWAY_MAX', 'cm[H2O]'],
    [74, 'MDC_VENT_PRESS_AWAY_MEAN', 'cm[H2O]'],
    [75, 'expiratory-part', '1'],
    [77, 'MDC_CONC_AWAY_O2_INSP', '%'],
    [78, 'tidal-volume-inspired', 'L'],
    [79, 'peep-intrinsic', 'cm[H2O]'],
    [87, 'MDC_VENT_PRESS_AWAY_END_EXP_POS', 'cm[H2O]'],
    [89, 'minute-volume-spontaneous', 'L/min'],
  ]),
};

export const texts: Readonly<Record<Kind, readonly TextField[]>> = {
  A: [{ field: 9, metric: 'vent-mode' }],
  F: [
    { field: 8, metric: 'vent-type' },
    { field: 9, metric: 'vent-mode' },
  ],
};

export const dateField: Readonly<Record<Kind, number>> = { A: 8, F: 7 };
export const silenceField: Readonly<Record<Kind, number>> = { A: 93, F: 105 };

const patient = (priority: Priority, list: readonly (readonly [number, string])[]): AlarmField[] =>
  list.map(([field, text]) => ({ field, text, type: 'physiological', priority }));
const technical = (priority: Priority, list: readonly (readonly [number, string])[]): AlarmField[] =>
  list.map(([field, text]) => ({ field, text, type: 'technical', priority }));

export const alarms: Readonly<Record<Kind, readonly AlarmField[]>> = {
  A: [
    ...patient('high', [
      [48, 'High circuit pressure'],
      [52, 'Low exhaled minute volume'],
      [57, 'Apnoea'],
      [94, 'Apnoea'],
      [95, 'Severe occlusion or disconnection'],
    ]),
    ...patient('medium', [
      [51, 'Low exhaled tidal volume'],
      [53, 'High respiratory rate'],
    ]),
    ...technical('high', [
      [54, 'No oxygen supply'],
      [55, 'No air supply'],
    ]),
  ],
  F: [
    ...patient('medium', [
      [106, 'Apnoea ventilation'],
      [107, 'High exhaled minute volume'],
      [108, 'High exhaled tidal volume'],
      [109, 'High delivered oxygen'],
      [110, 'High inspiratory pressure'],
      [111, 'High ventilator pressure'],
      [112, 'High respiratory rate'],
    ]),
    ...technical('medium', [
      [113, 'AC power loss'],
      [114, 'Inoperative battery'],
      [115, 'Low battery'],
      [116, 'Loss of power'],
    ]),
    ...patient('medium', [
      [117, 'Low exhaled mandatory tidal volume'],
      [118, 'Low exhaled minute volume'],
      [119, 'Low exhaled spontaneous tidal volume'],
      [120, 'Low delivered oxygen'],
    ]),
    ...technical('medium', [
      [121, 'Low air supply pressure'],
      [122, 'Low oxygen supply pressure'],
      [123, 'Compressor inoperative'],
    ]),
    ...patient('medium', [
      [124, 'Circuit disconnected'],
      [125, 'Severe occlusion'],
      [126, 'Inspiration too long'],
    ]),
    ...technical('medium', [[127, 'Procedure error']]),
    ...patient('medium', [
      [128, 'Compliance limited tidal volume'],
      [129, 'High inspired spontaneous tidal volume'],
      [130, 'High inspired mandatory tidal volume'],
      [131, 'High compensation limit'],
      [132, 'PAV startup too long'],
      [133, 'PAV R and C not assessed'],
      [134, 'Volume not delivered (VC+)'],
      [135, 'Volume not delivered (VS)'],
      [136, 'Low inspiratory pressure'],
    ]),
    // A5, A10 … A85 in steps of five.
    ...technical(
      'medium',
      Array.from(
        { length: 17 },
        (_, index) => [137 + index, `Technical malfunction A${5 * (index + 1)}`] as const,
      ),
    ),
  ],
};
