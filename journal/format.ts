/**
 * The bytes of the journal's files. Everything is little-endian, and every byte that means something is under a
 * crc32, so a flipped one is noticed. A segment: a header of 256 bytes, a snapshot frame if there was one, then a
 * frame a batch, then zeros laid down ahead of the writing.
 */
import { crc32 } from 'node:zlib';
import { journalClasses, type BodyFacts, type JournalClass } from './types.ts';

export const formatVersion = 1;
export const segmentHeaderBytes = 256;
export const frameHeaderBytes = 80;
const segmentMagic = 0x31534a56; // "VJS1"
const frameMagic = 0x31424a56; // "VJB1"
export const frameMagicBytes = Buffer.from('VJB1', 'latin1');

export interface SegmentName {
  readonly klass: JournalClass;
  readonly epoch: string;
  /** Grows with every start and every replaced writer of the folder: no two writers share a file. */
  readonly writer: number;
  readonly serial: number;
  readonly first: number;
}

export const segmentFile = ({ klass, epoch, writer, serial, first }: SegmentName): string =>
  `${klass}-${epoch}-${digits(writer, 6)}-${digits(serial, 6)}-${digits(first, 13)}.segment`;

export function parseSegmentFile(file: string): SegmentName | undefined {
  const [, word, epoch = '', writer, serial, first] =
    /^([a-z]+)-([0-9a-f]{16})-(\d{6,})-(\d{6,})-(\d{13,})\.segment$/.exec(file) ?? [];
  const klass = journalClasses.find((known) => known === word);
  if (klass === undefined) return undefined;
  return { klass, epoch, writer: Number(writer), serial: Number(serial), first: Number(first) };
}

/** Order of writing within a class. */
export const inWritingOrder = (a: SegmentName, b: SegmentName): number =>
  a.writer - b.writer || a.serial - b.serial;

/** `none`: the caller had nothing to put there; `missing`: it could not be asked (the segment before had failed). */
export const snapshotStates = ['none', 'present', 'missing'] as const;
export type SnapshotState = (typeof snapshotStates)[number];

export interface SegmentHeader {
  readonly version: number;
  readonly klass: JournalClass;
  readonly snapshot: SnapshotState;
  readonly first: number;
  /** These numbers were with a writer given up before this one: they may be missing without being a loss. */
  readonly doubtfulFrom: number;
  readonly doubtfulTo: number;
  /** The snapshot covers every batch below this number. */
  readonly recoverFrom: number;
  readonly messagesBefore: number;
  readonly observationsBefore: number;
  /** Receipt of the newest message before it, ms; −Infinity when there is none. */
  readonly lastAtMsBefore: number;
}

export function writeSegmentHeader(header: Omit<SegmentHeader, 'version'>, name: SegmentName): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes);
  bytes.writeUInt32LE(segmentMagic, 0);
  bytes.writeUInt32LE(formatVersion, 4);
  bytes.writeUInt32LE(journalClasses.indexOf(header.klass), 8);
  bytes.writeUInt32LE(snapshotStates.indexOf(header.snapshot), 12);
  bytes.writeDoubleLE(header.first, 16);
  bytes.writeDoubleLE(header.doubtfulFrom, 24);
  bytes.writeDoubleLE(header.recoverFrom, 32);
  bytes.writeDoubleLE(header.messagesBefore, 40);
  bytes.writeDoubleLE(header.observationsBefore, 48);
  bytes.writeUInt32LE(name.writer, 56);
  bytes.writeUInt32LE(name.serial, 60);
  bytes.write(name.epoch, 64, 'latin1');
  bytes.writeDoubleLE(header.doubtfulTo, 96);
  bytes.writeDoubleLE(header.lastAtMsBefore, 104);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 252)), 252);
  return bytes;
}

/**
 * Undefined when damaged. Magic, version and the crc at 252 keep their places in every version, so a newer one is
 * told from a damaged one: its `version` is then greater than `formatVersion` and the rest of it means nothing.
 */
