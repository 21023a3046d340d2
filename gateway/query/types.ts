import type { LatestValue } from '../../model/stream.ts';
import type { Aggregate, Historian, LongStore, StoredRow } from '../store/types.ts';

/** Exactly one of the four. */
export interface Whose {
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
  readonly device?: string;
}

/** A stretch of one device with whom it belonged to then (gateway/census joins it at query time). */
export interface AttributedSpan {
  readonly device: string;
  /** From inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
}

export interface ObservationQuery extends Whose {
  /** Reference ids, or `REFID/channel`; absent: every metric. */
  readonly metrics?: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** `preferred`: one source of each quantity, in CLINICAL 2's order. Absent: `all` of a device, else `preferred`. */
  readonly source?: 'preferred' | 'all';
  /** Stretches of a stay out of the asker's sight are left out. */
  readonly maySee?: (encounter: string) => boolean;
}

/**
 * What a row is among the sources of its quantity; absent where nothing had to be chosen. `substitute`: given while the
 * preferred source is silent or invalid. `beside`: a single measurement, or charted by hand, given beside the chosen one.
 */
export const sourceMarks = ['preferred', 'substitute', 'beside'] as const;
export type SourceMark = (typeof sourceMarks)[number];

export interface AttributedRow extends StoredRow {
  readonly unit: string;
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
  readonly source?: SourceMark;
}

/** Why a step has no figure. */
export const missingReasons = [
  'not-associated',
  'standby',
  'away',
  'device-silent',
  'not-measured',
  'not-valid',
] as const;
export type MissingReason = (typeof missingReasons)[number];

/** A figure of one series in one step. */
export interface FigureRow {
  /** Absent on a step that is missing altogether. */
  readonly device?: string;
  readonly metric: string;
  readonly channel?: string;
  readonly unit: string;
  /** Begin of the step; with a window the full instant in its middle. */
  readonly fromMs: number;
  readonly count: number;
  readonly value: number | null;
  /** When a single measurement was taken that stands for the instant. */
  readonly takenAtMs?: number;
  readonly source?: SourceMark;
  readonly missing?: MissingReason;
  /** Of `not-valid`: what the device said. */
  readonly reason?: string;
  readonly patient?: string;
  readonly encounter?: string;
  readonly bed?: string;
}

export interface FigureQuery extends ObservationQuery {
  readonly everyMs: number;
  readonly aggregate: Aggregate;
  /** Each full step stands for the values within this of it, before and after. */
  readonly aroundMs?: number;
  /** Steps without a figure are given too, with the reason. */
  readonly gaps?: boolean;
}

export interface ObservationsOptions {
  readonly historian: Historian;
  /** Answers for what is older than `ownMs`; absent: the historian answers for all. */
  readonly long?: () => { readonly store: LongStore; readonly ownMs: number } | undefined;
  readonly spansOf: (whose: Whose, fromMs: number, toMs: number) => readonly AttributedSpan[];
  /** Whether there is such a patient, encounter, bed or device. */
  readonly known: (whose: Whose) => boolean;
  /** The newest values of devices that spoke since the start. */
  readonly latest: (device: string) => readonly LatestValue[];
  /** Begin of the device's open association, if it has one. */
  readonly sinceMs: (device: string) => number | undefined;
  /** How a bed was watched, oldest first: from each instant on until the next. */
  readonly watchedAs: (bed: string) => readonly { readonly fromMs: number; readonly state: string }[];
  /** A source whose values people chart: each stands beside what devices give. */
  readonly isCharted: (device: string) => boolean;
  readonly nowMs: () => number;
}
