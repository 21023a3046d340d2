import { isDeepStrictEqual } from 'node:util';
import { checkSettings, driverSettings } from '../../drivers/settings.ts';
import { isCharted } from '../../model/charted.ts';
import type { Device } from '../../model/device.ts';
import type { Fault } from '../../model/fault.ts';
import { isId, type Chance, type DeviceId, type HostId, type WardId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import { ForeignGrants } from './foreign.ts';

/** The host that the gateway starts beside itself. */
export const ownHost: HostId = 'host-own';

/** Expected time between two messages of a device, where nobody says otherwise. */
const usualPeriodMs = 1_000;

export interface DeviceRows {
  load(table: 'devices'): Promise<readonly Device[]>;
  put(table: 'devices', row: Device): Promise<void>;
  remove(table: 'devices', id: DeviceId): Promise<void>;
}

export interface RegistryOptions {
  readonly rows: DeviceRows;
  readonly chance: Chance;
  readonly wardExists: (ward: WardId) => boolean;
  readonly hostExists: (host: HostId) => boolean;
  /** Runs later: a host that has not yet heard of a change must not be thrown out for its last words. */
  readonly later: (run: () => void) => void;
  /** True while an association is open on it. */
  readonly inUse: (device: DeviceId) => boolean;
  /** Ends whatever credentials a device had. */
  readonly revoke: (device: DeviceId) => Promise<void>;
  readonly audit: (entry: {
    by: string;
    act: string;
    on: string;
    outcome: string;
    before?: unknown;
    after?: unknown;
  }) => void;
  /** A device was registered, changed or removed: its host, its rights and its watchers must know. */
  readonly changed: (device: DeviceId, now: Device | undefined) => void;
}

export interface DeviceDraft {
  readonly id?: DeviceId;
  readonly label: string;
  readonly ward: WardId;
  readonly bed?: string;
  readonly driver?: string;
  readonly host?: HostId;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly duty?: Device['duty'];
  readonly identity?: Device['identity'];
  readonly assetNumber?: string;
  readonly udi?: string;
  readonly periodMs?: number;
}
export interface Refused {
  readonly refused: readonly { readonly path: string; readonly cause: string }[];
}

/** Every registered device, in memory; each change is on disk before it is answered. */
export class Registry {
  private readonly options: RegistryOptions;
  private readonly devices = new Map<DeviceId, Device>();
  /** Live sets: the front door holds them as rights. */
  private readonly byHost = new Map<HostId, Set<DeviceId>>();
  /** Who publishes foreign MQTT, and for whom. */
  readonly foreign = new ForeignGrants();
  /** By fixed place: asked for with every tile. */
  private readonly byBed = new Map<string, Set<DeviceId>>();

  constructor(options: RegistryOptions) {
    this.options = options;
  }

  async open(): Promise<void> {
    for (const device of await this.options.rows.load('devices')) this.hold(device);
  }

  drivers(): { name: string; title: string; metrics: readonly string[]; settings: unknown }[] {
    return driverSettings.map(({ name, title, metrics, settings }) => ({ name, title, metrics, settings }));
  }

  list(filter: { ward?: WardId }): Device[] {
    return [...this.devices.values()].filter(
      (device) => filter.ward === undefined || device.ward === filter.ward,
    );
  }

  get(id: DeviceId): Device | undefined {
    return this.devices.get(id);
  }

  /** The devices a host may speak for, as they are at each moment. */
  devicesOf(host: HostId): ReadonlySet<DeviceId> {
    let held = this.byHost.get(host);
    if (!held) this.byHost.set(host, (held = new Set()));
    return held;
  }

  /** Devices whose fixed place this bed is. */
  fixedAt(bed: string): DeviceId[] {
    return [...(this.byBed.get(bed) ?? [])];
  }

  /** With `dryRun` it is checked and answered, and nothing is changed. */
  async register(
    by: Person,
    draft: DeviceDraft,
    dryRun = false,
  ): Promise<Device | 'id-taken' | 'absent' | Refused> {
    if (!this.options.wardExists(draft.ward)) return 'absent';
    if (draft.id !== undefined && (this.devices.has(draft.id) || this.options.hostExists(draft.id)))
      return 'id-taken';
    const id = draft.id ?? this.options.chance.id('device');
    if (!isId(id)) return { refused: [{ path: '/id', cause: 'only a–z, 0–9 and -, at most 64' }] };
    if (isCharted(id))
      return { refused: [{ path: '/id', cause: 'ids of this kind are for charted values' }] };
    const device = checked({ ...draft, id });
    if ('refused' in device) return device;
    const refused = this.twinOf(device) ?? this.strangeTopic(device) ?? this.nowhere(device);
    if (refused) return refused;
    return dryRun ? device : this.keep(by, 'device.register', device, undefined);
  }

  async change(
    by: Person,
    id: DeviceId,
    change: Partial<Omit<DeviceDraft, 'id'>>,
    dryRun = false,
  ): Promise<Device | 'absent' | Refused> {
    const before = this.devices.get(id);
    if (!before || (change.ward !== undefined && !this.options.wardExists(change.ward))) return 'absent';
    const device = checked({ ...before, ...change, id });
    if ('refused' in device) return device;
    // Another label makes no machine another's twin.
    const rewired = change.settings !== undefined || change.driver !== undefined || change.host !== undefined;
    const refused = rewired
      ? (this.twinOf(device) ?? this.strangeTopic(device) ?? this.nowhere(device))
      : undefined;
    if (refused) return refused;
    return dryRun ? device : this.keep(by, 'device.change', device, before);
  }

  async remove(by: Person, id: DeviceId): Promise<'done' | 'absent' | 'in-use'> {
    const before = this.devices.get(id);
    if (!before) return 'absent';
    if (this.options.inUse(id)) return 'in-use';
    await this.options.revoke(id);
    await this.options.rows.remove('devices', id);
    this.drop(before);
    this.options.audit({ by: by.id, act: 'device.remove', on: id, outcome: 'done', before });
    this.options.changed(id, undefined);
    return 'done';
  }

  /** The same wire with the same settings is the same machine: it must not serve two patients. */
  private twinOf(device: Device): Refused | undefined {
    if (device.driver === undefined) return undefined;
    const twin = this.list({}).find(
      (other) =>
        other.id !== device.id &&
        other.driver === device.driver &&
        other.host === device.host &&
        isDeepStrictEqual(other.settings, device.settings),
    );
    return (
      twin && {
        refused: [{ path: '/settings', cause: `device ${twin.id} is the same one, by these settings` }],
      }
    );
  }

  private nowhere({ host }: Device): Refused | undefined {
    if (host === undefined || this.options.hostExists(host)) return undefined;
    return { refused: [{ path: '/host', cause: `there is no driver host ${host}` }] };
  }

  /** A topic that already tells of another device: its values must not come under two names. */
  private strangeTopic(device: Device): Refused | undefined {
    const wrong = (cause: string): Refused => ({ refused: [{ path: '/settings/topics', cause }] });
    if (this.foreign.hasNone(device)) return wrong('names no topic: nothing could come from it');
    const taken = this.foreign.conflict(device);
    return taken && wrong(`topic ${taken.topic} is already that of device ${taken.device}`);
  }

  private async keep(by: Person, act: string, device: Device, before: Device | undefined): Promise<Device> {
    await this.options.rows.put('devices', device);
    if (before) this.drop(before);
    this.hold(device);
    this.options.audit({ by: by.id, act, on: device.id, outcome: 'done', before, after: device });
    this.options.changed(device.id, device);
    return device;
  }

  private hold(device: Device): void {
    this.devices.set(device.id, device);
    this.foreign.hold(device);
    if (device.host !== undefined) (this.devicesOf(device.host) as Set<DeviceId>).add(device.id);
    if (device.bed !== undefined)
      this.byBed.set(device.bed, (this.byBed.get(device.bed) ?? new Set()).add(device.id));
  }

  private drop(device: Device): void {
    this.devices.delete(device.id);
    this.foreign.drop(device);
    const { host, id } = device;
    if (host !== undefined) {
      this.options.later(() => {
        if (this.devices.get(id)?.host !== host) (this.devicesOf(host) as Set<DeviceId>).delete(id);
      });
    }
    if (device.bed !== undefined) this.byBed.get(device.bed)?.delete(device.id);
  }
}

/** A draft made whole, or every wrong field of it. A device without a driver speaks the contract itself. */
function checked(draft: DeviceDraft & { readonly id: DeviceId }): Device | Refused {
  const whole = {
    id: draft.id,
    label: draft.label,
    ward: draft.ward,
    bed: draft.bed,
    duty: draft.duty ?? 'in-use',
    identity: draft.identity,
    assetNumber: draft.assetNumber,
    udi: draft.udi,
    periodMs: draft.periodMs ?? usualPeriodMs,
  };
  if (draft.driver === undefined) return whole;
  const { settings, faults } = checkSettings(draft.driver, draft.settings ?? {});
  if (faults) return refusedSettings(faults);
  return { ...whole, driver: draft.driver, host: draft.host ?? ownHost, settings };
}

/** Wrong settings as the person sees them: path and cause of each. */
export const refusedSettings = (faults: readonly Fault[]): Refused => ({
  refused: faults.map(({ details, message }) => ({
    path: `/settings${String(details.path ?? '')}`,
    cause: String(details.cause ?? message),
  })),
});
