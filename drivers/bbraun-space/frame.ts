/** Control bytes of the Space BCC protocol (I0022_000030, version 4.0). */
export const control = {
  soh: 0x01,
  stx: 0x02,
  etx: 0x03,
  eot: 0x04,
  ack: 0x06,
  nak: 0x15,
  etb: 0x17,
} as const;

/** All that may ever be sent: is somebody there, which version, and reading the memory. */
const allowed = /^(ADMIN:ALIVE|ADMIN:VERSION|MEM:GET|MEM:GETSLOT#[1-9][1-9])$/;

/** One block with good length and check. */
export interface Block {
  readonly bed: string;
  /** Between `>` and ETX or ETB. */
  readonly information: Buffer;
  /** False: more blocks follow (ETB). */
  readonly last: boolean;
}

const digits = (value: number): string => String(value).padStart(5, '0');

function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return sum & 0xff;
}

/** A request as bytes; undefined for one that may not be sent, or a bed id that is none. */
export function encodeRequest(bed: string, request: string, stuffed: boolean): Buffer | undefined {
  if (!allowed.test(request) || !/^[A-Za-z0-9_-]{1,32}$/.test(bed)) return undefined;
  const information = `${bed}/1/1>${request}`;
  const length = 1 + 5 + 1 + information.length + 1 + 5 + 1;
  const body = Buffer.from(`\x01${digits(length)}\x02${information}\x03`, 'latin1');
  const plain = Buffer.concat([body, Buffer.from(`${digits(sumOf(body))}\x04`, 'latin1')]);
  return stuffed ? stuff(plain) : plain;
}

const D = 0x44;
const E = 0x45;
const d = 0x64;
const e = 0x65;
const X = 0x58;
const x = 0x78;
const pairs: Readonly<Record<number, readonly [number, number]>> = {
  [D]: [E, X],
  [E]: [E, E],
  [d]: [e, x],
  [e]: [e, e],
};

export const stuff = (plain: Uint8Array): Buffer =>
  Buffer.from([...plain].flatMap((byte) => pairs[byte] ?? [byte]));

/**
 * Pair by pair from the left: `EEX` is E and X, never E and D. Undefined where a pair is none: then the message was
 * not stuffed.
 */
export function unstuff(bytes: Uint8Array): Buffer | undefined {
  const plain: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== E && byte !== e) {
      plain.push(byte);
      continue;
    }
    const next = bytes[++at];
    if (next === byte) plain.push(byte);
    else if (byte === E && next === X) plain.push(D);
    else if (byte === e && next === x) plain.push(d);
    else return undefined;
  }
  return Buffer.from(plain);
}

export type Item =
  | { readonly kind: 'block'; readonly block: Block; readonly raw: Buffer }
  | { readonly kind: 'bad'; readonly cause: string; readonly raw: Buffer };

export interface Framer {
  push(chunk: Uint8Array): { readonly items: readonly Item[]; readonly discarded: number };
  rest(): Buffer;
}

/** Length has five digits; the maker's blocks are much shorter, stuffing at most doubles them. */
const longest = 16_384;

/** Cuts a byte stream in pieces of any size at SOH and EOT. */
export function createFramer(): Framer {
  let open: number[] | undefined;
  return {
    push: (chunk) => {
      const items: Item[] = [];
      let discarded = 0;
      const drop = (cause: string): void => {
        if (open) items.push({ kind: 'bad', cause, raw: Buffer.from(open) });
        open = undefined;
      };
      for (const byte of chunk) {
        if (byte === control.soh) {
          drop('cut off by the next block');
          open = [byte];
        } else if (!open) {
          if (byte !== control.ack && byte !== control.nak) discarded += 1;
        } else {
          open.push(byte);
          if (byte === control.eot) {
            items.push(check(Buffer.from(open)));
            open = undefined;
          } else if (open.length > longest) drop('longer than any block');
        }
      }
      return { items, discarded };
    },
    rest: () => Buffer.from(open ?? []),
  };
}

/** Stuffing can be switched off at the device: length and check tell which of the two readings is meant. */
function check(raw: Buffer): Item {
  const plain = readBlock(raw);
  if (typeof plain !== 'string') return { kind: 'block', block: plain, raw };
  const unstuffed = unstuff(raw);
  const block = unstuffed && readBlock(unstuffed);
  if (block === undefined || typeof block === 'string') return { kind: 'bad', cause: block ?? plain, raw };
  return { kind: 'block', block, raw };
}

const headBytes = 7;
const tailBytes = 7;

function readBlock(bytes: Buffer): Block | string {
  const head = bytes.subarray(0, headBytes);
  const tail = bytes.subarray(-tailBytes);
  const length = head.toString('latin1', 1, 6);
  const sum = tail.toString('latin1', 1, 6);
  const end = tail[0];
  const framed = bytes.length > headBytes + tailBytes && head[6] === control.stx;
  if (
    !framed ||
    (end !== control.etx && end !== control.etb) ||
    !/^\d{5}$/.test(length) ||
    !/^\d{5}$/.test(sum)
  ) {
    return 'no block with its length and check';
  }
  if (Number(length) !== bytes.length) return `length ${bytes.length} instead of ${Number(length)}`;
  const expected = sumOf(bytes.subarray(0, bytes.length - 6));
  if (Number(sum) !== expected) return `check ${digits(expected)} expected`;
  const found = /^([ -=?-~]{1,64}\/\d+\/\d+)>([^]*)$/.exec(
    bytes.toString('latin1', headBytes, bytes.length - tailBytes),
  );
  if (!found) return 'no bed id';
  const [, bed = '', information = ''] = found;
  return { bed, information: Buffer.from(information, 'latin1'), last: end === control.etx };
}
