import { Fault } from '../../model/fault.ts';
import type { DecodedItem } from '../../model/device.ts';
import { instantOf, isZone } from '../../model/local-time.ts';
import type { Observation } from '../../model/observation.ts';
import type { AlertState } from '../../model/alarm.ts';
import { defineDriver, type DecodeOptions, type DriverHost, type Emitted } from '../driver.ts';
import { alertsOf, observe } from './codec.ts';
import { createFrames } from './frames.ts';
import { readLine, type Line } from './line.ts';
import { settings } from './settings.ts';

const maker = 'Masimo';

export default defineDriver({
  ...settings,

  /** Listens only: nothing is ever sent to the oximeter. */
  async open({ device, port: address, timeZone }, host) {
    if (timeZone !== undefined && !isZone(timeZone)) {
      throw new Fault('DRIVER_SETTINGS', { path: '/timeZone', driver: settings.name, cause: 'no such zone' });
    }
    const port = await host.stream();
    const frames = createFrames();
    const report = createReport(device, host);
    host.link(device, 'searching');
    port.on('data', (chunk: Buffer) => {
      const { lines, discarded } = frames.push(chunk);
      if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
      for (const text of lines) {
        const line = readLine(text);
        if (typeof line === 'string')
          host.count(device, 'discardedBytes', text.length, Buffer.from(text, 'latin1'));
        else report(line, timeZone);
      }
    });
    port.on('close', () => host.link(device, 'lost', new Fault('WIRE_CLOSED', { address })));
    return { close: async () => void port.destroy() };
  },

  decode: decodeBytes,
});

/** Hands each good line to the host; remembers which alerts were active and which optional values were ever there. */
function createReport(device: string, host: DriverHost): (line: Line, timeZone: string | undefined) => void {
  const seen = new Set<string>();
  let active = new Map<string, AlertState>();
  let linked = false;
  return (line, timeZone) => {
    host.count(device, 'frame', 1);
    host.identity(device, { manufacturer: maker, ...(line.serial && { serial: line.serial }) });
    if (timeZone !== undefined) host.state(device, { clockMs: instantOf(line.clock, timeZone) });
    if (!linked) host.link(device, 'connected');
    linked = true;

    const takenAtMs = host.clock.nowMs();
    const items: Emitted[] = [];
    for (const { optional, ...observation } of observe(line)) {
      const valued = !('value' in observation) || observation.value !== null;
      if (valued) seen.add(observation.metric);
      if (optional && !seen.has(observation.metric)) continue;
      items.push({ kind: 'observation', ...observation, takenAtMs } as Emitted);
    }
    const alerts = alertsOf(line, new Set(active.keys()));
    const now = new Map(alerts.map((alert) => [alert.alertId, alert]));
    const ended = [...active.values()].filter(({ alertId }) => !now.has(alertId));
    if (alerts.length + ended.length > 0) {
      const ends = ended.map((alert): AlertState => ({ ...alert, phase: 'end' }));
      items.push({ kind: 'alerts', alerts: [...alerts, ...ends], complete: true });
    }
    active = now;
    host.emit(device, items);
  };
}

/** Whole lines; the last one may lack its line end. */
function decodeBytes(bytes: Buffer, { settings: given }: DecodeOptions): DecodedItem[] {
  const zone = given?.['timeZone'];
  const frames = createFrames();
  const { lines } = frames.push(bytes);
  return [...lines, frames.rest()]
    .filter((text) => text.trim() !== '')
    .flatMap((text): DecodedItem[] => {
      const line = readLine(text);
      if (typeof line === 'string') {
        return [{ kind: 'refused', cause: line, rawHex: Buffer.from(text, 'latin1').toString('hex') }];
      }
      const takenAtMs = typeof zone === 'string' && isZone(zone) ? instantOf(line.clock, zone) : undefined;
      const identity = { manufacturer: maker, ...(line.serial && { serial: line.serial }) };
      return [
        { kind: 'identity', identity },
        ...observe(line).map(({ optional: _, ...observation }): DecodedItem => {
          const item = observation as Omit<Observation, 'takenAtMs'>;
          return {
            kind: 'observation',
            ...item,
            ...(takenAtMs !== undefined && { takenAtMs }),
          } as DecodedItem;
        }),
        ...alertsOf(line).map((alert): DecodedItem => ({ kind: 'alert', alert })),
      ];
    });
}
