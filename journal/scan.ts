/** Reads a segment's bytes as they are: what is whole, what is damaged, and where. Pure. */
import {
  frameBytes,
  frameHeaderBytes,
  frameMagicBytes,
  readBody,
  readFrameHeader,
  readSegmentHeader,
  saltOf,
  segmentHeaderBytes,
  type FrameHeader,
  type SegmentHeader,
} from './format.ts';

export interface Frame {
  readonly header: FrameHeader;
  /** Of its header, from the begin of the file. */
  readonly offset: number;
  /** False: the header is whole, the body is not. */
  readonly whole: boolean;
}

export interface ByteDamage {
  readonly fromByte: number;
  readonly toByte: number;
  readonly cause: 'header' | 'frame' | 'body' | 'cut off' | 'tail';
}

export interface SegmentScan {
  /** Undefined when damaged; the frames are found all the same. */
  readonly header: SegmentHeader | undefined;
  readonly snapshot: Frame | undefined;
  /** Ascending by number. */
  readonly frames: readonly Frame[];
  readonly damage: readonly ByteDamage[];
}

export function scanSegment(bytes: Buffer, file: string): SegmentScan {
  const salt = saltOf(file);
  const header = readSegmentHeader(bytes);
  const damage: ByteDamage[] = [];
  const frames: Frame[] = [];
  let snapshot: Frame | undefined;
  if (!header)
    damage.push({ fromByte: 0, toByte: Math.min(segmentHeaderBytes, bytes.length), cause: 'header' });

  for (let at = segmentHeaderBytes; at < bytes.length;) {
    const frame = readFrameHeader(bytes, at, salt);
    if (!frame) {
      const next = findFrame(bytes, at + 16, salt);
      const end = next ?? endOfContent(bytes, at);
      if (end > at) damage.push({ fromByte: at, toByte: end, cause: next === undefined ? 'tail' : 'frame' });
      if (next === undefined) break;
      at = next;
      continue;
    }
    const end = at + frameBytes(frame.length);
    const whole = readBody(bytes, at, frame) !== undefined;
    if (!whole) {
      const cause = end > bytes.length ? 'cut off' : 'body';
      damage.push({ fromByte: at, toByte: Math.min(end, bytes.length), cause });
    }
    const found: Frame = { header: frame, offset: at, whole };
    if (frame.number === -1) snapshot ??= found;
    else if (frame.number > (frames.at(-1)?.header.number ?? -1)) frames.push(found);
    at = end;
  }
  return { header, snapshot, frames, damage };
}

/** Searches for the next whole frame header behind damage. */
function findFrame(bytes: Buffer, from: number, salt: number): number | undefined {
  for (let at = bytes.indexOf(frameMagicBytes, from); at >= 0; at = bytes.indexOf(frameMagicBytes, at + 1)) {
    if (at % 16 === 0 && at + frameHeaderBytes <= bytes.length && readFrameHeader(bytes, at, salt)) return at;
  }
  return undefined;
}

const zeros = Buffer.alloc(65_536);

/** Offset behind the last byte that is not zero; `from` when there is none. */
function endOfContent(bytes: Buffer, from: number): number {
  let end = bytes.length;
  while (end - from >= zeros.length && bytes.compare(zeros, 0, zeros.length, end - zeros.length, end) === 0) {
    end -= zeros.length;
  }
  while (end > from && bytes[end - 1] === 0) end--;
  return end;
}
