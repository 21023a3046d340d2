import type { AlertState, Inactivation, Priority } from '../../model/alarm.ts';
import type { Identity } from '../../model/device.ts';
import { localTime, type LocalTime } from '../../model/local-time.ts';
import { measured, missing, words, type Untimed } from '../../model/untimed.ts';
import { alarms, dateField, numbers, silenceField, texts, type AlarmField } from './fields.ts';
import type { Frame } from './frame.ts';

export interface Answer {
  readonly observations: readonly Untimed[];
  /** Every alarm now active. */
  readonly alerts: readonly AlertState[];
  readonly identity: Identity;
  /** Hours and minutes only: the seconds are 0. */
  readonly clock: LocalTime | undefined;
}

const number = /^-?(\d+\.?\d*|\.\d+)$/;

/** Reads an answer with good counts; a string says why it is none. */
export function readAnswer(frame: Frame): Answer | string {
  const { kind } = frame;
  const observations: Untimed[] = texts[kind].map(({ field, metric }) => {
    const text = frame.field(field);
    return text === '' ? missing(metric, 'not-measured') : words(metric, text);
  });
  for (const { field, metric, unit } of numbers[kind]) {
    const text = frame.field(field);
    // OFF is a setting that is switched off: there is no number, and it is not 0.
    if (text === '' || text === 'OFF' || /^[-*]+$/.test(text))
      observations.push(missing(metric, 'not-measured'));
    else if (number.test(text)) observations.push(measured(metric, Number(text), unit));
    else return `field ${field} is no number`;
  }
  const inactivation: Inactivation = frame.field(silenceField[kind]) === 'ON' ? 'audioPaused' : 'enabled';
  const alerts: AlertState[] = [];
  for (const alarm of alarms[kind]) {
    const alert = alertOf(alarm, frame.field(alarm.field), kind, inactivation);
    if (alert === 'unknown') return `field ${alarm.field} is no state of an alarm`;
    if (alert) alerts.push(alert);
  }
  const identity = identityOf(frame.field(6));
  return { observations, alerts, identity, clock: clockOf(frame.field(5), frame.field(dateField[kind])) };
}

const priorityOf: Readonly<Record<string, Priority>> = { LOW: 'low', MEDIUM: 'medium', HIGH: 'high' };

/** RESET: the alarm stopped and somebody reset it, so it is not active. */
function alertOf(
  alarm: AlarmField,
  word: string,
  kind: string,
  inactivation: Inactivation,
): AlertState | 'unknown' | undefined {
  if (word === '' || word === 'NORMAL' || word === 'RESET') return undefined;
  const priority = word === 'ALARM' ? alarm.priority : priorityOf[word];
  if (!priority) return 'unknown';
  return {
    alertId: `${kind}-${alarm.field}`,
    code: `MISC${kind}-${alarm.field}`,
    text: alarm.text,
    phase: 'start',
    priority,
    type: alarm.type,
    latching: false,
    inactivation,
  };
}

/** `840 3510053249`: model, then serial number. */
function identityOf(text: string): Identity {
  const found = /^(\d{3}) +(\S+)$/.exec(text);
  const manufacturer = 'Puritan Bennett';
  return found?.[1] && found[2] ? { manufacturer, model: found[1], serial: found[2] } : { manufacturer };
}

const months = 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ');

function clockOf(time: string, date: string): LocalTime | undefined {
  const clock = /^(\d\d):(\d\d)$/.exec(time);
  const day = /^([A-Z]{3}) (\d\d) (\d{4})$/.exec(date);
  if (!clock || !day) return undefined;
  return localTime({
    year: Number(day[3]),
    month: months.indexOf(day[1] ?? '') + 1,
    day: Number(day[2]),
    hour: Number(clock[1]),
    minute: Number(clock[2]),
    second: 0,
  });
}
