import type { Alarm } from './alarm.ts';
import type { Encounter, MonitoringState, Patient } from './census.ts';
import type { Link, Mode } from './device.ts';
import type { BedId, DeviceId, WardId } from './ids.ts';
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

/** Client → server: first what to watch, from where on; then beats. */
export type StreamRequest =
  | {
      readonly watch: { readonly wards?: readonly WardId[]; readonly beds?: readonly BedId[] };
      readonly from?: { readonly epoch: string; readonly seq: number };
    }
  | {
      readonly beat: {
        readonly visible: boolean;
        readonly wakeLock: boolean;
        readonly audio: boolean;
        readonly battery?: number;
        readonly nowMs: number;
      };
    };

/** Server → client. Unknown seq or a new epoch means a new snapshot. */
export type StreamMessage = { readonly epoch: string; readonly seq: number } & (
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
