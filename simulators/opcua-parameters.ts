/** The parameters of a simulated monitor's address space: what README.md lists under "Generic monitor: OPC UA". */
export interface ParameterNode {
  /** Below the monitor's id. */
  readonly path: ParameterPath;
  readonly group: string;
  readonly name: string;
  readonly unit: Unit;
  readonly range: readonly [number, number];
  readonly mdcCode: number;
  readonly mdcRefId: string;
}

export type ParameterPath =
  | 'ecg.hr'
  | 'spo2.spo2'
  | 'spo2.pr'
  | 'resp.rr'
  | 'co2.et'
  | 'nibp.sys'
  | 'nibp.dia'
  | 'nibp.mean'
  | 'temp.body';

export interface Unit {
  /** Absent: UNECE's own namespace. */
  readonly namespaceUri?: string;
  readonly unitId: number;
  readonly displayName: string;
  readonly description: string;
}

export const monitorsNamespace = 'urn:vigil:simulated-monitors';
/** UNECE units are identified by the bytes of their code read as a number (OPC 10000-8, 5.6.3). */
export const unitsNamespace = 'http://www.opcfoundation.org/UA/units/un/cefact';

const perMinute: Unit = { unitId: 4345933, displayName: 'BPM', description: 'beats per minute' };
const percent: Unit = { unitId: 20529, displayName: '%', description: 'percent' };
const celsius: Unit = { unitId: 4408652, displayName: '°C', description: 'degree Celsius' };
const mmHg: Unit = { unitId: 18510, displayName: 'mmHg', description: 'conventional millimetre of mercury' };
/** No UNECE code for breaths per minute is confirmed: −1 in a namespace of our own (devices.md 11). */
const breaths: Unit = {
  namespaceUri: monitorsNamespace,
  unitId: -1,
  displayName: '1/min',
  description: 'breaths per minute',
};

const node = (
  path: ParameterPath,
  [group, name]: readonly [string, string],
  [unit, low, high]: readonly [Unit, number, number],
  [mdcCode, mdcRefId]: readonly [number, string],
): ParameterNode => ({ path, group, name, unit, range: [low, high], mdcCode, mdcRefId });

export const parameterNodes: readonly ParameterNode[] = [
  node('ecg.hr', ['ECG', 'HeartRate'], [perMinute, 0, 350], [147842, 'MDC_ECG_HEART_RATE']),
  node('spo2.spo2', ['SpO2', 'SpO2'], [percent, 0, 100], [150456, 'MDC_PULS_OXIM_SAT_O2']),
  node('spo2.pr', ['SpO2', 'PulseRate'], [perMinute, 0, 350], [149530, 'MDC_PULS_OXIM_PULS_RATE']),
  node('resp.rr', ['Respiration', 'RespiratoryRate'], [breaths, 0, 150], [151562, 'MDC_RESP_RATE']),
  node('co2.et', ['CO2', 'EtCO2'], [mmHg, 0, 150], [151728, 'MDC_AWAY_CO2_ET']),
  node('nibp.sys', ['NIBP', 'Systolic'], [mmHg, 0, 300], [150021, 'MDC_PRESS_BLD_NONINV_SYS']),
  node('nibp.dia', ['NIBP', 'Diastolic'], [mmHg, 0, 300], [150022, 'MDC_PRESS_BLD_NONINV_DIA']),
  node('nibp.mean', ['NIBP', 'Mean'], [mmHg, 0, 300], [150023, 'MDC_PRESS_BLD_NONINV_MEAN']),
  node('temp.body', ['Temperature', 'Temperature'], [celsius, 0, 50], [150344, 'MDC_TEMP']),
];
