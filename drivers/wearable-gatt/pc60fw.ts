import { missing, within, type ActiveAlert, type StreamCodec, type Told } from '../transport/told.ts';

const battery: ActiveAlert = {
  alertId: 'battery-low',
  code: 'BATTERY-0',
  text: 'Battery low',
  priority: 'low',
  type: 'technical',
  latching: false,
};

/** Frames `AA 55 token length payload CRC` of Viatom's PC-60FW and KS-60FW; notifications split and join them. */
export function createPc60(): StreamCodec {
  let open: Buffer = Buffer.alloc(0);
  let bad: number[] = [];
  const refuse = (): Told[] => {
    const raw = Buffer.from(bad);
    bad = [];
    return raw.length === 0 ? [] : [{ kind: 'refused', cause: 'no whole frame, or a wrong checksum', raw }];
  };
  const skip = (): void => {
    bad.push(open[0] ?? 0);
    open = open.subarray(1);
  };
  const read = (): Told[] => {
    const told: Told[] = [];
    while (open.length > 0) {
      const begun = open[0] === 0xaa && (open.length < 2 || open[1] === 0x55);
      const length = open[3] ?? 0;
      if (!begun || (open.length > 3 && (length < 2 || length > 32))) skip();
      else if (open.length < 4 || open.length < 4 + length) break;
      else if (crc8(open.subarray(0, 3 + length)) !== open[3 + length]) skip();
      else {
        told.push(...refuse(), { kind: 'frame' }, ...readFrame(open.subarray(0, 3 + length)));
        open = open.subarray(4 + length);
      }
    }
    return [...told, ...refuse()];
  };
  return {
    push: (chunk) => {
      open = Buffer.concat([open, chunk]);
      return read();
    },
    rest: () => {
      bad = [...bad, ...open];
      open = Buffer.alloc(0);
      return refuse();
    },
  };
}

function readFrame(frame: Buffer): Told[] {
  const [token, type] = [frame[2], frame[4]];
  if (token === 0x0f && type === 0x01 && frame.length >= 10) return measured(frame);
  // The battery has four levels, 0 to 3. Pleth (0F 02) and status (0F 21) say nothing that is kept.
  const level = token === 0xf0 && type === 0x03 ? frame[5] : undefined;
  return level === undefined ? [] : [{ kind: 'alerts', alerts: level === 0 ? [battery] : [] }];
}

/** SpO2 0 or 255 and pulse 0 are no values (unconfirmed); the perfusion is in tenths. */
function measured(frame: Buffer): Told[] {
  const spo2 = frame[5] ?? 0;
  const pulse = frame.readUInt16LE(6);
  const perfusion = (frame[8] ?? 0) / 10;
  const noSaturation = spo2 === 0 || spo2 === 255;
  const noPulse = pulse === 0 || pulse === 0xffff;
  const one = (metric: string, none: boolean, number: number, span: readonly [number, number]): Told =>
    none ? missing(metric, 'not-measured') : within(metric, number, span);
  return [
    one('MDC_PULS_OXIM_SAT_O2', noSaturation, spo2, [0, 100]),
    one('MDC_PULS_OXIM_PULS_RATE', noPulse, pulse, [0, 350]),
    one('MDC_BLD_PERF_INDEX', noSaturation && noPulse, perfusion, [0, 25.5]),
  ];
}

/** CRC-8/MAXIM: polynomial 31 reflected, begun with 0. */
export function crc8(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8c : crc >> 1;
  }
  return crc;
}
