import type { Alarm, AlarmLimit, Delivery, Priority } from '../model/alarm.ts';
import type { AlarmRule } from '../model/alarm-rule.ts';
import type {
  Association,
  Bed,
  Encounter,
  MonitoringState,
  Patient,
  Profile,
  Ward,
} from '../model/census.ts';
import type { Device, DeviceHealth } from '../model/device.ts';
import type { FaultReport } from '../model/fault.ts';
import type { Job } from '../model/job.ts';
import type {
  AlarmId,
  BedId,
  DeviceId,
  EncounterId,
  HostId,
  PatientId,
  PersonId,
  WardId,
} from '../model/ids.ts';
import type { Reason, Validity } from '../model/observation.ts';
import type { Assignment, Chain, Cover, HandheldCheck, Shift } from '../model/people.ts';
import type { Person, Role } from '../model/person.ts';
import type { BedView, DeliveryPlace, LatestValue, ScreenBeat, WavesAsked } from '../model/stream.ts';
import type { ReviewEntry } from '../model/review.ts';
import type { BedScores, ConfirmedScore, ScoreSettings } from '../model/score.ts';
import type { AlarmReport } from './shapes/analytics.ts';

/**
 * What the API needs from the gateway, declared here; gateway/compose.ts hands the real ones in. Domain refusals are
 * words, not exceptions: a route answers 409 (or 404 for 'absent') with them. Faults are thrown and mapped once in
 * problems.ts. Rights by role and ward are checked in the routes (api/auth.ts), never here.
 */
export interface Services {
  readonly identity: IdentityService;
  readonly census: CensusService;
  readonly devices: DeviceService;
  readonly hosts: HostService;
  readonly maps: MapService;
  readonly observations: ObservationService;
  readonly charting: ChartingService;
  readonly alarms: AlarmService;
  /** What happened to alarms, from their log, newest first; `next` is the `before` of the following page. */
  alarmHistory(ask: {
    ward?: WardId;
    bed?: BedId;
    encounters?: ReadonlySet<EncounterId>;
    fromMs: number;
    toMs: number;
    limit: number;
    before?: number;
    mayHear: (alarm: Alarm) => boolean;
  }): Promise<{ items: readonly AlarmTransition[]; next?: number }>;
  readonly alarmRights: AlarmRightsService;
  readonly people: PeopleService;
  readonly deliveries: DeliveryService;
  readonly scores: ScoreService;
  readonly review: ReviewService;
  readonly live: LiveService;
  readonly waveforms: WaveformService;
  readonly sinks: SinkService;
  readonly audit: AuditService;
  readonly jobs: JobService;
  readonly backup: BackupService;
  readonly limitReplay: LimitReplayService;
  readonly analytics: AnalyticsService;
  readonly losses: LossService;
  health(): HealthReport;
  /** Prometheus text. */
  metrics(): Promise<string>;
  /** True in the demo: every screen and export says so. */
  readonly demo: boolean;
}

export interface IdentityService {
  /** True until the first admin was made with the one-time token. */
  readonly setupOpen: boolean;
  setup(request: {
    token: string;
    user: string;
    name: string;
    password: string;
  }): Promise<Person | 'closed' | 'token-wrong' | 'token-expired' | 'password-weak'>;
  /** The same time and word for an unknown user and a wrong password. */
  signIn(request: {
    user: string;
    password: string;
    address: string;
  }): Promise<{ secret: string; person: Person } | 'refused' | 'locked'>;
  /** By the session cookie's secret; undefined when ended or idle too long. Counts as activity; an open stream asks too. */
  person(secret: string): Person | undefined;
  signOut(secret: string): void;
  people(): readonly Person[];
  addPerson(
    by: Person,
    person: {
      user: string;
      name: string;
      password: string;
      roles: readonly Role[];
      wards: readonly WardId[] | 'all';
    },
  ): Promise<Person | 'user-taken' | 'password-weak'>;
}

