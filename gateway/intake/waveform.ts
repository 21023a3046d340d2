import { Compile } from 'typebox/compile';
import { WaveformSchema, type WaveformMessage } from '../../model/wire.ts';

/** Samples a block holds at most. */
export const blockSamples = 32_768;
/** From 10 kHz to one sample in 10 s: outside it is a mistake of units. */
const periodsUs = [100, 10_000_000] as const;
const namePattern = /^[\x21-\x7e\u00a1-\u{10ffff}]{1,96}$/u;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;
const check = Compile(WaveformSchema);

/** A block as it was sent, with its samples as bytes. */
export interface ReadWaveform {
  readonly message: WaveformMessage;
  /** int16 little-endian. */
  readonly bytes: Uint8Array;
}

/** Reads one element of a `waveforms` message; undefined when it is none that could be drawn. */
export function readWaveform(element: unknown): ReadWaveform | undefined {
  if (!check.Check(element)) return undefined;
  const message: WaveformMessage = element;
  const { metric, channel = '', periodUs, gain, offset, samples } = message;
  if (!namePattern.test(metric) || metric.includes('/') || channel.includes('\u0000')) return undefined;
  if (periodUs < periodsUs[0] || periodUs > periodsUs[1]) return undefined;
  if (!Number.isFinite(gain) || gain === 0 || !Number.isFinite(offset)) return undefined;
  if (!Number.isFinite(message.takenAtMs) || !base64.test(samples)) return undefined;
  // A copy: small buffers share one memory in Node, and the journal is handed its own.
  const bytes = new Uint8Array(Buffer.from(samples, 'base64'));
  const count = bytes.length / 2;
  return Number.isInteger(count) && count > 0 && count <= blockSamples ? { message, bytes } : undefined;
}

/** Samples of bytes that may stand anywhere; both kinds of machine we run on are little-endian. */
export const samplesOf = (bytes: Uint8Array): Int16Array => new Int16Array(new Uint8Array(bytes).buffer);
