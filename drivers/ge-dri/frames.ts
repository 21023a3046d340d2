/** One record on the line: 7E, record and checksum with their 7E and 7D escaped, 7E. */
const flag = 0x7e;
const escape = 0x7d;
/** Header 40, data 1450, checksum 1. */
const longest = 40 + 1450 + 1;

export interface Frames {
  push(chunk: Buffer): Found;
}
export interface Found {
  /** Records whose checksum and length are right. */
  readonly records: readonly Buffer[];
  readonly bad: readonly { readonly cause: string; readonly bytes: Buffer }[];
  /** Bytes too few or too many for a record. */
  readonly discarded: number;
}

/**
 * Cuts a byte stream, in pieces of any size, at its flags. What stands between two flags is a record or noise: the
 * checksum and the length tell which, so garbage between frames costs nothing but itself.
 */
export function createFrames(): Frames {
  let open: number[] = [];
  let overlong = false;
  return {
    push: (chunk) => {
      const records: Buffer[] = [];
      const bad: { cause: string; bytes: Buffer }[] = [];
      let discarded = 0;
      for (const byte of chunk) {
        if (byte !== flag) {
          // Escapes may double every byte.
          if (open.length < 2 * longest) open.push(byte);
          else {
            overlong = true;
            discarded += 1;
          }
          continue;
        }
        const bytes = Buffer.from(open);
        if (bytes.length > 0) {
          const found = overlong ? 'longer than any record' : unwrap(bytes);
          if (typeof found !== 'string') records.push(found);
          else if (bytes.length < 41) discarded += bytes.length;
          else bad.push({ cause: found, bytes });
        }
        open = [];
        overlong = false;
      }
      return { records, bad, discarded };
    },
  };
}

function unwrap(bytes: Buffer): Buffer | string {
  const plain: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes.readUInt8(at);
    if (byte !== escape) {
      plain.push(byte);
      continue;
    }
    const next = bytes[++at];
    if (next !== 0x5e && next !== 0x5d) return 'a wrong escape';
    plain.push(next ^ 0x20);
  }
  const record = Buffer.from(plain.slice(0, -1));
  if (record.length < 40) return 'shorter than a header';
  if (sumOf(record) !== plain.at(-1)) return 'wrong checksum';
  return record.readInt16LE(0) === record.length ? record : 'the length of the record is wrong';
}

/** The frame of a record, for sending. */
export function wrap(record: Buffer): Buffer {
  const escaped = [...record, sumOf(record)].flatMap((byte) =>
    byte === flag || byte === escape ? [escape, byte ^ 0x20] : [byte],
  );
  return Buffer.from([flag, ...escaped, flag]);
}

const sumOf = (record: Buffer): number => record.reduce((sum, byte) => (sum + byte) & 255, 0);