export function readSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderBytes || bytes.readUInt32LE(0) !== segmentMagic) return undefined;
  if (crc32(bytes.subarray(0, 252)) !== bytes.readUInt32LE(252)) return undefined;
  const klass = journalClasses[bytes.readUInt32LE(8)];
  const snapshot = snapshotStates[bytes.readUInt32LE(12)];
  const version = bytes.readUInt32LE(4);
  if (version <= formatVersion && (klass === undefined || snapshot === undefined)) return undefined;
  return {
    version,
    klass: klass ?? 'alarm',
    snapshot: snapshot ?? 'missing',
    first: bytes.readDoubleLE(16),
    doubtfulFrom: bytes.readDoubleLE(24),
    doubtfulTo: bytes.readDoubleLE(96),
    recoverFrom: bytes.readDoubleLE(32),
    messagesBefore: bytes.readDoubleLE(40),
    observationsBefore: bytes.readDoubleLE(48),
    lastAtMsBefore: bytes.readDoubleLE(104),
  };
}

/** What stands before each body. `number` −1 is the snapshot. */
export interface FrameHeader {
  readonly klass: JournalClass;
  readonly number: number;
  readonly length: number;
  readonly facts: BodyFacts;
  /** Running sums over the class before this batch: a gap's content is known from its two neighbours. */
  readonly messagesBefore: number;
  readonly observationsBefore: number;
  readonly bodyCrc: number;
}

/** Header, body and padding: frames start at multiples of 16, so a body's columns are aligned. */
export const frameBytes = (bodyLength: number): number => (frameHeaderBytes + bodyLength + 15) & ~15;

/** Keeps a frame inside some body (a journal kept as a payload, say) from being taken for one of this segment. */
export const saltOf = (file: string): number => crc32(file);

/** Writes the whole frame at `at` of `into`, whose bytes there need not be clean; returns the offset behind it. */
export function writeFrame(
  into: Buffer,
  at: number,
  frame: Omit<FrameHeader, 'bodyCrc' | 'length'> & { readonly body: Uint8Array; readonly salt: number },
): number {
  const { body, facts } = frame;
  const end = at + frameBytes(body.length);
  into.set(body, at + frameHeaderBytes);
  into.fill(0, at + frameHeaderBytes + body.length, end);
  into.writeUInt32LE(frameMagic, at);
  into.writeUInt32LE(journalClasses.indexOf(frame.klass), at + 4);
  into.writeDoubleLE(frame.number, at + 8);
  into.writeUInt32LE(body.length, at + 16);
  into.writeUInt32LE(facts.messages, at + 20);
  into.writeUInt32LE(facts.observations, at + 24);
  into.writeUInt32LE(crc32(into.subarray(at + frameHeaderBytes, end)), at + 28);
  into.writeDoubleLE(facts.firstAtMs, at + 32);
  into.writeDoubleLE(facts.lastAtMs, at + 40);
  into.writeDoubleLE(frame.messagesBefore, at + 48);
  into.writeDoubleLE(frame.observationsBefore, at + 56);
  into.writeUInt32LE(frame.salt, at + 64);
  into.fill(0, at + 68, at + 76);
  into.writeUInt32LE(crc32(into.subarray(at, at + 76)), at + 76);
  return end;
}

/** Undefined when there is no whole frame header of this segment at `at`. */
export function readFrameHeader(bytes: Buffer, at: number, salt: number): FrameHeader | undefined {
  if (at + frameHeaderBytes > bytes.length || bytes.readUInt32LE(at) !== frameMagic) return undefined;
  if (bytes.readUInt32LE(at + 64) !== salt) return undefined;
  if (crc32(bytes.subarray(at, at + 76)) !== bytes.readUInt32LE(at + 76)) return undefined;
  const klass = journalClasses[bytes.readUInt32LE(at + 4)];
  if (klass === undefined) return undefined;
  return {
    klass,
    number: bytes.readDoubleLE(at + 8),
    length: bytes.readUInt32LE(at + 16),
    facts: {
      messages: bytes.readUInt32LE(at + 20),
      observations: bytes.readUInt32LE(at + 24),
      firstAtMs: bytes.readDoubleLE(at + 32),
      lastAtMs: bytes.readDoubleLE(at + 40),
    },
    messagesBefore: bytes.readDoubleLE(at + 48),
    observationsBefore: bytes.readDoubleLE(at + 56),
    bodyCrc: bytes.readUInt32LE(at + 28),
  };
}

/** Body and padding of a frame whose header was read, checked; undefined when cut off or damaged. */
export function readBody(bytes: Buffer, at: number, header: FrameHeader): Buffer | undefined {
  const end = at + frameBytes(header.length);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + frameHeaderBytes, end)) !== header.bodyCrc) return undefined;
  return bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + header.length);
}

const digits = (number: number, length: number): string => String(number).padStart(length, '0');
