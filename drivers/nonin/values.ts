import type { Reason } from '../../model/observation.ts';
import { missing, within, type ActiveAlert, type Told } from '../transport/told.ts';

const saturation = 'MDC_PULS_OXIM_SAT_O2';
const pulse = 'MDC_PULS_OXIM_PULS_RATE';

/** What a packet or a format 8 frame says of the patient. */
export interface Measured {
  readonly spo2: number;
  /** high × 128 + low. */
  readonly rate: number;
  /** Nothing is measured, whatever the numbers say. */
  readonly none: Reason | undefined;
  /** The numbers are in doubt. */
  readonly mark: Reason | undefined;
}

/** The oximeter's words for "no value": 127 for the saturation, 511 for the rate (section on display values). */
export function observe({ spo2, rate, none, mark }: Measured): Told[] {
  const one = (metric: string, number: number, no: number, span: readonly [number, number]): Told => {
    if (none) return missing(metric, none);
    if (number === no) return missing(metric, mark ?? 'not-measured');
    return within(metric, number, span, mark);
  };
  return [one(saturation, spo2, 127, [0, 100]), one(pulse, rate, 511, [0, 350])];
}

const technical = (
  alertId: string,
  code: string,
  text: string,
  priority: ActiveAlert['priority'],
): ActiveAlert => ({
  alertId,
  code,
  text,
  priority,
  type: 'technical',
  latching: false,
});
export const batteryLow = technical('battery-low', 'BATT', 'Battery low', 'low');
export const batteryCritical = technical('battery-critical', 'BATT', 'Battery critical', 'medium');
export const oximeterFault = technical('probe-fault', 'SNSF', 'Sensor fault', 'medium');
