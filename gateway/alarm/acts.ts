import type { Alarm, Inactivation, Priority } from '../../model/alarm.ts';
import type { AlarmCause } from './alarm-log.ts';
import { inactivation, type InactivationEffect, type InactivationEvent } from './inactivation.ts';
import { responsibility, type ResponsibilityEffect, type ResponsibilityEvent } from './responsibility.ts';

/** An acknowledged signal returns after this, if the condition is still present; a reminder comes as often (CLINICAL 4). */
export const realarmMs: Readonly<Record<Priority, number>> = { high: 120_000, medium: 300_000, low: 600_000 };
/** How long everybody waits for the one who accepted, and how long a redirection waits for an answer. */
export const patienceMs: Readonly<Record<Priority, number>> = { high: 60_000, medium: 120_000, low: 300_000 };
/** No pause is longer. */
export const longestPauseMs = { audioPaused: 120_000, alarmPaused: 600_000 } as const;

/** Whoever acts: the id goes into the log, the name onto the screens. */
export interface ActBy {
  readonly id: string;
  readonly name?: string;
}
export interface ActSaid {
  /** The version the person saw: refused when the alarm was raised anew or has risen since. */
  readonly version?: number;
  readonly reason?: string;
}
export interface PauseSaid extends ActSaid {
  /** Absent: the longest there is. */
  readonly forMs?: number;
}

/**
 * `gone`: it has ended. `changed`: it has risen or come again since it was seen. `not-allowed`: not for this alarm, or
 * not in this state.
 */
export type ActOutcome = 'done' | 'gone' | 'changed' | 'not-allowed';

export type QuietPatch = Pick<
  Alarm,
  | 'inactivation'
  | 'acknowledgedBy'
  | 'acknowledgedAtMs'
  | 'realarmAtMs'
  | 'inactivatedBy'
  | 'inactivatedAtMs'
  | 'inactivatedUntilMs'
  | 'inactivationReason'
>;

/** Nobody has quieted it. */
export const unquieted = {
  inactivation: 'enabled',
  acknowledgedBy: undefined,
  acknowledgedAtMs: undefined,
  realarmAtMs: undefined,
  inactivatedBy: undefined,
  inactivatedAtMs: undefined,
  inactivatedUntilMs: undefined,
  inactivationReason: undefined,
} as const satisfies QuietPatch;

/** Nobody goes, nobody has refused. */
export const unanswered = {
  responsibility: 'undefined',
  acceptedBy: undefined,
  acceptedAtMs: undefined,
  acceptUntilMs: undefined,
  rejectedBy: undefined,
} as const;

/** What a move does: the fields to set, why, and which of the alarm's timers start (ms from now) or stop. */
export interface Move {
  readonly patch: Partial<Alarm>;
  readonly cause: AlarmCause;
  /** Undefined: the timer is stopped. */
  readonly quietMs?: number;
  readonly remindMs?: number;
  readonly acceptMs?: number;
}

const inactivationCauses: Readonly<Record<InactivationEvent, AlarmCause>> = {
  acknowledge: 'acknowledged',
  pauseAudio: 'audioPaused',
  pauseAlarm: 'alarmPaused',
  switchAudioOff: 'audioOff',
  switchAlarmOff: 'alarmOff',
  resume: 'resumed',
  timeOver: 'realarmed',
  measuredAgain: 'realarmed',
  escalated: 'escalated',
  raised: 'raised',
};
const neverLatching: ReadonlySet<InactivationEvent> = new Set([
  'pauseAlarm',
  'switchAudioOff',
  'switchAlarmOff',
]);

/** The move of the inactivation axis; undefined when the table lists none or the alarm's class forbids it. */
export function quiet(
  alarm: Alarm,
  event: InactivationEvent,
  said: PauseSaid & { readonly by?: ActBy; readonly nowMs: number; readonly episodic: boolean },
): Move | undefined {
  const move = inactivation[alarm.inactivation][event];
  if (!move || (alarm.latching && neverLatching.has(event))) return undefined;
  const [next, ...effects] = move;
  const cause = inactivationCauses[event];
  const { nowMs, by, reason, episodic } = said;
  const who = by?.name ?? by?.id;
  const has = (effect: InactivationEffect): boolean => effects.includes(effect);
  if (has('rest')) {
    // An episodic value is quiet until it is measured again.
    const restMs = episodic ? undefined : realarmMs[alarm.priority];
    const realarmAtMs = restMs === undefined ? undefined : nowMs + restMs;
    const patch = { inactivation: next, acknowledgedBy: who, acknowledgedAtMs: nowMs, realarmAtMs };
    return { patch: { ...unquieted, ...patch, acceptUntilMs: undefined }, cause, quietMs: restMs };
  }
  if (has('pause') || has('remind')) {
    const forMs = has('pause') ? pauseMs(next, said.forMs) : undefined;
    const patch = {
      inactivation: next,
      inactivatedBy: who,
      inactivatedAtMs: nowMs,
      inactivatedUntilMs: forMs === undefined ? undefined : nowMs + forMs,
      inactivationReason: reason,
    };
    const remindMs = has('remind') ? realarmMs[alarm.priority] : undefined;
    return { patch: { ...unquieted, ...patch }, cause, quietMs: forMs, remindMs };
  }
  // An acceptance that an acknowledgement or its own patience has ended must not keep it quiet.
  const forgets = cause === 'realarmed' || (alarm.acceptUntilMs ?? 0) <= nowMs;
  return { patch: { ...unquieted, ...(forgets ? unanswered : {}) }, cause };
}

/** The move of the responsibility axis. */
export function answer(
  alarm: Alarm,
  event: ResponsibilityEvent,
  said: { readonly by?: ActBy; readonly nowMs: number; readonly cause: AlarmCause },
): Move | undefined {
  const move = responsibility[alarm.responsibility][event];
  if (!move) return undefined;
  const [next, ...effects] = move;
  const { nowMs, by, cause } = said;
  const who = by?.name ?? by?.id;
  const waits = effects.includes('wait' satisfies ResponsibilityEffect);
  const acceptMs = waits ? patienceMs[alarm.priority] : undefined;
  const patch = {
    ...unanswered,
    responsibility: next,
    ...(acceptMs === undefined
      ? {}
      : { acceptedBy: who, acceptedAtMs: nowMs, acceptUntilMs: nowMs + acceptMs }),
    ...(next === 'rejected' ? { rejectedBy: who } : {}),
  };
  return { patch, cause, ...(acceptMs === undefined ? {} : { acceptMs }) };
}

const pauseMs = (state: Inactivation, forMs = Infinity): number =>
  Math.min(
    Math.max(0, forMs),
    state === 'audioPaused' ? longestPauseMs.audioPaused : longestPauseMs.alarmPaused,
  );
