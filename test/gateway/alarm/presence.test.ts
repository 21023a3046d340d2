import { describe, expect, test } from 'vitest';
import type { Presence } from '../../../model/alarm.ts';
import {
  presence,
  presenceEvents,
  presences,
  step,
  type PresenceEvent,
} from '../../../gateway/alarm/presence.ts';

// Goal: the table of a limit's presence is exactly the one a nurse checked. Way: every pair, named from the table;
// the expectation is written out here by hand, row by row, not read from the table.
const checked: Record<Presence, Partial<Record<PresenceEvent, string>>> = {
  absent: { violated: 'pending markOnset', violatedPastDelay: 'present markOnset raise' },
  pending: {
    violatedPastDelay: 'present raise',
    inside: 'absent',
    gap: 'absent',
    measurementEnded: 'absent',
  },
  present: {
    inside: 'absent end',
    gap: 'sourceLost raiseSourceLost',
    measurementEnded: 'absent end',
  },
  sourceLost: {
    violated: 'present endSourceLost',
    violatedPastDelay: 'present endSourceLost',
    between: 'present endSourceLost',
    inside: 'absent endSourceLost end',
    measurementEnded: 'absent endSourceLost end',
  },
};

describe('presence of one limit', () => {
  for (const state of presences) {
    for (const event of presenceEvents) {
      const expected = checked[state][event] ?? state;
      test(`${state}, ${event}: ${checked[state][event] ?? 'nothing happens'}`, () => {
        expect(step(presence, state, event).join(' ')).toBe(expected);
      });
    }
  }

  test('the table holds no state and no event beyond those', () => {
    expect(Object.keys(presence)).toEqual([...presences]);
    const listed = presences.flatMap((state) => Object.keys(presence[state]));
    expect(listed.every((event) => presenceEvents.some((known) => known === event))).toBe(true);
  });

  test('what is present ends only by a value inside or by a person', () => {
    for (const state of ['present', 'sourceLost'] as const) {
      const ending = presenceEvents.filter((event) => step(presence, state, event)[0] === 'absent');
      expect(ending).toEqual(['inside', 'measurementEnded']);
    }
  });
});
