import type { BedId, DeviceId, EncounterId, PatientId, WardId } from './ids.ts';

export const profiles = [
  'neonate',
  'infant',
  'child',
  'schoolchild',
  'adolescent',
  'adult',
  'obstetric',
] as const;
export type Profile = (typeof profiles)[number];

export interface Ward {
  readonly id: WardId;
  readonly name: string;
  /** The default profile of its limits. */
  readonly profile: Profile;
}

export interface Bed {
  readonly id: BedId;
  readonly ward: WardId;
  /** As it stands on the wall: "12", "ICU-3". */
  readonly label: string;
}

export type MonitoringState = 'on' | 'standby' | 'away';

export interface Patient {
  readonly id: PatientId;
  /** The hospital's number, if known. */
  readonly mrn?: string;
  readonly name?: string;
  /** yyyy-mm-dd. */
  readonly birthDate?: string;
  readonly sex?: 'female' | 'male' | 'other' | 'unknown';
  /** Made by Vigil for somebody not yet known; merged later. */
  readonly temporary: boolean;
  /** The patient this one turned out to be: stays and values are found under that id, and under this one too. */
  readonly mergedInto?: PatientId;
}

/** The stay. */
export interface Encounter {
  readonly id: EncounterId;
  readonly patient: PatientId;
  readonly ward: WardId;
  readonly bed?: BedId;
  readonly profile: Profile;
  /** Who confirmed it; absent: proposed by birth date or ward. */
  readonly profileConfirmedBy?: string;
  readonly admittedAtMs: number;
  readonly dischargedAtMs?: number;
  /** Where it was before it was transferred, oldest first, each until that instant. */
  readonly moves?: readonly { readonly ward: WardId; readonly bed?: BedId; readonly untilMs: number }[];
}

/** Device–bed–encounter for a period: begin inclusive, end exclusive. The only road from a value to a patient. */
export interface Association {
  readonly id: string;
  readonly device: DeviceId;
  readonly bed: BedId;
  /** Absent: a bed without a known patient. */
  readonly encounter?: EncounterId;
  readonly beginAtMs: number;
  readonly endAtMs?: number;
  readonly begunBy: string;
  readonly endedBy?: string;
  /** What it was before each correction, oldest first. */
  readonly corrections?: readonly AssociationCorrection[];
}

/** One correction of begin or end (CLINICAL 11): what stood there before, who changed it, when and why. */
export interface AssociationCorrection {
  readonly atMs: number;
  readonly by: string;
  readonly reason: string;
  /** As it was before. */
  readonly beginAtMs: number;
  /** As it was before; absent: it was open. */
  readonly endAtMs?: number;
}
