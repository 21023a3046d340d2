import { localTime, type LocalTime } from '../../model/local-time.ts';

/**
 * One line of ASCII 1: `MM/DD/YY HH:MM:SS KEY=VALUE …`. There is no checksum, so the form itself is the check: every
 * known key must have exactly its own width and letters, and the line must end with ALARM and EXC, without which
 * nobody knows whether the sensor is on a finger.
 */
export interface Line {
  /** The device's own clock as it stands in the line: local time, zone unknown. */
  readonly clock: LocalTime;
  readonly serial: string | undefined;
  /** Number, or null for `---`; a key that is not in the line is not in the map. */
  readonly numbers: ReadonlyMap<string, number | null>;
  readonly alarm: number;
  readonly exc: number;
}

const start = /\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d /g;

const forms: Readonly<Record<string, RegExp>> = {
  SPO2: /^(\d{3}|---)%$/,
  BPM: /^(\d{3}|---)$/,
  PI: /^(\d\d\.\d\d|--\.--?)%$/,
  SPCO: /^(\d\d\.\d|--\.-)%$/,
  SPMET: /^(\d\d\.\d|--\.-)%$/,
  DESAT: /^(\d\d|--)$/,
  PIDELTA: /^([+-]\d\d|[+-]--)$/,
  PVI: /^(\d{3}|---)%?$/,
};
const flagForms: Readonly<Record<string, RegExp>> = { ALARM: /^[0-9A-F]{4}$/, EXC: /^[0-9A-F]{6}$/ };

/** The line, or in words why it is none. */
export function readLine(text: string): Line | string {
  const found = [...text.matchAll(start)].at(-1);
  if (!found) return 'no date and time at its start';
  const clock = readClock(found[0]);
  if (!clock) return 'a date or time that does not exist';
  const numbers = new Map<string, number | null>();
  const flags = new Map<string, number>();
  let serial: string | undefined;
  let last = '';
  for (const token of text
    .slice(found.index + found[0].length)
    .trimEnd()
    .split(/ +/)) {
    const [key = '', value, more] = token.split('=');
    if (value === undefined || more !== undefined || !/^[A-Z][A-Z0-9]{0,15}$/.test(key))
      return `"${plain(token)}" is no KEY=VALUE`;
    if (numbers.has(key) || flags.has(key)) return `${key} twice`;
    const form = forms[key];
    const flagForm = flagForms[key];
    if (key === 'SN') {
      if (!/^[0-9A-Z]{1,20}$/.test(value)) return 'SN is no serial number';
      serial = value;
    } else if (form) {
      const number = form.exec(value)?.[1];
      if (number === undefined) return `${key} has another form`;
      numbers.set(key, number.includes('-') && !/\d/.test(number) ? null : Number(number));
    } else if (flagForm) {
      if (!flagForm.test(value)) return `${key} has another form`;
      flags.set(key, Number.parseInt(value, 16));
    } else if (!/^[!-~]+$/.test(value)) return `${key} has another form`;
    last = key;
  }
  const alarm = flags.get('ALARM');
  const exc = flags.get('EXC');
  if (alarm === undefined || exc === undefined || last !== 'EXC') return 'ALARM or EXC is missing at its end';
  return { clock, serial, numbers, alarm, exc };
}

function readClock(text: string): LocalTime | undefined {
  const [month = 0, day = 0, shortYear = 0, hour = 0, minute = 0, second = 0] = (
    text.match(/\d\d/g) ?? []
  ).map(Number);
  return localTime({ year: 2000 + shortYear, month, day, hour, minute, second });
}

/** Bytes of a broken line as they may stand in a message: printable, short. */
const plain = (text: string): string => text.replace(/[^ -~]/g, '·').slice(0, 24);
