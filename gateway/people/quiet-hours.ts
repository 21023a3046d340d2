import type { Priority } from '../../model/alarm.ts';
import type { QuietHours } from '../../model/people.ts';

/** Minutes since midnight of HH:MM; undefined for what is no time. */
export function clockTime(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}

/** Whether an alarm of this priority sounds softer at this instant: low and medium in quiet hours, high never. */
export function isSoft(priority: Priority, hours: QuietHours | undefined, nowMs: number): boolean {
  if (priority === 'high' || !hours) return false;
  const from = clockTime(hours.from) ?? 0;
  const to = clockTime(hours.to) ?? 0;
  const now = minuteOfDay(hours.zone, nowMs);
  return from <= to ? now >= from && now < to : now >= from || now < to;
}

/** Formats are dear to make: one a zone is kept, with the answer of its newest minute. */
const kept = new Map<string, { format: Intl.DateTimeFormat; minute: number; answer: number }>();

function minuteOfDay(zone: string, nowMs: number): number {
  let held = kept.get(zone);
  if (!held) {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      hour: '2-digit',
      minute: '2-digit',
    });
    held = { format, minute: -1, answer: 0 };
    kept.set(zone, held);
  }
  const minute = Math.floor(nowMs / 60_000);
  if (held.minute !== minute) {
    held.minute = minute;
    held.answer = clockTime(held.format.format(nowMs)) ?? 0;
  }
  return held.answer;
}
