import type { Alarm } from './alarm.ts';
import type { Encounter, MonitoringState, Patient } from './census.ts';
import type { Link, Mode } from './device.ts';
import type { AlarmId, BedId, DeviceId, PersonId, WardId } from './ids.ts';
import type { Reason, Validity } from './observation.ts';

/** What the live stream carries (DESIGN section 6). The web client is typed by it. */

/** The newest observation of one series, as a tile shows it. Age is the reader's: gateway time − takenAtMs. */
export interface LatestValue {
  readonly device: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  /** Short label of the metric table, or the metric's own id. */
  readonly label: string;
  readonly unit: string;
  readonly decimals: number;
  readonly episodic: boolean;
  readonly value: number | null;
  readonly text?: string;
  readonly code?: string;
  readonly reason?: Reason;
  readonly validity: Validity;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  /** From this age on it is stale: shown greyed, never as current. Absent for episodic values. */
  readonly staleAfterMs?: number;
}

export interface DeviceAtBed {
  readonly device: DeviceId;
  readonly label: string;
  readonly link: Link | 'never-seen';
  readonly lastMessageAtMs?: number;
  readonly mode?: Mode;
}

export interface BedView {
  readonly bed: BedId;
  readonly ward: WardId;
  readonly label: string;
  readonly monitoring: MonitoringState;
  readonly patient?: Patient;
  readonly encounter?: Encounter;
  /** Whether a person has yet to confirm the limit profile, or to tell the age it would be proposed by. */
  readonly profileAsked?: 'no' | 'confirm' | 'age';
  /** Quantities whose limits this ward leaves to the devices' own alarms. */
  readonly deviceJudged?: readonly string[];
  /** Crossings that ended in a backlog and that nobody has seen yet. */
  readonly toReview?: number;
  readonly devices: readonly DeviceAtBed[];
  readonly values: readonly LatestValue[];
  /** Limits in force, for the small marks beside a value. */
  readonly limits: readonly {
    readonly metric: string;
    readonly direction: 'high' | 'low';
    readonly priority: string;
    readonly value: number;
  }[];
}

/** What a screen says of itself every 2 s (CLINICAL 7). */
export interface ScreenBeat {
  readonly visible: boolean;
  readonly wakeLock: boolean;
  readonly audio: boolean;
  /** 0 to 1. */
  readonly battery?: number;
  /** The screen's own clock. */
  readonly nowMs: number;
}

/** From where deliveries are sent again: the epoch last told, and the highest number taken in. */
export interface DeliveryPlace {
  readonly epoch: string;
  readonly number: number;
}

/** Whose waveforms a screen draws; every metric of the bed if none is named. */
export interface WavesAsked {
  readonly bed: BedId;
  /** REFIDs. */
  readonly metrics?: readonly string[];
}

/**
 * Client → server. First what to watch, from where on; then beats. A handheld names its open shift and a wall board
 * itself; from then on it is sent deliveries, and confirms them: `received` when it has one, `shown` when it shows it and
 * can ring for it. Both by number, any order, again does no harm. `waves` is what it draws now, in place of those before; they
 * come as binary messages (model/wave-frame.ts), about four a second a bed, and a reader that falls behind misses them first.
 */
export type StreamRequest =
  | {
      readonly watch: { readonly wards?: readonly WardId[]; readonly beds?: readonly BedId[] };
      readonly from?: { readonly epoch: string; readonly seq: number };
      readonly waves?: readonly WavesAsked[];
    }
  | { readonly waves: readonly WavesAsked[] }
  | { readonly beat: ScreenBeat }
  | { readonly handheld: { readonly shift: string; readonly from?: DeliveryPlace } }
  | { readonly board: { readonly from?: DeliveryPlace } }
  | { readonly received: readonly number[] }
  | { readonly shown: readonly number[] };

/**
 * How it sounds there. `soft`: quiet hours. `reminder`: a latched signal whose condition is gone, or alarms switched off.
 * `none`: it is shown and rings no more (acknowledged, accepted, paused, passed on, ended).
 */
export type DeliverySound = 'alarm' | 'soft' | 'reminder' | 'none';

/** One alarm, or in a flood several low ones of one bed, to one handheld or board. */
export interface AlarmDelivery {
  /** Counts up in this recipient's queue; a later one about the same alarm replaces the earlier. */
  readonly number: number;
  readonly sound: DeliverySound;
  /** The newest, and of a group the most urgent. */
  readonly alarm: Alarm;
  /** All alarms of the bed that this one stands for. */
  readonly group?: readonly AlarmId[];
  /** For a person by hand, by patience, by rejection, to the whole ward … */
  readonly cause: string;
  /** Who else it rings at now, by person. */
  readonly also: readonly PersonId[];
}

/** Server → a handheld or board. */
export type DeliveryMessage =
  /** The shift it named is not this person's, or is over: nothing is delivered there. The stream goes on. */
  | { readonly refused: { readonly shift: string; readonly why: 'absent' | 'ended' } }
  | { readonly deliveries: readonly AlarmDelivery[]; readonly epoch: string }
  | {
      /** How the gateway sees this screen: at once when it is named, then whenever that changes. */
      readonly recipient: {
        readonly id: string;
        readonly epoch: string;
        readonly canRing: boolean;
        /** Why not, or what only warns: `hidden`, `wake-lock-off`, `audio-off`, `silent` · `battery-low`, `clock-off`. */
        readonly why: readonly string[];
        readonly nowMs: number;
      };
    };

/** Server → client. Unknown seq or a new epoch means a new snapshot. */
export type WatchMessage = { readonly epoch: string; readonly seq: number } & (
  | {
      readonly snapshot: {
        readonly nowMs: number;
        readonly demo: boolean;
        readonly beds: readonly BedView[];
        readonly alarms: readonly Alarm[];
      };
    }
  | { readonly alarm: Alarm }
  | { readonly bed: BedView }
  | { readonly values: { readonly bed: BedId; readonly values: readonly LatestValue[] } }
  | { readonly beat: { readonly nowMs: number } }
);
export type StreamMessage = WatchMessage | DeliveryMessage;
