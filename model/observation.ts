import type { DeviceId } from './ids.ts';

/** 11073 measurement validity (subset). */
export type Validity = 'valid' | 'questionable' | 'invalid';
export const validities = ['valid', 'questionable', 'invalid'] as const;

/** Why there is no value, or why it is marked. Closed list: screens and outlets speak each in words. */
export const reasons = [
  'sensor-off',
  'not-measured',
  'searching',
  'device-fault',
  'out-of-span',
  'under-range',
  'over-range',
  'uncalibrated',
  'calibrating',
  'low-signal',
  'artefact',
  'demo',
  'test',
  'stale',
  'ongoing',
  'link-lost',
  'clock',
  'unit',
  'late-reply',
  'unknown-metric',
  'invalid',
] as const;
export type Reason = (typeof reasons)[number];

/** What was seen: a number in the metric's own unit, a code of a named system, a text, or nothing with a reason. */
export type Seen =
  | { readonly value: number }
  | { readonly value: null; readonly reason: Reason }
  | { readonly code: string; readonly system: string }
  | { readonly text: string };

/** One value of a Metric at a time. A series is (device, metric, channel). */
export type Observation = Seen & {
  /** ISO/IEEE 11073-10101 reference id, or the sender's own word when no metric is known. */
  readonly metric: string;
  /** Which of several equal sensors: `2` in `MDC_TEMP/2`. Absent is the only one. */
  readonly channel?: string;
  /** UCUM; absent is the metric's own unit. */
  readonly unit?: string;
  readonly validity: Validity;
  /** Why a value that is there is marked. */
  readonly mark?: Reason;
  /** Instant of measurement, ms since 1970. */
  readonly takenAtMs: number;
};

/** A sample that is none: the lowest 16-bit number. */
export const noSample = -32_768;

/** A block of samples at a fixed period. physical = raw × gain + offset. */
export interface Waveform {
  readonly metric: string;
  readonly channel?: string;
  /** Instant of the first sample. */
  readonly takenAtMs: number;
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  /** −32768 = no sample. */
  readonly samples: Int16Array;
}

export interface Source {
  readonly device: DeviceId;
  readonly boot: string;
  readonly seq: number;
}

/** `REFID` or `REFID/channel`: the key of a value in the device contract and of a series everywhere. */
export const seriesKey = (metric: string, channel?: string): string =>
  channel === undefined || channel === '' ? metric : `${metric}/${channel}`;

/** Splits a key at its first slash. */
export function splitKey(key: string): { metric: string; channel?: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { metric: key } : { metric: key.slice(0, slash), channel: key.slice(slash + 1) };
}
