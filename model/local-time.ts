/** A date and time as a device's own clock shows it: zone unknown. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** The time, or undefined for a date or time that does not exist. */
export function localTime(local: LocalTime): LocalTime | undefined {
  const { year, month, day, hour, minute, second } = local;
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= days;
  return exists && hour < 24 && minute < 60 && second < 60 ? local : undefined;
}

/** As if the clock stood in UTC: for differences between two times of one clock. */
export const asUtc = ({ year, month, day, hour, minute, second }: LocalTime): number =>
  Date.UTC(year, month - 1, day, hour, minute, second);

/** Minutes east of UTC of a fixed offset (`+08:00`); undefined for a zone name. */
function fixedOffset(zone: string): number | undefined {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  return match ? (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) : undefined;
}

/** Whether this machine knows the zone. */
export function isZone(zone: string): boolean {
  if (fixedOffset(zone) !== undefined) return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Local time of a zone as ms since 1970. In the hour that a clock change repeats, the first of both is taken. */
export function instantOf(local: LocalTime, zone: string): number {
  const unzoned = asUtc(local);
  const fixed = fixedOffset(zone);
  if (fixed !== undefined) return unzoned - fixed * 60_000;
  // The offset of half a day before holds, unless the clock was changed since.
  const before = offsetMs(unzoned - 12 * 3_600_000, zone);
  const first = unzoned - before;
  return offsetMs(first, zone) === before ? first : unzoned - offsetMs(first, zone);
}

function offsetMs(atMs: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(atMs);
  const part = (type: string): number => Number(parts.find((each) => each.type === type)?.value ?? 0);
  const local = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return local - Math.floor(atMs / 1000) * 1000;
}
