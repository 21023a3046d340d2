import type { Direction, Priority } from './alarm.ts';
import type { BedId, EncounterId } from './ids.ts';

/** A limit that was crossed while nobody could ring for it: it began and ended in the backlog (CLINICAL 9). */
export interface ReviewEntry {
  readonly id: string;
  readonly bed: BedId;
  readonly encounter?: EncounterId;
  readonly metric: string;
  readonly direction: Direction;
  readonly priority: Priority;
  readonly limit: number;
  readonly unit: string;
  readonly onsetAtMs: number;
  readonly endedAtMs: number;
  readonly peak: number;
  /** By a value inside, or only by the end of what is known. */
  readonly endedBy: 'inside' | 'gap';
  /** When the backlog told of it. */
  readonly notedAtMs: number;
}
