/**
 * Modbus frames, read side only. What a request may ask is this list and nothing else: functions 1 to 4 read, every
 * other one could change the device (MODBUS Application Protocol V1.1b3, section 6).
 */
export const tables = { coil: 1, discrete: 2, holding: 3, input: 4 } as const;
export type Table = keyof typeof tables;
export type ReadFunction = (typeof tables)[Table];

export interface ReadRequest {
  readonly unit: number;
  readonly fc: ReadFunction;
  /** Zero-based, as on the wire. */
  readonly address: number;
  readonly count: number;
}

export type Framing = 'rtu' | 'tcp';

/** A whole frame whose checksum or header is right; nothing is said yet of whether it answers anything. */
export interface Reply {
  readonly unit: number;
  readonly fc: number;
  /** Register or bit bytes; undefined in an exception. */
  readonly data?: Buffer;
  readonly exception?: number;
  /** TCP only. */
  readonly transaction?: number;
  readonly raw: Buffer;
}

export const isReadFunction = (fc: number): fc is ReadFunction => fc >= 1 && fc <= 4;

/** How many data bytes a reply to the request carries. */
export const dataBytes = ({ fc, count }: ReadRequest): number => (fc <= 2 ? Math.ceil(count / 8) : count * 2);

/** CRC-16/MODBUS, poly 0xA001 reflected, init 0xFFFF; sent low byte first (Modbus over serial line V1.02, 6.2.2). */
export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

function pdu({ fc, address, count }: ReadRequest): Buffer {
  // The allow-list stands here too, in front of the wire: types do not exist at run time.
  if (!isReadFunction(fc)) throw new RangeError(`function ${String(fc)} is not one that only reads`);
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(fc, 0);
  bytes.writeUInt16BE(address, 1);
  bytes.writeUInt16BE(count, 3);
  return bytes;
}

export function encodeRtu(request: ReadRequest): Buffer {
  const head = Buffer.concat([Buffer.from([request.unit]), pdu(request)]);
  const crc = crc16(head);
  return Buffer.concat([head, Buffer.from([crc & 0xff, crc >>> 8])]);
}

export function encodeTcp(request: ReadRequest, transaction: number): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt16BE(transaction, 0);
  head.writeUInt16BE(6, 4);
  head.writeUInt8(request.unit, 6);
  return Buffer.concat([head, pdu(request)]);
}

export interface RequestFrame {
  readonly framing: Framing;
  readonly request: ReadRequest;
  readonly transaction?: number;
}

/** Reads a request frame of either kind; in words why it is none. */
export function readRequest(bytes: Buffer): RequestFrame | string {
  const asRtu = bytes.length === 8 && crc16(bytes.subarray(0, 6)) === bytes.readUInt16LE(6);
  const asTcp = bytes.length === 12 && bytes.readUInt16BE(2) === 0 && bytes.readUInt16BE(4) === 6;
  if (!asRtu && !asTcp) return 'the request is neither an RTU frame with a right checksum nor a TCP frame';
  const at = asRtu ? 0 : 6;
  const fc = bytes.readUInt8(at + 1);
  if (!isReadFunction(fc)) return `the request has function ${fc}; only 1 to 4 are read`;
  const request = {
    unit: bytes.readUInt8(at),
    fc,
    address: bytes.readUInt16BE(at + 2),
    count: bytes.readUInt16BE(at + 4),
  };
  const most = fc <= 2 ? 2000 : 125;
  if (request.count < 1 || request.count > most) return `the request asks for ${request.count} values`;
  return asRtu
    ? { framing: 'rtu', request }
    : { framing: 'tcp', request, transaction: bytes.readUInt16BE(0) };
}

/** Why a whole frame is not the answer to the request; undefined when it is. */
export function mismatch(request: ReadRequest, reply: Reply, transaction?: number): string | undefined {
  if (transaction !== undefined && reply.transaction !== transaction) return 'another transaction';
  if (reply.unit !== request.unit) return `unit ${reply.unit} instead of ${request.unit}`;
  if ((reply.fc & 0x7f) !== request.fc) return `function ${reply.fc & 0x7f} instead of ${request.fc}`;
  if (reply.data && reply.data.length !== dataBytes(request)) {
    return `${reply.data.length} data bytes instead of ${dataBytes(request)}`;
  }
  return undefined;
}

const exceptionNames: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledged, not ready',
  6: 'busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target failed to respond',
};
export const exceptionName = (code: number): string => exceptionNames[code] ?? 'unknown';