export interface CensusService {
  wards(): readonly Ward[];
  addWard(by: Person, ward: { id?: WardId; name: string; profile: Profile }): Promise<Ward | 'id-taken'>;
  beds(ward?: WardId): readonly Bed[];
  addBed(by: Person, bed: { id?: BedId; ward: WardId; label: string }): Promise<Bed | 'absent' | 'id-taken'>;
  bed(id: BedId): Bed | undefined;
  /** Everything a tile or the bed page shows now. */
  view(bed: BedId): BedView | undefined;
  setMonitoring(
    by: Person,
    bed: BedId,
    state: { state: MonitoringState; reason?: string; expectedReturnAtMs?: number },
  ): Promise<'done' | 'absent'>;
  encounters(filter: { ward?: WardId; patient?: PatientId; open?: boolean }): readonly Encounter[];
  encounter(id: EncounterId): Encounter | undefined;
  patient(id: PatientId): Patient | undefined;
  admit(
    by: Person,
    stay: {
      ward: WardId;
      bed?: BedId;
      patient: Partial<Omit<Patient, 'id' | 'temporary'>>;
      profile?: Profile;
      admittedAtMs?: number;
    },
  ): Promise<Encounter | 'absent' | 'bed-taken'>;
  transfer(
    by: Person,
    encounter: EncounterId,
    to: { ward: WardId; bed?: BedId },
  ): Promise<Encounter | 'absent' | 'bed-taken' | 'ended'>;
  discharge(
    by: Person,
    encounter: EncounterId,
    at: { dischargedAtMs?: number },
  ): Promise<Encounter | 'absent' | 'ended'>;
  associations(filter: {
    bed?: BedId;
    device?: DeviceId;
    encounter?: EncounterId;
    open?: boolean;
  }): readonly Association[];
  associate(
    by: Person,
    association: {
      device: DeviceId;
      bed: BedId;
      encounter?: EncounterId;
      beginAtMs?: number;
      endAtMs?: number;
    },
  ): Promise<Association | 'absent' | 'device-taken' | 'encounter-ended' | 'overlap' | 'end-before-begin'>;
  association(id: string): Association | undefined;
  /** Sets begin or end right afterwards; `reopen` takes the end back. */
  correctAssociation(
    by: Person,
    id: string,
    correction: { beginAtMs?: number; endAtMs?: number; reopen?: boolean; reason: string },
  ): Promise<
    Association | 'absent' | 'future' | 'end-before-begin' | 'overlap' | 'unchanged' | 'too-many-corrections'
  >;
  /** One patient turned out to be another: answers that other. */
  merge(
    by: Person,
    patient: PatientId,
    into: PatientId,
    reason: string,
  ): Promise<Patient | 'absent' | 'same-patient' | 'merged-already'>;
  unmerge(by: Person, patient: PatientId, reason: string): Promise<Patient | 'absent' | 'not-merged'>;
  endAssociation(
    by: Person,
    id: string,
    at: { endAtMs?: number; reason?: string },
  ): Promise<Association | 'absent' | 'ended'>;
  /** Limits in force for an encounter: ward defaults with the encounter's own over them. */
  limits(encounter: EncounterId): readonly AlarmLimit[] | undefined;
  setLimits(
    by: Person,
    encounter: EncounterId,
    limits: readonly LimitRequest[],
    reason: string,
  ): Promise<readonly AlarmLimit[] | 'absent' | { refused: readonly { metric: string; cause: string }[] }>;
  wardSettings(ward: WardId, profile?: Profile): WardSettings | undefined;
  setWardSettings(
    by: Person,
    ward: WardId,
    wish: WardSettingsRequest,
    reason: string,
  ): Promise<WardSettings | 'absent' | { refused: readonly { metric: string; cause: string }[] }>;
  /** A person confirms, or corrects, the profile that birth date or ward proposed. */
  setProfile(by: Person, encounter: EncounterId, profile: Profile): Promise<Encounter | 'absent' | 'ended'>;
}
export interface WardSettings {
  readonly profile: Profile;
  /** In force for somebody of this profile of whom nothing else was set. */
  readonly limits: readonly AlarmLimit[];
  /** Quantities whose limits Vigil leaves to the devices' own alarms. */
  readonly deviceJudged: readonly string[];
  readonly rules: readonly AlarmRule[];
}
/** What stays unsaid stays as it is; `deviceJudged` and `rules` are whole lists. */
export interface WardSettingsRequest {
  readonly profile?: Profile;
  readonly limits?: readonly LimitRequest[];
  readonly deviceJudged?: readonly string[];
  readonly rules?: readonly AlarmRule[];
}
/** value null: that band is off for this encounter. */
export type LimitRequest = Pick<AlarmLimit, 'metric' | 'direction' | 'priority'> & {
  readonly value: number | null;
  readonly delayS?: number;
  readonly hysteresis?: number;
  readonly untilMs?: number;
};

