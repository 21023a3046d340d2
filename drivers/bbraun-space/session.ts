import type { AlertState } from '../../model/alarm.ts';
import { createAlertPhases } from '../../model/alert-phases.ts';
import { pause } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { seriesKey, splitKey } from '../../model/observation.ts';
import { missing } from '../../model/untimed.ts';
import type { DriverHost, Emitted, Session } from '../driver.ts';
import { createAsking, startRounds } from '../transport/asking.ts';
import { alarmStates, createCollector, observe, readRecords, type Pumps } from './codec.ts';
import { control, createFramer, encodeRequest, type Item } from './frame.ts';

export interface SessionOptions {
  readonly device: string;
  readonly address: string;
  readonly bedId: string;
  readonly stuffing: boolean;
  readonly pollMs: number;
  readonly timeoutMs: number;
}

/** The rack wants this much time before a block is acknowledged. */
const acknowledgeMs = 100;
/** And this much between the end of one reading of its memory and the next. */
const restMs = 500;

export async function openSession(options: SessionOptions, host: DriverHost): Promise<Session> {
  const { device, address, bedId, stuffing, pollMs, timeoutMs } = options;
  const port = await host.stream();
  const framer = createFramer();
  const collector = createCollector();
  const asking = createAsking<Pumps>({ device, host, port, address, timeoutMs });
  const tell = createTeller(device, host);
  const alive = encodeRequest(bedId, 'ADMIN:ALIVE', stuffing);
  const memory = encodeRequest(bedId, 'MEM:GET', stuffing);
  let greeted = false;
  let restUntilMs = 0;

  async function round(): Promise<boolean> {
    if (!alive || !memory) return false;
    if (!greeted) {
      if (!(await asking.ask(alive, () => true))) return false;
      greeted = true;
    }
    const leftMs = restUntilMs - host.clock.monotonicMs();
    if (leftMs > 0) await pause(host.clock, leftMs);
    const pumps = await asking.ask(memory, () => true);
    restUntilMs = host.clock.monotonicMs() + restMs;
    if (!pumps) {
      greeted = false;
      return false;
    }
    tell(pumps);
    return true;
  }

  function answer(byte: number): void {
    host.clock.after(acknowledgeMs, () => {
      if (!port.destroyed) port.write(Buffer.from([byte]));
    });
  }

  function hear(item: Item): void {
    if (item.kind === 'bad') {
      // What came before belongs to a message that will not be whole.
      collector.rest();
      host.count(device, 'badChecksum', 1, item.raw);
      return answer(control.nak);
    }
    host.count(device, 'frame', 1);
    answer(control.ack);
    const whole = collector.push(item.block);
    if (!whole) return;
    const pumps = readRecords(whole);
    if (typeof pumps === 'string') host.count(device, 'discardedBytes', whole.length, item.raw);
    // Answered only when the acknowledgement has left: the next question must not overtake it.
    else host.clock.after(acknowledgeMs, () => asking.replied(pumps));
  }

  host.link(device, 'searching');
  port.on('data', (chunk: Buffer) => {
    const { items, discarded } = framer.push(chunk);
    asking.coming();
    if (discarded > 0) host.count(device, 'discardedBytes', discarded, chunk);
    for (const item of items) hear(item);
  });
  const stop = startRounds({ device, host, port, address, timeoutMs, pollMs, round });
  const end = (): void => {
    stop();
    asking.close();
  };
  port.on('close', () => {
    end();
    host.link(device, 'lost', new Fault('WIRE_CLOSED', { address }));
  });
  return {
    close: async () => {
      end();
      port.destroy();
    },
  };
}

/** Hands a whole reading of the memory to the host. */
function createTeller(device: string, host: DriverHost): (pumps: Pumps) => void {
  const phases = createAlertPhases();
  const active = new Map<string, AlertState>();
  let seen = new Set<string>();
  let linked = false;

  /** A pump that was taken out of the rack takes its alarms with it. */
  function alerts(pumps: Pumps): readonly AlertState[] {
    for (const [alertId, alert] of alarmStates(pumps)) {
      if (alert) active.set(alertId, alert);
      else active.delete(alertId);
    }
    for (const alertId of active.keys()) if (!pumps.has(alertId.split('-')[0] ?? '')) active.delete(alertId);
    return [...active.values()];
  }

  return (pumps) => {
    const observations = observe(pumps);
    if (typeof observations === 'string') return host.count(device, 'badChecksum', 1);
    if (!linked) {
      host.link(device, 'connected');
      host.identity(device, { manufacturer: 'B. Braun', model: 'Space' });
    }
    linked = true;
    const takenAtMs = host.clock.nowMs();
    const now = new Set(observations.map(({ metric, channel }) => seriesKey(metric, channel)));
    const gone = [...seen].filter((key) => !now.has(key)).map(splitKey);
    seen = new Set([...seen, ...now]);
    const items: Emitted[] = [
      ...observations,
      ...gone.map(({ metric, channel }) => missing(metric, 'not-measured', channel)),
    ].map((observation) => ({ kind: 'observation', ...observation, takenAtMs }));
    const told = phases.next(alerts(pumps));
    if (told) items.push({ kind: 'alerts', alerts: told, complete: true });
    if (items.length > 0) host.emit(device, items);
  };
}
