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

/** A driver host that may connect. */
export interface HostRow {
  readonly id: HostId;
  readonly label: string;
  /** SHA-256 of its secret, hex. */
  readonly secretHash: string;
}

/** What a machine proves itself with; the id is its client id and user name. */
export interface CredentialRow {
  readonly id: string;
  readonly kind: 'device' | 'host' | 'display' | 'platform';
  /** SHA-256 of its secret, hex. */
  readonly secretHash: string;
  readonly madeAtMs: number;
  readonly madeBy?: PersonId;
  /** Rights beyond its own branch, where the kind has any. */
  readonly scopes?: readonly string[];
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

export interface PersonRow {
  readonly id: PersonId;
  /** What the person signs in with. */
  readonly login: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly wards: readonly WardId[];
  /** Argon2id. */
  readonly passwordHash: string;
  readonly pinHash?: string;
  readonly disabled: boolean;
}

/** Anything small the gateway must know again after a start: boot state, clean stop, audio settings of a ward. */
export interface SettingRow {
  readonly id: string;
  readonly value: unknown;
}

/** Monitoring state of a bed (CLINICAL 1); the id is the bed's. */
export interface MonitoringRow {
  readonly id: BedId;
  readonly state: MonitoringState;
  readonly sinceMs: number;
  readonly by?: PersonId;
  readonly reason?: string;
  readonly expectedBackAtMs?: number;
}

export interface Tables {
  wards: Ward;
  beds: Bed;
  devices: Device;
  hosts: HostRow;
  credentials: CredentialRow;
  patients: Patient;
  encounters: Encounter;
  associations: Association;
  limits: LimitsRow;
  people: PersonRow;
  settings: SettingRow;
  monitoring: MonitoringRow;
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

/** Who did what, when, with which outcome. Values of a change stand in `details`, old and new. */
export interface AuditEntry {
  readonly atMs: number;
  /** A person, a machine's client id, or `vigil`. */
  readonly who: string;
  readonly act: string;
  /** What it was done to: `devices/mx-3`, `people/anna`. */
  readonly what?: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  readonly ward?: WardId;
  readonly bed?: BedId;
  readonly device?: DeviceId;
  readonly address?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A line of the loss ledger: what is or may be missing, from when to when, and why. */
export interface LossEntry {
  readonly atMs: number;
  readonly device?: DeviceId;
  readonly metric?: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly messages: number;
  readonly observations: number;
  readonly why: string;
  /** Not known to have happened: the span between the last kept and the first new after an unclean stop. */
  readonly possible?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Logs {
  'alarm-log': AlarmLogEntry;
  audit: AuditEntry;
  losses: LossEntry;
}
export type LogName = keyof Logs;
export type EntryOf<L extends LogName> = Logs[L];

export const logNames = ['alarm-log', 'audit', 'losses'] as const satisfies readonly LogName[];

/** By what a log may be searched. */
export interface LogMark {
  readonly alarm?: string;
  readonly bed?: BedId;
  readonly device?: DeviceId;
  readonly ward?: WardId;
  readonly who?: string;
}

/** The marks of an entry, for the index. */
export function markOf(log: LogName, entry: AlarmLogEntry | AuditEntry | LossEntry): LogMark {
  if (log === 'alarm-log') {
    const { alarm, by } = entry as AlarmLogEntry;
    return { alarm: alarm.id, bed: alarm.bed, device: alarm.device, ward: alarm.ward, who: by };
  }
  if (log === 'audit') {
    const { who, ward, bed, device } = entry as AuditEntry;
    return { who, ward, bed, device };
  }
  return { device: (entry as LossEntry).device };
}
