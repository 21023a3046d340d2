import { isId, type Chance, type DeviceId, type HostId } from '../../model/ids.ts';
import type { FaultReport } from '../../model/fault.ts';
import type { Person } from '../../model/person.ts';
import type { Credentials } from '../identity/credentials.ts';
import type { HostRow } from '../rows/tables.ts';
import type { Hosts } from './hosts.ts';
import { ownHost } from './registry.ts';

/** A driver host as an engineer sees it. */
export interface ShownHost {
  readonly id: HostId;
  readonly label: string;
  /** Beside the gateway, started by it. */
  readonly own: boolean;
  readonly up: boolean;
  /** How long ago it told its state, ms; absent before the first time. */
  readonly heardMsAgo?: number;
  readonly devices: number;
  readonly recording?: boolean;
  /** Messages it keeps for the gateway. */
  readonly undelivered?: number;
  readonly fault?: FaultReport;
}

export interface FarHostsOptions {
  readonly rows: {
    load(table: 'hosts'): Promise<readonly HostRow[]>;
    put(table: 'hosts', row: HostRow): Promise<void>;
    remove(table: 'hosts', id: HostId): Promise<void>;
  };
  readonly chance: Chance;
  readonly hosts: Hosts;
  readonly credentials: Credentials;
  readonly monotonicMs: () => number;
  readonly ownEnabled: boolean;
  readonly devicesOf: (host: HostId) => ReadonlySet<DeviceId>;
  /** Devices and hosts share one namespace. */
  readonly isDevice: (id: string) => boolean;
  readonly disconnect: (host: HostId, why: string) => void;
  readonly changed: () => void;
  readonly audit: (entry: { by: string; act: string; on: string; outcome: string; after?: unknown }) => void;
}

type MadeCredentials = { clientId: string; username: string; password: string };

/** The driver hosts: the one beside the gateway, and those elsewhere, each with a secret of its own. */
export class FarHosts {
  private readonly options: FarHostsOptions;
  private readonly labels = new Map<HostId, string>();

  constructor(options: FarHostsOptions) {
    this.options = options;
  }

  async open(): Promise<void> {
    for (const { id, label } of await this.options.rows.load('hosts')) this.labels.set(id, label);
  }

  /** Registered elsewhere. */
  has(id: HostId): boolean {
    return this.labels.has(id);
  }

  ids(): IterableIterator<HostId> {
    return this.labels.keys();
  }

  list(): ShownHost[] {
    const own = this.options.ownEnabled ? [this.show(ownHost, 'beside the gateway')] : [];
    return [...own, ...[...this.labels].map(([id, label]) => this.show(id, label))];
  }

  /** Registers a host and makes its secret, told once. */
  async add(
    by: Person,
    { id: asked, label }: { readonly id?: HostId; readonly label: string },
  ): Promise<MadeCredentials | 'id-taken' | { refused: readonly { path: string; cause: string }[] }> {
    const id = asked ?? this.options.chance.id('host');
    if (!isId(id)) return { refused: [{ path: '/id', cause: 'only a–z, 0–9 and -, at most 64' }] };
    if (id === ownHost || this.labels.has(id) || this.options.isDevice(id)) return 'id-taken';
    await this.options.rows.put('hosts', { id, label });
    this.labels.set(id, label);
    this.options.audit({ by: by.id, act: 'host.add', on: id, outcome: 'done', after: { label } });
    this.options.changed();
    return this.options.credentials.make(id);
  }

  /** A new secret; whoever has the old one is disconnected. */
  async makeCredentials(by: Person, id: HostId): Promise<MadeCredentials | 'absent'> {
    if (!this.labels.has(id)) return 'absent';
    const made = await this.options.credentials.make(id);
    this.options.disconnect(id, 'its secret was changed');
    this.options.audit({ by: by.id, act: 'host.credentials', on: id, outcome: 'made' });
    return made;
  }

  /** Refused while devices run on it. */
  async remove(by: Person, id: HostId): Promise<'done' | 'absent' | 'in-use'> {
    if (!this.labels.has(id)) return 'absent';
    if (this.options.devicesOf(id).size > 0) return 'in-use';
    await this.options.credentials.revoke(id);
    await this.options.rows.remove('hosts', id);
    this.labels.delete(id);
    this.options.disconnect(id, 'the host was removed');
    this.options.hosts.forget(id);
    this.options.audit({ by: by.id, act: 'host.remove', on: id, outcome: 'done' });
    return 'done';
  }

  private show(id: HostId, label: string): ShownHost {
    const { up, heardAtMs, state } = this.options.hosts.stateOf(id);
    const journal = state?.journal;
    return {
      id,
      label,
      own: id === ownHost,
      up,
      ...(state ? { heardMsAgo: Math.round(this.options.monotonicMs() - heardAtMs) } : {}),
      devices: this.options.devicesOf(id).size,
      ...(journal ? { recording: journal.recording, undelivered: journal.undelivered } : {}),
      ...(journal?.fault ? { fault: journal.fault as FaultReport } : {}),
    };
  }
}
