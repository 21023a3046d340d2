import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { openCensus } from '../gateway/census/census.ts';
import { createCredentials } from '../gateway/identity/credentials.ts';
import { createIdentity } from '../gateway/identity/identity.ts';
import { openRows } from '../gateway/rows/rows.ts';
import { systemClock } from '../model/clock.ts';
import { systemChance } from '../model/ids.ts';
import type { Person } from '../model/person.ts';
import { dealBeds, signInNurses } from './nurses.ts';
import { ended, freePort, pauseMs } from './peer.ts';

const stage: Person = { id: 'bench', user: 'bench', name: 'Bench', roles: ['admin'], wards: 'all' };
const password = 'a long bench password';

/** What `npm start` gives to Node and to its allocator, for memory's sake: package.json says the same. */
const asStarted = ['--max-semi-space-size=8'];
const allocator = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

export interface StageOptions {
  readonly devices: number;
  readonly hosts: number;
  /** Nurses on shift with a handheld each; the beds are dealt out among them. */
  readonly handhelds?: number;
  /** Settings over the defaults, as in vigil.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly folder?: string;
  /** For the gateway's Node, as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
  /** Added to the gateway's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly httpUrl: string;
  readonly mqttPort: number;
  readonly connections: readonly { clientId: string; password: string; devices: string[] }[];
  /** Signs in and answers the session cookie. */
  signIn(): Promise<string>;
  /** Signs every nurse in; each with the cookie, the open shift and the beds. */
  signInHandhelds(): Promise<readonly { cookie: string; shift: string; beds: readonly string[] }[]>;
  stop(signal: NodeJS.Signals): Promise<void>;
  /** Ends it so, then the same again on the same data. */
  restart(signal: NodeJS.Signals): Promise<void>;
  close(): Promise<void>;
}

/** A gateway with everything on, in its own process: hosts, devices, beds, patients with limits, all judged and kept. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'vigil-bench-'));
  const data = join(folder, 'data');
  const connections = await prepare(join(data, 'registry'), options);
  const [http, mqtt] = [await freePort(), await freePort()];
  const file = join(folder, 'vigil.yaml');
  writeFileSync(
    file,
    stringify({
      data,
      // Nurses sign in from addresses of their own.
      http: { port: http, ...(options.handhelds === undefined ? {} : { trustProxy: ['127.0.0.1'] }) },
      mqtt: { port: mqtt },
      host: { enabled: false },
      log: { level: 'error' },
      ...options.config,
    }),
  );
  const httpUrl = `http://127.0.0.1:${http}`;
  const clear = (): void => {
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  };
  let child = await start(file, httpUrl, options).catch((error: unknown) => {
    clear();
    throw error;
  });
  return {
    get child() {
      return child;
    },
    folder,
    httpUrl,
    mqttPort: mqtt,
    connections,
    signIn: async () => {
      const answer = await fetch(`${httpUrl}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: httpUrl },
        body: JSON.stringify({ user: 'bench-person', password }),
      });
      const cookie = answer.headers.get('set-cookie')?.split(';')[0];
      if (!cookie) throw new Error(`sign-in was refused: ${answer.status} ${await answer.text()}`);
      return cookie;
    },
    signInHandhelds: () =>
      signInNurses(httpUrl, { count: options.handhelds ?? 0, beds: options.devices, password }),
    stop: (signal) => ended(child, signal),
    restart: async (signal) => {
      await ended(child, signal);
      child = await start(file, httpUrl, options);
    },
    close: async () => {
      await ended(child);
      clear();
    },
  };
}

/** The registry as people would have filled it: bed-N with device-N and a patient whose high band has no delay. */
async function prepare(
  folder: string,
  { devices, hosts, handhelds = 0 }: StageOptions,
): Promise<Stage['connections']> {
  const clock = systemClock();
  const chance = systemChance();
  const rows = await openRows({ folder, clock, told: (fault) => console.error(fault.message) });
  const credentials = await createCredentials({ clock, chance, rows });
  const identity = await createIdentity({ clock, chance, rows });
  await identity.addPerson(stage, {
    user: 'bench-person',
    name: 'Bench',
    password,
    roles: ['admin', 'charge-nurse', 'nurse', 'biomed', 'platform'],
    wards: 'all',
  });
  const census = await openCensus({ rows, clock, chance, audit: () => undefined });
  await census.addWard(stage, { id: 'bench', name: 'Bench', profile: 'adult' });
  const connections: { clientId: string; password: string; devices: string[] }[] = [];
  for (let host = 0; host < hosts; host++) {
    const id = `bench-host-${host}`;
    await rows.put('hosts', { id, label: id });
    const made = await credentials.make(id);
    connections.push({ clientId: id, password: made.password, devices: [] });
  }
  const work: Promise<unknown>[] = [];
  for (let at = 0; at < devices; at++) {
    const connection = connections[at % hosts];
    const device = `device-${at}`;
    connection?.devices.push(device);
    const host = connection?.clientId;
    work.push(
      rows.put('devices', {
        id: device,
        label: device,
        ward: 'bench',
        duty: 'in-use',
        driver: 'masimo',
        host,
        settings: { port: '/dev/null' },
        periodMs: 1_000,
      }),
    );
    work.push(bed(census, at, device));
  }
  await Promise.all(work);
  if (handhelds > 0) await dealBeds({ rows, clock, chance }, { count: handhelds, beds: devices, password });
  census.close();
  await rows.close();
  return connections;
}

async function bed(
  census: Awaited<ReturnType<typeof openCensus>>,
  at: number,
  device: string,
): Promise<void> {
  const id = `bed-${at}`;
  await census.addBed(stage, { id, ward: 'bench', label: String(at) });
  const encounter = await census.admit(stage, {
    ward: 'bench',
    bed: id,
    patient: { birthDate: '1960-01-01' },
  });
  if (typeof encounter === 'string') throw new Error(encounter);
  await census.associate(stage, { device, bed: id, encounter: encounter.id });
  const limits = [
    { metric: 'MDC_ECG_HEART_RATE', direction: 'high', priority: 'high', value: 140, delayS: 0 },
  ] as const;
  const set = await census.setLimits(stage, encounter.id, limits, 'bench');
  if (typeof set === 'string' || 'refused' in set) throw new Error(JSON.stringify(set));
}

async function start(
  file: string,
  httpUrl: string,
  { nodeArgs = asStarted, env = {} }: StageOptions,
): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('../cli/run.mjs', import.meta.url));
  const child = spawn(process.execPath, [...nodeArgs, program, 'start', '--config', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...allocator, ...env },
  });
  for (let waited = 0; waited < 60_000; waited += 50) {
    const up = await fetch(`${httpUrl}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return child;
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    await pauseMs(50);
  }
  await ended(child, 'SIGKILL');
  throw new Error('the gateway did not start within 60 s');
}
