import type { StreamCodec, Told } from '../transport/told.ts';
import { frameAt, framesAPacket, isFirst, readPacket, type Frame } from './packet.ts';
import { frameBytes, isFormat8, readFormat8 } from './spot.ts';

export type Format = '2' | '7' | '8';

const packetBytes = framesAPacket * 5;
/** Three frames of format 8 in a row: the places of their high bits can be no frame of format 2 or 7. */
const surely8 = 3;
/** While the format is not known yet: what is older than two packets is let go. */
const mostUnknown = 2 * packetBytes;

interface Taken {
  readonly told: readonly Told[];
  readonly used: number;
}

/**
 * Reads one of the three formats, or with `auto` the one that the bytes are found to be in. Formats 2 and 7 are read by
 * whole packets of 25 frames, each with its checksum: a packet with one bad frame gives no value. Format 8 has no
 * checksum: after anything else, three frames in a row are waited for.
 */
export function createCodec(format: Format | 'auto'): StreamCodec {
  const given = format === 'auto' ? undefined : format;
  let known: Format | undefined = given;
  let aligned = false;
  let clean = true;
  let open: Buffer = Buffer.alloc(0);
  /** Bytes since the last good frame. */
  let silent = 0;

  const take = ({ told, used }: Taken): readonly Told[] => {
    open = Buffer.from(open.subarray(used));
    if (told.some(({ kind }) => kind === 'refused')) clean = false;
    if (told.some(({ kind }) => kind === 'frame')) silent = 0;
    return told;
  };
  const read = (): readonly Told[] => {
    if (known === '2' || known === '7') return take(readPackets(open, known));
    const taken = readAll8(open, aligned);
    aligned = taken.aligned;
    return take(taken);
  };
  return {
    push: (chunk) => {
      open = Buffer.concat([open, chunk]);
      silent += chunk.length;
      // Somebody set another format in the oximeter.
      if (silent > mostUnknown) known = given;
      known ??= find(open);
      return known ? read() : take(refuse(open, Math.max(0, open.length - mostUnknown)));
    },
    rest: () => {
      const frames = open.length / frameBytes;
      // All there is may be one or two frames of format 8: exactly those and nothing else.
      const alone = clean && frames > 0 && Number.isInteger(frames) && runOf8(open, 0, frames);
      if (alone && (known ?? '8') === '8') aligned = true;
      if (alone) known ??= '8';
      const told = known ? read() : [];
      return [...told, ...take(refuse(open, open.length))];
    },
  };
}

const refuse = (bytes: Buffer, used: number): Taken => ({
  told:
    used === 0 ? [] : [{ kind: 'refused', cause: 'no whole frame or packet', raw: bytes.subarray(0, used) }],
  used,
});

/** The format whose frames stand in these bytes: a whole packet of 2 or 7, or frames of 8 in a row. */
function find(bytes: Buffer): Format | undefined {
  for (let at = 0; at < bytes.length; at++) {
    for (const format of ['2', '7'] as const) if (packetAt(bytes, at, format)) return format;
  }
  for (let at = 0; at + surely8 * frameBytes <= bytes.length; at++) {
    if (runOf8(bytes, at, surely8)) return '8';
  }
  return undefined;
}

const runOf8 = (bytes: Buffer, from: number, run: number): boolean =>
  Array.from({ length: run }, (_, n) => from + n * frameBytes).every((at) => isFormat8(bytes, at));

function packetAt(bytes: Buffer, at: number, format: '2' | '7'): readonly Frame[] | undefined {
  if (at + packetBytes > bytes.length) return undefined;
  const frames: Frame[] = [];
  for (let n = 0; n < framesAPacket; n++) {
    const frame = frameAt(bytes, at + n * 5, format);
    if (!frame || isFirst(frame) !== (n === 0)) return undefined;
    frames.push(frame);
  }
  return frames;
}

function readPackets(bytes: Buffer, format: '2' | '7'): Taken {
  const told: Told[] = [];
  let at = 0;
  let bad = 0;
  const drop = (): void => {
    if (bad > 0)
      told.push({ kind: 'refused', cause: 'no packet of 25 good frames', raw: bytes.subarray(at - bad, at) });
    bad = 0;
  };
  while (at + packetBytes <= bytes.length) {
    const frames = packetAt(bytes, at, format);
    if (frames) drop();
    if (frames) told.push(...readPacket(frames));
    at += frames ? packetBytes : 1;
    bad += frames ? 0 : 1;
  }
  drop();
  return { told, used: at };
}

function readAll8(bytes: Buffer, wasAligned: boolean): Taken & { readonly aligned: boolean } {
  const told: Told[] = [];
  let aligned = wasAligned;
  let at = 0;
  let bad = 0;
  const drop = (): void => {
    if (bad > 0)
      told.push({ kind: 'refused', cause: 'no frame of format 8', raw: bytes.subarray(at - bad, at) });
    bad = 0;
  };
  while (at + (aligned ? 1 : surely8) * frameBytes <= bytes.length) {
    aligned = aligned ? isFormat8(bytes, at) : runOf8(bytes, at, surely8);
    if (aligned) drop();
    if (aligned) told.push(...readFormat8(bytes, at));
    const step = aligned ? frameBytes : 1;
    bad += aligned ? 0 : 1;
    at += step;
  }
  drop();
  return { told, used: at, aligned };
}
