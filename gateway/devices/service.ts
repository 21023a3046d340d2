import { checkSettings } from '../../drivers/settings.ts';
import type { Device, DeviceHealth } from '../../model/device.ts';
import type { Fault, FaultReport } from '../../model/fault.ts';
import type { DeviceId, HostId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import type { Clock } from '../../model/clock.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { LiveDevice } from '../intake/live-device.ts';
import { exportCsv, importCsv, type ImportReport } from './device-list.ts';
import { deviceHealth } from './health.ts';
import type { Hosts } from './hosts.ts';
import { ownHost, refusedSettings, type DeviceDraft, type Refused, type Registry } from './registry.ts';

export interface DeviceDeskOptions {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly hosts: Hosts;
  readonly credentials: Credentials;
  readonly live: (device: DeviceId) => LiveDevice | undefined;
  readonly hostExists: (host: HostId) => boolean;
  /** The ward is there and this person's, and the bed, if any, is in it. */
  readonly mayPlace: (by: Person, ward: string, bed?: string) => boolean;
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

  /** Listens for 10 s to a registered device that runs; its session is not touched. */
  async listenIn(
    id: DeviceId,
  ): Promise<{ seen: readonly unknown[]; fault?: FaultReport } | 'absent' | 'host-away' | 'speaks-itself'> {
    const device = this.options.registry.get(id);
    if (!device) return 'absent';
    if (device.host === undefined) return 'speaks-itself';
    const reply = await this.options.hosts.listenIn(device.host, id);
    if (reply === 'host-away') return reply;
    return { seen: reply.seen, fault: plain(reply.fault as FaultReport | undefined) };
  }

  /** Serial ports of a host, and senders on it that nobody has registered. */
  async discover(
    host = ownHost,
  ): Promise<{ serial: readonly unknown[]; senders: readonly unknown[] } | 'absent' | 'host-away'> {
    if (host !== ownHost && !this.options.hostExists(host)) return 'absent';
    const [serial, senders] = await Promise.all([
      this.options.hosts.ask(host, { ask: 'discover-serial' }),
      this.options.hosts.ask(host, { ask: 'discovered' }),
    ]);
    if (serial === 'host-away' || senders === 'host-away') return 'host-away';
    return { serial: serial.seen, senders: senders.seen };
  }

  /** By what stands on its label: id, asset number, serial number, UDI, or a GS1 code with its serial number (21). */
  scanned(code: string): readonly Device[] {
    const serial = serialOf(code);
    const spoken = code.trim().toLowerCase();
    const same = (value: string | undefined): boolean =>
      value !== undefined &&
      (value.toLowerCase() === spoken || value.toLowerCase() === serial?.toLowerCase());
    return this.options.registry
      .list({})
      .filter(({ id, assetNumber, udi, identity }) => [id, assetNumber, udi, identity?.serial].some(same));
  }

  exportCsv(devices: readonly Device[]): string {
    return exportCsv(devices);
  }

  importCsv(by: Person, request: { csv: string; dryRun: boolean }): Promise<ImportReport> {
    const mayPlace = (ward: string, bed?: string): boolean => this.options.mayPlace(by, ward, bed);
    return importCsv(this.options.registry, by, { ...request, mayPlace });
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

/** GS1 application identifier 21, in brackets as people read it or bare behind GTIN (01) and dates, as a scanner sends it. */
function serialOf(code: string): string | undefined {
  const spoken = /\(21\)([^(]+)/.exec(code)?.[1];
  if (spoken !== undefined) return spoken.trim();
  // 01 + 14 digits, then dates of 6 digits behind 11, 13, 15, 17; a group separator ends what has no fixed length.
  const parted = code.replaceAll(groupSeparator, ' ');
  return /^(?:\]d2|\]C1)?01\d{14}(?:1[1357]\d{6})*(?:10[^ ]{1,20} )?21([^ ]{1,20})/.exec(parted)?.[1];
}

/** FNC1 as a scanner sends it. */
const groupSeparator = String.fromCharCode(29);
