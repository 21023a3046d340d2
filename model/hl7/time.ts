import { instantOf, localTime } from '../local-time.ts';

/** A time stamp as sent (2.6, 2.A.22): `YYYYMMDD[HH[MM[SS[.S…]]]][+ZZZZ]`; more than a day is not used. */
export interface Hl7Time {
  /** As if its clock stood in UTC: for differences between two times of one sender. */
  readonly unzonedMs: number;
  /** The instant, if the stamp or the caller says the zone. */
  readonly atMs: number | undefined;
}

/** Undefined for what is no time of at least a minute. `zone`: of the sender, where its stamps do not say one. */
export function readTime(stamp: string, zone: string | undefined): Hl7Time | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(\.\d{1,4})?)?([+-]\d{4})?$/.exec(stamp.trim());
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '0', offset] = match;
  const local = localTime({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  });
  if (!local) return undefined;
  const partMs = Math.round(Number(fraction) * 1_000);
  const said = offset ?? zone;
  return {
    unzonedMs: instantOf(local, '+00:00') + partMs,
    atMs: said === undefined ? undefined : instantOf(local, said) + partMs,
  };
}
