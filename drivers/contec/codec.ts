import { missing, within, type StreamCodec, type Told } from '../transport/told.ts';

const saturation = 'MDC_PULS_OXIM_SAT_O2';
const pulse = 'MDC_PULS_OXIM_PULS_RATE';
const realtime = 0x01;
const frameBytes = 9;
/** Other kinds of frames are shorter; what grows past this without a new type byte is no frame. */
const mostBytes = 32;

/**
 * Frames of firmware 4.6: a type byte without bit 7, then bytes that all have it. Byte 1 carries the top bits of the
 * seven bytes behind it. There is no checksum.
 */
export function createCodec(): StreamCodec {
  let open: number[] = [];
  /** What stands there when a new frame begins: another kind of frame, or a realtime one that was cut. */
  const leave = (): Told[] => {
    const raw = Buffer.from(open);
    open = [];
    if (raw.length === 0) return [];
    const other =
      raw[0] !== realtime && (raw[0] ?? 0x80) < 0x80 && raw.length > 1 && raw.length <= frameBytes;
    return other ? [] : [{ kind: 'refused', cause: 'no frame of nine bytes', raw }];
  };
  const read = (byte: number): Told[] => {
    const told: Told[] = byte < 0x80 || open.length >= mostBytes ? leave() : [];
    open.push(byte);
    if (open[0] !== realtime || open.length < frameBytes) return told;
    const frame = Buffer.from(open);
    open = [];
    return [...told, ...readRealtime(frame)];
  };
  return { push: (chunk) => [...chunk].flatMap(read), rest: leave };
}

/** Byte 1: E0 valid, E1 shown but not stored by the device, E2 no data. Bit 3 is the pulse's, bit 4 the saturation's. */
function readRealtime(frame: Buffer): Told[] {
  const top = frame[1] ?? 0;
  const byte = (at: number): number => ((frame[at] ?? 0) & 0x7f) | (((top >> (at - 2)) & 1) << 7);
  const pleth = byte(3) & 0x7f;
  const rate = byte(5);
  const spo2 = byte(6);
  // No pulse and no saturation at once is an empty display: an oximeter measures the one by the other.
  const none = (top & 0x02) !== 0 || (rate === 0 && spo2 === 0);
  const one = (metric: string, number: number, span: readonly [number, number]): Told =>
    none ? missing(metric, 'not-measured') : within(metric, number, span);
  return [
    { kind: 'frame' },
    one(saturation, spo2, [0, 100]),
    one(pulse, rate, [0, 254]),
    { kind: 'samples', samples: [none ? -32_768 : pleth] },
  ];
}
