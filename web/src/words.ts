import type { Alarm, Direction, Priority } from '../../model/alarm.ts';
import type { MonitoringState } from '../../model/census.ts';
import type { Reason } from '../../model/observation.ts';

/** Every word the screens say, in one place (SCREENS: the users' words, short, active). */
export const words = {
  product: 'Vigil',
  loading: 'Loading…',
  demo: 'DEMO: no real patients',
  ward: 'Ward',
  wards: (count: number) => `${count} wards`,
  supplemental: 'Supplemental: the monitor is the primary alarm. Vigil only reads from devices.',
  signIn: 'Sign in',
  signingIn: 'Signing in…',
  signOut: 'Sign out',
  user: 'User',
  password: 'Password',
  signedOutByGateway: 'The gateway has ended your sign-in. This screen alarms again once you have signed in.',
  firstAdministrator: 'This gateway has no administrator yet.',
  makeAdministrator:
    'Make the first one with the setup token printed at its start: POST /api/v1/setup, described at',
  gatewayAway: 'The gateway does not answer. Is this machine on the network, and the gateway running?',
  notConnected: 'Not connected',
  notConnectedFor: (age: string) => `for ${age}`,
  notAlarmed: 'you are not being alarmed by Vigil. What is shown is old.',
  maySound: 'This screen is not allowed to sound yet. Touch here to let it ring.',
  soundOff: 'Sound off',
  soundOn: 'Sound on',
  ringing: (priority: Priority) => `Ringing: ${priority} priority`,
  beds: 'Beds',
  bed: (label: string) => `Bed ${label}`,
  bedsTogether: (labels: string) => `Beds ${labels}`,
  noBeds: 'No beds yet. An administrator makes wards and beds; then they appear here.',
  noPatient: 'no patient',
  nameUnknown: 'name not known',
  noDevice: 'No device at this bed. Associate one to see its values.',
  noValues: 'No values yet.',
  neverHeard: (device: string) => `${device}: nothing heard yet`,
  lost: (device: string, since: string | undefined) =>
    since === undefined ? `${device} not connected` : `${device} not connected, last heard ${since}`,
  deviceMode: { standby: 'on standby', demo: 'in demo mode', test: 'in test mode' },
  alarms: 'Alarms',
  noAlarms: 'No alarms.',
  acknowledge: 'Acknowledge',
  acknowledging: 'Acknowledging…',
  acknowledgeMeans: 'Acknowledging quiets the handhelds; the monitor keeps sounding.',
  acknowledgedBy: (name: string, at: string) => `Acknowledged by ${name}, ${at}.`,
  ringsAgain: (age: string) => `Rings again in ${age} if still present.`,
  ringsAgainSoon: 'Rings again now if still present.',
  notRecorded: 'not recorded yet',
  uncertain: 'uncertain value',
  measurementLost: 'measurement lost since',
  over: 'no longer present',
  peak: { high: 'highest', low: 'lowest' } satisfies Record<Direction, string>,
  priority: { low: 'low', medium: 'medium', high: 'high' } satisfies Record<Priority, string>,
  monitoring: { on: '', standby: 'Standby', away: 'Patient away' } satisfies Record<MonitoringState, string>,
  pressure: (label: string) => label.replace(/-[SDM]$/, ''),
  mean: 'mean',
  limit: 'limit',
  limitOf: { high: 'high limit', low: 'low limit' } satisfies Record<Direction, string>,
  stale: 'old',
  questionable: 'uncertain',
  ago: (age: string) => `${age} ago`,
  clockAndAge: (at: string, age: string) => `${at}, ${age} ago`,
  devicesConnected: (count: number) => `All ${count} devices connected`,
  devicesLost: (count: number, all: number) => `${count} of ${all} devices not connected`,
  alarmDelay: (ms: number) => `alarm delay p99 of the last hour ${ms < 1 ? '< 1' : Math.round(ms)} ms`,
  more: (count: number) => `and ${count} more`,
} as const;

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
/** Why there is no value, or what is doubtful about it. */
export const inWords = (reason: Reason | undefined): string =>
  reason === undefined ? 'no value' : reasonWords[reason];

