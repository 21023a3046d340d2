import type { AlertState } from '../../model/alarm.ts';
import { Fault } from '../../model/fault.ts';
import { seriesKey, type Observation, type Reason } from '../../model/observation.ts';
import type { DriverHost, Emitted } from '../driver.ts';
import type { BusUnit } from './bus.ts';
import { tables } from './frame.ts';
import type { Block, PollGroup } from './map.ts';
import type { MapValue, ModbusMap } from './map-schema.ts';
import { alertsOf, canaryHolds, missingOf, modeOf, observe } from './observe.ts';
import { createRegisters, type ReadBlock } from './registers.ts';

export interface PollOptions {
  readonly device: string;
  readonly host: DriverHost;
  readonly map: ModbusMap;
  readonly unit: BusUnit;
}

export interface Poller {
  /** One cycle of a group; never throws. */
  poll(group: PollGroup): Promise<void>;
  close(): void;
}

/** A device polled slower than this is given three of its periods. */
const lostAfterMs = (map: ModbusMap): number => Math.max(6_000, 3 * map.pollMs);
/** The wire itself is gone: no need to wait. */
const gone: ReadonlySet<string> = new Set(['WIRE_CLOSED', 'WIRE_REFUSED', 'WIRE_NO_PORT']);

/** Reads the blocks of a map and says what they mean; keeps what must be known from one poll to the next. */
export function createPoller({ device, host, map, unit }: PollOptions): Poller {
  const { clock } = host;
  const episodes = new Map<string, Observation>();
  /** Monotonic instant of each series' last good read. */
  const lastGood = new Map<string, number>();
  let activeAlerts = new Map<string, AlertState>();
  let lastSuccessMs = clock.monotonicMs();
  let lost = false;
  /** Answered since the session began or since it was lost: only then is something missing. */
  let reached = false;
  let closed = false;

  async function poll(group: PollGroup): Promise<void> {
    const { blocks, failed, doubtful, atMs } = await readBlocks(group);
    if (closed) return;
    const registers = createRegisters(blocks);
    const items: Emitted[] = [];
    for (const value of group.values) {
      const seen = observe(map, value, registers, atMs);
      if (seen) {
        lastGood.set(keyOf(value), clock.monotonicMs());
        const observation = afterLateness(seen, doubtful);
        if (isNews(value, observation)) items.push({ kind: 'observation', ...settled(value, observation) });
      } else if (failed && reached && isStale(value)) {
        items.push({ kind: 'observation', ...missingOf(value, reasonOf(failed), clock.nowMs()) });
      }
    }
    if (blocks.length > 0) succeeded(group, registers, items);
    if (failed) noteFault(failed, blocks.length > 0);
    if (items.length > 0 && reached) host.emit(device, items);
  }

  async function readBlocks(group: PollGroup): Promise<{
    blocks: ReadBlock[];
    failed: Fault | undefined;
    doubtful: boolean;
    atMs: number;
  }> {
    const blocks: ReadBlock[] = [];
    let failed: Fault | undefined;
    let doubtful = false;
    let atMs = clock.nowMs();
    for (const block of group.blocks) {
      try {
        const reading = await unit.read({
          fc: tables[block.table],
          address: block.address,
          count: block.count,
        });
        checkCanary(block, reading.data);
        blocks.push({ ...block, data: reading.data });
        doubtful ||= reading.doubtful;
        atMs = reading.atMs;
      } catch (error) {
        failed =
          error instanceof Fault
            ? error
            : new Fault('DRIVER_BROKE', { driver: 'modbus', cause: String(error) });
        // An exception is about this block alone; anything else is about the unit or the wire.
        if (failed.code !== 'MODBUS_EXCEPTION') break;
      }
    }
    return { blocks, failed, doubtful, atMs };
  }

  /** A block that holds the canary's place proves itself, or is thrown away whole. */
  function checkCanary(block: Block, data: Buffer): void {
    if (canaryHolds(map, createRegisters([{ ...block, data }]))) return;
    unit.distrust();
    throw new Fault('MODBUS_MISMATCH', { unit: device, cause: 'the canary register holds another value' });
  }

  function succeeded(
    group: PollGroup,
    registers: ReturnType<typeof createRegisters>,
    items: Emitted[],
  ): void {
    lastSuccessMs = clock.monotonicMs();
    if (lost) episodes.clear();
    lost = false;
    reached = true;
    host.count(device, 'frame', 1);
    host.link(device, 'connected');
    const mode = modeOf(map, registers);
    if (mode) host.state(device, { mode });
    if (!group.alerts) return;
    const alerts = alertsOf(map, registers, new Set(activeAlerts.keys()));
    const now = new Map(alerts.map((alert) => [alert.alertId, alert]));
    const ended = [...activeAlerts.values()].filter(({ alertId }) => !now.has(alertId));
    activeAlerts = now;
    if (alerts.length + ended.length === 0) return;
    const ends = ended.map((alert): AlertState => ({ ...alert, phase: 'end' }));
    items.push({ kind: 'alerts', alerts: [...alerts, ...ends], complete: true });
  }

  function noteFault(fault: Fault, answered: boolean): void {
    const silentMs = clock.monotonicMs() - lastSuccessMs;
    if (!answered && !lost && (gone.has(fault.code) || silentMs >= lostAfterMs(map))) {
      lost = true;
      reached = false;
      host.link(device, 'lost', fault);
    } else host.link(device, 'searching', fault);
  }

  /** The device answered beyond the stated bound: until it is proven again each value is in doubt. */
  const afterLateness = (seen: Observation, doubtful: boolean): Observation =>
    doubtful && !('value' in seen && seen.value === null) && seen.validity === 'valid'
      ? { ...seen, validity: 'questionable', mark: 'late-reply' }
      : seen;

  const isStale = (value: MapValue): boolean => {
    const maxAgeMs = value.maxAgeMs ?? map.maxAgeMs ?? 3 * map.pollMs;
    return clock.monotonicMs() - (lastGood.get(keyOf(value)) ?? -Infinity) >= maxAgeMs;
  };

  /** The same measurement of a cuff stands in its registers until the next one: it is told once. */
  const isNews = (value: MapValue, seen: Observation): boolean => {
    if (!value.age) return true;
    const before = episodes.get(keyOf(value));
    return !before || !sameMeasurement(before, seen, toleranceMs(map, value));
  };

  const settled = (value: MapValue, seen: Observation): Observation => {
    if (value.age) episodes.set(keyOf(value), seen);
    return seen;
  };

  return {
    poll: (group) => (closed ? Promise.resolve() : poll(group)),
    close: () => {
      closed = true;
    },
  };
}

const keyOf = ({ metric, channel }: MapValue): string => seriesKey(metric, channel);

/** An age in whole seconds, read once a period, puts the same instant this far apart. */
const toleranceMs = (map: ModbusMap, { age }: MapValue): number => 2 * (age?.msPer ?? 0) + map.pollMs;

function sameMeasurement(a: Observation, b: Observation, withinMs: number): boolean {
  const { takenAtMs: atA, ...contentA } = a;
  const { takenAtMs: atB, ...contentB } = b;
  const missing = 'value' in b && b.value === null;
  return (
    JSON.stringify(contentA) === JSON.stringify(contentB) && (missing || Math.abs(atA - atB) <= withinMs)
  );
}

function reasonOf(fault: Fault): Reason {
  if (fault.code === 'MODBUS_LATE' || fault.code === 'MODBUS_MISMATCH') return 'late-reply';
  return fault.code === 'MODBUS_EXCEPTION' ? 'device-fault' : 'link-lost';
}
