import type { Alarm, Inactivation } from '../../model/alarm.ts';
import { longestPauseMs, patienceMs, realarmMs } from './acts.ts';
import type { BandState } from './alarm-log.ts';

/** What a present alarm's judge says of it now; asked for whenever it is shown. */
export interface LiveFigures {
  figures(): { readonly value?: number; readonly peak?: number };
  /** The newest judged value was a single measurement: once acknowledged the alarm is quiet until the next one. */
  episodic(): boolean;
}

/** One alarm of the book with what it needs beside what is shown. Due times are on the clock's monotonic time. */
export interface Standing {
  readonly key: string;
  alarm: Alarm;
  bands: readonly BandState[] | undefined;
  episodic: boolean;
  live: LiveFigures | undefined;
  /** What was done at the bedside, as followed. */
  bedside: Inactivation | undefined;
  /** The version at which it was raised or has risen last: an act that saw an older one is refused. */
  seenFrom: number;
  /** An acknowledgement or pause is over. */
  quietDueMs: number | undefined;
  /** The patience of an acceptance is over. */
  acceptDueMs: number | undefined;
  /** The next reminder of what is off or latched. */
  remindDueMs: number | undefined;
}

export const newStanding = (key: string, alarm: Alarm): Standing => ({
  key,
  alarm,
  bands: undefined,
  episodic: false,
  live: undefined,
  bedside: undefined,
  seenFrom: alarm.version,
  quietDueMs: undefined,
  acceptDueMs: undefined,
  remindDueMs: undefined,
});

export const shown = ({ alarm, live }: Standing): Alarm => (live ? { ...alarm, ...live.figures() } : alarm);

export const isEpisodic = ({ live, episodic }: Standing): boolean => (live ? live.episodic() : episodic);

/** Why a reminder is due now and then: untimed off, or latched and not acknowledged. */
export const needsReminder = ({ signal, inactivation }: Alarm): boolean =>
  inactivation === 'audioOff' ||
  inactivation === 'alarmOff' ||
  (signal === 'latched' && inactivation === 'enabled');

/**
 * Due times after a restart. Downtime counts; a clock that went back meanwhile cannot make a rest longer than it was
 * meant.
 */
export function restoreDues(
  standing: Standing,
  now: { readonly wallMs: number; readonly monoMs: number },
): void {
  const { alarm } = standing;
  const due = (untilMs: number | undefined, mostMs: number): number | undefined =>
    untilMs === undefined ? undefined : now.monoMs + Math.max(0, Math.min(mostMs, untilMs - now.wallMs));
  if (alarm.inactivation === 'acknowledged') {
    standing.quietDueMs = due(alarm.realarmAtMs, realarmMs[alarm.priority]);
  } else if (alarm.inactivation === 'audioPaused' || alarm.inactivation === 'alarmPaused') {
    standing.quietDueMs = due(alarm.inactivatedUntilMs, longestPauseMs[alarm.inactivation]);
  }
  standing.acceptDueMs = due(alarm.acceptUntilMs, patienceMs[alarm.priority]);
  if (needsReminder(alarm)) standing.remindDueMs = now.monoMs + realarmMs[alarm.priority];
}
