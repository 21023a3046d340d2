/// <reference types="node" />
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Role } from '../../model/person.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface RunningDemo {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly said: string;
  readonly passwords: Readonly<Record<string, string>>;
  readonly pid: number;
  /** No warning, nothing closed: as a power cut. The simulated ward notices and ends by itself. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** The demo as its user starts it, on free ports. Rejects with what it printed when it ends before it runs. */
export async function startDemo(options: readonly string[] = []): Promise<RunningDemo> {
  const args = ['cli/run.mjs', 'demo', '--port', '0', '--mqtt-port', '0', ...options];
  const { child, said } = await start(args, /Ctrl-C ends it/);
  const passwords = Object.fromEntries(
    [...said.matchAll(/\b(nurse|charge-nurse|biomed|admin) +([0-9a-f]{4}(?:-[0-9a-f]{4})+)$/gm)].map(
      ([, user = '', password = '']) => [user, password],
    ),
  );
  const url = /Ward page +(\S+)\/ward/.exec(said)?.[1] ?? '';
  return {
    url,
    said,
    passwords,
    pid: child.pid ?? 0,
    kill: () => end(child, 'SIGKILL'),
    close: () => end(child, 'SIGTERM'),
  };
}

/** The gateway alone, as `npm start -- --config FILE` runs it; its address stands in its log. */
export async function startGateway(
  config: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { child, said } = await start(['cli/run.mjs', 'start', '--config', config], /"msg":"Vigil runs"/);
  const url = /"http":"([^"]+)"/.exec(said)?.[1] ?? '';
  return { url, close: () => end(child, 'SIGTERM') };
}

/** Resolves as soon as its output says that it runs. */
async function start(args: readonly string[], runs: RegExp): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const hear = (text: string): void => {
      said += text;
      if (runs.test(said)) resolve();
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}:\n${said}`)));
  });
  return { child, said };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** A person's calls, signed in by password. */
export interface Caller {
  (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

/** Signs in over HTTP; throws when it is refused. */
export async function signIn(demo: { url: string }, user: Role, password: string): Promise<Caller> {
  const answer = await fetch(`${demo.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, password }),
  });
  if (!answer.ok) throw new Error(`${user} was refused: ${answer.status} ${await answer.text()}`);
  const cookie = answer.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  return async (method, path, body) => {
    const response = await fetch(`${demo.url}/api/v1${path}`, {
      method,
      headers: { cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
}
