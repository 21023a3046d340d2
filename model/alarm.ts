import type { AlarmId, BedId, DeviceId, EncounterId, WardId } from './ids.ts';

/** Highest last, so that priorities compare by index. */
export const priorities = ['low', 'medium', 'high'] as const;
export type Priority = (typeof priorities)[number];
export type Direction = 'high' | 'low';

/** A threshold in force, with its origin. Band = one limit; a metric may have a medium and a high one. */
export interface AlarmLimit {
  readonly metric: string;
  readonly direction: Direction;
  readonly priority: Priority;
  readonly value: number;
  readonly delayS: number;
  readonly hysteresis: number;
  /** Absent: the larger of 10 s and 3 periods (15 s at least where several sources feed one limit). */
  readonly maxGapS?: number;
  readonly origin: 'default' | 'ward' | 'encounter';
  readonly setBy?: string;
  readonly setAtMs?: number;
  readonly untilMs?: number;
}

// The five axes of CLINICAL 4.
export type Presence = 'absent' | 'pending' | 'present' | 'sourceLost';
export type AlarmSignal = 'off' | 'on' | 'latched';
export type Inactivation =
  'enabled' | 'audioPaused' | 'audioOff' | 'alarmPaused' | 'alarmOff' | 'acknowledged';
export type Responsibility = 'undefined' | 'accepted' | 'rejected';
export type Delivery = 'queued' | 'sent' | 'received' | 'shown' | 'failed';

/** One alarm as shown: an AlarmCondition that was raised, with its signal. */
export interface Alarm {
  readonly id: AlarmId;
  readonly kind: 'physiological' | 'technical';
  /** `limit` for a crossed limit, else a word of the technical table: `device-silent`, `journal-unrecorded` … */
  readonly condition: string;
  readonly priority: Priority;
  readonly ward?: WardId;
  readonly bed?: BedId;
  readonly device?: DeviceId;
  readonly encounter?: EncounterId;
  readonly metric?: string;
  readonly channel?: string;
  readonly direction?: Direction;
  /** The limit in force when it was raised. */
  readonly limit?: number;
  /** The newest judged value, and the most extreme since onset. */
  readonly value?: number;
  readonly peak?: number;
  readonly unit?: string;
  readonly presence: Presence;
  readonly signal: AlarmSignal;
  readonly inactivation: Inactivation;
  readonly responsibility: Responsibility;
  readonly onsetAtMs: number;
  readonly raisedAtMs: number;
  readonly endedAtMs?: number;
  readonly acknowledgedBy?: string;
  readonly acknowledgedAtMs?: number;
  /** The acknowledged signal returns then, if still present. */
  readonly realarmAtMs?: number;
  /** Raised by a value whose validity is questionable. */
  readonly questionable: boolean;
  /** False until the transition is on disk; shown as "not recorded". */
  readonly recorded: boolean;
  /** Who must act on a technical one. */
  readonly owner?: 'nurse' | 'biomed' | 'admin';
  /** Details for the text of a technical alarm (never patient data). */
  readonly details?: Readonly<Record<string, string | number>>;
  /** Counts transitions; an act names the version it saw. */
  readonly version: number;
}

/** What a device says of itself on its `alerts` topic. */
export interface AlertState {
  readonly alertId: string;
  readonly code: string;
  readonly text: string;
  readonly phase: 'start' | 'continue' | 'end';
  readonly priority: Priority | 'advisory';
  readonly type: 'physiological' | 'technical';
  readonly latching?: boolean;
  readonly metric?: string;
  readonly inactivation?: Inactivation;
}
