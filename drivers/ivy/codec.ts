import { metrics } from '../../model/metric-table.ts';
import type { Observation, Reason } from '../../model/observation.ts';
import type { ActiveAlert } from '../transport/told.ts';
import { waveBytes } from './frames.ts';
import type { Line } from './lines.ts';

export type Value = Omit<Observation, 'takenAtMs'>;
type Lines = ReadonlyMap<string, Line>;

const pressure = (channel: string): readonly (readonly [string, string])[] =>
  ['SYS', 'DIA', 'MEAN'].map((part) => [`MDC_PRESS_BLD_${part}`, channel] as const);
/** Metrics of a line's numbers, in their order. */
const series: Readonly<Record<string, readonly (readonly [metric: string, channel?: string])[]>> = {
  HR: [['MDC_ECG_HEART_RATE']],
  RR: [['MDC_RESP_RATE']],
  ETCO2: [['MDC_CONC_AWAY_CO2_ET']],
  SPO2: [['MDC_PULS_OXIM_SAT_O2']],
  NIBP: [
    ['MDC_PRESS_BLD_NONINV_SYS'],
    ['MDC_PRESS_BLD_NONINV_DIA'],
    ['MDC_PRESS_BLD_NONINV_MEAN'],
    ['MDC_PULS_RATE_NON_INV'],
  ],
  P1: pressure('P1'),
  P2: pressure('P2'),
  T1: [['MDC_TEMP', '1']],
  T2: [['MDC_TEMP', '2']],
};

/** Texts that tell why there is no number. */
const reasonsOf: readonly (readonly [RegExp, Reason])[] = [
  [/NO (TRANSDUCER|SENSOR|PROBE|CABLE)|\bOFF\b|DISCONNECT|UNPLUG/, 'sensor-off'],
  [/SEARCH/, 'searching'],
  [/CAL|ZERO/, 'calibrating'],
  [/FAIL|ERROR/, 'device-fault'],
];

/** What the text says. The pulse rate of the oximeter stands in its label: `PR=80`. */
export function valuesOf(lines: Lines): Value[] {
  const found: Value[] = [];
  for (const [name, { values, texts }] of lines) {
    const reason = reasonsOf.find(([text]) => texts.some((each) => text.test(each)))?.[1];
    const missing = reason ?? 'not-measured';
    const list = series[name] ?? [];
    list.forEach(([metric, channel], at) =>
      found.push(valueOf(metric, channel, values[at] ?? null, missing)),
    );
    if (name !== 'SPO2') continue;
    const pulse = /\bPR=\s*(\d{1,3})/.exec(texts.join(' '))?.[1];
    found.push(valueOf('MDC_PULS_OXIM_PULS_RATE', undefined, pulse ? Number(pulse) : null, missing));
  }
  return found;
}

function valueOf(metric: string, channel: string | undefined, value: number | null, missing: Reason): Value {
  const base = { metric, ...(channel !== undefined && { channel }) };
  const span = metrics.get(metric)?.span;
  if (value === null) return { ...base, value: null, reason: missing, validity: 'invalid' } as Value;
  if (span && (value < span[0] || value > span[1])) {
    return { ...base, value: null, reason: 'out-of-span', validity: 'invalid' } as Value;
  }
  return { ...base, value, validity: 'valid' } as Value;
}

const equipment = /TRANSDUCER|SENSOR|PROBE|CABLE|LEAD|\bOFF\b|DISCONNECT|FAIL|ERROR|CHECK|CAL|CUFF/;

/** Alarm texts: the second text of a line, and a single one that speaks of the equipment. */
export function alertsOf(lines: Lines): ActiveAlert[] {
  return [...lines].flatMap(([name, { texts }]): ActiveAlert[] => {
    const [label = '', alarm = ''] = texts;
    const text = alarm || (equipment.test(label) ? label : '');
    if (text === '') return [];
    const technical = equipment.test(text);
    const metric = series[name]?.[0]?.[0];
    return [
      {
        alertId: name.toLowerCase(),
        code: name,
        text: `${name}: ${text}`,
        priority: technical ? 'low' : /APN|ASYS|V-?FIB/.test(text) ? 'high' : 'medium',
        type: technical ? 'technical' : 'physiological',
        ...(metric && { metric }),
      },
    ];
  });
}

export interface WaveBlock {
  readonly metric: string;
  readonly channel?: string;
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  readonly samples: Int16Array;
}

/** 200 bytes of ECG in a second, then 50 each of respiration, pleth, P1 and P2. Offsets as in one code base. */
const waves = [
  { metric: 'MDC_ECG_ELEC_POTL', at: 0, count: 200, zero: 100, gain: 0.02 },
  { metric: 'MDC_RESP', at: 200, count: 50, zero: 0, gain: 1 },
  { metric: 'MDC_PULS_OXIM_PLETH', at: 250, count: 50, zero: 86, gain: 1 },
  { metric: 'MDC_PRESS_BLD', channel: 'P1', at: 300, count: 50, zero: 80, gain: 1 },
] as const;
const noData = 0xfb;

export const waveMetrics: readonly string[] = waves.map(({ metric }) => metric);

/** The waves of one frame; one that has no data at all is left out. */
export function wavesOf(bytes: Buffer): WaveBlock[] {
  if (bytes.length !== waveBytes) return [];
  return waves.flatMap(({ at, count, zero, ...wave }): WaveBlock[] => {
    const part = bytes.subarray(at, at + count);
    if (part.every((byte) => byte === noData)) return [];
    const samples = Int16Array.from(part, (byte) => (byte === noData ? -32_768 : byte));
    return [{ ...wave, periodUs: 1_000_000 / count, offset: -zero * wave.gain, samples }];
  });
}
