import type { FaultReport } from './fault.ts';

export const jobStates = ['running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** Work that takes longer than an answer may: it runs apart, is looked at by its id and can be called off. */
export interface Job {
  readonly id: string;
  /** What it does, in one word: `backup`, `limits-replay` … */
  readonly kind: string;
  /** Who asked for it. */
  readonly by: string;
  readonly state: JobState;
  /** Share that is done, 0 to 1. */
  readonly progress: number;
  /** What it is at, in words; never a patient's name. */
  readonly says: string;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  /** What it found; the route that starts the job describes it. */
  readonly result?: unknown;
  /** Why it failed. */
  readonly fault?: FaultReport;
}
