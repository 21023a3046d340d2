import type { AlertState, Priority } from '../../model/alarm.ts';
import type { Identity } from '../../model/device.ts';
import { measured, missing, words, type Untimed } from '../../model/untimed.ts';
import type { Answer } from './frame.ts';

/** What one answer says. `alerts` is absent where the answer does not speak of alarms. */
export interface Said {
  readonly observations: readonly Untimed[];
  readonly alerts?: readonly AlertState[];
  readonly identity?: Identity;
}

const nothing: Said = { observations: [] };

/** Reads an answer with a good CRC; a string says why it is none. */
export function readAnswer({ word, values }: Answer): Said | string {
  // Our own question, overheard.
  if (values.length === 0) return nothing;
  if (word === 'INF') return infusion(values);
  if (word === 'ALARM') return { observations: [], alerts: alertsOf(values[0] ?? '') };
  if (word === 'INST_SERIALNO') return { observations: [], identity: identityOf(values[0]) };
  if (word === 'INF_VTBI') return volumeToInfuse(values);
  if (word === 'SYRINGE_STATUS') return syringe(values);
  return nothing;
}

const maker = { manufacturer: 'Alaris', model: 'Asena' };
const identityOf = (serial: string | undefined): Identity => {
  const plain = serial?.trim();
  return plain ? { ...maker, serial: plain } : maker;
};

const number = /^[+-]?(\d+\.?\d*|\.\d+)$/;
const units: Readonly<Record<string, string>> = {
  'ml/h': 'mL/h',
  ml: 'mL',
  mmhg: 'mm[Hg]',
  kpa: 'kPa',
  mbar: 'mbar',
};

/** A number beside its unit; a dash or a blank is no value, a unit nobody knows is told as such. */
function quantity(metric: string, value: string | undefined, unit: string | undefined): Untimed | string {
  const text = value?.trim() ?? '';
  if (text === '' || /^-+$/.test(text)) return missing(metric, 'not-measured');
  if (!number.test(text)) return `${metric} is no number`;
  const known = units[unit?.trim().toLowerCase() ?? ''];
  return known === undefined ? missing(metric, 'unit') : measured(metric, Number(text), known);
}

/** The two of the log at its end are not read, and may be missing. */
const infusionFields = 11;

/** serial, alarm, mode, rate, unit, drug, volume infused, unit, pressure, unit, time left, log type, log entry. */
function infusion(values: readonly string[]): Said | string {
  if (values.length < infusionFields) return `${values.length} fields instead of ${infusionFields} or more`;
  const [
    serial,
    alarm = '',
    mode = '',
    rate,
    rateUnit,
    drug = '',
    volume,
    volumeUnit,
    pressure,
    pressureUnit,
    left = '',
  ] = values;
  const told = [
    quantity('MDC_FLOW_FLUID_PUMP_CURRENT', rate, rateUnit),
    quantity('MDC_VOL_FLUID_DELIV', volume, volumeUnit),
    quantity('line-pressure', pressure, pressureUnit),
    timeLeft(left.trim()),
  ];
  const wrong = told.find((each) => typeof each === 'string');
  if (typeof wrong === 'string') return wrong;
  return {
    observations: [
      ...told.filter((each) => typeof each !== 'string'),
      text('pump-mode', mode),
      text('pump-drug', drug),
    ],
    alerts: alertsOf(alarm),
    identity: identityOf(serial),
  };
}

const text = (metric: string, value: string): Untimed =>
  /^[-\s]*$/.test(value) ? missing(metric, 'not-measured') : words(metric, value.trim());

/** `HH:MM:SS`; `24+` is more than the pump can say. */
function timeLeft(value: string): Untimed | string {
  const metric = 'infusion-time-left';
  if (/^-*$/.test(value)) return missing(metric, 'not-measured');
  if (/^\d+\+$/.test(value)) return missing(metric, 'over-range');
  const found = /^(\d{1,2}):([0-5]\d):([0-5]\d)$/.exec(value);
  if (!found) return 'infusion-time-left is no time';
  const [hours = 0, minutes = 0, seconds = 0] = found.slice(1).map(Number);
  return measured(metric, hours * 3_600 + minutes * 60 + seconds, 's');
}

/** `ACTIV`, volume, unit, what comes after it. Without `ACTIV` there is none to be infused. */
function volumeToInfuse([state = '', value, unit]: readonly string[]): Said | string {
  const metric = 'MDC_VOL_FLUID_TBI';
  const told = state.trim() === 'ACTIV' ? quantity(metric, value, unit) : missing(metric, 'not-measured');
  return typeof told === 'string' ? told : { observations: [told] };
}

/** Maker and kind of the syringe, its size in mL, and whether somebody confirmed it. */
function syringe([, size, state]: readonly string[]): Said | string {
  const metric = 'syringe-size';
  const told = state?.trim() === 'CONF' ? quantity(metric, size, 'ml') : missing(metric, 'not-measured');
  return typeof told === 'string' ? told : { observations: [told] };
}

const alarms: Readonly<Record<string, readonly [text: string, priority: Priority]>> = {
  AL_OCCLU: ['occlusion', 'high'],
  AL_EMBAT: ['battery empty', 'high'],
  AL_FAULT: ['pump fault', 'high'],
  AL_DRDIS: ['drive disengaged', 'high'],
  AL_SYRCO: ['check syringe', 'high'],
  AL_EOIST: ['end of infusion, stopped', 'high'],
  AL_EOIKV: ['end of infusion, KVO', 'high'],
  AL_VTBIC: ['VTBI done, continues', 'medium'],
  AL_VTBIK: ['VTBI done, KVO', 'high'],
  AL_VTBIS: ['VTBI done, stopped', 'high'],
  AL_LDSCN: ['line disconnected', 'high'],
  AL_PRDSC: ['pressure disc missing', 'medium'],
  AL_NEOIN: ['near end of infusion', 'low'],
  AL_LWBAT: ['battery low', 'low'],
  AL_LBTAC: ['battery low, on mains', 'low'],
  AL_ACDIS: ['mains disconnected', 'low'],
  AL_CALLB: ['call back', 'low'],
};

/** `-` and AL_NOALM: none. A code nobody has named is medium, by its own name. */
function alertsOf(field: string): AlertState[] {
  const code = field.trim().replace(/^AL /, 'AL_');
  if (/^-*$/.test(code) || code === 'AL_NOALM') return [];
  const [meaning, priority] = alarms[code] ?? [code, 'medium'];
  return [
    {
      alertId: code,
      code,
      text: meaning,
      phase: 'start',
      priority,
      type: 'technical',
      latching: false,
      inactivation: 'enabled',
    },
  ];
}
