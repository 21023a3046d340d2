import type { AlertState } from '../../model/alarm.ts';
import type { Identity, Mode } from '../../model/device.ts';
import { localTime, type LocalTime } from '../../model/local-time.ts';
import { measured, missing, words, type Untimed } from '../../model/untimed.ts';
import { code as codes, control } from './frame.ts';
import {
  alarmKind,
  deviceSettings,
  measured1,
  measured2,
  modeTexts,
  standbyTexts,
  testTexts,
  type CodeTable,
} from './tables.ts';

/** What one response says. */
export type Said =
  | { readonly kind: 'values'; readonly observations: readonly Untimed[] }
  | { readonly kind: 'alarms'; readonly page: 1 | 2; readonly alerts: readonly AlertState[] }
  | { readonly kind: 'texts'; readonly observations: readonly Untimed[]; readonly mode: Mode }
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'clock'; readonly clock: LocalTime }
  /** The device does not know this code. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'nothing' };

/** Reads the data of a response with a good checksum; a string says why it is none. */
export function readResponse(code: number, data: string): Said | string {
  if (data === String.fromCharCode(control.nak)) return { kind: 'refused' };
  if (code === codes.measured1) return values(data, 4, measured1);
  if (code === codes.measured2) return values(data, 4, measured2);
  if (code === codes.settings) return values(data, 5, deviceSettings);
  if (code === codes.alarms1) return alarms(data, 1);
  if (code === codes.alarms2) return alarms(data, 2);
  if (code === codes.texts) return texts(data);
  if (code === codes.dateTime) return dateTime(data);
  if (code === codes.identify) return identity(data);
  return { kind: 'nothing' };
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)$/;

function values(data: string, width: number, table: CodeTable): Said | string {
  if (data.length % (2 + width) !== 0) return `data is no row of ${2 + width} characters each`;
  const found = new Map<string, { readonly seen: Untimed; readonly rank: number }>();
  for (let at = 0; at < data.length; at += 2 + width) {
    const code = data.slice(at, at + 2);
    if (!/^[0-9A-F]{2}$/.test(code)) return 'a code that is not hexadecimal';
    const known = table.get(code);
    if (!known) continue;
    const seen = value(known.metric, known.unit, data.slice(at + 2, at + 2 + width).trim());
    if (typeof seen === 'string') return seen;
    // A missing value never takes the place of one that is there.
    const rank = 'value' in seen && seen.value === null ? -1 : known.rank;
    if (rank >= (found.get(known.metric)?.rank ?? -1)) found.set(known.metric, { seen, rank });
  }
  return { kind: 'values', observations: [...found.values()].map(({ seen }) => seen) };
}

function value(metric: string, unit: string, text: string): Untimed | string {
  if (text === '' || /^[-*]+$/.test(text)) return missing(metric, 'not-measured');
  if (/^[<>]/.test(text)) return missing(metric, text.startsWith('<') ? 'under-range' : 'over-range');
  return number.test(text) ? measured(metric, Number(text), unit) : 'a value that is no number';
}

/** Words the maker shortens in alarm texts. */
const shortened: readonly (readonly [string, string])[] = [
  ['$&', 'LOW'],
  ['"#', 'HIGH'],
  ["'@", 'ALARM'],
];

const readable = (text: string): string =>
  shortened
    .reduce((whole, [short, long]) => whole.replaceAll(short, ` ${long} `), text)
    .replace(/ +/g, ' ')
    .trim();

const alarmWidth = 15;

function alarms(data: string, page: 1 | 2): Said | string {
  if (data.length % alarmWidth !== 0) return `alarms are no row of ${alarmWidth} characters each`;
  const alerts = new Map<string, AlertState>();
  for (let at = 0; at < data.length; at += alarmWidth) {
    const code = data.slice(at + 1, at + 3);
    const rank = data.charCodeAt(at) - 0x30;
    if (!/^[0-9A-F]{2}$/.test(code) || rank < 0) return 'an alarm without priority or code';
    const alertId = `${page}-${code}`;
    const text = readable(data.slice(at + 3, at + alarmWidth)) || `alarm ${alertId}`;
    const { priority, type } = alarmKind(page, code);
    alerts.set(alertId, {
      alertId,
      code: `MEDIBUS-${alertId}`,
      text,
      phase: 'start',
      priority,
      type,
      latching: false,
      inactivation: 'enabled',
    });
  }
  return { kind: 'alarms', page, alerts: [...alerts.values()] };
}

function texts(data: string): Said | string {
  const modes: string[] = [];
  let mode: Mode = 'operating';
  for (let at = 0; at < data.length;) {
    const code = data.slice(at, at + 2);
    const length = data.charCodeAt(at + 2) - 0x30;
    const text = data.slice(at + 3, at + 3 + length);
    if (!/^[0-9A-F]{2}$/.test(code) || !(length >= 0) || data.charCodeAt(at + 3 + length) !== 0x03) {
      return 'texts without their code, length or end';
    }
    if (standbyTexts.has(code)) mode = 'standby';
    if (testTexts.has(code)) mode = 'test';
    if (modeTexts.has(code) && text.trim() !== '') modes.push(readable(text));
    at += 4 + length;
  }
  const observations =
    modes.length > 0 ? [words('vent-mode', modes.join(', '))] : [missing('vent-mode', 'not-measured')];
  return { kind: 'texts', observations, mode };
}

// German on the wire whatever language the screen speaks; English ones are taken too.
const months: Readonly<Record<string, number>> = Object.fromEntries(
  [
    'JAN',
    'FEB',
    'MRZ MAR',
    'APR',
    'MAI MAY',
    'JUN',
    'JUL',
    'AUG',
    'SEP',
    'OKT OCT',
    'NOV',
    'DEZ DEC',
  ].flatMap((names, index) => names.split(' ').map((name) => [name, index + 1] as const)),
);

function dateTime(data: string): Said | string {
  const found = /^(\d\d):(\d\d):(\d\d) ?(\d\d)-([A-Z]{3})-(\d\d)$/.exec(data.toUpperCase());
  const month = months[found?.[5] ?? ''];
  if (!found || !month) return 'no date and time';
  const [hour = 0, minute = 0, second = 0, day = 0] = found.slice(1, 5).map(Number);
  const year = 2000 + Number(found[6]);
  const clock = localTime({ year, month, day, hour, minute, second });
  return clock ? { kind: 'clock', clock } : 'a date or time that does not exist';
}

const modelOf: Readonly<Record<string, string>> = { '8210': 'Evita', '8200': 'Evita 2' };

/** Four digits of the device, its name in quotes, then revisions. The serial number is not among them. */
function identity(data: string): Said | string {
  if (data === '') return { kind: 'nothing' };
  const found = /^([0-9A-F]{4})'([^']*)'/.exec(data);
  if (!found) return 'an identity without device number and name';
  const model = found[2]?.trim() || modelOf[found[1] ?? ''] || `device ${found[1]}`;
  return { kind: 'identity', identity: { manufacturer: 'Dräger', model } };
}
