import type { Presence } from '../../model/alarm.ts';

/** For each state a partial record of event → `[next, ...effects]`; an unlisted pair means "nothing happens". */
export type Table<S extends string, E extends string, F extends string = string> = {
  readonly [state in S]: { readonly [event in E]?: readonly [S, ...F[]] };
};

export const presences = ['absent', 'pending', 'present', 'sourceLost'] as const;

// One axis of CLINICAL 4. `violated`, `inside` and `between` come from samples only (`between` neither violates nor
// ends: in the hysteresis, or questionable and inside). `gap`: while pending, found from the samples' own times just
// before the next is judged; while present, by the clock.
export const presenceEvents = [
  'violated',
  'violatedPastDelay',
  'inside',
  'between',
  'gap',
  'measurementEnded',
] as const;
export type PresenceEvent = (typeof presenceEvents)[number];

export type PresenceEffect = 'markOnset' | 'raise' | 'end' | 'raiseSourceLost' | 'endSourceLost';

/** Where one limit stands after an event, and what is to be done about it. */
export type PresenceMove = readonly [Presence, ...PresenceEffect[]];

/** Presence and delay of one limit. No timers, no IO; `docs/alarms.md` is printed from it. */
export const presence: Table<Presence, PresenceEvent, PresenceEffect> = {
  absent: { violated: ['pending', 'markOnset'], violatedPastDelay: ['present', 'markOnset', 'raise'] },
  pending: {
    violatedPastDelay: ['present', 'raise'],
    inside: ['absent'],
    gap: ['absent'],
    measurementEnded: ['absent'],
  },
  present: {
    inside: ['absent', 'end'],
    gap: ['sourceLost', 'raiseSourceLost'],
    measurementEnded: ['absent', 'end'],
  },
  sourceLost: {
    violated: ['present', 'endSourceLost'],
    violatedPastDelay: ['present', 'endSourceLost'],
    between: ['present', 'endSourceLost'],
    inside: ['absent', 'endSourceLost', 'end'],
    measurementEnded: ['absent', 'endSourceLost', 'end'],
  },
};

/** The listed move, or staying where one is without an effect. */
export const step = <S extends string, E extends string, F extends string>(
  table: Table<S, E, F>,
  state: S,
  event: E,
): readonly [S, ...F[]] => table[state][event] ?? [state];
