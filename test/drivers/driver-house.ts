import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Discovered, Driver, Emitted, Session } from '../../drivers/driver.ts';
import { readOwnMaps } from '../../drivers/host/maps.ts';
import { createSessionHost, type HostServices, type SessionHost } from '../../drivers/host/session-host.ts';
import { createShares, type Shares } from '../../drivers/host/shares.ts';
import { checkAgainst } from '../../drivers/settings.ts';
import { systemClock, type Clock } from '../../model/clock.ts';
import type { Identity, Link } from '../../model/device.ts';
import type { Fault } from '../../model/fault.ts';
import { systemChance } from '../../model/ids.ts';
import type { Observation } from '../../model/observation.ts';

export interface DriverHouse extends AsyncDisposable {
  readonly session: Session;
  readonly host: SessionHost;
  readonly folder: string;
  readonly emitted: Emitted[];
  readonly links: { readonly link: Link; readonly fault: Fault | undefined }[];
  readonly counts: Record<string, number>;
  readonly identities: Identity[];
  readonly modes: string[];
  readonly discovered: Discovered[];
  readonly broken: unknown[];
  observations(metric?: string): Observation[];
  /** Waits until `ready` holds; fails after `withinMs`, telling what was seen. */
  until(ready: () => boolean, withinMs?: number): Promise<void>;
}

export interface HouseOptions {
  readonly maps?: Readonly<Record<string, unknown>>;
  readonly shares?: Shares;
  readonly clock?: Clock;
  /** The lane of foreign MQTT; without it nothing comes. */
  readonly raw?: HostServices['raw'];
}

/** Opens a driver in a session host of its own, with real wires, and keeps all it says. */
export async function openDriver(
  driver: Driver,
  given: Readonly<Record<string, unknown>>,
  options: HouseOptions = {},
): Promise<DriverHouse> {
  const checked = checkAgainst(driver.settings, driver.name, given);
  if (checked.faults) throw checked.faults[0];
  const own = readOwnMaps();
  const folder = mkdtempSync(join(tmpdir(), 'vigil-driver-'));
  const emitted: Emitted[] = [];
  const links: { link: Link; fault: Fault | undefined }[] = [];
  const counts: Record<string, number> = {};
  const identities: Identity[] = [];
  const modes: string[] = [];
  const discovered: Discovered[] = [];
  const broken: unknown[] = [];
  const clock = options.clock ?? systemClock();
  const host = createSessionHost(
    { ...checked.settings, device: 'device-1' },
    {
      clock,
      chance: systemChance(),
      shares: options.shares ?? createShares(),
      folder,
      map: (name) => options.maps?.[name] ?? own.get(name),
      discovered: (item) => void discovered.push(item),
      raw: options.raw ?? (() => ({ close: async () => {} })),
    },
    {
      emit: (items) => void emitted.push(...items),
      kept: async () => {},
      link: (link, fault) => void links.push({ link, fault }),
      identity: (seen) => void identities.push(seen),
      state: ({ mode }) => void (mode && modes.push(mode)),
      count: (what, n) => void (counts[what] = (counts[what] ?? 0) + n),
      roundTrip: () => {},
      broke: (error) => void broken.push(error),
    },
  );
  const settings = { ...checked.settings, device: 'device-1' } as never;
  const session = await driver.open(settings, host.host).catch(async (error: unknown) => {
    await host.close();
    throw error;
  });
  const observations = (metric?: string): Observation[] =>
    emitted.flatMap((item) =>
      item.kind === 'observation' && (!metric || item.metric === metric) ? [item] : [],
    );
  return {
    session,
    host,
    folder,
    emitted,
    links,
    counts,
    identities,
    modes,
    discovered,
    broken,
    observations,
    until: async (ready, withinMs = 5_000) => {
      const endMs = performance.now() + withinMs;
      while (!ready()) {
        if (performance.now() > endMs) {
          throw new Error(
            `not seen in ${withinMs} ms; links ${JSON.stringify(links.slice(-3))}, counts ${JSON.stringify(counts)}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await session.close();
      await host.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
