import type { Alarm } from '../../model/alarm.ts';
import type { Reason } from '../../model/observation.ts';

/** The users' words (SCREENS). Every reason and technical condition has its own, short and active. */
const reasonWords: Readonly<Record<Reason, string>> = {
  'sensor-off': 'sensor off',
  'not-measured': 'not measured',
  searching: 'searching',
  'device-fault': 'device fault',
  'out-of-span': 'impossible value',
  'under-range': 'below range',
  'over-range': 'above range',
  uncalibrated: 'not calibrated',
  calibrating: 'calibrating',
  'low-signal': 'weak signal',
  artefact: 'disturbed',
  demo: 'demo data',
  test: 'test data',
  stale: 'old',
  ongoing: 'measuring',
  'link-lost': 'no connection',
  clock: 'device clock wrong',
  unit: 'unknown unit',
  'late-reply': 'answers late',
  'unknown-metric': 'unknown parameter',
  invalid: 'invalid',
};
export const inWords = (reason: Reason | undefined): string =>
  reason === undefined ? 'no value' : reasonWords[reason];

const technical: Readonly<Record<string, { says: string; next: string }>> = {
  'device-silent': {
    says: 'device sends nothing',
    next: 'Look at the patient and the device; check its cable.',
  },
  'source-lost': { says: 'measurement lost while alarming', next: 'Look at the patient; check the sensor.' },
  'value-invalid': { says: 'impossible values', next: 'Check the sensor and the device.' },
  'device-demo': {
    says: 'device in demo mode',
    next: 'Look at the patient; end the demo mode at the device.',
  },
  'sources-disagree': { says: 'two sources disagree', next: 'Look at the patient; check both sensors.' },
  'unregistered-patient': {
    says: 'patient without registration',
    next: 'Associate the device with the patient.',
  },
};
export const technicalWords = (alarm: Alarm): { says: string; next: string } =>
  technical[alarm.condition] ?? {
    says: alarm.condition.replaceAll('-', ' '),
    next: 'Tell the biomedical engineer.',
  };

/** 7 s · 3 min · 2 h. */
export function ageInWords(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1_000));
  if (seconds < 100) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

export const clockTime = (atMs: number): string =>
  new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });
