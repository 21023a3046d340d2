import type { AlertState } from '../../model/alarm.ts';
import type { DecodedItem, Identity, Mode } from '../../model/device.ts';
import type { Reason, Seen, Validity } from '../../model/observation.ts';

/** An observation before anybody knows when: `takenAtMs` stands only where the device says it. */
export type ToldObservation = Seen & {
  readonly metric: string;
  readonly channel?: string;
  /** UCUM, where Vigil does not know the metric; else the metric's own. */
  readonly unit?: string;
  readonly validity: Validity;
  readonly mark?: Reason;
  readonly takenAtMs?: number;
};

/** An alert that is active on the device; when it began and ended is found by comparing. */
export type ActiveAlert = Omit<AlertState, 'phase'>;

/** What a codec makes of bytes, in the order of the wire. */
export type Told =
  | ({ readonly kind: 'observation' } & ToldObservation)
  /** All alerts that are active now: whatever is not among them has ended. */
  | { readonly kind: 'alerts'; readonly alerts: readonly ActiveAlert[] }
  | { readonly kind: 'identity'; readonly identity: Identity }
  | { readonly kind: 'state'; readonly mode?: Mode; readonly clockMs?: number }
  /** Raw samples of the one wave the device has; −32768 = no sample. */
  | { readonly kind: 'samples'; readonly samples: readonly number[] }
  /** A good frame, whatever was in it. */
  | { readonly kind: 'frame' }
  | { readonly kind: 'refused'; readonly cause: string; readonly raw: Buffer; readonly checksum?: true };

/** Bytes in pieces of any size in, what they say out. Never throws on input. */
export interface StreamCodec {
  push(chunk: Buffer): readonly Told[];
  /** What stands there at the end of all bytes, without the end of its frame. */
  rest(): readonly Told[];
}

export const value = (metric: string, number: number, mark?: Reason): Told =>
  mark
    ? { kind: 'observation', metric, value: number, validity: 'questionable', mark }
    : { kind: 'observation', metric, value: number, validity: 'valid' };

export const missing = (metric: string, reason: Reason): Told => ({
  kind: 'observation',
  metric,
  value: null,
  reason,
  validity: 'invalid',
});

/** The number if it lies in the span of the instrument, else that it does not. */
export const within = (
  metric: string,
  number: number,
  span: readonly [number, number],
  mark?: Reason,
): Told =>
  number >= span[0] && number <= span[1] ? value(metric, number, mark) : missing(metric, 'out-of-span');

/** The pure half of a driver over a stream: an alert is told when it is new, an identity when it changed. */
export function decodeAll(codec: StreamCodec, bytes: Buffer): DecodedItem[] {
  let active = new Set<string>();
  let known = '';
  return [...codec.push(bytes), ...codec.rest()].flatMap((told): DecodedItem[] => {
    switch (told.kind) {
      case 'observation':
        return [told];
      case 'alerts': {
        const fresh = told.alerts.filter(({ alertId }) => !active.has(alertId));
        active = new Set(told.alerts.map(({ alertId }) => alertId));
        return fresh.map((alert) => ({ kind: 'alert', alert: { ...alert, phase: 'start' } }));
      }
      case 'identity': {
        const same = JSON.stringify(told.identity) === known;
        known = JSON.stringify(told.identity);
        return same ? [] : [told];
      }
      case 'refused':
        return [{ kind: 'refused', cause: told.cause, rawHex: told.raw.toString('hex') }];
      case 'state':
      case 'samples':
      case 'frame':
        return [];
      default:
        return told satisfies never;
    }
  });
}
