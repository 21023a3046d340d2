import { instantOf, type LocalTime } from '../../model/local-time.ts';
import type { Mode } from '../../model/device.ts';
import type { Reason } from '../../model/observation.ts';
import { convert } from '../../model/units.ts';
import type { ActiveAlert, ToldObservation } from '../transport/told.ts';
import type { Number16, Reader, Stamp } from './reader.ts';

/** One observation; `agoMs` is how long before the packet it was. */
export type Item = ToldObservation & { readonly agoMs?: number };

/** What a packet says, or why it says nothing. */
export type Packet =
  | {
      readonly items: readonly Item[];
      /** Holds its own time: the same bytes again are the same measurement again. */
      readonly stamped: boolean;
      readonly mode?: Mode;
      /** All alerts of this characteristic that are active; absent where it cannot tell any. */
      readonly alerts?: readonly ActiveAlert[];
    }
  | { readonly cause: string };

export type ReadPacket = (reader: Reader, timeZone: string) => Packet;

/** How a number stands: nothing is measured, or it is in doubt. */
export interface Standing {
  readonly none?: Reason | undefined;
  readonly mark?: Reason | undefined;
}

export interface Measure {
  readonly metric: string;
  readonly seen: Number16;
  readonly span: readonly [number, number];
  /** UCUM as sent and of the metric, where they differ. */
  readonly from?: string;
  readonly to?: string;
}

/** An observation in the metric's own unit. A status that says why counts before the number's own special value. */
export function observe({ metric, seen, span, from, to }: Measure, { none, mark }: Standing = {}): Item {
  const missing = (reason: Reason): Item => ({ metric, value: null, reason, validity: 'invalid' });
  if (none) return missing(none);
  if ('none' in seen) return missing(seen.none === 'not-measured' ? (mark ?? seen.none) : seen.none);
  const number = from && to ? convert(seen.number, from, to, metric) : seen.number;
  if (number === undefined) return missing('unit');
  if (number < span[0] || number > span[1]) return missing('out-of-span');
  const value = Math.round(number * 1000) / 1000;
  return mark ? { metric, value, validity: 'questionable', mark } : { metric, value, validity: 'valid' };
}

/** The packet if every byte of it was understood, its values at its own time where it has one. */
export function packet(
  reader: Reader,
  items: readonly Item[],
  {
    stamp,
    offsetMin = 0,
    timeZone,
    ...more
  }: {
    readonly stamp?: Stamp | undefined;
    readonly offsetMin?: number;
    readonly timeZone: string;
    readonly mode?: Mode | undefined;
  },
): Packet {
  if (!reader.whole()) return { cause: 'another length than its flags say' };
  if (stamp === 'wrong') return { cause: 'a date or time that does not exist' };
  const mode = more.mode && { mode: more.mode };
  if (stamp === undefined || stamp === 'unknown') return { items, stamped: false, ...mode };
  const takenAtMs = instant(stamp, timeZone) + offsetMin * 60_000;
  return { items: items.map((item) => ({ ...item, takenAtMs })), stamped: true, ...mode };
}

const instant = (stamp: LocalTime, timeZone: string): number => instantOf(stamp, timeZone);

/** The first row whose bit is set. */
export const firstOf = (
  bits: number,
  rows: readonly (readonly [bit: number, reason: Reason])[],
): Reason | undefined => rows.find(([bit]) => Math.floor(bits / 2 ** bit) % 2 === 1)?.[1];
