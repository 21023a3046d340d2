import type { BedId, DeviceId, EncounterId } from './ids.ts';

/** One part of a score as found at the bed. */
export interface ScorePart {
  readonly part: string;
  /** What is scored: a number (continuous ones: the median of 5 minutes) … */
  readonly value?: number;
  /** … or a code: consciousness as charted, `air` or `oxygen`. */
  readonly code?: string;
  readonly unit?: string;
  /** Absent while the part is missing or old. */
  readonly points?: number;
  readonly takenAtMs?: number;
  readonly device?: DeviceId;
  readonly state: 'known' | 'missing' | 'old';
}

/** A set of parts that a nurse confirmed: the only kind that raises score alarms. */
export interface ConfirmedScore {
  readonly total: number;
  readonly parts: Readonly<Record<string, number>>;
  readonly scale?: 1 | 2;
  readonly atMs: number;
  readonly by: string;
}

/** Why a score is not given for this patient. */
export type ScoreRefusal = 'under-16' | 'pregnancy' | 'other-age';
export type ScoreWarning = 'age-unknown' | 'spinal-injury' | 'ventilated' | 'example-chart';

/** A score of one bed now. The running total is provisional; it is null unless every part is known and young enough. */
export interface BedScore {
  readonly score: string;
  readonly chart: string;
  readonly title: { readonly en: string; readonly zh: string };
  readonly provisional: true;
  readonly total: number | null;
  readonly parts: readonly ScorePart[];
  readonly missing: readonly string[];
  readonly old: readonly string[];
  readonly refused?: ScoreRefusal;
  readonly warnings: readonly ScoreWarning[];
  /** NEWS2: scale 2 only as a physician set it. */
  readonly scale?: 1 | 2;
  readonly confirmed?: ConfirmedScore;
}

/** What a physician set for the scores of one stay. */
export interface ScoreSettings {
  /** SpO2 scale of NEWS2; 2 only for confirmed hypercapnic failure with a prescribed target of 88 to 92 %. */
  readonly scale: 1 | 2;
  readonly spinalInjury: boolean;
  readonly setBy?: string;
  readonly setAtMs?: number;
  readonly reason?: string;
}

export interface BedScores {
  readonly bed: BedId;
  readonly encounter?: EncounterId;
  readonly nowMs: number;
  readonly settings: ScoreSettings;
  readonly scores: readonly BedScore[];
}
