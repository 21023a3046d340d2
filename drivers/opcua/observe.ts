import { metrics } from '../../model/metric-table.ts';
import type { Observation, Reason } from '../../model/observation.ts';
import { convert } from '../../model/units.ts';
import type { OpcuaValue } from './map.ts';
import { meaningOf } from './status.ts';

/** A DataValue as far as a reading needs it. */
export interface SeenValue {
  readonly value: unknown;
  readonly statusCode: number;
  /** Of the source, by the server's clock; null where it tells none. */
  readonly sourceAtMs: number | null;
}

export interface ObserveOptions {
  /** What the server said at the variable's EngineeringUnits: a UCUM unit, unknown, or nothing at all. */
  readonly unit: string | 'unknown' | undefined;
  readonly statusReasons: Readonly<Record<string, Reason>> | undefined;
  readonly receivedAtMs: number;
  /** Ours minus the server's clock. */
  readonly clockOffsetMs: number;
}

/** What one notification says. A source time keeps its age: an old cuff pressure is old and not stale. */
export function observe(entry: OpcuaValue, seen: SeenValue, options: ObserveOptions): Observation {
  const { metric, channel } = entry;
  const known = metrics.get(metric);
  const series = { metric, ...(channel !== undefined && { channel }) };
  const atMs = seen.sourceAtMs === null ? options.receivedAtMs : seen.sourceAtMs + options.clockOffsetMs;
  const takenAtMs = Math.min(atMs, options.receivedAtMs);
  const missing = (reason: Reason): Observation => ({
    ...series,
    value: null,
    reason,
    validity: 'invalid',
    // Nothing was measured, so there is no instant of measurement: it is missing now.
    takenAtMs: options.receivedAtMs,
  });

  const meaning = meaningOf(seen.statusCode, options.statusReasons);
  if (!meaning.usable) {
    const episodicWait = meaning.reason === 'searching' && known?.episodic === true;
    return missing(episodicWait ? 'not-measured' : (meaning.reason ?? 'invalid'));
  }
  const marks = { validity: meaning.validity, ...(meaning.reason && { mark: meaning.reason }) };
  if (entry.text) return { ...series, text: String(seen.value ?? ''), ...marks, takenAtMs };
  if (entry.codes) {
    const code = entry.codes[String(seen.value)] ?? String(seen.value);
    return { ...series, code, system: 'device', ...marks, takenAtMs };
  }
  if (typeof seen.value !== 'number') return missing('not-measured');
  if (!Number.isFinite(seen.value)) return missing('not-measured');
  if (options.unit === 'unknown') return missing('unit');
  const unit = options.unit ?? entry.unit;
  const scaled = seen.value * (entry.scale ?? 1);
  const number = known && unit !== undefined ? convert(scaled, unit, known.unit, metric) : scaled;
  if (number === undefined) return missing('unit');
  const value = Number(number.toPrecision(12));
  const own = known || unit === undefined ? {} : { unit };
  const outside = entry.span && (scaled < entry.span[0] || scaled > entry.span[1]);
  if (outside) return { ...series, value, ...own, validity: 'invalid', mark: 'out-of-span', takenAtMs };
  return { ...series, value, ...own, ...marks, takenAtMs };
}
