/** What is said between the main thread and the waveforms' worker. Answers are bytes of JSON, handed over whole. */
import type { Ranges } from '../../journal/types.ts';

/** Bounds and settings; each stands in the configuration. */
export interface WaveformBounds {
  readonly retentionMs: number;
  /** All blocks together on disk; the oldest go first. */
  readonly maxBytes: number;
  readonly stripRetentionMs: number;
  /** Strips cut from what is deleted, together. */
  readonly stripMaxBytes: number;
  /** Samples in memory at most before they are written. */
  readonly headSamples: number;
  /** The oldest of them at most this old. */
  readonly headAgeMs: number;
  /** Samples an answer holds at most; more is refused. */
  readonly answerSamples: number;
}

const hourMs = 3_600_000;
export const defaultWaveformBounds: WaveformBounds = {
  retentionMs: 48 * hourMs,
  maxBytes: 8 * 1024 ** 3,
  stripRetentionMs: 14 * 24 * hourMs,
  stripMaxBytes: 1024 ** 3,
  headSamples: 4_000_000,
  headAgeMs: 60_000,
  answerSamples: 600_000,
};

export interface WaveformSettings extends WaveformBounds {
  readonly folder: string;
  readonly epoch: string;
}

/** A stretch of one device, and what is said beside each of its series (whose it was then). */
export interface WaveSpan {
  readonly device: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly said: Readonly<Record<string, string | undefined>>;
  /** Backlog without a usable time belongs to nobody: only a question by device finds it. */
  readonly unplaced: boolean;
}

export const waveForms = ['values', 'base64'] as const;
export type WaveWriting = (typeof waveForms)[number];

export interface WaveQuestion {
  readonly spans: readonly WaveSpan[];
  readonly metrics?: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Absent: every sample; else lowest and highest in at most so many columns. */
  readonly width?: number;
  readonly writing: WaveWriting;
  /** Fields of the answer beside `items`. */
  readonly said: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Keeps the waves of these devices in that span as long as strips are kept. */
export interface StripOrder {
  readonly alarm: string;
  readonly ward: string;
  readonly bed: string;
  readonly encounter?: string;
  readonly raisedAtMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly devices: readonly string[];
}

export type WaveformAsk =
  | ({ readonly what: 'range' } & WaveQuestion)
  | {
      readonly what: 'strip';
      readonly alarm: string;
      readonly writing: WaveWriting;
      readonly demo: boolean;
    }
  | { readonly what: 'keep'; readonly strip: StripOrder }
  | { readonly what: 'flush' }
  | { readonly what: 'expire'; readonly nowMs?: number };

/** Pieces of one JSON document, none larger than 64 kB. */
export interface WaveAnswer {
  readonly pieces: readonly Uint8Array[];
}

/** Every second, and after each write. */
export interface WaveformAlive {
  readonly series: number;
  /** In memory and on disk. */
  readonly blocks: number;
  readonly samples: number;
  readonly bytes: number;
  readonly strips: number;
  readonly taken: Ranges;
  readonly newestAtMs: number;
  readonly writing: boolean;
  /** Something was deleted before its time within the last hour. */
  readonly atBound: boolean;
  /** Deleted before their time since the last sign of life, for the loss ledger. */
  readonly lost?: { readonly blocks: number; readonly fromMs: number; readonly toMs: number };
}

export interface WaveformOpened {
  readonly delivered: Ranges;
}
