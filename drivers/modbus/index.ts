import { Fault } from '../../model/fault.ts';
import { defineDriver, type DriverHost, type Shared } from '../driver.ts';
import { parsePort, type Line } from '../transport/port.ts';
import { openStream } from '../transport/stream.ts';
import { createBus, type Bus, type BusUnit } from './bus.ts';
import { decodeReply } from './decode.ts';
import { tables, type Framing } from './frame.ts';
import { planPolls, readMap } from './map.ts';
import type { ModbusMap } from './map-schema.ts';
import { createPoller } from './poll.ts';
import { createRegisters, textAt } from './registers.ts';
import { settings } from './settings.ts';
import type { Canary, UnitOptions } from './unit.ts';

const connectMs = 5_000;
const lineDefaults: Line = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1, rtscts: false };

export default defineDriver({
  ...settings,

  checkMap: (name, content) => void readMap(name, content),

  /** Joins the bus of its port and polls what its map names. Only functions 1 to 4 can be sent (frame.ts). */
  async open({ device, port, line, protocol, unit: id, map: name, timeoutMs, lateBoundMs }, host) {
    const map = readMap(name, host.map(name));
    const groups = planPolls(map);
    const framing: Framing = parsePort(port)?.kind === 'serial' ? 'rtu' : protocol;
    const bus = await host.share(`modbus:${port}`, (clock) =>
      openBus({ port, framing, line: { ...lineDefaults, ...line } }, { ...host, clock }),
    );
    const unit = bus.join(unitOptions({ device, map, host, unit: id, timeoutMs, lateBoundMs }));
    const poller = createPoller({ device, host, map, unit });
    host.link(device, 'searching');
    let known = map.identity === undefined;

    for (const group of groups) {
      let polling = false;
      const cycle = async (): Promise<void> => {
        if (polling) return host.count(device, 'missedPoll', 1);
        polling = true;
        if (!known) known = await identify({ device, map, host, unit });
        if (known) await poller.poll(group);
        polling = false;
      };
      host.clock.after(0, () => void cycle());
      host.clock.every(group.pollMs, () => void cycle());
    }
    return {
      recovers: true,
      close: async () => {
        poller.close();
        unit.leave();
      },
    };
  },

  decode: decodeReply,
});

async function openBus(
  wire: { readonly port: string; readonly framing: Framing; readonly line: Line },
  { clock, chance }: Pick<DriverHost, 'clock' | 'chance'>,
): Promise<Shared<Bus>> {
  const closing = new AbortController();
  const bus = createBus({
    address: wire.port,
    framing: wire.framing,
    clock,
    chance,
    // Modbus over serial line V1.02, 2.5.1.1: 3.5 characters of 11 bits, and no less than 1.75 ms.
    gapMs: wire.framing === 'rtu' ? Math.max(1.75, (3.5 * 11 * 1000) / wire.line.baudRate) : 0,
    connect: () => openStream(wire.port, wire.line, { clock, deadlineMs: connectMs, signal: closing.signal }),
  });
  const close = async (): Promise<void> => {
    closing.abort(new Fault('WIRE_CLOSED', { address: wire.port }));
    await bus.close();
  };
  return { value: bus, close };
}

interface JoinOptions {
  readonly device: string;
  readonly map: ModbusMap;
  readonly host: DriverHost;
  readonly unit: number;
  readonly timeoutMs: number;
  readonly lateBoundMs: number;
}

function unitOptions({ device, map, host, unit, timeoutMs, lateBoundMs }: JoinOptions): UnitOptions {
  const first = map.values[0];
  const canary: Canary | undefined = map.canary && {
    fc: tables[map.canary.table ?? map.table],
    address: map.canary.address,
    count: 1,
    equals: (data) => data.length >= 2 && data.readUInt16BE(0) === map.canary?.equals,
  };
  return {
    unit,
    timeoutMs,
    lateBoundMs,
    pauseAfterConnectMs: map.workarounds?.pauseAfterConnectMs ?? 0,
    pauseBetweenRequestsMs: map.workarounds?.pauseBetweenRequestsMs ?? 0,
    ...(canary && { canary }),
    probe: { fc: tables[first?.table ?? map.table], address: first?.address ?? 0 },
    late: (raw) => host.count(device, 'lateReply', 1, raw),
    discarded: (raw) => host.count(device, 'discardedBytes', raw.length, raw),
    badChecksum: (raw) => host.count(device, 'badChecksum', 1, raw),
    roundTrip: (ms) => host.roundTrip(device, ms),
  };
}

/** Reads who the device says it is; false when it did not answer (asked again with the next poll). */
async function identify(options: {
  readonly device: string;
  readonly map: ModbusMap;
  readonly host: DriverHost;
  readonly unit: BusUnit;
}): Promise<boolean> {
  const { device, map, host, unit } = options;
  const seen: Record<string, string> = {};
  try {
    for (const [field, at] of Object.entries(map.identity ?? {})) {
      const table = at.table ?? map.table;
      const count = Math.ceil(at.length / 2);
      const { data } = await unit.read({ fc: tables[table], address: at.address, count });
      const registers = createRegisters([{ table, address: at.address, count, data }]);
      seen[field] = textAt(registers, table, at.address, at.length) ?? '';
    }
  } catch (error) {
    if (error instanceof Fault) host.link(device, 'searching', error);
    return false;
  }
  host.identity(device, seen);
  return true;
}
