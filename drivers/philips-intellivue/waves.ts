import { convert, ucumOfWire } from '../../model/units.ts';
import { createCursor, readFloat, readList, type Attributes, type Cursor } from './cursor.ts';
import { attribute } from './message.ts';
import { isNumeric, seriesOf, type Series } from './metrics.ts';

/** What must be known of a wave before its samples mean something: it comes once, in the first full poll. */
export interface WaveForm {
  readonly bits: number;
  readonly mask: number;
  /** Samples with these bits set are no samples. */
  readonly invalidMask: number;
  readonly periodUs: number;
  readonly scale: Scale;
  readonly unit: number | undefined;
}
interface Scale {
  readonly gain: number;
  readonly offset: number;
}

export interface WaveBlock {
  readonly series: Series;
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  readonly samples: Int16Array;
}

/** The form of the wave as these attributes complete it; undefined while parts are missing. Throws Malformed. */
export function waveFormOf(attributes: Attributes, known: WaveForm | undefined): WaveForm | undefined {
  const spec = attributes.get(attribute.sampleSpec);
  const period = attributes.get(attribute.samplePeriod);
  const scale = attributes.get(attribute.scale);
  if (!spec || !period) return known;
  const from = createCursor(spec);
  from.u16();
  const bits = from.u8();
  const significant = from.u8();
  const ticks = createCursor(period).u32();
  if ((bits !== 8 && bits !== 16) || significant === 0 || significant > bits || ticks === 0) return known;
  const unit = attributes.get(attribute.unit);
  return {
    bits,
    mask: 2 ** significant - 1,
    invalidMask: invalidMask(attributes.get(attribute.fixedSamples)),
    periodUs: ticks * 125,
    scale: scale ? readScale(createCursor(scale)) : { gain: 1, offset: 0 },
    unit: unit?.length === 2 ? unit.readUInt16BE(0) : undefined,
  };
}

/** A monitor without a physical range for a wave (pleth, respiration) leaves it NaN: raw numbers then. */
function readScale(from: Cursor): Scale {
  const low = readFloat(from.u32());
  const high = readFloat(from.u32());
  const rawLow = from.u16();
  const rawHigh = from.u16();
  if (typeof low !== 'number' || typeof high !== 'number' || rawLow === rawHigh)
    return { gain: 1, offset: 0 };
  const gain = (high - low) / (rawHigh - rawLow);
  return { gain, offset: low - gain * rawLow };
}

function invalidMask(bytes: Buffer | undefined): number {
  if (!bytes) return 0;
  const entries = readList(createCursor(bytes), 'the fixed values', (list) => ({
    id: list.u16(),
    mask: list.u16(),
  }));
  return entries.find(({ id }) => id === 1)?.mask ?? 0;
}

/** State bits that leave no samples: invalid, unavailable, calibrating. */
const without = 0xb000;

/** The blocks of one wave object; those of metrics that are not ours are left out. Throws Malformed. */
export function blocksOf(attributes: Attributes, form: WaveForm | undefined): WaveBlock[] {
  const single = attributes.get(attribute.samples);
  const compound = attributes.get(attribute.compoundSamples);
  const found: (WaveBlock | undefined)[] = [];
  if (single) found.push(readBlock(createCursor(single), form));
  if (compound) {
    found.push(...readList(createCursor(compound), 'a compound wave', (list) => readBlock(list, form)));
  }
  return found.filter((block) => block !== undefined);
}

function readBlock(from: Cursor, form: WaveForm | undefined): WaveBlock | undefined {
  const physio = from.u16();
  const state = from.u16();
  const bytes = from.bytes(from.u16());
  const series = seriesOf(physio);
  if (!series || isNumeric(series) || !form || state & without || bytes.length % (form.bits / 8) !== 0)
    return undefined;
  const { metric } = series;
  const ucum = form.unit === undefined ? metric.unit : ucumOfWire(4 * 0x10000 + form.unit);
  const factor = metric.unit === '1' ? 1 : ucum === undefined ? undefined : convert(1, ucum, metric.unit);
  if (factor === undefined) return undefined;
  // Samples are unsigned; ours are signed 16-bit: the full 16 bits are moved down by half of them.
  const shift = form.mask > 0x7fff ? 0x8000 : 0;
  const size = form.bits / 8;
  const samples = Int16Array.from({ length: bytes.length / size }, (_, at) => {
    const raw = bytes.readUIntBE(at * size, size);
    if (form.invalidMask !== 0 && (raw & form.invalidMask) === form.invalidMask) return -32_768;
    return Math.max(-32_767, (raw & form.mask) - shift);
  });
  const gain = form.scale.gain * factor;
  const offset = form.scale.offset * factor + gain * shift;
  return { series, periodUs: form.periodUs, gain, offset, samples };
}
