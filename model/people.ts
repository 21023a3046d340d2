import type { BedId, PersonId, WardId } from './ids.ts';
import type { Role } from './person.ts';

/** What a handheld said of itself when the shift began: whether it could ring then (CLINICAL 7). */
export interface HandheldCheck {
  readonly visible: boolean;
  readonly wakeLock: boolean;
  readonly audio: boolean;
  /** 0 to 1. */
  readonly battery?: number;
  /** Gateway time minus the handheld's. */
  readonly clockOffsetMs?: number;
}

/** A person with a handheld, from sign-on to sign-off. Alarms ring on the handhelds of open shifts. */
export interface Shift {
  readonly id: string;
  readonly person: PersonId;
  /** As it stands on the handheld: "H-07". */
  readonly handheld: string;
  readonly wards: readonly WardId[];
  readonly beganAtMs: number;
  readonly endedAtMs?: number;
  readonly check?: HandheldCheck & { readonly canRing: boolean };
}

/** A bed in somebody's care. It ends only when another nurse has taken the bed, never by the clock (CLINICAL 8). */
export interface Assignment {
  readonly id: string;
  readonly bed: BedId;
  readonly ward: WardId;
  readonly person: PersonId;
  readonly beganAtMs: number;
  readonly endedAtMs?: number;
  readonly endedBy?: PersonId;
}

/** *Cover my beds*: somebody else hears a person's alarms for at most an hour, once that somebody has accepted. */
export interface Cover {
  readonly id: string;
  readonly ward: WardId;
  readonly from: PersonId;
  readonly to: PersonId;
  readonly minutes: number;
  readonly askedAtMs: number;
  readonly acceptedAtMs?: number;
  /** Absent until accepted. */
  readonly untilMs?: number;
  readonly endedAtMs?: number;
}

/** Who is on one level of a chain. `assigned`: whoever has the bed, or covers for them. */
export type ChainTarget =
  | { readonly assigned: true }
  | { readonly person: PersonId }
  | { readonly role: Extract<Role, 'nurse' | 'charge-nurse' | 'physician'> }
  | { readonly board: true }
  | { readonly outlet: string };

/** How long a level may be silent before the next one rings, s. */
export interface PatienceS {
  readonly high: number;
  readonly medium: number;
  readonly low: number;
}

/** A daily span in the ward's own time in which low and medium sound softer; high never does. */
export interface QuietHours {
  /** HH:MM. */
  readonly from: string;
  readonly to: string;
  /** IANA name, as Asia/Shanghai. */
  readonly zone: string;
}

/** To whom a ward's alarms are passed: up to five levels, then the whole ward and the boards. */
export interface Chain {
  readonly ward: WardId;
  readonly levels: readonly (readonly ChainTarget[])[];
  readonly patienceS: PatienceS;
  readonly quietHours?: QuietHours;
  /** Absent: the defaults. */
  readonly setBy?: PersonId;
  readonly setAtMs?: number;
}

export const longestCoverMinutes = 60;
export const mostLevels = 5;
export const defaultPatienceS: PatienceS = { high: 60, medium: 120, low: 300 };