export interface DeviceService {
  /** Each driver with its settings schema. */
  drivers(): readonly { name: string; title: string; metrics: readonly string[]; settings: unknown }[];
  devices(filter: { ward?: WardId }): readonly Device[];
  device(id: DeviceId): Device | undefined;
  register(
    by: Person,
    device: DeviceRequest,
  ): Promise<Device | 'id-taken' | 'absent' | { refused: readonly { path: string; cause: string }[] }>;
  change(
    by: Person,
    id: DeviceId,
    change: Partial<Omit<DeviceRequest, 'id'>>,
  ): Promise<Device | 'absent' | { refused: readonly { path: string; cause: string }[] }>;
  remove(by: Person, id: DeviceId): Promise<'done' | 'absent' | 'in-use'>;
  health(id: DeviceId): DeviceHealth | undefined;
  /** A new secret for a device that speaks the contract itself; told once, the old one ends. */
  makeCredentials(
    by: Person,
    id: DeviceId,
  ): Promise<{ clientId: string; username: string; password: string } | 'absent'>;
  /** Opens a device for up to 10 s without registering it. */
  test(request: {
    driver: string;
    settings: Readonly<Record<string, unknown>>;
  }): Promise<
    | { seen: readonly unknown[]; fault?: FaultReport }
    | 'host-away'
    | { refused: readonly { path: string; cause: string }[] }
  >;
  /** Listens for 10 s to a registered device that runs; nothing of it is touched. */
  listenIn(
    id: DeviceId,
  ): Promise<{ seen: readonly unknown[]; fault?: FaultReport } | 'absent' | 'host-away' | 'speaks-itself'>;
  /** What stands ready to be registered: serial ports and senders nobody has registered. */
  discover(host?: HostId): Promise<Discovery | 'absent' | 'host-away'>;
  /** Devices whose id, asset number, serial number or UDI a scanned code is. */
  scanned(code: string): readonly Device[];
  /** Lines of a CSV with a header; with `dryRun` nothing is changed. */
  importCsv(by: Person, request: { csv: string; dryRun: boolean }): Promise<ImportReport>;
  exportCsv(devices: readonly Device[]): string;
}
export interface Discovery {
  readonly serial: readonly unknown[];
  readonly senders: readonly unknown[];
}
export interface ImportReport {
  readonly dryRun: boolean;
  readonly lines: readonly {
    readonly line: number;
    readonly id?: DeviceId;
    readonly outcome: 'registers' | 'changes' | 'same' | 'refused';
    readonly errors: readonly { readonly path: string; readonly cause: string }[];
  }[];
}
export interface HostService {
  list(): readonly ShownHost[];
  add(
    by: Person,
    host: { id?: HostId; label: string },
  ): Promise<
    | { clientId: string; username: string; password: string }
    | 'id-taken'
    | { refused: readonly { path: string; cause: string }[] }
  >;
  makeCredentials(
    by: Person,
    id: HostId,
  ): Promise<{ clientId: string; username: string; password: string } | 'absent'>;
  remove(by: Person, id: HostId): Promise<'done' | 'absent' | 'in-use'>;
}
export interface ShownHost {
  readonly id: HostId;
  readonly label: string;
  readonly own: boolean;
  readonly up: boolean;
  readonly heardMsAgo?: number;
  readonly devices: number;
  readonly recording?: boolean;
  readonly undelivered?: number;
  readonly fault?: FaultReport;
}
export interface MapService {
  list(): Promise<readonly ShownMap[] | 'host-away'>;
  put(
    by: Person,
    name: string,
    map: { driver: string; content: unknown },
  ): Promise<ShownMap | 'host-away' | 'too-many' | { refused: readonly { path: string; cause: string }[] }>;
  remove(by: Person, name: string): Promise<'done' | 'absent' | 'in-use' | 'host-away'>;
}
export interface ShownMap {
  readonly name: string;
  readonly origin: 'vigil' | 'hospital';
  readonly driver?: string;
  readonly content: unknown;
  readonly changedBy?: PersonId;
  readonly changedAtMs?: number;
}
export interface DeviceRequest {
  readonly id?: DeviceId;
  readonly label: string;
  readonly ward: WardId;
  readonly bed?: BedId;
  readonly driver?: string;
  /** Which driver host runs it; the one beside the gateway when absent. */
  readonly host?: HostId;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly duty?: Device['duty'];
  readonly identity?: Device['identity'];
  readonly assetNumber?: string;
  readonly udi?: string;
  readonly periodMs?: number;
}

