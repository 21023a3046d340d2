import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import WebSocket from 'ws';
import type { HealthReport, ObservationRow } from '../../api/services.ts';
import { openStage, type Stage, type StageOptions } from '../../bench/stage.ts';
import type { LossEntry } from '../../gateway/rows/tables.ts';
import type { Alarm } from '../../model/alarm.ts';
import { DoorClient } from './door-client.ts';

/** A whole gateway in a process of its own, with what a test asks it and knows of it. */
export interface GatewayProcess extends AsyncDisposable {
  readonly stage: Stage;
  readonly pid: number;
  health(): Promise<HealthReport>;
  /** A route behind the sign-in, answered as JSON; anything but 2xx throws. */
  call<T>(method: string, path: string, body?: object): Promise<T>;
  alarms(): Promise<readonly Alarm[]>;
  /** All stored rows of a device in the span, page by page. */
  rows(device: string, fromMs: number, toMs: number): Promise<ObservationRow[]>;
  /** The lasting loss ledger, from its own table. */
  losses(): LossEntry[];
  /** One sender a host of the stage, not yet connected. */
  clients(): DoorClient[];
  stream(): Promise<StreamReader>;
  /** Ends it so, and the same again on the same data. */
  restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

/** What came on the live stream, in its order, each with when it came (monotonic ms). */
export interface StreamReader extends Disposable {
  readonly socket: WebSocket;
  readonly alarms: { readonly alarm: Alarm; readonly atMs: number }[];
  /** The gateway's time as its frames told it. */
  readonly times: number[];
  /** Longest silence between two frames, ms, the present one too. */
  worstGapMs(): number;
}

export async function openGatewayProcess(options: StageOptions): Promise<GatewayProcess> {
  const stage = await openStage(options);
  let cookie: string | undefined;
  const signedIn = async (): Promise<string> => (cookie ??= await stage.signIn());

  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${stage.httpUrl}${path}`, {
      method,
      headers: {
        cookie: await signedIn(),
        origin: stage.httpUrl,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  };

  return {
    stage,
    get pid() {
      return stage.child.pid ?? 0;
    },
    call,
    health: async () => (await (await fetch(`${stage.httpUrl}/health`)).json()) as HealthReport,
    alarms: async () => (await call<{ items: Alarm[] }>('GET', '/api/v1/alarms?limit=1000')).items,
    rows: async (device, fromMs, toMs) => {
      const rows: ObservationRow[] = [];
      const from = Math.floor(fromMs);
      const asked = `/api/v1/observations?device=${device}&from=${from}&to=${Math.ceil(toMs)}&limit=1000`;
      let next: string | undefined;
      do {
        const after = next === undefined ? '' : `&cursor=${next}`;
        const page = await call<{ items: ObservationRow[]; next?: string }>('GET', asked + after);
        rows.push(...page.items);
        next = page.next;
      } while (next !== undefined);
      return rows;
    },
    losses: () => lossesIn(join(stage.folder, 'data', 'registry', 'rows.db')),
    clients: () =>
      stage.connections.map(
        ({ clientId, password }) => new DoorClient({ port: stage.mqttPort, clientId, password }),
      ),
    stream: async () => openReader(stage.httpUrl, await signedIn()),
    restart: async (signal) => {
      cookie = undefined;
      await stage.restart(signal);
    },
    [Symbol.asyncDispose]: () => stage.close(),
  };
}

function lossesIn(file: string): LossEntry[] {
  if (!existsSync(file)) return [];
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const bodies = database.prepare('SELECT body FROM losses ORDER BY number').all();
    return bodies.map((row) => JSON.parse(String(row['body'])) as LossEntry);
  } finally {
    database.close();
  }
}

async function openReader(httpUrl: string, cookie: string): Promise<StreamReader> {
  const socket = new WebSocket(`${httpUrl.replace(/^http/, 'ws')}/api/v1/stream`, {
    headers: { cookie, origin: httpUrl },
  });
  const alarms: { alarm: Alarm; atMs: number }[] = [];
  const times: number[] = [];
  let lastMs = performance.now();
  let worstMs = 0;
  socket.on('message', (data: Buffer) => {
    const now = performance.now();
    worstMs = Math.max(worstMs, now - lastMs);
    lastMs = now;
    const said = JSON.parse(data.toString()) as {
      alarm?: Alarm;
      snapshot?: { nowMs: number; alarms: Alarm[] };
      beat?: { nowMs: number };
    };
    const told = said.beat?.nowMs ?? said.snapshot?.nowMs;
    if (told !== undefined) times.push(told);
    for (const alarm of said.snapshot?.alarms ?? []) alarms.push({ alarm, atMs: now });
    if (said.alarm) alarms.push({ alarm: said.alarm, atMs: now });
  });
  socket.on('error', () => socket.terminate());
  await new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('the stream was closed')));
    socket.once('open', () => socket.send(JSON.stringify({ watch: {} })));
    socket.once('message', () => resolve());
  });
  return {
    socket,
    alarms,
    times,
    worstGapMs: () => Math.max(worstMs, performance.now() - lastMs),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

export type Counters = HealthReport['counters'];

/** What is missing in received = kept + ledgered + quarantined + duplicate; 0 at rest (DESIGN promise 6). */
export const imbalance = ({ received, kept, ledgered, quarantined, duplicate }: Counters): number =>
  received - kept - ledgered - quarantined - duplicate;

/** Looks every 50 ms until it is so; the last answer's own words are the error when it does not come. */
export async function until<T>(
  what: string,
  withinMs: number,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const started = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - started > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until nothing is on its way and all that is kept is stored; then the counters must balance. */
export async function atRest(gateway: GatewayProcess, withinMs = 20_000): Promise<Counters> {
  let last: HealthReport | undefined;
  const settled = await until(`rest, but ${JSON.stringify(last)}`, withinMs, async () => {
    const health = (last = await gateway.health());
    const lag = health.parts.find((part) => part.part === 'historian')?.says;
    return imbalance(health.counters) === 0 && lag === 'behind by 0 ms' && health.counters;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  });
  return settled;
}
