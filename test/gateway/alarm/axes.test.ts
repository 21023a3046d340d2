import { describe, expect, test } from 'vitest';
import { deliveries, delivery, deliveryEvents } from '../../../gateway/alarm/delivery.ts';
import { inactivation, inactivationEvents, inactivations } from '../../../gateway/alarm/inactivation.ts';
import { step, type Table } from '../../../gateway/alarm/presence.ts';
import {
  responsibilities,
  responsibility,
  responsibilityEvents,
} from '../../../gateway/alarm/responsibility.ts';
import { alarmSignals, signal, signalEvents } from '../../../gateway/alarm/signal.ts';

// Goal: the four tables beside presence are exactly those a nurse checked. Way: every pair of state and event, named from
// the table; the expectation is written out here by hand, one line a state, not read from the table.
const checked = {
  signal: `
    off: raised on ring
    on: ended off quiet; endedLatching latched remind; measurementEnded off quiet
    latched: raised on ring; cleared off quiet; measurementEnded off quiet`,
  inactivation: `
    enabled: acknowledge acknowledged rest; pauseAudio audioPaused pause; pauseAlarm alarmPaused pause; switchAudioOff audioOff remind; switchAlarmOff alarmOff remind
    acknowledged: pauseAudio audioPaused pause; pauseAlarm alarmPaused pause; switchAudioOff audioOff remind; switchAlarmOff alarmOff remind; resume enabled ring; timeOver enabled ring; measuredAgain enabled ring; escalated enabled ring; raised enabled ring
    audioPaused: acknowledge acknowledged rest; pauseAudio audioPaused pause; pauseAlarm alarmPaused pause; switchAudioOff audioOff remind; switchAlarmOff alarmOff remind; resume enabled ring; timeOver enabled ring; escalated enabled ring; raised enabled ring
    alarmPaused: acknowledge acknowledged rest; pauseAudio audioPaused pause; pauseAlarm alarmPaused pause; switchAudioOff audioOff remind; switchAlarmOff alarmOff remind; resume enabled ring; timeOver enabled ring; escalated enabled ring; raised enabled ring
    audioOff: switchAlarmOff alarmOff remind; resume enabled ring; escalated enabled ring; raised enabled ring
    alarmOff: switchAudioOff audioOff remind; resume enabled ring; escalated enabled ring; raised enabled ring`,
  responsibility: `
    undefined: accept accepted wait; reject rejected passOn
    accepted: accept accepted wait; reject rejected ring passOn; timeOver undefined ring passOn; passedOn undefined ring; realarmed undefined ring; escalated undefined ring; raised undefined ring
    rejected: accept accepted wait; reject rejected passOn; passedOn undefined; realarmed undefined; escalated undefined; raised undefined`,
  delivery: `
    queued: sent sent markSent; timeOver failed passOn
    sent: received received markReceived; shown shown markReceived markShown; timeOver failed passOn; changed queued send
    received: shown shown markShown; timeOver failed passOn; changed queued send
    shown: changed queued send
    failed: sent sent markSent; received received markReceived; shown shown markReceived markShown; changed queued send`,
};

function rowsOf(text: string): Record<string, Record<string, string>> {
  const lines = text.trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [state = '', moves = ''] = line.trim().split(': ');
      const pairs = moves.split('; ').map((move) => {
        const [event = '', ...rest] = move.split(' ');
        return [event, rest.join(' ')];
      });
      return [state, Object.fromEntries(pairs) as Record<string, string>];
    }),
  );
}

function everyPair<S extends string, E extends string, F extends string>(
  name: keyof typeof checked,
  axis: { moves: Table<S, E, F>; states: readonly S[]; events: readonly E[] },
): void {
  const expected = rowsOf(checked[name]);
  describe(name, () => {
    for (const state of axis.states) {
      for (const event of axis.events) {
        const move = expected[state]?.[event];
        test(`${state}, ${event}: ${move ?? 'nothing happens'}`, () => {
          expect(step(axis.moves, state, event).join(' ')).toBe(move ?? state);
        });
      }
    }
    test('the table holds no state and no event beyond those', () => {
      expect(Object.keys(axis.moves).toSorted()).toEqual(axis.states.toSorted());
      const listed = axis.states.flatMap((state) => Object.keys(axis.moves[state]));
      expect(listed.every((event) => axis.events.some((known) => known === event))).toBe(true);
    });
  });
}

everyPair('signal', { moves: signal, states: alarmSignals, events: signalEvents });
everyPair('inactivation', { moves: inactivation, states: inactivations, events: inactivationEvents });
everyPair('responsibility', {
  moves: responsibility,
  states: responsibilities,
  events: responsibilityEvents,
});
everyPair('delivery', { moves: delivery, states: deliveries, events: deliveryEvents });

test('a latched signal is left by a person or a new episode alone', () => {
  expect(Object.keys(signal.latched)).toEqual(['raised', 'cleared', 'measurementEnded']);
});

test('whatever was quieted, a rise in priority rings', () => {
  for (const state of inactivations) {
    expect(step(inactivation, state, 'escalated')[0]).toBe('enabled');
  }
});