export interface ObservationQuery {
  /** Exactly one of the four. */
  readonly patient?: PatientId;
  readonly encounter?: EncounterId;
  readonly bed?: BedId;
  readonly device?: DeviceId;
  readonly metrics?: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Absent: all of a device, else one source for each quantity. */
  readonly source?: 'preferred' | 'all';
  /** Stretches of a stay out of the asker's sight are left out. */
  readonly maySee?: (encounter: EncounterId) => boolean;
}
/** What an observation says, apart from when and whence. */
export interface ObservationSaid {
  readonly value: number | null;
  readonly text?: string;
  readonly code?: string;
  readonly system?: string;
  readonly validity: Validity;
  readonly reason?: Reason;
}
export interface ObservationRow extends ObservationSaid {
  readonly device: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly unit: string;
  readonly historical: boolean;
  /** Backlog without a usable time: found by its device only, attributed to nobody. */
  readonly unplaced: boolean;
  readonly boot: string;
  readonly seq: number;
  /** Joined at query time; absent when nobody was associated then. */
  readonly patient?: PatientId;
  readonly encounter?: EncounterId;
  readonly bed?: BedId;
  /** Among several sources of one quantity; absent where nothing had to be chosen. */
  readonly source?: 'preferred' | 'substitute' | 'beside';
  /** A person corrected or retracted it: who, when, why, and what it said before. */
  readonly corrected?: {
    readonly by: PersonId;
    readonly atMs: number;
    readonly why: string;
    readonly retracted: boolean;
    readonly was: ObservationSaid;
  };
}
export interface FigureQuery extends ObservationQuery {
  readonly everyMs: number;
  readonly aggregate: 'min' | 'mean' | 'median' | 'max' | 'last' | 'count';
  /** Each full step stands for the values within this of it. */
  readonly aroundMs?: number;
  /** Steps without a figure too, each with the reason. */
  readonly gaps?: boolean;
}
export interface ObservationFigure {
  /** Absent on a step that is missing altogether. */
  readonly device?: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  readonly unit: string;
  /** Begin of the step; with `around` the full instant itself. */
  readonly fromMs: number;
  readonly count: number;
  readonly value: number | null;
  /** When the single measurement that stands for the instant was taken. */
  readonly takenAtMs?: number;
  readonly source?: 'preferred' | 'substitute' | 'beside';
  readonly missing?: 'not-associated' | 'standby' | 'away' | 'device-silent' | 'not-measured' | 'not-valid';
  /** Of `not-valid`: what the device said of it. */
  readonly reason?: string;
  readonly patient?: PatientId;
  readonly encounter?: EncounterId;
  readonly bed?: BedId;
}
export interface ObservationService {
  range(
    query: ObservationQuery,
    page: { limit: number; after?: string },
  ): Promise<{ rows: readonly ObservationRow[]; next?: string } | 'absent'>;
  /** The whole span as lines; the next piece is made when it is asked for. */
  lines(
    query: ObservationQuery,
    as: { readonly format: 'ndjson' | 'csv'; readonly demo: boolean },
  ): Promise<AsyncGenerator<Uint8Array> | 'absent'>;
  aggregate(query: FigureQuery): Promise<readonly ObservationFigure[] | 'absent'>;
  /** Every metric the devices of the query have said, in the metric table or not. */
  metricsSaid(query: ObservationQuery): Promise<ReadonlySet<string>>;
  latest(of: {
    bed?: BedId;
    device?: DeviceId;
    patient?: PatientId;
    encounter?: EncounterId;
  }): Promise<readonly LatestValue[] | 'absent'>;
}

