/** Bytes of the serial line: C0, escaped header, user data and FCS, C1. */
const begin = 0xc0;
const finish = 0xc1;
const escape = 0x7d;
/** A length field of 16 bits over a header of 4 and an FCS of 2. */
const longest = 4 + 0xffff + 2;
const header = Buffer.from([0x11, 0x01]);

export interface SerialFrames {
  push(chunk: Buffer): SerialFound;
}
export interface SerialFound {
  /** User data of the frames that are whole and right. */
  readonly messages: readonly Buffer[];
  /** Frames that came to their end and are wrong, as they stood between C0 and C1. */
  readonly bad: readonly { readonly cause: string; readonly bytes: Buffer }[];
  /** Bytes outside of any frame. */
  readonly discarded: number;
}

/** Cuts a byte stream, in pieces of any size, into frames. A C0 always begins a new one: inside it is escaped. */
export function createSerialFrames(): SerialFrames {
  let open: number[] | undefined;
  let escaped = false;
  return {
    push: (chunk) => {
      const messages: Buffer[] = [];
      const bad: { cause: string; bytes: Buffer }[] = [];
      let discarded = 0;
      for (const byte of chunk) {
        if (byte === begin) {
          discarded += open?.length ?? 0;
          open = [];
          escaped = false;
        } else if (!open) discarded += 1;
        else if (byte === finish) {
          const bytes = Buffer.from(open);
          const found = escaped ? 'an escape at the end of a frame' : unwrap(bytes);
          if (typeof found === 'string') bad.push({ cause: found, bytes });
          else messages.push(found);
          open = undefined;
        } else if (byte === escape) escaped = true;
        else {
          open.push(escaped ? byte ^ 0x20 : byte);
          escaped = false;
          if (open.length > longest) {
            discarded += open.length;
            open = undefined;
          }
        }
      }
      return { messages, bad, discarded };
    },
  };
}

function unwrap(bytes: Buffer): Buffer | string {
  if (bytes.length < 6) return 'a frame too short';
  const content = bytes.subarray(0, -2);
  if (bytes.readUInt16LE(content.length) !== fcs(content)) return 'wrong checksum';
  if (!content.subarray(0, 2).equals(header)) return 'another protocol or message type';
  if (content.readUInt16BE(2) !== content.length - 4) return 'the length of the frame is wrong';
  return content.subarray(4);
}

/** The frame of a message, for sending. */
export function wrapSerial(message: Buffer): Buffer {
  const head = Buffer.concat([header, Buffer.from([message.length >> 8, message.length & 255])]);
  return wrapContent(Buffer.concat([head, message]));
}

/** The layer of FCS and escapes alone, over whatever stands in a frame. */
export function wrapContent(content: Buffer): Buffer {
  const sum = fcs(content);
  const escapes = [...content, sum & 255, sum >> 8].flatMap((byte) =>
    byte === begin || byte === finish || byte === escape ? [escape, byte ^ 0x20] : [byte],
  );
  return Buffer.from([begin, ...escapes, finish]);
}

/** CRC-16/X-25: polynomial 0x1021 reflected, begun with FFFF, inverted. */
function fcs(bytes: Buffer): number {
  let sum = 0xffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >> 1) ^ 0x8408 : sum >> 1;
  }
  return ~sum & 0xffff;
}