/** Each technical alarm: what happened, and the next step of whoever reads it. */
const technical: Readonly<Record<string, { says: string; next: string }>> = {
  'device-silent': {
    says: 'Device sends nothing',
    next: 'Look at the patient and the device; check its cable.',
  },
  'source-lost': { says: 'Measurement lost while alarming', next: 'Look at the patient; check the sensor.' },
  'value-invalid': { says: 'Impossible values', next: 'Check the sensor and the device.' },
  'value-missing': { says: 'Sensor off or no value', next: 'Look at the patient; check leads and sensor.' },
  'device-in-demo-mode': {
    says: 'Device in demo mode',
    next: 'Look at the patient; end the demo mode at the device.',
  },
  'sources-disagree': { says: 'Two sources disagree', next: 'Look at the patient; check both sensors.' },
  'unregistered-patient': {
    says: 'Patient without registration',
    next: 'Associate the device with the patient.',
  },
  'return-overdue': { says: 'Patient not back yet', next: 'Look where the patient is; set the bed on.' },
  'nobody-assigned': {
    says: 'Nobody has these beds',
    next: 'Take them on a handheld; the charge nurse assigns who is free.',
  },
  'alarm-unreached': {
    says: 'An alarm reached nobody',
    next: 'Look at the beds that alarm: no handheld and no board can ring.',
  },
  'handheld-cannot-ring': {
    says: 'A handheld cannot ring',
    next: 'Ask its nurse to open Vigil and touch the screen; alarms go on to the next person.',
  },
  'board-cannot-sound': {
    says: 'A board has lost its sound',
    next: 'Touch the board once; its alarms are shown but not heard.',
  },
  'delivery-overflow': {
    says: 'More alarms than a handheld can take',
    next: 'High ones go first. Look at the board.',
  },
  'alarm-source-lost': {
    says: 'The device says nothing more of its alarm',
    next: 'Look at the patient and the device; check its cable.',
  },
  'journal-unrecorded': {
    says: 'Values are not being recorded',
    next: 'Alarms go on. Tell the biomedical engineer: the disk of the gateway is full or hangs.',
  },
  'journal-filling': {
    says: 'The journal is filling up',
    next: 'Alarms go on. Tell the biomedical engineer: a store does not take its values.',
  },
  'journal-losing': {
    says: 'Values are given up before they are stored',
    next: 'Alarms go on. Tell the biomedical engineer: a store is away too long, or the journal too small.',
  },
  'sink-stopped': {
    says: 'A time-series server takes no values',
    next: 'Alarms go on and values are kept. Biomedical engineer: see the sink in the console.',
  },
  'sink-refusing': {
    says: 'A time-series server refuses some values',
    next: 'Alarms go on and Vigil has the values. Biomedical engineer: see the loss ledger.',
  },
  'sink-lagging': {
    says: 'A time-series server is far behind',
    next: 'Alarms go on and values are kept. Biomedical engineer: see the sink in the console.',
  },
  'clock-stepped': {
    says: 'The clock of the gateway jumped',
    next: 'Alarms go on. Tell the biomedical engineer: check its time source.',
  },
  'part-fault': {
    says: 'A part of the gateway has a fault',
    next: 'Alarms go on. Tell the biomedical engineer.',
  },
};
export function technicalWords({ condition, details }: Pick<Alarm, 'condition' | 'details'>): {
  says: string;
  next: string;
} {
  const told = technical[condition] ?? {
    says: sentence(condition.replaceAll('-', ' ')),
    next: 'Tell the biomedical engineer.',
  };
  const metrics = details?.['metrics'];
  return metrics === undefined ? told : { ...told, says: `${metrics}: ${uncapital(told.says)}` };
}

const uncapital = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
/** A problem as the API words it, as a sentence of its own. */
export const problemWords = ({ title, detail }: { title: string; detail?: string }): string =>
  sentence(detail ?? title);

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** 7 s, 3 min, 2 h. */
export function ageInWords(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1_000));
  if (seconds < 100) return `${seconds} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

export const clockTime = (atMs: number): string =>
  new Date(atMs).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

const units: Readonly<Record<string, string>> = {
  'mm[Hg]': 'mmHg',
  Cel: '°C',
  'cm[H2O]': 'cmH₂O',
  '1': '',
};
/** UCUM as people write it. */
export const unitInWords = (ucum: string): string => units[ucum] ?? ucum;

/** Whole years at an instant; undefined for a date that is none. */
export function yearsOld(birthDate: string | undefined, atMs: number): number | undefined {
  const born = birthDate === undefined ? null : /^(\d{4})-(\d{2})-(\d{2})$/.exec(birthDate);
  if (!born) return undefined;
  const at = new Date(atMs);
  const [year, month, day] = [Number(born[1]), Number(born[2]), Number(born[3])];
  const before = at.getMonth() + 1 < month || (at.getMonth() + 1 === month && at.getDate() < day);
  return at.getFullYear() - year - (before ? 1 : 0);
}