/** Names one kept observation: its series, and the message it came in. */
export interface ObservationName {
  readonly device: DeviceId;
  readonly metric: string;
  readonly channel?: string;
  readonly takenAtMs: number;
  readonly boot: string;
  readonly seq: number;
}
/** What was written into the record, with the name it is found by. */
export type Charted = ObservationName & {
  readonly unit: string;
  readonly value?: number;
  readonly code?: string;
  readonly system?: string;
};
interface ChartRefused {
  readonly refused: readonly { readonly path: string; readonly cause: string }[];
}
/** What people put into the record (nurse). `sure`: unusual values were meant. */
export interface ChartingService {
  /** All values or none; answered when they are on disk. */
  chart(
    by: Person,
    entry: {
      encounter: EncounterId;
      takenAtMs?: number;
      values: readonly { metric: string; value?: number; unit?: string; code?: string }[];
      sure?: boolean;
    },
  ): Promise<readonly Charted[] | 'absent' | 'not-there-then' | 'not-recorded' | ChartRefused>;
  /** Values of devices, as they are. */
  confirm(
    by: Person,
    entry: { encounter: EncounterId; observations: readonly ObservationName[] },
  ): Promise<readonly Charted[] | 'absent' | 'not-recorded' | ChartRefused>;
  /** Without `value` the charted value is retracted. */
  correct(
    by: Person,
    wrong: {
      encounter: EncounterId;
      name: ObservationName;
      value?: { value?: number; unit?: string; code?: string; sure?: boolean };
      reason: string;
    },
  ): Promise<'done' | 'absent' | 'not-charted' | ChartRefused>;
}

/** One transition of one alarm, with the alarm as it stood after it. */
export interface AlarmTransition {
  readonly number: number;
  readonly atMs: number;
  readonly event: string;
  readonly by?: PersonId;
  readonly reason?: string;
  readonly alarm: Alarm;
}

export type AlarmActOutcome = 'done' | 'gone' | 'changed' | 'not-allowed';
/** `version` is the one the person saw: 'changed' when the alarm has risen or come again since. */
export interface AlarmActSaid {
  readonly version?: number;
  readonly reason?: string;
}

export interface AlarmService {
  active(filter: { ward?: WardId; bed?: BedId }): readonly Alarm[];
  alarm(id: AlarmId): Alarm | undefined;
  acknowledge(id: AlarmId, by: Person, version?: number): AlarmActOutcome;
  accept(id: AlarmId, by: Person, version?: number): AlarmActOutcome;
  reject(id: AlarmId, by: Person, version?: number, reason?: string): AlarmActOutcome;
  pauseAudio(id: AlarmId, by: Person, said: AlarmActSaid & { forMs?: number }): AlarmActOutcome;
  pauseAlarm(
    id: AlarmId,
    by: Person,
    said: AlarmActSaid & { forMs?: number; reason: string },
  ): AlarmActOutcome;
  switchOff(
    id: AlarmId,
    by: Person,
    said: AlarmActSaid & { what: 'audio' | 'alarm'; reason: string },
  ): AlarmActOutcome;
  resume(id: AlarmId, by: Person, version?: number): AlarmActOutcome;
  clear(id: AlarmId, by: Person, version?: number): AlarmActOutcome;
  endMeasurement(id: AlarmId, by: Person, reason: string): AlarmActOutcome;
}

/** What a person may do to one alarm, beyond the roles of the route: who is assigned, who is in charge (CLINICAL 4). */
export const alarmActs = [
  'acknowledge',
  'accept',
  'reject',
  'pauseAudio',
  'pauseAlarm',
  'switchOff',
  'resume',
  'clear',
  'endMeasurement',
  'redirect',
] as const;
export type AlarmAct = (typeof alarmActs)[number];
export interface AlarmRightsService {
  may(person: Person, act: AlarmAct, alarm: Alarm): boolean;
}

