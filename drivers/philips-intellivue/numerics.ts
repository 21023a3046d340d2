import type { Mode } from '../../model/device.ts';
import type { Reason, Seen, Validity } from '../../model/observation.ts';
import { createCursor, readFloat, readList, type Attributes, type Cursor } from './cursor.ts';
import { attribute } from './message.ts';
import { inOwnUnit, isNumeric, seriesOf, type Series } from './metrics.ts';

/** Measurement state. Good is only what has none of 0xFC00; 0x0001 (alarm inhibited) and the like spoil nothing. */
const state = {
  invalid: 0x8000,
  questionable: 0x4000,
  unavailable: 0x2000,
  calibrating: 0x1000,
  test: 0x0800,
  demo: 0x0400,
} as const;
/** State of the metric (0x0940): the transducer or the hardware is unplugged. */
const unplugged = 0x0800 | 0x0400;

export interface Numeric {
  readonly series: Series;
  readonly seen: Seen;
  readonly validity: Validity;
  readonly mark?: Reason;
  /** The mode the state bits tell. */
  readonly mode: Mode;
}

/**
 * The values of one numeric object; values of metrics that are not ours are left out. An object without a value
 * attribute has none: it is neither a value nor a missing one. Throws Malformed.
 */
export function numericsOf(attributes: Attributes, label: number | undefined): Numeric[] {
  const single = attributes.get(attribute.numeric);
  const compound = attributes.get(attribute.compound);
  const off = createMetricState(attributes) & unplugged ? 'sensor-off' : undefined;
  const found: (Numeric | undefined)[] = [];
  if (single) {
    const from = createCursor(single);
    found.push(readNumeric(from, label, off));
    from.end('a numeric value');
  }
  if (compound) {
    const from = createCursor(compound);
    found.push(...readList(from, 'a compound value', (list) => readNumeric(list, label, off)));
    from.end('a compound value');
  }
  return found.filter((numeric) => numeric !== undefined);
}

const createMetricState = (attributes: Attributes): number => {
  const bytes = attributes.get(attribute.metricState);
  return bytes?.length === 2 ? bytes.readUInt16BE(0) : 0;
};

function readNumeric(from: Cursor, label: number | undefined, off: Reason | undefined): Numeric | undefined {
  const physio = from.u16();
  const bits = from.u16();
  const unit = from.u16();
  const float = readFloat(from.u32());
  const series = seriesOf(physio, label);
  if (!series || !isNumeric(series)) return undefined;
  const mode = modeOf(bits);
  const reason = reasonOf(bits, float);
  if (reason) {
    return { series, seen: { value: null, reason: off ?? reason }, validity: 'invalid', mode };
  }
  const { metric } = series;
  const value = inOwnUnit(float as number, unit, metric);
  const span = metric.span;
  const wrong: Reason | undefined =
    value === undefined ? 'unit' : span && (value < span[0] || value > span[1]) ? 'out-of-span' : undefined;
  if (wrong || value === undefined) {
    return { series, seen: { value: null, reason: wrong ?? 'unit' }, validity: 'invalid', mode };
  }
  const mark: Reason | undefined = mode === 'demo' || mode === 'test' ? mode : undefined;
  const validity = mark || bits & state.questionable ? 'questionable' : 'valid';
  return { series, seen: { value }, validity, ...(mark && { mark }), mode };
}

const modeOf = (bits: number): Mode =>
  bits & state.demo ? 'demo' : bits & state.test ? 'test' : 'operating';

/** Why there is no value, though there may be a number. */
function reasonOf(bits: number, float: ReturnType<typeof readFloat>): Reason | undefined {
  if (bits & state.calibrating) return 'calibrating';
  if (bits & state.unavailable) return 'not-measured';
  if (bits & state.invalid) return 'invalid';
  if (typeof float === 'number') return undefined;
  return (
    {
      nan: 'not-measured',
      'not-at-this-resolution': 'invalid',
      high: 'over-range',
      low: 'under-range',
    } as const
  )[float];
}
