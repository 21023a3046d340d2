import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ended, freePort, pauseMs } from './peer.ts';

/** A real server on loopback, in a folder of its own that goes with it. */
export interface TimeSeriesServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Ends it; the data stays. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** The same again on the same port and data. */
  start(): Promise<void>;
}

/** InfluxDB 1.x from Debian, without sign-in unless asked. */
export async function startInfluxd(options: { readonly auth?: boolean } = {}): Promise<TimeSeriesServer> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-influxd-'));
  const [port, rpc] = [await freePort(), await freePort()];
  const config = join(folder, 'influxdb.conf');
  writeFileSync(
    config,
    `reporting-enabled = false
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  index-version = "inmem"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = ${options.auth ?? false}
  log-enabled = false
[continuous_queries]
  enabled = false
[logging]
  level = "error"
`,
  );
  return serve({ folder, port, program: 'influxd', args: ['-config', config], ready: '/ping' });
}

/** VictoriaMetrics, single node, from Debian. */
export async function startVictoriaMetrics(): Promise<TimeSeriesServer> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-victoria-'));
  const port = await freePort();
  const args = [
    `-storageDataPath=${folder}/data`,
    `-httpListenAddr=127.0.0.1:${port}`,
    '-dedup.minScrapeInterval=1ms',
    '-retentionPeriod=100y',
    '-loggerLevel=ERROR',
    '-memory.allowedBytes=256MB',
  ];
  return serve({ folder, port, program: 'victoria-metrics', args, ready: '/health' });
}

interface Program {
  readonly folder: string;
  readonly port: number;
  readonly program: string;
  readonly args: readonly string[];
  readonly ready: string;
}

async function serve({ folder, port, program, args, ready }: Program): Promise<TimeSeriesServer> {
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(program, args, { stdio: 'ignore' });
    for (let waited = 0; waited < 30_000; waited += 50) {
      const up = await fetch(url + ready).then(
        (answer) => answer.ok,
        () => false,
      );
      if (up) return;
      if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`);
      await pauseMs(50);
    }
    throw new Error(`${program} did not start within 30 s`);
  };
  await start();
  return {
    url,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    stop: (signal = 'SIGTERM') => ended(child, signal),
    start,
    [Symbol.asyncDispose]: async () => {
      await ended(child, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
