import type { BedId, DeviceId, HostId, WardId } from './ids.ts';
import type { FaultReport } from './fault.ts';
import type { AlertState } from './alarm.ts';
import type { Observation, Waveform } from './observation.ts';

/** What a driver says of its wire. The contract topic `state` says birth · death. */
export type Link = 'searching' | 'connected' | 'lost';

/** The device's own mode. */
export type Mode = 'operating' | 'standby' | 'demo' | 'test';

export interface Identity {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly serial?: string;
}

/** Whether a device stands in store, serves a bed, or is being mended. */
export const duties = ['spare', 'in-use', 'maintenance'] as const;
export type Duty = (typeof duties)[number];

/** A registered device. `driver` is absent for one that speaks the device contract itself (a wearable). */
export interface Device {
  readonly id: DeviceId;
  readonly label: string;
  readonly ward: WardId;
  readonly duty: Duty;
  readonly driver?: string;
  readonly host?: HostId;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly identity?: Identity;
  /** Fixed place, if it has one; an association may still move it. */
  readonly bed?: BedId;
  readonly assetNumber?: string;
  /** Unique device identification as its label carries it: a GS1 string, or its device identifier. */
  readonly udi?: string;
  /** How often a message is due, ms; silence is judged by it (CLINICAL 6). */
  readonly periodMs: number;
}

/** Counters and last events of one device, from its driver, its host and the front door. */
export interface DeviceHealth {
  readonly device: DeviceId;
  readonly link: Link | 'never-seen';
  readonly lastMessageAtMs?: number;
  /** It sends with QoS 0: what is lost on its way is lost by design. */
  readonly notConfirmed?: true;
  readonly mode?: Mode;
  readonly identity?: Identity;
  readonly clockOffsetMs?: number;
  readonly clockTrusted: boolean;
  readonly frames: number;
  readonly discardedBytes: number;
  readonly badChecksums: number;
  readonly lateReplies: number;
  readonly disconnectsLastHour: number;
  readonly refusals: number;
  readonly roundTripP50Ms?: number;
  readonly roundTripP99Ms?: number;
  readonly pollDebt?: number;
  readonly lastFault?: FaultReport & { readonly atMs: number; readonly rawHex?: string };
}

/** What `npm run decode` prints and a device test shows: one line each. */
export type DecodedItem =
  | ({ readonly kind: 'observation' } & Omit<Observation, 'takenAtMs'> & { readonly takenAtMs?: number })
  | ({ readonly kind: 'waveform' } & Waveform)
  | { readonly kind: 'alert'; readonly alert: AlertState }
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'refused'; readonly cause: string; readonly rawHex: string };
