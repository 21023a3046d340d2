import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { HostConfig } from '../../model/wire.ts';
import { driverNames, type LoadDriver } from '../index.ts';
import { checkSettings } from '../settings.ts';
import { createDeviceHealth, type DeviceReport } from './device-health.ts';
import { runDevice, type DeviceRun, type RunEvents } from './device-run.ts';
import type { HostServices } from './session-host.ts';

type Registered = HostConfig['devices'][number];

export interface FleetOptions {
  readonly loadDriver: LoadDriver;
  readonly services: HostServices;
  readonly events: RunEvents;
  /** Before a device's first message: its counter must be reserved. */
  readonly prepare: (device: DeviceId) => Promise<void>;
}

export interface Fleet {
  /** Opens what is new, closes what is gone, reopens what changed; nothing else is touched. */
  reconcile(config: HostConfig): void;
  /** Says every birth again. */
  announce(): void;
  report(): DeviceReport[];
  runs(device: DeviceId): boolean;
  close(): Promise<void>;
}

interface Member {
  /** Everything the run was made from; another text is another run. */
  readonly text: string;
  run: DeviceRun | undefined;
  /** A device that cannot run is told of, with the reason. */
  refused: DeviceReport | undefined;
}

/** The devices of this host, each in a run of its own. */
export function createFleet({ loadDriver, services, events, prepare }: FleetOptions): Fleet {
  const members = new Map<DeviceId, Member>();
  /** Per device one thing after the other: an old run ends before the new one opens its port. */
  const chains = new Map<DeviceId, Promise<void>>();
  let closed = false;

  const inTurn = (device: DeviceId, act: () => Promise<void>): Promise<void> => {
    const chain = (chains.get(device) ?? Promise.resolve()).then(act);
    chains.set(device, chain);
    void chain.then(() => chains.get(device) === chain && chains.delete(device));
    return chain;
  };

  const start = async (registered: Registered, member: Member): Promise<void> => {
    const { device, identity, periodMs } = registered;
    if (closed || members.get(device) !== member) return;
    const driver = await loadDriver(registered.driver);
    const checked = checkSettings(registered.driver, registered.settings);
    const fault = checked.faults?.[0];
    if (!driver || fault) {
      member.refused = refusal(device, fault ?? unknownDriver(registered.driver), services.clock);
      return;
    }
    await prepare(device);
    const settings = checked.settings ?? {};
    const spec = { device, driver, settings, periodMs, ...(identity && { identity }) };
    member.run = runDevice(spec, services, events);
  };

  const replace = (device: DeviceId, next: Member | undefined, registered: Registered | undefined): void => {
    const before = members.get(device);
    if (next) members.set(device, next);
    else members.delete(device);
    void inTurn(device, async () => {
      await before?.run?.close();
      if (next && registered) await start(registered, next);
    });
  };

  return {
    reconcile: (config) => {
      const wanted = new Map(config.devices.map((registered) => [registered.device, registered]));
      for (const device of members.keys()) if (!wanted.has(device)) replace(device, undefined, undefined);
      for (const [device, registered] of wanted) {
        const text = JSON.stringify([registered, mapOf(registered, services.map)]);
        if (members.get(device)?.text === text) continue;
        replace(device, { text, run: undefined, refused: undefined }, registered);
      }
    },
    announce: () => {
      for (const { run } of members.values()) run?.announce();
    },
    report: () => [...members.values()].flatMap(({ run, refused }) => run?.report() ?? refused ?? []),
    runs: (device) => members.get(device)?.run !== undefined,
    close: async () => {
      closed = true;
      await Promise.all(
        [...members].map(([device, member]) => inTurn(device, async () => member.run?.close())),
      );
    },
  };
}

const mapOf = ({ settings }: Registered, map: HostServices['map']): unknown =>
  typeof settings['map'] === 'string' ? map(settings['map']) : undefined;

const unknownDriver = (driver: string): Fault =>
  new Fault('DRIVER_UNKNOWN', { driver, known: driverNames.join(', ') });

function refusal(device: DeviceId, fault: Fault, clock: Clock): DeviceReport {
  const health = createDeviceHealth(clock);
  health.fault(fault);
  return health.report(device, 'lost');
}
