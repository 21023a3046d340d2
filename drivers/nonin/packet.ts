import type { Reason } from '../../model/observation.ts';
import type { Told } from '../transport/told.ts';
import { batteryLow, observe } from './values.ts';

/** Bits of STATUS; bit 7 is always set. Both colours together are yellow. */
const status = {
  disconnected: 0x40,
  artefact: 0x20,
  outOfTrack: 0x10,
  sensorAlarm: 0x08,
  red: 0x04,
  green: 0x02,
  sync: 0x01,
};
export const framesAPacket = 25;

export interface Frame {
  readonly status: number;
  readonly pleth: number;
  readonly data: number;
}

/** The frame at `at` of format 2 (`01 STATUS PLETH DATA CHK`) or 7 (`STATUS PLETH PLETH DATA CHK`), if it is one. */
export function frameAt(bytes: Buffer, at: number, format: '2' | '7'): Frame | undefined {
  const [one = 0, two = 0, three = 0, data = 0, check] = bytes.subarray(at, at + 5);
  if (check === undefined || ((one + two + three + data) & 0xff) !== check) return undefined;
  // 15 of its 16 bits, so that a sample fits.
  if (format === '7') return one & 0x80 ? { status: one, pleth: ((two << 8) | three) >> 1, data } : undefined;
  return one === 0x01 && two & 0x80 ? { status: two, pleth: three, data } : undefined;
}

export const isFirst = (frame: Frame): boolean => (frame.status & status.sync) !== 0;

/** The 25 frames of a third of a second. `frames[n - 1]` is frame n of the maker's table. */
export function readPacket(frames: readonly Frame[]): Told[] {
  const data = (frame: number): number => (frames[frame - 1]?.data ?? 0) & 0x7f;
  const any = (bits: number): boolean => frames.some((frame) => frame.status & bits);
  const samples = frames.map(({ pleth }) => pleth);
  // Frames 9, 20 and 21: the values for display and record; 3, 1 and 2 are averaged over 4 beats only.
  const rate = (data(20) & 0x03) * 128 + data(21);
  const none: Reason | undefined = any(status.disconnected | status.sensorAlarm) ? 'sensor-off' : undefined;
  return [
    { kind: 'frame' },
    ...observe({ spo2: data(9), rate, none, mark: doubt(frames, any) }),
    { kind: 'samples', samples: none ? samples.map(() => -32_768) : samples },
    { kind: 'alerts', alerts: data(8) & 0x01 ? [batteryLow] : [] },
  ];
}

/** Red perfusion is a very small pulse; yellow is marginal and good enough. */
function doubt(frames: readonly Frame[], any: (bits: number) => boolean): Reason | undefined {
  if (any(status.outOfTrack)) return 'searching';
  if (any(status.artefact)) return 'artefact';
  const red = frames.some((frame) => (frame.status & (status.red | status.green)) === status.red);
  return red ? 'low-signal' : undefined;
}
