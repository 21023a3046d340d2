import type { Priority } from '../../model/alarm.ts';

/** Parameter → metric and the unit it is sent in. */
export const numbers: ReadonlyMap<string, { readonly metric: string; readonly unit: string }> = new Map(
  (
    [
      ['INRT', 'MDC_FLOW_FLUID_PUMP_CURRENT', 'mL/h'],
      ['INVI', 'MDC_VOL_FLUID_DELIV', 'mL'],
      ['INVTB', 'MDC_VOL_FLUID_TBI', 'mL'],
      ['INVOLACT', 'syringe-volume', 'mL'],
      // The same with one letter less, as one implementation has it.
      ['INVOLAC', 'syringe-volume', 'mL'],
      ['INSYR', 'syringe-size', 'mL'],
      ['INRMT', 'infusion-time-left', 's'],
      ['INTIME', 'infusion-time', 'min'],
      ['INBORT', 'bolus-rate', 'mL/h'],
      ['INBOVAL', 'bolus-volume', 'mL'],
      ['INDORT', 'dose-rate', '1'],
      ['INP1', 'line-pressure-stage', '1'],
      ['INP2', 'line-pressure-percent', '%'],
      ['INSTBY', 'pump-standby-left', 'min'],
      ['INAKKU', 'battery-time-left', 'min'],
    ] as const
  ).map(([param, metric, unit]) => [param, { metric, unit }]),
);

/** 65535 s: the remaining time is at or above what the pump can say. */
export const longestTimeS = 65_535;

export const statusMetric = 'MDC_PUMP_INFUSING_STATUS';
/** Whose codes they are: ours, of what the pump's single bits say together. */
export const statusSystem = 'bbraun-space';

/** The first that is set names the state; none set is `stopped`. */
export const states: readonly (readonly [param: string, value: string, state: string])[] = [
  ['DSSTATUS', '00050', 'off'],
  ['INM6', '1', 'standby'],
  ['INM10', '1', 'kvo'],
  ['INM2', '1', 'bolus'],
  ['INM3', '1', 'pumping'],
  ['INM1', '1', 'ready'],
];

export const alarms: ReadonlyMap<string, { readonly text: string; readonly priority: Priority }> = new Map(
  (
    [
      ['INA1', 'battery empty', 'high'],
      ['INA2', 'syringe empty', 'high'],
      ['INA3', 'pressure alarm', 'high'],
      ['INA4', 'standby ends in two minutes', 'low'],
      ['INA5', 'standby over', 'medium'],
      ['INA6', 'CC alarm', 'medium'],
      ['INA7', 'end of volume', 'high'],
      ['INA8', 'time over', 'high'],
      ['INA9', 'syringe alarm', 'high'],
      ['INA11', 'battery nearly empty', 'low'],
      ['INA12', 'syringe nearly empty', 'low'],
      ['INA13', 'door open', 'high'],
      ['INA14', 'drop alarm', 'high'],
      ['INA15', 'air alarm', 'high'],
      ['INA16', 'KVO ended', 'high'],
      ['INM12', 'soft limit passed downwards', 'low'],
      ['INM13', 'soft limit passed upwards', 'low'],
    ] as const
  ).map(([param, text, priority]) => [param, { text, priority }]),
);
