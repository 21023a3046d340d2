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
 * whole packets of 25 frames, each with its checksum: a packet with one bad frame gives no value.
 */
export function createCodec(format: Format | 'auto'): StreamCodec {
  let known: Format | undefined = format === 'auto' ? undefined : format;
  let open: Buffer = Buffer.alloc(0);

  const take = (read: (bytes: Buffer) => Taken): readonly Told[] => {
    const { told, used } = read(open);
    open = Buffer.from(open.subarray(used));
    return told;
  };
  return {
    push: (chunk) => {
      open = Buffer.concat([open, chunk]);
      known ??= find(open);
      if (known) return take(readerOf(known));
      return take((bytes) => refuse(bytes, Math.max(0, bytes.length - mostUnknown)));
    },
    rest: () => {
      // All there is may be one or two frames of format 8: exactly those, since they have no checksum.
      const only8 = open.length > 0 && open.length % frameBytes === 0;
      if (only8 && runOf8(open, 0, open.length / frameBytes)) known ??= '8';
      const told = known ? take(readerOf(known)) : [];
      return [...told, ...take((bytes) => refuse(bytes, bytes.length))];
    },
  };
}

const readerOf = (format: Format): ((bytes: Buffer) => Taken) =>
  format === '8' ? readAll8 : (bytes) => readPackets(bytes, format);

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

function readAll8(bytes: Buffer): Taken {
  const told: Told[] = [];
  let at = 0;
  let bad = 0;
  const drop = (): void => {
    if (bad > 0)
      told.push({ kind: 'refused', cause: 'no frame of format 8', raw: bytes.subarray(at - bad, at) });
    bad = 0;
  };
  while (at + frameBytes <= bytes.length) {
    const good = isFormat8(bytes, at);
    if (good) drop();
    if (good) told.push(...readFormat8(bytes, at));
    at += good ? frameBytes : 1;
    bad += good ? 0 : 1;
  }
  drop();
  return { told, used: at };
}
