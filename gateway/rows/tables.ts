/** What the gateway keeps as rows: registry, census, limits and people by id, and three logs that only grow. */
import type { Alarm, AlarmLimit } from '../../model/alarm.ts';
import type {
  Association,
  Bed,
  Encounter,
  MonitoringState,
  Patient,
  Profile,
  Ward,
} from '../../model/census.ts';
import type { Device } from '../../model/device.ts';
import type { BedId, DeviceId, EncounterId, HostId, PersonId, WardId } from '../../model/ids.ts';
import type { Assignment, Chain, Cover, Shift } from '../../model/people.ts';
import type { Person } from '../../model/person.ts';
import type { AlarmWay } from '../delivery/way.ts';
import type { MapRow } from '../devices/map-book.ts';

/** What is kept of a device's or host's secret; the id is its client id and user name. */
export interface CredentialRow {
  readonly id: string;
  /** SHA-256 of the secret, hex. */
  readonly digest: string;
  readonly madeAtMs: number;
}

export interface PersonRow extends Person {
  /** Argon2id in its PHC form. */
  readonly password: string;
}

/** How a bed is watched, and why (CLINICAL 1); the id is the bed's. Beds without a row are on. */
export interface MonitoringRow {
  readonly id: BedId;
  readonly state: MonitoringState;
  readonly sinceMs: number;
  /** A person, or a device by its own standby. */
  readonly by?: string;
  readonly reason?: string;
  readonly expectedBackAtMs?: number;
}

/** A driver host that may connect; its secret stands in `credentials`. */
export interface HostRow {
  readonly id: HostId;
  readonly label: string;
}

/** Limits of a ward's profile, or of one encounter. */
export interface LimitsRow {
  /** `ward/{ward}/{profile}` or `encounter/{encounter}`. */
  readonly id: string;
  readonly ward?: WardId;
  readonly profile?: Profile;
  readonly encounter?: EncounterId;
  readonly limits: readonly AlarmLimit[];
}

/** The chain of a ward; the id is the ward's. */
export interface ChainRow extends Chain {
  readonly id: WardId;
}

/** Anything small the gateway must know again after a start: boot state, clean stop, an epoch. */
export interface SettingRow {
  readonly id: string;
  readonly value: unknown;
}

export interface Tables {
  wards: Ward;
  beds: Bed;
  devices: Device;
  hosts: HostRow;
  maps: MapRow;
  credentials: CredentialRow;
  patients: Patient;
  encounters: Encounter;
  associations: Association;
  limits: LimitsRow;
  people: PersonRow;
  settings: SettingRow;
  monitoring: MonitoringRow;
  shifts: Shift;
  assignments: Assignment;
  covers: Cover;
  chains: ChainRow;
}
export type TableName = keyof Tables;
export type RowOf<T extends TableName> = Tables[T];

export const tableNames = [
  'wards',
  'beds',
  'devices',
  'hosts',
  'credentials',
  'patients',
  'encounters',
  'associations',
  'limits',
  'people',
  'settings',
  'monitoring',
  'shifts',
  'assignments',
  'covers',
  'chains',
  'maps',
] as const satisfies readonly TableName[];

/** One transition of one alarm, with the alarm as it stands after it. */
export interface AlarmLogEntry {
  readonly atMs: number;
  /** Past participle: `raised`, `acknowledged`, `ended` … */
  readonly event: string;
  readonly alarm: Alarm;
  readonly by?: PersonId;
  readonly reason?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Who did what, when, with which outcome; ids and values, never names. */
export interface AuditEntry {
  readonly atMs: number;
  /** A person, a machine's client id, or `vigil`. */
  readonly by: string;
  readonly act: string;
  /** What it was done to. */
  readonly on?: string;
  readonly outcome: string;
  readonly address?: string;
  readonly ward?: WardId;
  readonly bed?: BedId;
  readonly device?: DeviceId;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A line of the loss ledger: what is or may be missing, from when to when, and why. */
export interface LossEntry {
  readonly atMs: number;
  readonly device?: DeviceId;
  /** `*` = all or unknown. */
  readonly metric?: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** 0 when nobody can know: a span in doubt. */
  readonly observations: number;
  readonly messages?: number;
  readonly why: string;
  /** Journal class; of what the journal gave up also the sinks that had not had it. */
  readonly klass?: string;
  readonly sinks?: readonly string[];
  /** Of what was lost on arrival: the running counters of its device, class and hour by then. */
  readonly counted?: {
    readonly run: number;
    readonly received: number;
    readonly duplicate: number;
    readonly historical: number;
    readonly quarantined: number;
  };
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The way of one alarm as far as it had come; the newest entry of an alarm holds all of it. */
export interface DeliveriesEntry {
  readonly atMs: number;
  readonly way: AlarmWay;
}

export interface Logs {
  'alarm-log': AlarmLogEntry;
  audit: AuditEntry;
  losses: LossEntry;
  deliveries: DeliveriesEntry;
}
export type LogName = keyof Logs;
export type EntryOf<L extends LogName> = Logs[L];

export const logNames = ['alarm-log', 'audit', 'losses', 'deliveries'] as const satisfies readonly LogName[];

/** By what a log may be searched. */
export interface LogMark {
  readonly alarm?: string;
  readonly bed?: BedId;
  readonly device?: DeviceId;
  readonly ward?: WardId;
  readonly who?: string;
}

/** The marks of an entry, for the index. */
export function markOf<L extends LogName>(log: L, entry: EntryOf<L>): LogMark {
  if (log === 'alarm-log') {
    const { alarm, by } = entry as AlarmLogEntry;
    return { alarm: alarm.id, bed: alarm.bed, device: alarm.device, ward: alarm.ward, who: by };
  }
  if (log === 'audit') {
    const { by, ward, bed, device } = entry as AuditEntry;
    return { who: by, ward, bed, device };
  }
  if (log === 'deliveries') {
    const { alarm, bed, ward } = (entry as DeliveriesEntry).way;
    return { alarm, bed, ward };
  }
  return { device: (entry as LossEntry).device };
}
