import { instantOf } from '../../model/local-time.ts';
import type { Reason } from '../../model/observation.ts';
import { convert } from '../../model/units.ts';
import { missing, value, within, type StreamCodec, type Told } from '../transport/told.ts';
import { alertsOf } from './alarms.ts';
import { createFrames, type Frame } from './frames.ts';

const numericsBytes = 27;
const none = 255;
/** What a sample of the wave is counted in, mmHg. */
export const waveGain = 1 / 128;
/** Units of the CO2 values. */
const units = { 1: 'mm[Hg]', 2: 'kPa', 3: '%' } as const;

/** With a zone the device's own clock is told. */
export function createCodec(timeZone?: string): StreamCodec {
  const frames = createFrames();
  let fast = 0;

  const read = (found: ReturnType<typeof frames.push>[number]): Told[] => {
    if ('cause' in found) return [{ kind: 'refused', ...found }];
    if (found.code === 0 && found.payload.length === 4) {
      fast = found.payload[3] ?? 0;
      return [{ kind: 'frame' }, ...wave(found.payload)];
    }
    if (found.code === 1 && found.payload.length >= numericsBytes) {
      return [{ kind: 'frame' }, ...clock(found.payload), ...numerics(found, fast)];
    }
    if (found.code <= 1)
      return [{ kind: 'refused', cause: 'another length than its code has', raw: found.payload }];
    return [{ kind: 'frame' }];
  };
  /** Seconds since 1970 as the monitor's own clock, which stands in local time. */
  const clock = (payload: Buffer): Told[] => {
    if (timeZone === undefined) return [];
    const at = new Date(payload.readUInt32BE(0) * 1000);
    const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()];
    const [hour, minute, second] = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
    return [{ kind: 'state', clockMs: instantOf({ year, month, day, hour, minute, second }, timeZone) }];
  };
  return {
    push: (chunk) => frames.push(chunk).flatMap(read),
    rest: () => frames.rest().flatMap(read),
  };
}

/** Number, integer part, fraction, fast status: 01 says that this sample is no CO2. */
function wave(payload: Buffer): Told[] {
  const [, integer = 0, fraction = 0, fast = 0] = payload;
  const reason: Reason | undefined = fast & 0x01 ? (co2None(fast) ?? 'not-measured') : undefined;
  if (reason) return [missing('co2-wave', reason), { kind: 'samples', samples: [-32_768] }];
  const pressure = integer + fraction / 256;
  if (pressure > 150) return [missing('co2-wave', 'out-of-span'), { kind: 'samples', samples: [-32_768] }];
  return [value('co2-wave', pressure), { kind: 'samples', samples: [Math.floor(pressure / waveGain)] }];
}

function numerics({ payload }: Frame, fast: number): Told[] {
  const byte = (at: number): number => payload[at] ?? 0;
  const [co2Bits, oximetryBits, unit] = [byte(13), byte(14), byte(25)];
  const co2 = co2None(fast);
  const oximetry: Reason | undefined = oximetryBits & 0x60 ? 'sensor-off' : undefined;
  const searching: Reason | undefined = oximetryBits & 0x01 ? 'searching' : undefined;
  const plain = (
    metric: string,
    at: number,
    span: readonly [number, number],
    off?: Reason,
    mark?: Reason,
  ): Told => {
    if (off) return missing(metric, off);
    return byte(at) === none ? missing(metric, mark ?? 'not-measured') : within(metric, byte(at), span, mark);
  };
  const gas = (metric: string, at: number): Told => {
    if (co2) return missing(metric, co2);
    return byte(at) === none ? missing(metric, 'not-measured') : gasIn(metric, byte(at), unit);
  };
  return [
    gas('MDC_CONC_AWAY_CO2_ET', 4),
    gas('MDC_CONC_AWAY_CO2_INSP', 5),
    plain('MDC_CO2_RESP_RATE', 6, [0, 150], co2),
    plain('MDC_PULS_OXIM_SAT_O2', 7, [0, 100], oximetry, searching),
    plain('MDC_PULS_OXIM_PULS_RATE', 8, [0, 254], oximetry, searching),
    { kind: 'alerts', alerts: alertsOf({ co2: co2Bits, oximetry: oximetryBits, slow: byte(9), fast }) },
  ];
}

/** Why the gas module measures nothing, by the last fast status. */
function co2None(fast: number): Reason | undefined {
  if (fast & 0x80) return 'device-fault';
  if (fast & 0x40) return 'sensor-off';
  if (fast & 0x04) return 'device-fault';
  return fast & 0x20 ? 'calibrating' : undefined;
}

/** In kPa the scale of the byte is unconfirmed, so the value is marked; per cent needs a pressure nobody tells. */
function gasIn(metric: string, number: number, unit: number): Told {
  const ucum = unit === 1 || unit === 2 ? units[unit] : undefined;
  const pressure = ucum && convert(number, ucum, 'mm[Hg]');
  if (pressure === undefined) return missing(metric, 'unit');
  return within(metric, Math.round(pressure * 100) / 100, [0, 150], unit === 1 ? undefined : 'unit');
}
