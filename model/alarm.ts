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

/** Who says that the condition is there: Vigil's own limit or rule, or the device's own alarm (CLINICAL 5). */
export interface AlarmSource {
  readonly by: 'limit' | 'device';
  readonly priority: Priority;
  readonly device?: DeviceId;
  /** Of a device's alert: as it was sent. */
  readonly alertId?: string;
  readonly code?: string;
  readonly text?: string;
  readonly latching?: boolean;
  /** What was done about it at the bedside; followed for a bounded time. */
  readonly inactivation?: Inactivation;
  /** The device said nothing of it for 3 intervals: kept, as it was. */
  readonly lost?: boolean;
}

/** Where a redirection has come to; written by the router alone and kept over a restart. */
export interface AlarmRoute {
  /** 1 = the first level of the chain. */
  readonly level: number;
  /** 1 = the first time through the chain. */
  readonly round: number;
  readonly sinceMs: number;
  /** When patience is over; absent: it does not move on by itself. */
  readonly untilMs?: number;
  /** To whom it rings. */
  readonly to: readonly string[];
  readonly rejectedBy: readonly string[];
}

/** One alarm as shown: an AlarmCondition that was raised, with its signal. */
export interface Alarm {
  readonly id: AlarmId;
  readonly kind: 'physiological' | 'technical';
  /**
   * `limit` for a crossed limit, `device` for a device's own alarm about nothing Vigil has a limit for, else a word of
   * the tables of docs/alarms.md: `device-silent`, `overdue`, `journal-unrecorded` …
   */
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
  /** Of a pause or an off: by whom (name), why, since when and until when; no end: untimed. */
  readonly inactivatedBy?: string;
  readonly inactivatedAtMs?: number;
  readonly inactivatedUntilMs?: number;
  readonly inactivationReason?: string;
  /** Who goes (name), and until when everybody waits for it. */
  readonly acceptedBy?: string;
  readonly acceptedAtMs?: number;
  readonly acceptUntilMs?: number;
  /** The newest who cannot go (name). */
  readonly rejectedBy?: string;
  /** The signal stays when the condition ends, until a person clears it. */
  readonly latching: boolean;
  /** All who say so now. */
  readonly sources: readonly AlarmSource[];
  readonly route?: AlarmRoute;
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

/**
 * Whether handhelds must ring for it: its signal is on, and nobody has acknowledged, paused or accepted it. A latched one
 * does not ring, it reminds.
 */
export const mustRing = (alarm: Pick<Alarm, 'signal' | 'inactivation' | 'responsibility'>): boolean =>
  alarm.signal === 'on' && alarm.inactivation === 'enabled' && alarm.responsibility !== 'accepted';

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
  /** Which side of its limit; absent: told by the words of code and text. */
  readonly direction?: Direction;
  readonly inactivation?: Inactivation;
}
