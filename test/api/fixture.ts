import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { buildServer, type App, type ServerOptions } from '../../api/server.ts';
import type { Services } from '../../api/services.ts';
import { openGateway, type Gateway } from '../../gateway/compose.ts';
import { defaultConfig } from '../../gateway/config/config.ts';
import { Jobs } from '../../gateway/jobs/jobs.ts';
import { createLog } from '../../gateway/log.ts';
import type { Alarm } from '../../model/alarm.ts';
import { systemClock } from '../../model/clock.ts';
import { systemChance } from '../../model/ids.ts';
import type { Person, Role } from '../../model/person.ts';
import { settingsOf } from '../gateway/store/servers/room.ts';

export const password = 'seven violet teapots';
const by: Person = { id: 'test', user: 'test', name: 'Test', roles: ['admin'], wards: 'all' };
const wards = ['east', 'west'] as const;
type WardName = (typeof wards)[number];

/** What stands in a ward: bed `{ward}-1` with a patient on `device-{ward}`, a second stay in `{ward}-2`, empty beds. */
export interface Furniture {
  readonly encounter: string;
  readonly patient: string;
  readonly association: string;
  /** A second stay and association, to be moved and ended. */
  readonly spareEncounter: string;
  readonly sparePatient: string;
  readonly spareAssociation: string;
}