/** Shifts, beds in care, cover and chains (CLINICAL 8). Acts count at once, whatever the disk does. */
export interface PeopleService {
  readonly shifts: {
    list(filter: { ward?: WardId; open?: boolean }): readonly Shift[];
    shift(id: string): Shift | undefined;
    openOf(person: PersonId): Shift | undefined;
    begin(
      by: Person,
      wanted: { handheld: string; wards: readonly WardId[]; check?: HandheldCheck },
    ): Shift | 'already-on' | 'handheld-taken';
    end(by: Person, id: string): Shift | 'absent' | 'ended';
  };
  readonly assignments: {
    list(filter: { ward?: WardId; bed?: BedId; person?: PersonId; open?: boolean }): readonly Assignment[];
    assignment(id: string): Assignment | undefined;
    bedsOf(person: PersonId): readonly BedId[];
    take(by: Person, bed: Bed, how: { relieve?: boolean }): Assignment;
    end(by: Person, id: string): Assignment | 'absent' | 'ended' | 'nobody-else';
  };
  readonly covers: {
    list(filter: { ward?: WardId; open?: boolean }): readonly Cover[];
    cover(id: string): Cover | undefined;
    ask(
      by: Person,
      wanted: { ward: WardId; to: PersonId; minutes: number },
    ): Cover | 'oneself' | 'too-long' | 'already-asked';
    accept(by: Person, id: string): Cover | 'absent' | 'ended' | 'not-named';
    end(by: Person, id: string): Cover | 'absent' | 'ended' | 'not-named';
  };
  readonly chains: {
    of(ward: WardId): Chain;
    set(
      by: Person,
      ward: WardId,
      wish: Pick<Chain, 'levels' | 'patienceS' | 'quietHours'>,
      knowsPerson: (person: PersonId) => boolean,
    ): Promise<Chain | { refused: readonly { path: string; cause: string }[] }>;
  };
}

/** What a handheld's or board's stream holds once it has named itself. */
export interface DeliveryConnection {
  beat(beat: ScreenBeat): void;
  received(numbers: readonly number[]): void;
  shown(numbers: readonly number[]): void;
  close(): void;
}
export interface DeliveryService {
  /** Only the person's own open shift; what the handheld does not have is sent before it returns. */
  connectHandheld(
    person: Person,
    shift: string,
    send: (text: string) => void,
    from?: DeliveryPlace,
  ): DeliveryConnection | 'absent' | 'ended';
  connectBoard(person: Person, send: (text: string) => void, from?: DeliveryPlace): DeliveryConnection;
  /** The way of an alarm with its times; undefined when nothing was ever delivered. */
  way(alarm: AlarmId): Promise<AlarmWay | undefined>;
  redirect(by: Person, alarm: AlarmId, to: PersonId): 'done' | 'gone' | 'not-allowed' | 'cannot-ring';
  status(ward?: WardId): readonly ScreenStatus[];
  readonly test: {
    begin(
      by: Person,
      wanted: { bed: BedId; shift: string; priority: Priority; minutes: number },
    ): AlarmId | 'absent' | 'ended' | 'too-long' | 'already-testing';
    end(by: Person, bed: BedId): 'done' | 'absent';
  };
}

/** The way of one alarm, from the sample to every handheld. */
export interface AlarmWay {
  readonly alarm: AlarmId;
  readonly ward?: WardId;
  readonly bed?: BedId;
  readonly priority: Priority;
  /** Receipt of the sample that raised it; absent when no sample did. */
  readonly sampleReceivedAtMs?: number;
  readonly judgedAtMs: number;
  readonly deliveries: readonly {
    readonly to: string;
    readonly kind: 'handheld' | 'board' | 'outlet';
    readonly person?: PersonId;
    readonly delivery: Delivery;
    readonly queuedAtMs: number;
    readonly sentAtMs?: number;
    readonly receivedAtMs?: number;
    readonly shownAtMs?: number;
    readonly failedAtMs?: number;
    readonly why?: string;
  }[];
  /** Deliveries beyond those told one by one. */
  readonly more: number;
}

/** How the gateway sees one handheld or board now. */
export interface ScreenStatus {
  readonly id: string;
  readonly kind: 'handheld' | 'board';
  readonly person: PersonId;
  readonly wards: readonly WardId[] | 'all';
  readonly handheld?: string;
  readonly connected: boolean;
  readonly canRing: boolean;
  readonly why: readonly string[];
  readonly battery?: number;
  readonly clockOffsetMs: number;
  readonly waiting: number;
}

export interface ReviewService {
  /** `dropped`: given up at the bound of the list, seen by nobody. */
  at(bed: BedId): { readonly entries: readonly ReviewEntry[]; readonly dropped: number };
  seen(bed: BedId, id: string): Promise<'done' | 'absent'>;
}

