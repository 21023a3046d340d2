/** Bytes that do not hold what their own lengths say. Caught in message.ts: it never leaves the codec. */
export class Malformed extends Error {}

/** Reads big-endian numbers one after the other; throws Malformed where the bytes end too early. */
export interface Cursor {
  readonly left: number;
  u8(): number;
  u16(): number;
  u32(): number;
  bytes(count: number): Buffer;
  /** The next `count` bytes as a cursor of their own. */
  part(count: number): Cursor;
  /** Everything must have been read: a length that says otherwise makes the whole message doubtful. */
  end(what: string): void;
}

export function createCursor(bytes: Buffer): Cursor {
  let at = 0;
  const take = (count: number): number => {
    if (at + count > bytes.length) throw new Malformed('it ends too early');
    at += count;
    return at - count;
  };
  const slice = (count: number): Buffer => {
    const from = take(count);
    return bytes.subarray(from, from + count);
  };
  return {
    get left() {
      return bytes.length - at;
    },
    u8: () => bytes.readUInt8(take(1)),
    u16: () => bytes.readUInt16BE(take(2)),
    u32: () => bytes.readUInt32BE(take(4)),
    bytes: slice,
    part: (count) => createCursor(slice(count)),
    end: (what) => {
      if (at !== bytes.length) throw new Malformed(`the length of ${what} is wrong`);
    },
  };
}

/** A list of the protocol: count u16, length u16, then that many entries which fill the length exactly. */
export function readList<T>(from: Cursor, what: string, entry: (list: Cursor) => T): T[] {
  const count = from.u16();
  const list = from.part(from.u16());
  // Every entry has at least 2 bytes: a count beyond that is a wrong one.
  if (count * 2 > list.left) throw new Malformed(`the count of ${what} is wrong`);
  const entries = Array.from({ length: count }, () => entry(list));
  list.end(what);
  return entries;
}

/** Attributes by id. An id that comes twice keeps its first value. */
export type Attributes = ReadonlyMap<number, Buffer>;

export function readAttributes(from: Cursor): Attributes {
  const found = new Map<number, Buffer>();
  readList(from, 'an attribute list', (list) => {
    const id = list.u16();
    const value = list.bytes(list.u16());
    if (!found.has(id)) found.set(id, value);
  });
  return found;
}

/**
 * FLOAT: exponent s8, mantissa s24. A word for the special mantissas. Divides for negative exponents, so that 971e-1
 * is 97.1 and not 97.10000000000001.
 */
export function readFloat(bits: number): number | 'nan' | 'not-at-this-resolution' | 'high' | 'low' {
  const mantissa = bits & 0xffffff;
  if (mantissa === 0x7fffff) return 'nan';
  if (mantissa === 0x7ffffe) return 'high';
  if (mantissa === 0x800002) return 'low';
  if (mantissa === 0x800000 || mantissa === 0x800001) return 'not-at-this-resolution';
  const exponent = bits >> 24;
  const signed = (mantissa << 8) >> 8;
  const value = exponent < 0 ? signed / 10 ** -exponent : signed * 10 ** exponent;
  return Object.is(value, -0) ? 0 : value;
}
