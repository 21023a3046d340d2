import { checkSettings } from '../../drivers/settings.ts';
import type { Device, DeviceHealth } from '../../model/device.ts';
import type { Fault, FaultReport } from '../../model/fault.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import type { Clock } from '../../model/clock.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { LiveDevice } from '../intake/live-device.ts';
import { deviceHealth } from './health.ts';
import type { Hosts } from './hosts.ts';
import { ownHost, refusedSettings, type DeviceDraft, type Refused, type Registry } from './registry.ts';

export interface DeviceDeskOptions {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly hosts: Hosts;
  readonly credentials: Credentials;
  readonly live: (device: DeviceId) => LiveDevice | undefined;
  /** Ends a device's connection at once. */
  readonly disconnect: (device: DeviceId, why: string) => void;
  readonly audit: (entry: { by: string; act: string; on: string; outcome: string }) => void;
}

/** What a biomedical engineer does with devices, and what the gateway notices of them. */
export class DeviceDesk {
  private readonly options: DeviceDeskOptions;
  private readonly refusals = new Map<DeviceId, number>();
  private readonly faults = new Map<DeviceId, FaultReport & { readonly atMs: number }>();

  constructor(options: DeviceDeskOptions) {
    this.options = options;
  }

  drivers() {
    return this.options.registry.drivers();
  }
  devices(filter: { ward?: string }): readonly Device[] {
    return this.options.registry.list(filter);
  }
  device(id: DeviceId): Device | undefined {
    return this.options.registry.get(id);
  }
  register(by: Person, draft: DeviceDraft): Promise<Device | 'id-taken' | 'absent' | Refused> {
    return this.options.registry.register(by, draft);
  }
  change(
    by: Person,
    id: DeviceId,
    change: Partial<Omit<DeviceDraft, 'id'>>,
  ): Promise<Device | 'absent' | Refused> {
    return this.options.registry.change(by, id, change);
  }
  remove(by: Person, id: DeviceId): Promise<'done' | 'absent' | 'in-use'> {
    return this.options.registry.remove(by, id);
  }

  health(id: DeviceId): DeviceHealth | undefined {
    const device = this.options.registry.get(id);
    if (!device) return undefined;
    const told = device.host === undefined ? undefined : this.options.hosts.deviceState(device.host, id);
    const noticed = { refusals: this.refusals.get(id) ?? 0, lastFault: this.faults.get(id) };
    return deviceHealth(id, this.options.live(id), told, noticed);
  }

  /** A new secret; told once. Whoever still uses the old one is disconnected. */
  async makeCredentials(
    by: Person,
    id: DeviceId,
  ): Promise<{ clientId: string; username: string; password: string } | 'absent'> {
    const device = this.options.registry.get(id);
    if (!device) return 'absent';
    const made = await this.options.credentials.make(id);
    this.options.disconnect(id, 'its secret was changed');
    this.options.audit({ by: by.id, act: 'device.credentials', on: id, outcome: 'made' });
    return made;
  }

  async test(request: {
    driver: string;
    settings: Readonly<Record<string, unknown>>;
  }): Promise<{ seen: readonly unknown[]; fault?: FaultReport } | 'host-away' | Refused> {
    const { settings, faults } = checkSettings(request.driver, request.settings);
    if (faults) return refusedSettings(faults);
    const reply = await this.options.hosts.test(ownHost, request.driver, settings);
    if (reply === 'host-away') return reply;
    return { seen: reply.seen, fault: plain(reply.fault as FaultReport | undefined) };
  }

  /** The door turned somebody away who used this device's id. */
  noteRefusal(id: DeviceId, fault: Fault): void {
    if (!this.options.registry.get(id)) return;
    this.refusals.set(id, (this.refusals.get(id) ?? 0) + 1);
    this.noteFault(id, fault);
  }

  noteFault(id: DeviceId, fault: Fault): void {
    this.noteReport(id, fault.toJSON());
  }

  noteReport(id: DeviceId, fault: FaultReport): void {
    this.faults.set(id, { ...fault, atMs: this.options.clock.nowMs() });
  }

  refusalsOf(id: DeviceId): number {
    return this.refusals.get(id) ?? 0;
  }
}

/** A host adds time and bytes to its faults; an answer carries the fault alone. */
const plain = (fault: FaultReport | undefined): FaultReport | undefined =>
  fault && {
    code: fault.code,
    class: fault.class,
    message: fault.message,
    whatToDo: fault.whatToDo,
    details: fault.details,
  };