export interface ScoreService {
  at(bed: BedId): BedScores;
  /** A nurse confirms the set she saw: only such a set raises score alarms. */
  confirm(
    by: Person,
    bed: BedId,
    seen: { score: string; total: number; parts: Readonly<Record<string, number>> },
  ): Promise<ConfirmedScore | 'absent' | 'incomplete' | 'score-refused' | 'changed'>;
  set(
    by: Person,
    encounter: EncounterId,
    wish: { scale?: 1 | 2; spinalInjury?: boolean },
    reason: string,
  ): Promise<ScoreSettings | 'absent'>;
}

export interface LiveService {
  /**
   * Sends a snapshot (or what was missed since `from`) before it returns, then changes as they come and a beat every
   * 2 s. Each frame is serialised once for all its readers.
   */
  subscribe(watch: LiveWatch, send: SendFrame): LiveSubscription;
}
export interface LiveWatch {
  readonly beds: (bed: Pick<Bed, 'id' | 'ward'>) => boolean;
  readonly alarms: (alarm: Alarm) => boolean;
  /** False: beds come without patient and encounter. */
  readonly patients: boolean;
  readonly from?: { readonly epoch: string; readonly seq: number };
}
/**
 * `text` is a StreamMessage as JSON. Answers false when the reader has no room and the frame was not taken: allowed
 * for `values` and `beat` only; the hub owes it the newest values then and tries again at its next round.
 */
export type SendFrame = (text: string, kind: FrameKind) => boolean;
export type FrameKind = 'snapshot' | 'alarm' | 'bed' | 'values' | 'beat';
export interface LiveSubscription {
  /** What the handheld says of itself: whether it can ring (CLINICAL 7). */
  beat(beat: ClientBeat): void;
  close(): void;
}
export type ClientBeat = ScreenBeat;

export interface WaveformQuery {
  /** Exactly one of the four. */
  readonly patient?: PatientId;
  readonly encounter?: EncounterId;
  readonly bed?: BedId;
  readonly device?: DeviceId;
  readonly metrics?: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Absent: every sample; else lowest and highest in at most so many columns. */
  readonly width?: number;
  readonly writing: 'values' | 'base64';
  /** Whether the asking person may see a stretch of it. */
  readonly visible: (span: { readonly encounter?: EncounterId }) => boolean;
}
/** A JSON document made elsewhere, in pieces of at most 64 kB. */
export interface WaveAnswer {
  readonly pieces: readonly Uint8Array[];
}
export interface WaveformService {
  range(query: WaveformQuery): Promise<WaveAnswer | 'absent'>;
  /** What is kept around an alarm, and the ward whose it is. */
  strip(
    alarm: AlarmId,
    writing: 'values' | 'base64',
  ): Promise<{ readonly strip: { readonly ward: WardId }; readonly answer: WaveAnswer } | 'absent'>;
  /** Live frames (model/wave-frame.ts) of the beds asked for; `send` answers false when the reader has no room. */
  subscribe(
    beds: LiveWatch['beds'],
    send: (frame: Uint8Array) => boolean,
  ): { ask(waves: readonly WavesAsked[]): void; close(): void };
}

/** Time-series servers that get every observation. */
export interface SinkService {
  list(): readonly SinkReport[];
  /** Asks the server step by step and writes one probe point; never rejects for what the server does. */
  test(id: string): Promise<SinkTest | 'absent'>;
}
export interface SinkReport {
  readonly id: string;
  readonly kind: 'influxdb-1' | 'influxdb-2' | 'influxdb-3' | 'victoriametrics';
  readonly url: string;
  /** Bucket or database. */
  readonly place: string;
  readonly longQueries: boolean;
  /** `waiting`: away or overloaded. `paused`: a person must act. Both are tried again, and nothing is lost. */
  readonly state: 'delivering' | 'waiting' | 'paused';
  readonly sinceMs?: number;
  readonly nextTryAtMs?: number;
  readonly fault?: FaultReport;
  readonly lastSuccessAtMs?: number;
  /** Age of the oldest observation it lacks. */
  readonly lagMs: number;
  readonly undeliveredBatches: number;
  readonly liveLagMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Observations since the start; `leftOut` are of a kind the server does not hold. */
  readonly stored: number;
  readonly refused: number;
  readonly leftOut: number;
}
export interface SinkTest {
  readonly works: boolean;
  readonly says: string;
  readonly findings: readonly {
    readonly about: 'url' | 'server' | 'secret' | 'place' | 'write' | 'query' | 'clock';
    readonly outcome: 'right' | 'wrong' | 'doubtful' | 'not-tried';
    readonly says: string;
  }[];
  readonly version?: string;
  readonly latencyMs?: number;
  readonly clockOffsetMs?: number;
}

