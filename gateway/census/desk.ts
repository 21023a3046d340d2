import type { Association, Encounter, MonitoringState } from '../../model/census.ts';
import type { Clock } from '../../model/clock.ts';
import type { BedId, Chance, EncounterId, PatientId, WardId } from '../../model/ids.ts';

export type CensusTable =
  'wards' | 'beds' | 'patients' | 'encounters' | 'associations' | 'limits' | 'monitoring';

/** Where the census is kept; `put` resolves when the row is on disk and rejects with a Fault. */
export interface CensusRows {
  load(table: CensusTable): Promise<readonly unknown[]>;
  put(table: CensusTable, row: { readonly id: string }): Promise<void>;
}

/** One line of the audit; ids and values, never names. */
export interface CensusAct {
  readonly by: string;
  readonly act: string;
  readonly on?: string;
  readonly outcome: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What changed, for the alarm engine and the live stream; told in the tick of the change. */
export type CensusChange =
  | { readonly kind: 'ward'; readonly ward: WardId }
  | { readonly kind: 'bed'; readonly bed: BedId }
  | { readonly kind: 'encounter'; readonly encounter: Encounter }
  | { readonly kind: 'association'; readonly association: Association }
  | AssociationCorrected
  | PatientMerged
  | { readonly kind: 'limits'; readonly encounter: string }
  | { readonly kind: 'monitoring'; readonly bed: BedId; readonly state: MonitoringState };

/**
 * Begin or end of an association was corrected, on disk: what was told of the stretches that changed hands is wrong
 * now (`correctedSpans`), and whoever was sent it gets a retraction (CLINICAL 11). `association` was told before.
 */
export interface AssociationCorrected {
  readonly kind: 'corrected';
  readonly before: Association;
  readonly after: Association;
  readonly by: string;
  readonly reason: string;
}

/** One patient turned out to be another, or (`undone`) turned out not to be. These stays changed their patient. */
export interface PatientMerged {
  readonly kind: 'merged';
  readonly patient: PatientId;
  readonly into: PatientId;
  readonly undone: boolean;
  readonly encounters: readonly EncounterId[];
  readonly by: string;
  readonly reason: string;
}

/** Who acts: a person, or a device by its id (its own standby). */
export interface Actor {
  readonly id: string;
}

/** What all books of the census share. */
export interface Desk {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly rows: CensusRows;
  record(act: CensusAct): void;
  changed(change: CensusChange): void;
}

/**
 * Memory first, so that the alarm never waits for the disk, then the row; if the row cannot be written, memory goes
 * back and the fault reaches the person who asked.
 */
export async function keep(write: {
  put: () => Promise<void>;
  apply: () => void;
  undo: () => void;
}): Promise<void> {
  write.apply();
  try {
    await write.put();
  } catch (fault) {
    write.undo();
    throw fault;
  }
}
