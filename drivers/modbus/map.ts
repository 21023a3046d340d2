import { Value } from 'typebox/value';
import { Fault } from '../../model/fault.ts';
import { metrics } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import { convert } from '../../model/units.ts';
import type { Table } from './frame.ts';
import { MapSchema, type MapValue, type ModbusMap, type NumberType } from './map-schema.ts';

/** A run of registers or bits that one request reads. */
export interface Block {
  readonly table: Table;
  readonly address: number;
  readonly count: number;
}

/** The values of one poll period and the blocks that hold all they need. */
export interface PollGroup {
  readonly pollMs: number;
  readonly values: readonly MapValue[];
  /** Whether the registers of the map's alerts are among the blocks. */
  readonly alerts: boolean;
  readonly blocks: readonly Block[];
}

export const registersOf: Readonly<Record<NumberType, number>> = {
  bit: 1,
  u16: 1,
  s16: 1,
  u32: 2,
  s32: 2,
  f32: 2,
  u64: 4,
  s64: 4,
  f64: 4,
};

/** Checks a map; a Fault MAP_INVALID names the first wrong place. */
export function readMap(name: string, content: unknown): ModbusMap {
  const wrong = (path: string, cause: string): Fault => new Fault('MAP_INVALID', { map: name, path, cause });
  if (!Value.Check(MapSchema, content)) {
    const [first] = Value.Errors(MapSchema, content);
    const { requiredProperties = [] } = (first?.params ?? {}) as { requiredProperties?: string[] };
    const missing = requiredProperties.length > 0 ? `lacks ${requiredProperties.join(', ')}` : undefined;
    const cause =
      first?.keyword === 'boolean' ? 'is not part of a map' : (missing ?? first?.message ?? 'is wrong');
    throw wrong(first?.instancePath || '/', cause);
  }
  const keys = new Set<string>();
  for (const [index, value] of content.values.entries()) {
    const path = `/values/${index}`;
    const key = seriesKey(value.metric, value.channel);
    if (keys.has(key)) throw wrong(path, `${key} stands twice`);
    keys.add(key);
    if (value.address + registersOf[value.type] > 65_536)
      throw wrong(`${path}/address`, 'runs over the last register');
    const own = metrics.get(value.metric)?.unit;
    if (own === undefined && value.unit === undefined && !value.codes)
      throw wrong(`${path}/unit`, 'is missing: the metric is not in the table');
    if (
      own !== undefined &&
      value.unit !== undefined &&
      convert(1, value.unit, own, value.metric) === undefined
    ) {
      throw wrong(`${path}/unit`, `${value.unit} is not known to convert to ${own}`);
    }
    for (const raw of [...Object.keys(value.sentinels ?? {}), ...Object.keys(value.codes ?? {})]) {
      if (raw !== 'NaN' && !Number.isFinite(Number(raw))) throw wrong(path, `"${raw}" is no number`);
    }
  }
  for (const [index, mark] of (content.marks ?? []).entries()) {
    const unknown = mark.series?.find((key) => !keys.has(key));
    if (unknown) throw wrong(`/marks/${index}/series`, `there is no value ${unknown}`);
  }
  return content;
}

/** Everything a map reads, as few blocks a poll period as its work-arounds allow. */
export function planPolls(map: ModbusMap): PollGroup[] {
  const byPeriod = Map.groupBy(map.values, (value) => value.pollMs ?? map.pollMs);
  const shortestMs = Math.min(...byPeriod.keys());
  return [...byPeriod].map(([pollMs, values]) => {
    const needed = values.flatMap((value) => [
      spanOf(map, value),
      ...(value.age ? [spanOf(map, value.age)] : []),
    ]);
    const keys = new Set(values.map(({ metric, channel }) => seriesKey(metric, channel)));
    const marks = (map.marks ?? []).filter(({ series }) => !series || series.some((key) => keys.has(key)));
    const alerts = pollMs === shortestMs ? (map.alerts ?? []) : [];
    const flags = [...marks, ...alerts].map(({ table, address }) => ({
      table: table ?? map.table,
      address,
      count: 1,
    }));
    // The canary rides in each period's blocks where it can, so that every reply proves itself.
    const canary = map.canary ? [{ ...map.canary, table: map.canary.table ?? map.table, count: 1 }] : [];
    const ridesAlong = canary.filter(({ table }) => needed.some((each) => each.table === table));
    return {
      pollMs,
      values,
      alerts: pollMs === shortestMs,
      blocks: merge([...needed, ...flags, ...ridesAlong], map),
    };
  });
}

const spanOf = (
  map: ModbusMap,
  { table, address, type }: { readonly table?: Table; readonly address: number; readonly type: NumberType },
): Block => ({ table: table ?? map.table, address, count: registersOf[type] });

function merge(spans: readonly Block[], { workarounds }: ModbusMap): Block[] {
  const largest = workarounds?.largestBlock ?? 125;
  const largestGap = workarounds?.largestGap ?? 16;
  const sorted = spans.toSorted((a, b) => a.table.localeCompare(b.table) || a.address - b.address);
  const blocks: Block[] = [];
  for (const span of sorted) {
    const last = blocks.at(-1);
    const end = span.address + span.count;
    const lastEnd = last ? last.address + last.count : 0;
    if (last && last.table === span.table && end <= lastEnd) continue;
    const joins =
      last?.table === span.table &&
      !workarounds?.oneRequestPerField &&
      span.address - lastEnd <= largestGap &&
      end - last.address <= largest;
    if (last && joins) blocks[blocks.length - 1] = { ...last, count: end - last.address };
    else blocks.push({ table: span.table, address: span.address, count: span.count });
  }
  return blocks;
}
