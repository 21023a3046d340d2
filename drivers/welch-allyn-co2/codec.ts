import { missing, value, within, type StreamCodec, type Told } from '../transport/told.ts';

/** The text between STX and ETX; the longest known one has nine characters. */
const longest = 64;
const stx = 0x02;
const etx = 0x03;
/** What a sample of the wave is counted in, mmHg. */
export const waveGain = 1 / 128;

/** Frames `02 letter hexdata CRC 03`. */
export function createCodec(): StreamCodec {
  let open: number[] = [];
  const refuse = (cause: string, checksum?: true): Told[] => {
    const raw = Buffer.from(open);
    open = [];
    return raw.length === 0 ? [] : [{ kind: 'refused', cause, raw, ...(checksum && { checksum }) }];
  };
  const read = (byte: number): Told[] => {
    const told: Told[] = byte === stx || open.length > longest ? refuse('no end of a frame') : [];
    open.push(byte);
    if (byte !== etx) return told;
    const text = Buffer.from(open.slice(1, -1)).toString('latin1');
    if (open[0] !== stx || !/^[A-Za-z]([0-9A-F]{2})+$/.test(text)) {
      return [...told, ...refuse('no frame of a letter and hexadecimal digits')];
    }
    const said = text.slice(0, -2);
    if (crc8(said) !== Number.parseInt(text.slice(-2), 16))
      return [...told, ...refuse('wrong checksum', true)];
    const content = readContent(said);
    if (!content) return [...told, ...refuse('another length than its letter has')];
    open = [];
    return [...told, { kind: 'frame' }, ...content];
  };
  return { push: (chunk) => [...chunk].flatMap(read), rest: () => refuse('no end of a frame') };
}

/** Frames with another letter are good and say nothing that is kept. */
function readContent(said: string): Told[] | undefined {
  const data = Buffer.from(said.slice(1), 'hex');
  if (said[0] === 'W') return data.length === 2 ? wave(data.readUInt16BE(0)) : undefined;
  if (said[0] !== 'Z') return [];
  const [endTidal = 0, rate = 0, inspired = 0] = data;
  if (data.length !== 3) return undefined;
  return [
    within('MDC_CONC_AWAY_CO2_ET', endTidal, [0, 150]),
    within('MDC_CO2_RESP_RATE', rate, [0, 150]),
    within('MDC_CONC_AWAY_CO2_INSP', inspired, [0, 150]),
  ];
}

/** 8.8 fixed point, mmHg. */
function wave(raw: number): Told[] {
  const pressure = raw / 256;
  if (pressure > 150) return [missing('co2-wave', 'out-of-span'), { kind: 'samples', samples: [-32_768] }];
  return [value('co2-wave', pressure), { kind: 'samples', samples: [raw >> 1] }];
}

/** CRC-8, polynomial 85 reflected, begun with FF, over letter and data: found from the four frames of the manual. */
export function crc8(text: string): number {
  let crc = 0xff;
  for (const byte of Buffer.from(text, 'latin1')) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa1 : crc >> 1;
  }
  return crc;
}
