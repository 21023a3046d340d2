import { createIdentity } from '../../gateway/identity/identity.ts';
import { createLive } from '../../gateway/live/live.ts';
import { buildServer, type App, type ServerOptions } from '../../api/server.ts';
import type {
  AlarmService,
  CensusService,
  DeviceService,
  ObservationRow,
  ObservationService,
  Services,
} from '../../api/services.ts';
import type { Alarm, AlarmLimit } from '../../model/alarm.ts';
import type { Association, Bed, Encounter, Patient, Ward } from '../../model/census.ts';
import type { Clock } from '../../model/clock.ts';
import type { Device } from '../../model/device.ts';
import { systemChance } from '../../model/ids.ts';
import type { Role } from '../../model/person.ts';
import type { BedView, LatestValue } from '../../model/stream.ts';
import { virtualClock } from '../house/virtual-clock.ts';

/** Two wards of two beds, a patient and a device in each, in memory: the least an API can stand on. */
export interface Bench {
  readonly app: App;
  readonly services: Services;
  readonly live: ReturnType<typeof createLive>;
  readonly trail: Parameters<Services['audit']['record']>[0][];
  readonly alarms: Map<string, Alarm>;
  readonly values: Map<string, LatestValue[]>;
  readonly setupToken: string;
  /** Makes a person of these roles in these wards and signs them in; answers the Cookie header. */
  signIn(roles: readonly Role[], wards?: readonly string[] | 'all'): Promise<string>;
  /** Raises or changes an alarm and tells the hub. */
  ring(alarm: Alarm): void;
  setValue(bed: string, metric: string, value: number | null): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export const password = 'seven violet teapots';
const startMs = Date.UTC(2026, 0, 5, 2);

export async function openBench(
  options: Partial<ServerOptions> & { clock?: Clock; observations?: Partial<ObservationService> } = {},
): Promise<Bench> {
  const clock = options.clock ?? virtualClock(startMs);
  const chance = systemChance();
  const identity = await createIdentity({
    clock,
    chance,
    rows: { load: () => [], put: async () => undefined },
  });
  const setupToken = identity.setupToken ?? '';
  const census = makeCensus(clock);
  const values = new Map<string, LatestValue[]>();
  const alarms = new Map<string, Alarm>();
  const view = (id: string): BedView | undefined => {
    const seen = census.view(id);
    return seen && { ...seen, values: values.get(id) ?? [] };
  };
  const live = createLive({
    clock,
    chance,
    demo: false,
    beds: () => census.beds(),
    view,
    alarms: () => [...alarms.values()],
  });
  const ring = (alarm: Alarm): void => {
    alarms.set(alarm.id, alarm);
    live.alarmChanged(alarm);
  };
  const trail: Bench['trail'] = [];
  const services: Services = {
    identity,
    census: { ...census, view },
    devices: makeDevices(),
    observations: { ...makeObservations(clock), ...options.observations },
    alarms: makeAlarms(alarms, ring, clock),
    live,
    audit: { record: (entry) => void trail.push(entry) },
    health: () => ({
      status: 'green',
      intendedUse: 'supplemental',
      version: '0.1.0',
      demo: false,
      nowMs: clock.nowMs(),
      parts: [{ part: 'journal', status: 'green', says: 'writing' }],
      counters: { received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0, stored: 0 },
      alarmLatencyMs: { p50: 0, p99: 0, max: 0, count: 0 },
    }),
    metrics: async () => 'vigil_up 1\n',
    demo: false,
  };
  const app = buildServer(services, {
    clock,
    version: '0.1.0',
    limits: { requestsPerMinute: 100_000, signInsPerMinute: 100_000 },
    ...options,
  });
  await app.ready();
  let users = 0;
  return {
    app,
    services,
    live,
    trail,
    alarms,
    values,
    setupToken,
    ring,
    signIn: async (roles, wards = 'all') => {
      const user = `user-${++users}`;
      const by = { id: 'test', user: 'test', name: 'Test', roles: [], wards: 'all' } as const;
      await identity.addPerson(by, { user, name: 'Lin', password, roles, wards });
      const answer = await app.inject({
        method: 'POST',
        url: '/api/v1/session',
        payload: { user, password },
      });
      const cookie = answer.cookies[0];
      if (!cookie) throw new Error(`no session: ${answer.body}`);
      return `${cookie.name}=${cookie.value}`;
    },
    setValue: (bed, metric, value) => {
      const now = clock.nowMs();
      const rest = (values.get(bed) ?? []).filter((one) => one.metric !== metric);
      values.set(bed, [...rest, latest(`device-${bed}`, metric, value, now)]);
      live.valuesChanged(bed);
    },
    [Symbol.asyncDispose]: async () => {
      live.close();
      await app.close();
    },
  };
}

const latest = (device: string, metric: string, value: number | null, now: number): LatestValue => ({
  device,
  metric,
  label: 'HR',
  unit: '/min',
  decimals: 0,
  episodic: false,
  value,
  ...(value === null ? { reason: 'sensor-off' as const } : {}),
  validity: 'valid',
  takenAtMs: now,
  receivedAtMs: now,
  staleAfterMs: 6_000,
});

const wards: readonly Ward[] = [
  { id: 'east', name: '3 East', profile: 'adult' },
  { id: 'west', name: '3 West', profile: 'adult' },
];
const beds: readonly Bed[] = wards.flatMap((ward) =>
  ['1', '2'].map((n) => ({ id: `${ward.id}-${n}`, ward: ward.id, label: n })),
);
const patients: readonly Patient[] = wards.map((ward) => ({
  id: `patient-${ward.id}`,
  mrn: `M-${ward.id}`,
  name: 'Wang Fang',
  temporary: false,
}));

function makeCensus(clock: Clock): CensusService {
  const stays = new Map<string, Encounter>(
    wards.map((ward) => [
      `encounter-${ward.id}`,
      {
        id: `encounter-${ward.id}`,
        patient: `patient-${ward.id}`,
        ward: ward.id,
        bed: `${ward.id}-1`,
        profile: 'adult',
        admittedAtMs: startMs,
      },
    ]),
  );
  const served = new Map<string, Association>(
    wards.map((ward) => [
      `association-${ward.id}`,
      {
        id: `association-${ward.id}`,
        device: `device-${ward.id}`,
        bed: `${ward.id}-1`,
        encounter: `encounter-${ward.id}`,
        beginAtMs: startMs,
        begunBy: 'test',
      },
    ]),
  );
  const limit: AlarmLimit = {
    metric: 'MDC_ECG_HEART_RATE',
    direction: 'high',
    priority: 'medium',
    value: 120,
    delayS: 10,
    hysteresis: 2,
    origin: 'default',
  };
  const bed = (id: string): Bed | undefined => beds.find((one) => one.id === id);
  return {
    wards: () => wards,
    addWard: async (_by, ward) => ({ id: 'north', ...ward }),
    beds: (ward) => (ward === undefined ? beds : beds.filter((one) => one.ward === ward)),
    addBed: async (_by, one) => ({ id: 'east-9', ...one }),
    bed,
    view: (id) => {
      const found = bed(id);
      if (!found) return undefined;
      const encounter = [...stays.values()].find((stay) => stay.bed === id);
      const patient = patients.find((one) => one.id === encounter?.patient);
      return {
        bed: id,
        ward: found.ward,
        label: found.label,
        monitoring: 'on',
        ...(encounter ? { encounter } : {}),
        ...(patient ? { patient } : {}),
        devices: [{ device: `device-${found.ward}`, label: 'Monitor', link: 'connected' }],
        values: [],
        limits: [],
      };
    },
    setMonitoring: async () => 'done',
    encounters: ({ ward, patient }) =>
      [...stays.values()].filter(
        (stay) =>
          (ward === undefined || stay.ward === ward) && (patient === undefined || stay.patient === patient),
      ),
    encounter: (id) => stays.get(id),
    patient: (id) => patients.find((one) => one.id === id),
    admit: async (_by, stay) =>
      stay.bed === 'east-1'
        ? 'bed-taken'
        : {
            id: 'encounter-new',
            patient: 'patient-east',
            ward: stay.ward,
            ...(stay.bed ? { bed: stay.bed } : {}),
            profile: 'adult',
            admittedAtMs: clock.nowMs(),
          },
    transfer: async (_by, id, to) => ({ ...(stays.get(id) as Encounter), ...to }),
    discharge: async (_by, id) => ({ ...(stays.get(id) as Encounter), dischargedAtMs: clock.nowMs() }),
    associations: () => [...served.values()],
    associate: async (by, asked) =>
      asked.beginAtMs === 0
        ? 'device-taken'
        : { id: 'association-new', begunBy: by.id, ...asked, beginAtMs: asked.beginAtMs ?? clock.nowMs() },
    endAssociation: async (_by, id) => ({ ...(served.get(id) as Association), endAtMs: clock.nowMs() }),
    limits: (id) => (stays.has(id) ? [limit] : undefined),
    setLimits: async (_by, _id, limits) =>
      limits.some((one) => one.value !== null && one.value > 200)
        ? { refused: [{ metric: 'MDC_ECG_HEART_RATE', cause: 'outside the life-critical range' }] }
        : [limit],
  };
}

function makeDevices(): DeviceService {
  const devices: readonly Device[] = wards.map((ward) => ({
    id: `device-${ward.id}`,
    label: 'Monitor',
    ward: ward.id,
    duty: 'in-use',
    driver: 'masimo',
    settings: { path: '/dev/ttyS0', speed: 9600 },
    periodMs: 1_000,
  }));
  const device = (id: string): Device | undefined => devices.find((one) => one.id === id);
  return {
    drivers: () => [{ name: 'masimo', title: 'Masimo', metrics: ['MDC_PULS_OXIM_SAT_O2'], settings: {} }],
    devices: ({ ward }) => (ward === undefined ? devices : devices.filter((one) => one.ward === ward)),
    device,
    register: async (_by, asked) => ({ id: 'device-new', duty: 'spare', periodMs: 1_000, ...asked }),
    change: async (_by, id, change) => ({ ...(device(id) as Device), ...change }),
    remove: async () => 'in-use',
    health: (id) => ({
      device: id,
      link: 'connected',
      clockTrusted: true,
      frames: 1,
      discardedBytes: 0,
      badChecksums: 0,
      lateReplies: 0,
      disconnectsLastHour: 0,
      refusals: 0,
    }),
    makeCredentials: async (_by, id) => ({ clientId: id, username: id, password: 'f'.repeat(64) }),
    test: async () => ({ seen: [{ metric: 'MDC_PULS_OXIM_SAT_O2', value: 97 }] }),
  };
}

function makeObservations(clock: Clock): ObservationService {
  const row = (n: number): ObservationRow => ({
    device: 'device-east',
    metric: 'MDC_ECG_HEART_RATE',
    takenAtMs: clock.nowMs() - 10_000 + n,
    receivedAtMs: clock.nowMs(),
    value: n === 2 ? null : 70 + n,
    ...(n === 2 ? { reason: 'sensor-off' as const } : {}),
    unit: '/min',
    validity: 'valid',
    historical: false,
    unplaced: false,
    boot: 'b1',
    seq: n,
    patient: 'patient-east',
    encounter: 'encounter-east',
    bed: 'east-1',
  });
  return {
    range: async (_query, { limit, after }) => {
      const from = after === undefined ? 0 : Number(after);
      const rows = [0, 1, 2, 3, 4].slice(from, from + limit).map(row);
      return { rows, ...(from + limit < 5 ? { next: String(from + limit) } : {}) };
    },
    aggregate: async (query) => [
      {
        device: 'device-east',
        metric: 'MDC_ECG_HEART_RATE',
        unit: '/min',
        fromMs: query.fromMs,
        count: 3,
        value: 71.5,
      },
    ],
    latest: async () => [latest('device-east', 'MDC_ECG_HEART_RATE', 72, clock.nowMs())],
  };
}

function makeAlarms(alarms: Map<string, Alarm>, ring: (alarm: Alarm) => void, clock: Clock): AlarmService {
  return {
    active: ({ ward, bed }) =>
      [...alarms.values()].filter(
        (alarm) => (ward === undefined || alarm.ward === ward) && (bed === undefined || alarm.bed === bed),
      ),
    alarm: (id) => alarms.get(id),
    acknowledge: (id, by, version) => {
      const alarm = alarms.get(id);
      if (!alarm) return 'gone';
      if (version !== undefined && version !== alarm.version) return 'changed';
      ring({
        ...alarm,
        inactivation: 'acknowledged',
        acknowledgedBy: by.id,
        acknowledgedAtMs: clock.nowMs(),
        version: alarm.version + 1,
      });
      return 'acknowledged';
    },
  };
}

export const alarmOf = (id: string, bed: string, change: Partial<Alarm> = {}): Alarm => ({
  id,
  kind: 'physiological',
  condition: 'limit',
  priority: 'high',
  ward: bed.split('-')[0] ?? '',
  bed,
  metric: 'MDC_ECG_HEART_RATE',
  direction: 'high',
  limit: 140,
  value: 150,
  presence: 'present',
  signal: 'on',
  inactivation: 'enabled',
  responsibility: 'undefined',
  onsetAtMs: startMs,
  raisedAtMs: startMs,
  questionable: false,
  recorded: true,
  version: 1,
  ...change,
});
