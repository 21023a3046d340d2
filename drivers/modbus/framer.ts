import { crc16, dataBytes, isReadFunction, type Framing, type ReadRequest, type Reply } from './frame.ts';

export interface Pushed {
  readonly replies: readonly Reply[];
  /** Bytes that are no part of any frame. */
  readonly discarded: Buffer;
  /** The stream can no longer be told apart into frames: close it. */
  readonly broken?: string;
}

export interface Framer {
  /** `expected` is the request in flight: its answer may still be on its way in pieces. */
  push(chunk: Buffer, expected: ReadRequest | undefined): Pushed;
  /** Throws away what has come so far; what it was. */
  flush(): Buffer;
}

export const createFramer = (framing: Framing): Framer => (framing === 'rtu' ? createRtu() : createTcp());

/** A frame is at most 256 bytes; what piles up past this without one is noise. */
const mostNoise = 1024;

function createRtu(): Framer {
  let open: Buffer = Buffer.alloc(0);
  return {
    push: (chunk, expected) => {
      open = Buffer.concat([open, chunk]);
      const replies: Reply[] = [];
      const discarded: Buffer[] = [];
      for (let found = findRtu(open, expected); found; found = findRtu(open, expected)) {
        discarded.push(open.subarray(0, found.start));
        replies.push(found.reply);
        open = open.subarray(found.start + found.reply.raw.length);
      }
      if (open.length > mostNoise) {
        discarded.push(open.subarray(0, open.length - 256));
        open = open.subarray(open.length - 256);
      }
      return { replies, discarded: Buffer.concat(discarded) };
    },
    flush: () => {
      const thrown = open;
      open = Buffer.alloc(0);
      return thrown;
    },
  };
}

/**
 * The first frame with a right checksum. RTU has no start mark, so every offset is tried; but where the answer to the
 * request in flight may have begun, nothing behind it is looked at until it is whole.
 */
function findRtu(
  bytes: Buffer,
  expected: ReadRequest | undefined,
): { readonly start: number; readonly reply: Reply } | undefined {
  for (let start = 0; start < bytes.length; start++) {
    const reply = rtuAt(bytes, start);
    if (reply) return { start, reply };
    if (expected && mayBegin(bytes, start, expected)) return undefined;
  }
  return undefined;
}

function rtuAt(bytes: Buffer, start: number): Reply | undefined {
  if (bytes.length - start < 5) return undefined;
  const unit = bytes.readUInt8(start);
  const fc = bytes.readUInt8(start + 1);
  const third = bytes.readUInt8(start + 2);
  const isException = isReadFunction(fc & 0x7f) && fc >= 0x80;
  if (!isException && !isReadFunction(fc)) return undefined;
  const length = isException ? 5 : 5 + third;
  if (bytes.length - start < length || (!isException && third === 0)) return undefined;
  const raw = bytes.subarray(start, start + length);
  if (crc16(raw.subarray(0, length - 2)) !== raw.readUInt16LE(length - 2)) return undefined;
  return isException
    ? { unit, fc, exception: third, raw }
    : { unit, fc, data: raw.subarray(3, length - 2), raw };
}

/** Whether the wanted frame could stand here with its end still missing. */
function mayBegin(bytes: Buffer, start: number, expected: ReadRequest): boolean {
  const length = 5 + dataBytes(expected);
  if (bytes.length - start >= length) return false;
  const head = [expected.unit, expected.fc, dataBytes(expected)];
  return head.every((byte, index) => start + index >= bytes.length || bytes[start + index] === byte);
}

function createTcp(): Framer {
  let open: Buffer = Buffer.alloc(0);
  return {
    push: (chunk) => {
      open = Buffer.concat([open, chunk]);
      const replies: Reply[] = [];
      const discarded: Buffer[] = [];
      while (open.length >= 7) {
        const length = open.readUInt16BE(4);
        if (open.readUInt16BE(2) !== 0 || length < 3 || length > 254) {
          const thrown = open;
          open = Buffer.alloc(0);
          return {
            replies,
            discarded: Buffer.concat([...discarded, thrown]),
            broken: 'no Modbus TCP header',
          };
        }
        if (open.length < 6 + length) break;
        const raw = open.subarray(0, 6 + length);
        open = open.subarray(6 + length);
        const reply = tcpReply(raw);
        if (reply) replies.push(reply);
        else discarded.push(raw);
      }
      return { replies, discarded: Buffer.concat(discarded) };
    },
    flush: () => {
      const thrown = open;
      open = Buffer.alloc(0);
      return thrown;
    },
  };
}

function tcpReply(raw: Buffer): Reply | undefined {
  const transaction = raw.readUInt16BE(0);
  const unit = raw.readUInt8(6);
  const fc = raw.readUInt8(7);
  const third = raw.readUInt8(8);
  if (fc >= 0x80) return { transaction, unit, fc, exception: third, raw };
  if (raw.length !== 9 + third) return undefined;
  return { transaction, unit, fc, data: raw.subarray(9), raw };
}
