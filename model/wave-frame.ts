import type { BedId, DeviceId } from './ids.ts';
import { noSample, type Waveform } from './observation.ts';

/**
 * A binary message of the live stream: blocks of samples of one bed, as they arrived. Little-endian:
 *
 *     u8 87 ('W') · u8 version 1 · u8 length, bed (UTF-8) · u16 blocks, then each block:
 *     u8 length, device · u8 length, metric · u8 length, channel (0: none) ·
 *     f64 takenAtMs of the first sample · f64 periodUs · f64 gain · f64 offset · u16 samples, i16 each
 *
 * physical = sample × gain + offset; −32768 = no sample. Times are the gateway's.
 */
export interface WaveFrame {
  readonly bed: BedId;
  readonly blocks: readonly (Waveform & { readonly device: DeviceId })[];
}

const mark = 87;
const version = 1;
/** Three f64 and the count after them. */
const figures = 4 * 8 + 2;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One block of a frame; made once however many watch. Names over 255 bytes and over 65,535 samples do not fit. */
export function packWaveBlock(device: DeviceId, wave: Waveform): Uint8Array {
  const names = [device, wave.metric, wave.channel ?? ''].map((name) =>
    encoder.encode(name).subarray(0, 255),
  );
  const { samples } = wave;
  const length = names.reduce((sum, name) => sum + 1 + name.length, figures + samples.length * 2);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const name of names) {
    bytes[at] = name.length;
    bytes.set(name, at + 1);
    at += 1 + name.length;
  }
  for (const figure of [wave.takenAtMs, wave.periodUs, wave.gain, wave.offset]) {
    view.setFloat64(at, figure, true);
    at += 8;
  }
  view.setUint16(at, samples.length, true);
  at += 2;
  for (let index = 0; index < samples.length; index++) {
    view.setInt16(at, samples[index] ?? noSample, true);
    at += 2;
  }
  return bytes;
}

/** A frame of blocks that packWaveBlock made. */
export function packWaveFrame(bed: BedId, blocks: readonly Uint8Array[]): Uint8Array {
  const name = encoder.encode(bed);
  const length = blocks.reduce((sum, block) => sum + block.length, 5 + name.length);
  const bytes = new Uint8Array(length);
  bytes.set([mark, version, name.length]);
  bytes.set(name, 3);
  new DataView(bytes.buffer).setUint16(3 + name.length, blocks.length, true);
  let at = 5 + name.length;
  for (const block of blocks) {
    bytes.set(block, at);
    at += block.length;
  }
  return bytes;
}

/** Reads a binary message of the stream. Undefined when it is none of this version; throws RangeError when cut short. */
export function readWaveFrame(message: ArrayBuffer | Uint8Array): WaveFrame | undefined {
  const bytes = message instanceof Uint8Array ? message : new Uint8Array(message);
  if (bytes[0] !== mark || bytes[1] !== version) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  const text = (): string => {
    const length = view.getUint8(at);
    if (at + 1 + length > bytes.length) throw new RangeError('the frame ends too early');
    const read = decoder.decode(bytes.subarray(at + 1, at + 1 + length));
    at += 1 + length;
    return read;
  };
  const figure = (): number => {
    at += 8;
    return view.getFloat64(at - 8, true);
  };
  const count = (): number => {
    at += 2;
    return view.getUint16(at - 2, true);
  };
  const bed = text();
  const blocks = Array.from({ length: count() }, () => {
    const [device, metric, channel] = [text(), text(), text()];
    const [takenAtMs, periodUs, gain, offset] = [figure(), figure(), figure(), figure()];
    const samples = new Int16Array(count());
    for (let index = 0; index < samples.length; index++, at += 2) samples[index] = view.getInt16(at, true);
    return { device, metric, ...(channel && { channel }), takenAtMs, periodUs, gain, offset, samples };
  });
  return { bed, blocks };
}