export interface AuditService {
  /** Who did what to what, when; details hold ids and values, never names. */
  record(entry: {
    by: string;
    act: string;
    on?: string;
    outcome: string;
    address?: string;
    before?: unknown;
    after?: unknown;
  }): void;
}

export interface BackupService {
  /** Sealed with the passphrase, or the configured key file. */
  start(by: Person, passphrase: string | undefined): Job | 'no-folder' | 'no-key' | 'too-many-jobs';
}

export interface AnalyticsService {
  /** Figures of the alarms raised in [fromMs, toMs); `shifts` are the hours at which shifts begin. */
  report(asked: {
    ward: WardId;
    fromMs: number;
    toMs: number;
    shifts: readonly number[];
  }): Promise<AlarmReport | 'absent'>;
  /** What to try, each replayed on the ward's own data, as a job. */
  propose(by: Person, asked: { ward: WardId; days: number }): Job | 'absent' | 'too-many-jobs';
}

export interface LimitReplayService {
  start(
    by: Person,
    asked: {
      ward: WardId;
      days: number;
      limits: readonly (Omit<LimitRequest, 'untilMs' | 'value'> & {
        readonly value?: number | null;
        readonly maxGapS?: number;
      })[];
    },
  ):
    | Job
    | 'absent'
    | 'too-many-jobs'
    | { refused: readonly { readonly metric: string; readonly cause: string }[] };
}

/** Long work: a route starts it and answers 202 with it. */
export interface JobService {
  job(id: string): Job | undefined;
  all(): readonly Job[];
  cancel(id: string): 'done' | 'absent' | 'ended';
}

/** What could not be kept, and the books of what was. Spans are by receipt; from inclusive, to exclusive. */
export interface LossService {
  entries(span: LossSpan, page: LossPage): Promise<{ items: readonly LossItem[]; next?: string }>;
  books(span: LossSpan, page: LossPage): Promise<{ items: readonly LossCell[]; next?: string }>;
  /** Counts what is really stored and compares; the result of the job says whether all agrees, and where not. */
  reconcile(by: Person, span: LossSpan): Job | 'too-many-jobs';
}
export interface LossSpan {
  readonly device?: DeviceId | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}
export interface LossPage {
  readonly limit: number;
  readonly after?: string | undefined;
}
export interface LossItem {
  /** 1, 2, 3 …: a gap is a line that was taken away. */
  readonly number: number;
  readonly atMs: number;
  /** `*` = all or unknown, as the metric. */
  readonly device: string;
  readonly metric: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** 0 when nobody can know: a span in doubt. */
  readonly observations: number;
  readonly why: string;
  readonly class?: string;
  /** Who has not had it; absent: nobody has. */
  readonly sinks?: readonly string[];
}
/** One device and hour, in observations: received = kept + ledgered + quarantined + duplicate. */
export interface LossCell {
  readonly device: DeviceId;
  readonly fromMs: number;
  readonly received: number;
  readonly kept: number;
  /** Of the kept those the historian stores: neither alerts nor waveforms. */
  readonly stowed: number;
  readonly ledgered: number;
  readonly quarantined: number;
  readonly duplicate: number;
  readonly historical: { readonly kept: number; readonly duplicate: number };
}

export interface HealthReport {
  readonly status: 'green' | 'yellow' | 'red';
  readonly intendedUse: string;
  readonly version: string;
  readonly demo: boolean;
  readonly nowMs: number;
  /** One row a hop: front door, journal, historian, rows, host, clock … */
  readonly parts: readonly {
    readonly part: string;
    readonly status: 'green' | 'yellow' | 'red';
    readonly says: string;
    readonly fault?: FaultReport;
  }[];
  /** received = kept + ledgered + quarantined + duplicate. */
  readonly counters: {
    readonly received: number;
    readonly kept: number;
    readonly ledgered: number;
    readonly quarantined: number;
    readonly duplicate: number;
    readonly stored: number;
  };
  readonly alarmLatencyMs: {
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly count: number;
  };
  /** Sample received to *shown* on the first handheld, of the last hour, by ward. */
  readonly deliveryMs: readonly {
    readonly ward: WardId;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    readonly count: number;
  }[];
}