/** The real house, on a fresh folder and free ports, with two wards furnished alike. */
export interface Bench {
  readonly gateway: Gateway;
  readonly services: Services;
  /** A server of its own on the house's services: not listening, its options the test's. */
  readonly app: App;
  readonly trail: Parameters<Services['audit']['record']>[0][];
  readonly ids: Readonly<Record<WardName, Furniture>>;
  /** A job that runs until it is called off. */
  readonly job: string;
  serve(options?: Partial<ServerOptions>, change?: Partial<Services>): Promise<App>;
  /** Makes a person of these roles in these wards and signs them in; answers the Cookie header. */
  signIn(roles: readonly Role[], at?: readonly string[] | 'all'): Promise<string>;
  /** The device of the ward tells these values over MQTT; resolves when they are confirmed. */
  sample(ward: WardName, values: Readonly<Record<string, unknown>>): Promise<void>;
  /** A heart rate that rings at once in that ward; resolves with its alarm. */
  ring(ward: WardName): Promise<Alarm>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openBench(options: Partial<ServerOptions> = {}): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-api-'));
  const settings = defaultConfig();
  const clock = systemClock();
  const gateway = await openGateway({
    config: {
      ...settings,
      data: folder,
      http: { ...settings.http, port: 0 },
      mqtt: { ...settings.mqtt, port: 0 },
      host: { ...settings.host, enabled: false },
      backup: { ...settings.backup, folder: tmpdir() },
      // Nothing listens there.
      sinks: [settingsOf({ id: 'away', url: 'http://127.0.0.1:9' })],
    },
    clock,
    chance: systemChance(),
    log: createLog('fatal'),
    demo: false,
    version: '0.1.0',
  });
  const trail: Bench['trail'] = [];
  const jobs = new Jobs({ clock, chance: systemChance() });
  const services: Services = {
    ...gateway.services,
    jobs,
    audit: {
      record: (entry) => {
        trail.push(entry);
        gateway.services.audit.record(entry);
      },
    },
  };
  const apps: App[] = [];
  const serve = async (more: Partial<ServerOptions> = {}, change: Partial<Services> = {}): Promise<App> => {
    const app = buildServer(
      { ...services, ...change },
      {
        clock,
        version: '0.1.0',
        limits: { requestsPerMinute: 100_000, signInsPerMinute: 100_000 },
        ...more,
      },
    );
    apps.push(app);
    await app.ready();
    return app;
  };
  const app = await serve(options);
  const ids = { east: await furnish(gateway, 'east'), west: await furnish(gateway, 'west') };
  const speak = await connectDevices(gateway);
  const colleague = { user: 'colleague', name: 'Bo', password, roles: ['nurse' as const], wards: ['east'] };
  await services.identity.addPerson(by, colleague);
  let users = 0;
  const job = jobs.start({
    kind: 'count',
    by: 'test',
    run: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
  });
  return {
    gateway,
    services,
    app,
    trail,
    ids,
    job: typeof job === 'string' ? job : job.id,
    serve,
    sample: speak.sample,
    ring: async (ward) => {
      await speak.sample(ward, { MDC_ECG_HEART_RATE: 180 });
      const alarm = services.alarms.active({ ward }).find((one) => one.kind === 'physiological');
      if (!alarm) throw new Error('nothing rings');
      return alarm;
    },
    signIn: async (roles, at = 'all') => {
      const user = `user-${++users}`;
      await services.identity.addPerson(by, { user, name: 'Lin', password, roles, wards: at });
      const answer = await app.inject({
        method: 'POST',
        url: '/api/v1/session',
        payload: { user, password },
      });
      const [cookie] = answer.cookies;
      if (!cookie) throw new Error(`no session: ${answer.body}`);
      return `${cookie.name}=${cookie.value}`;
    },
    [Symbol.asyncDispose]: async () => {
      await speak.close();
      for (const one of apps) await one.close();
      await jobs.close();
      await gateway.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const emptyBeds = ['3', '4', '5', '6', '7', '8', '9', '10', '11', '12'];

async function furnish({ services }: Gateway, ward: WardName): Promise<Furniture> {
  const { census, devices } = services;
  must(await census.addWard(by, { id: ward, name: ward, profile: 'adult' }));
  for (const label of ['1', '2', ...emptyBeds])
    must(await census.addBed(by, { id: `${ward}-${label}`, ward, label }));
  const device = async (id: string): Promise<unknown> =>
    must(await devices.register(by, { id, label: 'Monitor', ward }));
  await device(`device-${ward}`);
  await device(`device-${ward}-2`);
  await device(`device-${ward}-free`);
  const stay = async (label: string, id: string) => {
    const bed = `${ward}-${label}`;
    const patient = { name: 'Wang Fang', mrn: `M-${bed}`, birthDate: '1950-01-31' };
    const encounter = must(await census.admit(by, { ward, bed, patient }));
    const association = must(await census.associate(by, { device: id, bed, encounter: encounter.id }));
    const limit = {
      metric: 'MDC_ECG_HEART_RATE',
      direction: 'high',
      priority: 'high',
      value: 140,
      delayS: 0,
    } as const;
    must(await census.setLimits(by, encounter.id, [limit], 'test'));
    return { encounter, association };
  };
  const first = await stay('1', `device-${ward}`);
  const second = await stay('2', `device-${ward}-2`);
  return {
    encounter: first.encounter.id,
    patient: first.encounter.patient,
    association: first.association.id,
    spareEncounter: second.encounter.id,
    sparePatient: second.encounter.patient,
    spareAssociation: second.association.id,
  };
}

/** Two wearables that speak the contract, one a ward, each with its own secret. */
async function connectDevices(gateway: Gateway) {
  const clients = new Map<string, MqttClient>();
  for (const ward of wards) {
    const {
      clientId,
      username,
      password: secret,
    } = must(await gateway.services.devices.makeCredentials(by, `device-${ward}`));
    const client = await connectAsync(gateway.mqttUrl, {
      clientId,
      username,
      password: secret,
      reconnectPeriod: 0,
    });
    clients.set(ward, client);
  }
  let seq = 0;
  return {
    sample: async (ward: WardName, values: Readonly<Record<string, unknown>>): Promise<void> => {
      const message = JSON.stringify({ boot: 'b7f39e01c4d2a6f8', seq: ++seq, values });
      await clients.get(ward)?.publishAsync(`v1/device/device-${ward}/observations`, message, { qos: 1 });
    },
    close: async (): Promise<void> => {
      for (const client of clients.values()) await client.endAsync(true);
    },
  };
}

/** The answer, where only an error of the test could be a refusal. */
function must<T>(answer: T): Exclude<T, string | { readonly refused: unknown }> {
  if (typeof answer === 'string' || (typeof answer === 'object' && answer !== null && 'refused' in answer))
    throw new Error(JSON.stringify(answer));
  return answer as Exclude<T, string | { readonly refused: unknown }>;
}
