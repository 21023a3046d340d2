/** Minimal lower layer protocol: 0B, the message, 1C 0D (HL7 2.6 implementation guide, appendix C). */
const start = 0x0b;
const end = 0x1c;
const carriageReturn = 0x0d;

export const frame = (message: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([start]), message, Buffer.from([end, carriageReturn])]);

export type Framed =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** Bytes that belong to no message. */
  | { readonly kind: 'garbage'; readonly bytes: Buffer };

export interface Framer {
  push(chunk: Buffer): Framed[];
  /** What stands there without its end, once nothing has come for a while: a message if it was sent without a frame. */
  idle(): Framed[];
  /** Bytes that wait for the end of their message. */
  readonly waiting: number;
}

/**
 * Cuts a byte stream into messages, in pieces of any size. Senders that leave the frame out are read too: such a message
 * begins with MSH at the beginning of a line and ends with the next, or when the line is quiet (`idle`). A message longer than
 * `mostBytes` is garbage. Never throws on input.
 */
export function createFramer(mostBytes: number): Framer {
  let held: Buffer = Buffer.alloc(0);

  /** The next whole message in what is held; undefined until more comes. */
  const next = (): Framed | undefined => {
    // The CR of a frame's end may come later than the rest of it.
    while (held[0] === carriageReturn || held[0] === 0x0a) held = held.subarray(1);
    const framed = held.indexOf(start);
    const bare = bareStart(held);
    if (bare >= 0 && (framed < 0 || bare < framed)) {
      if (bare > 0) return cut(bare, 'garbage');
      // Its end is where something else begins.
      const ends = [framed, bareStart(held.subarray(3)) + 3].filter((at) => at > 2);
      return ends.length === 0 ? undefined : cut(Math.min(...ends), 'message');
    }
    if (framed < 0) return held.length > 3 ? cut(held.length - 3, 'garbage') : undefined;
    if (framed > 0) return cut(framed, 'garbage');
    const again = held.indexOf(start, 1);
    const stop = held.indexOf(end, 1);
    // A new beginning before the end: the first message was cut off.
    if (again > 0 && (stop < 0 || again < stop)) return cut(again, 'garbage');
    if (stop < 0) return undefined;
    const bytes = Buffer.from(held.subarray(1, stop));
    // 1C stands at the end alone; the CR behind it may come later, and some senders leave it out.
    held = held.subarray(held[stop + 1] === carriageReturn ? stop + 2 : stop + 1);
    return { kind: 'message', bytes };
  };

  const cut = (length: number, kind: Framed['kind']): Framed => {
    const bytes = Buffer.from(held.subarray(0, length));
    held = held.subarray(length);
    return { kind, bytes };
  };

  return {
    push: (chunk) => {
      held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
      const found: Framed[] = [];
      for (let one = next(); one; one = next()) if (!isEnd(one)) found.push(one);
      if (held.length > mostBytes) found.push(cut(held.length, 'garbage'));
      return found;
    },
    idle: () => {
      if (held.length === 0) return [];
      const whole = bareStart(held) === 0 && /\r|\n/.test(held.toString('latin1'));
      const one = cut(held.length, whole ? 'message' : 'garbage');
      return isEnd(one) ? [] : [one];
    },
    get waiting() {
      return held.length;
    },
  };
}

/** What is left of a frame's end, or the line ends between two messages. */
const isEnd = ({ kind, bytes }: Framed): boolean =>
  kind === 'garbage' && bytes.every((byte) => byte === carriageReturn || byte === 0x0a || byte === end);

/** Where a message without a frame begins: MSH and a delimiter, at the beginning or behind a line end. */
function bareStart(bytes: Buffer): number {
  for (let at = bytes.indexOf('MSH'); at >= 0; at = bytes.indexOf('MSH', at + 1)) {
    const before = at === 0 ? carriageReturn : bytes[at - 1];
    const delimiter = bytes[at + 3];
    if (
      (before === carriageReturn || before === 0x0a || before === end) &&
      (delimiter === undefined || delimiter === 0x7c)
    )
      return at;
  }
  return -1;
}
