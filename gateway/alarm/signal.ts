import type { Table } from './presence.ts';
import type { AlarmSignal } from '../../model/alarm.ts';

export const alarmSignals = ['off', 'on', 'latched'] as const;

// One axis of CLINICAL 4: what is shown or sounded. Limit alarms do not latch; asystole, VF/VT and apnoea as raised by a
// device do. `measurementEnded`: a person ends the measurement, or the association ends.
export const signalEvents = ['raised', 'ended', 'endedLatching', 'cleared', 'measurementEnded'] as const;
export type SignalEvent = (typeof signalEvents)[number];
export type SignalEffect = 'ring' | 'remind' | 'quiet';

/** The signal of one alarm. A new episode of a latched one rings again; only a person clears it. */
export const signal: Table<AlarmSignal, SignalEvent, SignalEffect> = {
  off: { raised: ['on', 'ring'] },
  on: { ended: ['off', 'quiet'], endedLatching: ['latched', 'remind'], measurementEnded: ['off', 'quiet'] },
  latched: { raised: ['on', 'ring'], cleared: ['off', 'quiet'], measurementEnded: ['off', 'quiet'] },
};
