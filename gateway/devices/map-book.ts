import type { Clock } from '../../model/clock.ts';
import type { Device } from '../../model/device.ts';
import type { FaultReport } from '../../model/fault.ts';
import type { PersonId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import type { HostReply } from '../../model/wire.ts';

/** A device map the hospital made or changed; the id is its name. */
export interface MapRow {
  readonly id: string;
  readonly driver: string;
  readonly content: unknown;
  readonly changedBy: PersonId;
  readonly changedAtMs: number;
}
export interface ShownMap {
  readonly name: string;
  /** `vigil`: as it came; `hospital`: made or changed here. */
  readonly origin: 'vigil' | 'hospital';
  readonly driver?: string;
  readonly content: unknown;
  readonly changedBy?: PersonId;
  readonly changedAtMs?: number;
}

export interface MapBookOptions {
  readonly clock: Clock;
  readonly rows: {
    load(table: 'maps'): Promise<readonly MapRow[]>;
    put(table: 'maps', row: MapRow): Promise<void>;
    remove(table: 'maps', id: string): Promise<void>;
  };
  /** Asks the host beside the gateway, which has the drivers. */
  readonly ask: (
    question: { ask: 'maps' } | { ask: 'check-map'; driver: string; name: string; content: unknown },
  ) => Promise<HostReply | 'host-away'>;
  /** Devices whose settings name the map. */
  readonly users: (name: string) => readonly string[];
  readonly changed: () => void;
  readonly audit: (entry: {
    by: string;
    act: string;
    on: string;
    outcome: string;
    before?: unknown;
    after?: unknown;
  }) => void;
}

/** Maps are small; a hospital has a few dozen kinds of devices. */
const mostMaps = 256;
export const mostMapBytes = 65_536;

/** The hospital's own maps. One of the same name as one of Vigil's stands before it. */
export class MapBook {
  private readonly options: MapBookOptions;
  private readonly maps = new Map<string, MapRow>();

  constructor(options: MapBookOptions) {
    this.options = options;
  }

  async open(): Promise<void> {
    for (const map of await this.options.rows.load('maps')) this.maps.set(map.id, map);
  }

  /** By name, as a host's configuration carries them. */
  of(names: Iterable<string>): Record<string, unknown> {
    const found: Record<string, unknown> = {};
    for (const name of names) {
      const map = this.maps.get(name);
      if (map) found[name] = map.content;
    }
    return found;
  }

  /** The hospital's, then Vigil's that it has not changed. */
  async list(): Promise<readonly ShownMap[] | 'host-away'> {
    const own = [...this.maps.values()].map(({ id, ...map }): ShownMap => ({
      name: id,
      origin: 'hospital',
      ...map,
    }));
    const reply = await this.options.ask({ ask: 'maps' });
    if (reply === 'host-away') return reply;
    const came = (reply.seen as { name: string; content: unknown }[])
      .filter(({ name }) => !this.maps.has(name))
      .map(({ name, content }): ShownMap => ({ name, origin: 'vigil', content }));
    return [...own, ...came];
  }

  /** Checked as the driver will read it; devices that name it are opened anew. */
  async put(
    by: Person,
    name: string,
    { driver, content }: { readonly driver: string; readonly content: unknown },
  ): Promise<ShownMap | 'host-away' | 'too-many' | { refused: readonly { path: string; cause: string }[] }> {
    if (JSON.stringify(content).length > mostMapBytes)
      return { refused: [{ path: '/content', cause: `is longer than ${mostMapBytes} bytes` }] };
    const before = this.maps.get(name);
    if (!before && this.maps.size >= mostMaps) return 'too-many';
    const reply = await this.options.ask({ ask: 'check-map', driver, name, content });
    if (reply === 'host-away') return reply;
    if (reply.fault) return { refused: [refusedOf(reply.fault as FaultReport)] };
    const row = { id: name, driver, content, changedBy: by.id, changedAtMs: this.options.clock.nowMs() };
    await this.options.rows.put('maps', row);
    this.maps.set(name, row);
    this.options.audit({ by: by.id, act: 'map.put', on: name, outcome: 'done', before, after: row });
    this.options.changed();
    const { id: _, ...shown } = row;
    return { name, origin: 'hospital', ...shown };
  }

  /** Refused while a device names it, unless Vigil has one of that name to fall back to. */
  async remove(by: Person, name: string): Promise<'done' | 'absent' | 'in-use' | 'host-away'> {
    const before = this.maps.get(name);
    if (!before) return 'absent';
    if (this.options.users(name).length > 0) {
      const reply = await this.options.ask({ ask: 'maps' });
      if (reply === 'host-away') return reply;
      if (!(reply.seen as { name: string }[]).some((map) => map.name === name)) return 'in-use';
    }
    await this.options.rows.remove('maps', name);
    this.maps.delete(name);
    this.options.audit({ by: by.id, act: 'map.remove', on: name, outcome: 'done', before });
    this.options.changed();
    return 'done';
  }
}

const refusedOf = ({ details, message }: FaultReport): { path: string; cause: string } => ({
  path: `/content${String(details?.['path'] ?? '')}`,
  cause: String(details?.['cause'] ?? message),
});

/** The maps that these devices name in their settings. */
export const mapsNamedBy = (devices: readonly Device[]): Set<string> =>
  new Set(
    devices.flatMap(({ settings }) => (typeof settings?.['map'] === 'string' ? [settings['map']] : [])),
  );

export const mapUsers = (devices: readonly Device[], name: string): string[] =>
  devices.flatMap((device) => (mapsNamedBy([device]).has(name) ? [device.id] : []));
