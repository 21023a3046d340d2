import type { AlertState, Priority } from '../../model/alarm.ts';
import type { Observation, Reason, Validity } from '../../model/observation.ts';
import type { Line } from './line.ts';

// Exceptions (EXC). 0x800 says Masimo SET and is always set on some units: no error.
const exc = {
  noSensor: 0x001,
  defective: 0x002,
  lowPerfusion: 0x004,
  pulseSearch: 0x008,
  interference: 0x010,
  sensorOff: 0x020,
  ambientLight: 0x040,
  unrecognised: 0x080,
  lowSignal: 0x400,
} as const;

/** The device says itself that nothing is measured: a number in the same line is no value. */
const without: readonly (readonly [bits: number, reason: Reason])[] = [
  [exc.defective | exc.unrecognised, 'device-fault'],
  [exc.noSensor | exc.sensorOff, 'sensor-off'],
];
/** The number is there and in doubt. */
const doubtful: readonly (readonly [bits: number, reason: Reason])[] = [
  [exc.pulseSearch, 'searching'],
  [exc.interference | exc.ambientLight, 'artefact'],
  [exc.lowPerfusion | exc.lowSignal, 'low-signal'],
];

interface Series {
  readonly key: string;
  readonly metric: string;
  readonly span: readonly [number, number];
  /** Not fitted to every unit: its "no value" is told only after it had one. */
  readonly optional: boolean;
}

/** In the order of the line. Spans are what the line's form can hold and the quantity can be. */
export const series: readonly Series[] = [
  { key: 'SPO2', metric: 'MDC_PULS_OXIM_SAT_O2', span: [0, 100], optional: false },
  { key: 'BPM', metric: 'MDC_PULS_OXIM_PULS_RATE', span: [0, 350], optional: false },
  { key: 'PI', metric: 'MDC_BLD_PERF_INDEX', span: [0, 20], optional: false },
  { key: 'SPCO', metric: 'spco', span: [0, 100], optional: true },
  { key: 'SPMET', metric: 'spmet', span: [0, 100], optional: true },
  { key: 'DESAT', metric: 'desaturation-index', span: [0, 99], optional: true },
  { key: 'PIDELTA', metric: 'perfusion-change', span: [-99, 99], optional: true },
  { key: 'PVI', metric: 'pleth-variability', span: [0, 100], optional: true },
];

export type SeriesObservation = Omit<Observation, 'takenAtMs'> & { readonly optional: boolean };

/** What one line says: one observation a key that stands in it. */
export function observe(line: Line): SeriesObservation[] {
  const none = without.find(([bits]) => line.exc & bits)?.[1];
  const mark = doubtful.find(([bits]) => line.exc & bits)?.[1];
  return series.flatMap((each): SeriesObservation[] => {
    const number = line.numbers.get(each.key);
    if (number === undefined) return [];
    const { metric, optional } = each;
    const missing = (reason: Reason): SeriesObservation[] => [
      { metric, optional, value: null, reason, validity: 'invalid' } as SeriesObservation,
    ];
    if (none) return missing(none);
    if (number === null) return missing(mark ?? 'not-measured');
    // While it searches for a pulse, 0 is how the display looks and not what was measured.
    if (number === 0 && line.exc & exc.pulseSearch) return missing('searching');
    if (number < each.span[0] || number > each.span[1]) return missing('out-of-span');
    const validity: Validity = mark ? 'questionable' : 'valid';
    return [{ metric, optional, value: number, validity, ...(mark && { mark }) } as SeriesObservation];
  });
}

interface AlarmBit {
  readonly bit: number;
  readonly alertId: string;
  readonly text: string;
  readonly priority: Priority;
  readonly metric?: string;
}

/** README, table of alarms. 0x10 (triggered) and 0x20 (muted) qualify the others; their meaning is unconfirmed. */
const alarmBits: readonly AlarmBit[] = [
  { bit: 0x01, alertId: 'spo2-high', text: 'SpO2 high', priority: 'medium', metric: 'MDC_PULS_OXIM_SAT_O2' },
  { bit: 0x02, alertId: 'spo2-low', text: 'SpO2 low', priority: 'high', metric: 'MDC_PULS_OXIM_SAT_O2' },
  {
    bit: 0x04,
    alertId: 'pulse-high',
    text: 'Pulse high',
    priority: 'high',
    metric: 'MDC_PULS_OXIM_PULS_RATE',
  },
  { bit: 0x08, alertId: 'pulse-low', text: 'Pulse low', priority: 'high', metric: 'MDC_PULS_OXIM_PULS_RATE' },
];
const triggered = 0x10;
const muted = 0x20;
const named = alarmBits.reduce((bits, { bit }) => bits | bit, triggered | muted);

/** Every alert now active on the device. Bits nobody has named are carried as sent, medium. */
export function alertsOf(line: Line, known: ReadonlySet<string> = new Set()): AlertState[] {
  const inactivation = line.alarm & muted ? 'audioPaused' : 'enabled';
  const state = (
    alertId: string,
  ): Pick<AlertState, 'alertId' | 'phase' | 'type' | 'latching' | 'inactivation'> => ({
    alertId,
    phase: known.has(alertId) ? 'continue' : 'start',
    type: 'physiological',
    latching: false,
    inactivation,
  });
  const active: AlertState[] = alarmBits
    .filter(({ bit }) => line.alarm & bit)
    .map(({ bit, alertId, text, priority, metric }) => ({
      ...state(alertId),
      code: `ALARM-${hex(bit)}`,
      text,
      priority,
      ...(metric && { metric }),
    }));
  const other = line.alarm & ~named;
  const causeless = line.alarm & triggered && active.length === 0 ? triggered : 0;
  if (other | causeless) {
    const code = `ALARM-${hex(other | causeless)}`;
    active.push({ ...state('other'), code, text: `ALARM=${hex(line.alarm)}`, priority: 'medium' });
  }
  return active;
}

const hex = (bits: number): string => bits.toString(16).toUpperCase().padStart(4, '0');
