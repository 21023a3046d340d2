import type { Inactivation } from '../../model/alarm.ts';
import type { Table } from './presence.ts';

export const inactivations = [
  'enabled',
  'acknowledged',
  'audioPaused',
  'alarmPaused',
  'audioOff',
  'alarmOff',
] as const;

// One axis of CLINICAL 4: whether people have quieted the signal. `timeOver`: the re-alarm time of an acknowledgement or
// the end of a pause. `measuredAgain`: an episodic value that still violates. `raised`: a new episode of a latched alarm.
export const inactivationEvents = [
  'acknowledge',
  'pauseAudio',
  'pauseAlarm',
  'switchAudioOff',
  'switchAlarmOff',
  'resume',
  'timeOver',
  'measuredAgain',
  'escalated',
  'raised',
] as const;
export type InactivationEvent = (typeof inactivationEvents)[number];
/** `rest`: until the re-alarm time. `pause`: until the asked-for time. `remind`: untimed, with reminders. */
export type InactivationEffect = 'rest' | 'pause' | 'remind' | 'ring';

const ringing = ['enabled', 'ring'] as const;
const backAgain = { resume: ringing, escalated: ringing, raised: ringing } as const;
const quieting = {
  pauseAudio: ['audioPaused', 'pause'],
  pauseAlarm: ['alarmPaused', 'pause'],
  switchAudioOff: ['audioOff', 'remind'],
  switchAlarmOff: ['alarmOff', 'remind'],
} as const;
const acknowledge = ['acknowledged', 'rest'] as const;

/** What people did to one alarm's signal. A pair that is not listed is not allowed, or nothing happens. */
export const inactivation: Table<Inactivation, InactivationEvent, InactivationEffect> = {
  enabled: { acknowledge, ...quieting },
  acknowledged: { ...quieting, ...backAgain, timeOver: ringing, measuredAgain: ringing },
  audioPaused: { acknowledge, ...quieting, ...backAgain, timeOver: ringing },
  alarmPaused: { acknowledge, ...quieting, ...backAgain, timeOver: ringing },
  audioOff: { switchAlarmOff: quieting.switchAlarmOff, ...backAgain },
  alarmOff: { switchAudioOff: quieting.switchAudioOff, ...backAgain },
};
