import { localTime, type LocalTime } from '../../model/local-time.ts';
import type { Reason } from '../../model/observation.ts';

/** A number, or why there is none: the special values of SFLOAT and FLOAT (ISO/IEEE 11073-20601). */
export type Number16 = { readonly number: number } | { readonly none: Reason };

/** Date and time of a packet: unknown where it holds zeros, `wrong` where there is no such date. */
export type Stamp = LocalTime | 'unknown' | 'wrong';

/** Takes little-endian fields off the front of a packet. Past the end it gives 0, and `whole()` says so. */
export interface Reader {
  u8(): number;
  u16(): number;
  s16(): number;
  u24(): number;
  sfloat(): Number16;
  float(): Number16;
  stamp(): Stamp;
  /** Bytes not taken yet. */
  left(): number;
  /** Every byte was taken, and none was missing. */
  whole(): boolean;
}

export function createReader(bytes: Buffer): Reader {
  let at = 0;
  const take = (count: number): number => {
    let number = 0;
    for (let n = 0; n < count; n++) number += (bytes[at + n] ?? 0) * 256 ** n;
    at += count;
    return number;
  };
  const signed = (number: number, bits: number): number =>
    number >= 2 ** (bits - 1) ? number - 2 ** bits : number;
  return {
    u8: () => take(1),
    u16: () => take(2),
    s16: () => signed(take(2), 16),
    u24: () => take(3),
    sfloat: () => sfloat(take(2)),
    float: () => float(take(3), signed(take(1), 8)),
    stamp: () => stampOf([take(2), take(1), take(1), take(1), take(1), take(1)]),
    left: () => bytes.length - at,
    whole: () => at === bytes.length,
  };
}

const specials16: ReadonlyMap<number, Reason> = new Map([
  [0x07ff, 'not-measured'],
  [0x0800, 'not-measured'],
  [0x0801, 'not-measured'],
  [0x07fe, 'over-range'],
  [0x0802, 'under-range'],
]);
const specials24: ReadonlyMap<number, Reason> = new Map([
  [0x7fffff, 'not-measured'],
  [0x800000, 'not-measured'],
  [0x800001, 'not-measured'],
  [0x7ffffe, 'over-range'],
  [0x800002, 'under-range'],
]);

/** Exponent in the top 4 bits, mantissa in 12; the special values have the exponent 0. */
export function sfloat(raw: number): Number16 {
  const none = specials16.get(raw);
  if (none) return { none };
  const exponent = raw >> 12 >= 8 ? (raw >> 12) - 16 : raw >> 12;
  const mantissa = (raw & 0xfff) >= 0x800 ? (raw & 0xfff) - 0x1000 : raw & 0xfff;
  return { number: scaled(mantissa, exponent) };
}

export function float(mantissa: number, exponent: number): Number16 {
  const none = specials24.get(mantissa);
  if (none) return { none };
  return { number: scaled(mantissa >= 0x800000 ? mantissa - 0x1000000 : mantissa, exponent) };
}

/** Divides where the exponent is negative: 368 / 10 is 36.8, 368 × 0.1 is not. */
const scaled = (mantissa: number, exponent: number): number =>
  exponent < 0 ? mantissa / 10 ** -exponent : mantissa * 10 ** exponent;

function stampOf([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]): Stamp {
  if (year === 0 || month === 0 || day === 0) return 'unknown';
  return localTime({ year, month, day, hour, minute, second }) ?? 'wrong';
}
