import type { Reason } from '../../model/observation.ts';
import { missing, within, type StreamCodec, type Told } from '../transport/told.ts';

const saturation = 'MDC_PULS_OXIM_SAT_O2';
const pulse = 'MDC_PULS_OXIM_PULS_RATE';
const frameBytes = 5;

/**
 * Frames of the BCI protocol v1.2: only the first byte of five has bit 7. There is no checksum, so every field must
 * lie where the maker says it can: signal 0 to 8, pleth 0 to 100.
 */
export function createCodec(): StreamCodec {
  let open: number[] = [];
  const refuse = (): Told[] => {
    const raw = Buffer.from(open);
    open = [];
    return raw.length === 0 ? [] : [{ kind: 'refused', cause: 'no frame of five bytes', raw }];
  };
  const read = (byte: number): Told[] => {
    const told: Told[] = [];
    // Whatever stood there was no frame: a new one begins, or it grew too long to be one.
    if (byte & 0x80 || open.length >= frameBytes) told.push(...refuse());
    open.push(byte);
    if (open.length < frameBytes || !((open[0] ?? 0) & 0x80)) return told;
    const frame = Buffer.from(open);
    open = [];
    return [...told, ...readFrame(frame)];
  };
  return { push: (chunk) => [...chunk].flatMap(read), rest: refuse };
}

function readFrame(frame: Buffer): Told[] {
  const [first = 0, pleth = 0, third = 0, low = 0, spo2 = 0] = frame;
  if ((first & 0x0f) > 8 || pleth > 100) {
    return [{ kind: 'refused', cause: 'signal above 8 or pleth above 100', raw: frame }];
  }
  const rate = (third & 0x40 ? 128 : 0) + low;
  const none = noneOf(first, third);
  const mark: Reason | undefined = third & 0x20 ? 'searching' : undefined;
  const one = (metric: string, number: number, no: number, span: readonly [number, number]): Told => {
    if (none) return missing(metric, none);
    if (number === no) return missing(metric, mark ?? 'not-measured');
    return within(metric, number, span, mark);
  };
  return [
    { kind: 'frame' },
    one(saturation, spo2, 127, [0, 100]),
    one(pulse, rate, 255, [0, 254]),
    { kind: 'samples', samples: [none || pleth === 0 ? -32_768 : pleth] },
  ];
}

/** The module says itself that nothing is measured: probe unplugged, no finger in it, no signal. */
function noneOf(first: number, third: number): Reason | undefined {
  if (first & 0x20 || third & 0x10) return 'sensor-off';
  return first & 0x10 ? 'low-signal' : undefined;
}
