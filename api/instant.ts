import { Fault } from '../model/fault.ts';

/** RFC 3339 with its zone, or ms since 1970. A blank before hh:mm is a `+` that was sent unescaped in an address. */
export const instantPattern =
  '^([0-9]{1,16}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[ +-][0-9]{2}:[0-9]{2}))$';

/** Throws API_REQUEST_INVALID for a day or an hour that does not exist, in words. */
export function instantOf(text: string, path: string): number {
  const ms = /^[0-9]+$/.test(text) ? Number(text) : readInstant(text, path);
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) throw refusal(path, 'is no instant');
  return ms;
}

/** yyyy-mm-dd of a day that exists; throws API_REQUEST_INVALID otherwise. */
export function dayOf(text: string, path: string): string {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  if (!dayExists(year, month, day)) throw refusal(path, `${text} is no day of the calendar`);
  return text;
}

const parts = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[ +-]\d\d:\d\d)$/;

function readInstant(text: string, path: string): number {
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = parts.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined)
    throw refusal(path, 'is no instant with a zone');
  const date = `${year}-${month}-${day}`;
  if (!dayExists(Number(year), Number(month), Number(day)))
    throw refusal(path, `${date} is no day of the calendar`);
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    throw refusal(path, `${hour}:${minute}:${second} is no time of day`);
  const [, sign = 'Z', zoneHour = '00', zoneMinute = '00'] = /^([ +-])(..):(..)$/.exec(zone) ?? [];
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) throw refusal(path, `${zone} is no zone`);
  const offset = sign === 'Z' ? 'Z' : `${sign === '-' ? '-' : '+'}${zoneHour}:${zoneMinute}`;
  return Date.parse(`${date}T${hour}:${minute}:${second}${fraction.slice(0, 4)}${offset}`);
}

/** 29 February only in a leap year. */
function dayExists(year: number, month: number, day: number): boolean {
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= days;
}

const refusal = (path: string, cause: string): Fault =>
  new Fault('API_REQUEST_INVALID', { cause: `${path}: ${cause}` });
