import type { Part } from './record.ts';

export interface WaveBlock {
  readonly metric: string;
  readonly channel?: string;
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  readonly samples: Int16Array;
}

interface WaveType {
  readonly metric: string;
  readonly channel?: string;
  readonly perSecond: number;
  readonly gain: number;
}

const ecg = (channel: string): WaveType => ({
  metric: 'MDC_ECG_ELEC_POTL',
  channel,
  perSecond: 300,
  // 1 µV
  gain: 0.001,
});
const pressure = (slot: number): WaveType => ({
  metric: 'MDC_PRESS_BLD',
  channel: `slot-${slot}`,
  perSecond: 100,
  gain: 0.01,
});
/** By the type of the part. The lead of an ECG is not told: the channel is its number. */
export const waveTypes: ReadonlyMap<number, WaveType> = new Map<number, WaveType>([
  [1, ecg('1')],
  [2, ecg('2')],
  [3, ecg('3')],
  ...[1, 2, 3, 4].map((slot): [number, WaveType] => [3 + slot, pressure(slot)]),
  [8, { metric: 'MDC_PULS_OXIM_PLETH', perSecond: 100, gain: 0.01 }],
  [9, { metric: 'co2-wave', perSecond: 25, gain: 0.01 }],
  [15, { metric: 'MDC_RESP', perSecond: 25, gain: 0.01 }],
  [16, pressure(5)],
  [17, pressure(6)],
]);
const leadOff = 1 << 3;
const lowestValue = -32_001;

/** The samples of a wave part; undefined for waves that are not ours, without lead, or of another length. */
export function blockOf({ type, bytes }: Part, ambientMmHg: number | undefined): WaveBlock | undefined {
  const wave = waveTypes.get(type);
  if (!wave || bytes.length < 6) return undefined;
  const count = bytes.readInt16LE(0);
  const status = bytes.readUInt16LE(2);
  if (count <= 0 || 6 + count * 2 > bytes.length || status & leadOff) return undefined;
  // CO2 is % of an ambient pressure that comes with the values.
  const factor = wave.metric === 'co2-wave' ? ambientMmHg && ambientMmHg / 100 : 1;
  if (factor === undefined) return undefined;
  const samples = Int16Array.from({ length: count }, (_, at) => {
    const raw = bytes.readInt16LE(6 + at * 2);
    return raw < lowestValue ? -32_768 : raw;
  });
  const { metric, channel, perSecond, gain } = wave;
  return {
    metric,
    ...(channel !== undefined && { channel }),
    periodUs: 1_000_000 / perSecond,
    gain: gain * factor,
    offset: 0,
    samples,
  };
}
