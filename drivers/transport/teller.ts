import type { Duplex } from 'node:stream';
import type { AlertState } from '../../model/alarm.ts';
import { pause, type Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { DeviceId } from '../../model/ids.ts';
import { seriesKey } from '../../model/observation.ts';
import type { DriverHost, Emitted, Session } from '../driver.ts';
import type { ActiveAlert, StreamCodec, Told, ToldObservation } from './told.ts';

export interface TellerOptions {
  readonly device: DeviceId;
  readonly host: DriverHost;
  /** The one wave the codec tells samples of; without it they are not told. */
  readonly wave?: Wave | undefined;
  /** Metrics that are told as samples of the wave only: one observation a sample is for decoding bytes by hand. */
  readonly without?: readonly string[];
}
interface Wave {
  readonly metric: string;
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  /** Samples a block; the block's first sample is timed back from its last. */
  readonly block: number;
}

/** An oximeter repeats itself up to 100 times a second; one value a second is what a patient changes by. */
const everyMs = 1_000;
/** A device that says a value a second must not lose every second one to a few ms of jitter. */
const slackMs = 100;

/**
 * Hands what a codec tells to the host: connected at the first good frame; each series at most once a second, but at
 * once when it comes, goes or changes its mark; alerts with their beginning and end.
 */
export function createTeller({
  device,
  host,
  wave,
  without = [],
}: TellerOptions): (told: readonly Told[]) => void {
  const last = new Map<string, { readonly atMs: number; readonly state: string }>();
  const tellAlerts = createAlerts(host);
  const samples: number[] = [];
  let linked = false;

  const due = (key: string, state: string): boolean => {
    const atMs = host.clock.monotonicMs();
    const before = last.get(key);
    if (before && before.state === state && atMs - before.atMs < everyMs - slackMs) return false;
    last.set(key, { atMs, state });
    return true;
  };
  const observed = ({ kind: _, ...seen }: { kind: 'observation' } & ToldObservation): Emitted[] => {
    if (without.includes(seen.metric)) return [];
    const none = 'value' in seen && seen.value === null ? seen.reason : '';
    // One with a time of its own is a measurement of its own, whenever it comes.
    const own = seen.takenAtMs !== undefined;
    if (!own && !due(seriesKey(seen.metric, seen.channel), `${seen.validity} ${seen.mark} ${none}`))
      return [];
    return [{ kind: 'observation', takenAtMs: host.clock.nowMs(), ...seen } as Emitted];
  };
  const sampled = (raw: readonly number[]): Emitted[] => {
    if (!wave) return [];
    const { metric, periodUs, gain, offset, block } = wave;
    samples.push(...raw);
    const blocks: Emitted[] = [];
    while (samples.length >= block) {
      const aheadMs = ((samples.length - 1) * periodUs) / 1000;
      const takenAtMs = Math.round(host.clock.nowMs() - aheadMs);
      const cut = Int16Array.from(samples.splice(0, block));
      blocks.push({ kind: 'waveform', metric, takenAtMs, periodUs, gain, offset, samples: cut });
    }
    return blocks;
  };

  return (told) => {
    const items: Emitted[] = [];
    for (const each of told) {
      switch (each.kind) {
        case 'frame':
          host.count(device, 'frame', 1);
          if (!linked) host.link(device, 'connected');
          linked = true;
          break;
        case 'refused':
          if (each.checksum) host.count(device, 'badChecksum', 1, each.raw);
          else host.count(device, 'discardedBytes', each.raw.length, each.raw);
          break;
        case 'identity':
          host.identity(device, each.identity);
          break;
        case 'state': {
          const { kind: _, ...seen } = each;
          host.state(device, seen);
          break;
        }
        case 'observation':
          items.push(...observed(each));
          break;
        case 'samples':
          items.push(...sampled(each.samples));
          break;
        case 'alerts':
          items.push(...tellAlerts(each.alerts));
          break;
        default:
          each satisfies never;
      }
    }
    if (items.length > 0) host.emit(device, items);
  };
}

type Alerts = readonly ActiveAlert[];

/** Beginning and end at once, what goes on once a second. */
export function createAlerts(host: DriverHost): (now: Alerts) => Emitted[] {
  let active = new Map<string, Alerts[number]>();
  let toldAtMs = 0;
  return (now) => {
    const ended = [...active.values()].filter(({ alertId }) => !now.some((each) => each.alertId === alertId));
    const changed =
      ended.length > 0 ||
      now.some((each) => JSON.stringify(each) !== JSON.stringify(active.get(each.alertId)));
    const atMs = host.clock.monotonicMs();
    if (!changed && (now.length === 0 || atMs - toldAtMs < everyMs - slackMs)) return [];
    toldAtMs = atMs;
    const alerts: AlertState[] = [
      ...now.map((each) => ({
        ...each,
        phase: active.has(each.alertId) ? ('continue' as const) : ('start' as const),
      })),
      ...ended.map((each) => ({ ...each, phase: 'end' as const })),
    ];
    active = new Map(now.map((each) => [each.alertId, each]));
    return [{ kind: 'alerts', alerts, complete: true }];
  };
}

export interface Reading extends TellerOptions {
  /** As the settings name it, for the fault when the wire closes. */
  readonly address: string;
  readonly codec: StreamCodec;
}

/** Opens the device's byte stream and tells what the codec reads of it; the wire is handed out for what may be sent. */
export async function openReading(
  reading: Reading,
): Promise<{ readonly port: Duplex; readonly session: Session }> {
  const { device, host, address, codec } = reading;
  const port = await host.stream();
  const tell = createTeller(reading);
  host.link(device, 'searching');
  port.on('data', (chunk: Buffer) => tell(codec.push(chunk)));
  port.on('close', () => host.link(device, 'lost', new Fault('WIRE_CLOSED', { address })));
  return { port, session: { close: async () => void port.destroy() } };
}

/** Sends what ends an exchange and waits until it is out, but never long: a stuck wire must not hold its session. */
export async function sendLast(port: Duplex, bytes: Buffer, clock: Clock): Promise<void> {
  if (!port.writable) return;
  const sent = new Promise<void>((resolve) => port.write(bytes, () => resolve()));
  await Promise.race([sent, pause(clock, lastMs)]);
}
const lastMs = 300;
