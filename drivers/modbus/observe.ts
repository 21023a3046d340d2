import type { AlertState } from '../../model/alarm.ts';
import type { Mode } from '../../model/device.ts';
import { metrics } from '../../model/metric-table.ts';
import { seriesKey, type Observation, type Reason } from '../../model/observation.ts';
import { convert } from '../../model/units.ts';
import type { MapAlert, MapMark, MapValue, ModbusMap } from './map-schema.ts';
import { masked, numberAt, type Registers } from './registers.ts';

/**
 * What the registers say of one value of the map, or undefined where its registers were not read. Taken at `atMs`, or
 * earlier by the age the device tells.
 */
export function observe(
  map: ModbusMap,
  value: MapValue,
  registers: Registers,
  atMs: number,
): Observation | undefined {
  const raw = rawOf(map, value, registers);
  if (raw === undefined) return undefined;
  const takenAtMs = value.age ? takenAt(map, value, registers, atMs) : atMs;
  const missing = (reason: Reason): Observation => ({ ...missingOf(value, reason, atMs) });
  const mark = activeMark(map, value, registers);
  const reason = sentinel(value, raw);
  // The device's own word why there is nothing is better than the bare sentinel.
  if (reason) return missing(mark?.effect === 'missing' ? mark.reason : reason);
  if (takenAtMs === undefined) return missing('not-measured');
  if (mark?.effect === 'missing') return missing(mark.reason);
  return { ...seen(value, raw), ...validityOf(value, raw, mark), takenAtMs } as Observation;
}

/** False: the registers hold the canary's place and not its value, so they are not what was asked for. */
export function canaryHolds(map: ModbusMap, registers: Registers): boolean {
  if (!map.canary) return true;
  const { table = map.table, address, equals } = map.canary;
  const seen = numberAt(registers, { table, address, type: 'u16' }, 'ABCD');
  return seen === undefined || seen === equals;
}

/** The series with nothing in it, and why. */
export const missingOf = ({ metric, channel }: MapValue, reason: Reason, atMs: number): Observation => ({
  metric,
  ...(channel !== undefined && { channel }),
  value: null,
  reason,
  validity: 'invalid',
  takenAtMs: atMs,
});

function rawOf(map: ModbusMap, value: MapValue, registers: Registers): number | undefined {
  const { table = map.table, address, type, mask } = value;
  const at = { table, address, type, ...(mask !== undefined && { mask }) };
  return numberAt(registers, at, value.order ?? map.order ?? 'ABCD');
}

function takenAt(map: ModbusMap, { age }: MapValue, registers: Registers, atMs: number): number | undefined {
  if (!age) return atMs;
  const { table = map.table, address, type } = age;
  const raw = numberAt(registers, { table, address, type }, age.order ?? map.order ?? 'ABCD');
  return raw === undefined || raw === Number(age.none) ? undefined : atMs - raw * age.msPer;
}

function sentinel({ sentinels, type }: MapValue, raw: number): Reason | undefined {
  if (Number.isNaN(raw)) return sentinels?.['NaN'] ?? 'not-measured';
  const listed = Object.entries(sentinels ?? {}).find(([text]) => matchesRaw(text, raw, type));
  if (listed) return listed[1];
  return Number.isFinite(raw) ? undefined : 'invalid';
}

/** "0x8000" of a signed register means its bits: −32768. */
function matchesRaw(text: string, raw: number, type: MapValue['type']): boolean {
  const number = Number(text);
  if (number === raw) return true;
  if (type === 's16') return number - 0x1_0000 === raw;
  return type === 's32' && number - 0x1_0000_0000 === raw;
}

function seen(value: MapValue, raw: number): Partial<Observation> {
  const series = { metric: value.metric, ...(value.channel !== undefined && { channel: value.channel }) };
  if (value.codes) {
    const named = Object.entries(value.codes).find(([text]) => Number(text) === raw);
    return { ...series, code: named?.[1] ?? String(raw), system: 'device' };
  }
  const own = metrics.get(value.metric)?.unit;
  const scaled = physical(value, raw);
  const converted =
    own === undefined || value.unit === undefined ? scaled : convert(scaled, value.unit, own, value.metric);
  const unit = own === undefined && value.unit !== undefined ? { unit: value.unit } : {};
  return { ...series, value: tidy(converted ?? scaled), ...unit };
}

const physical = ({ scale = 1, offset = 0 }: MapValue, raw: number): number => raw * scale + offset;

/** 971 × 0.1 is 97.1, not 97.10000000000001. */
const tidy = (value: number): number => Number(value.toPrecision(12));

function validityOf(
  value: MapValue,
  raw: number,
  mark: MapMark | undefined,
): Pick<Observation, 'validity' | 'mark'> {
  const number = physical(value, raw);
  const outside = value.span && !value.codes && (number < value.span[0] || number > value.span[1]);
  if (outside) return { validity: 'invalid', mark: 'out-of-span' };
  if (!mark || mark.effect === 'missing') return { validity: 'valid' };
  return { validity: mark.effect, mark: mark.reason };
}

/** The first mark of the map that stands for this value; missing before invalid before questionable. */
function activeMark(
  map: ModbusMap,
  { metric, channel }: MapValue,
  registers: Registers,
): MapMark | undefined {
  const key = seriesKey(metric, channel);
  const active = (map.marks ?? []).filter(
    (mark) => (!mark.series || mark.series.includes(key)) && stands(map, mark, registers),
  );
  const by = (effect: MapMark['effect']): MapMark | undefined =>
    active.find((mark) => mark.effect === effect);
  return by('missing') ?? by('invalid') ?? by('questionable');
}

function stands(map: ModbusMap, test: MapMark | MapAlert, registers: Registers): boolean {
  const { table = map.table, address, mask, equals } = test;
  const raw = numberAt(registers, { table, address, type: 'u16' }, 'ABCD');
  if (raw === undefined) return false;
  const bits = raw & (mask ?? 0xffff);
  if (equals === undefined) return bits !== 0;
  return mask === undefined ? bits === equals : masked(raw, mask) === equals;
}

/** The device's own mode as the marks tell it; undefined where the map knows none. */
export function modeOf(map: ModbusMap, registers: Registers): Mode | undefined {
  const telling = (map.marks ?? []).filter((mark) => mark.mode !== undefined);
  if (telling.length === 0) return undefined;
  return telling.find((mark) => stands(map, mark, registers))?.mode ?? 'operating';
}

/** Every alert of the map that stands now. */
export const alertsOf = (map: ModbusMap, registers: Registers, known: ReadonlySet<string>): AlertState[] =>
  (map.alerts ?? [])
    .filter((alert) => stands(map, alert, registers))
    .map(({ code, text, priority, type, latching, metric }) => ({
      alertId: code,
      code,
      text,
      phase: known.has(code) ? 'continue' : 'start',
      priority,
      type,
      ...(latching !== undefined && { latching }),
      ...(metric !== undefined && { metric }),
    }));
