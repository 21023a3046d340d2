import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { openRows } from '../gateway/rows/rows.ts';
import { openServers, type Servers } from '../gateway/store/servers/open.ts';
import { ServerSchema, type ServerSettings } from '../gateway/store/servers/settings.ts';
import { openJournal } from '../journal/journal.ts';
import {
  batchName,
  deviceName,
  kinds,
  ObservationBatchBuilder,
  packFlags,
} from '../journal/observation-batch.ts';
import type { Journal } from '../journal/types.ts';
import { systemClock } from '../model/clock.ts';
import { pauseMs } from './peer.ts';
import { startInfluxd } from './time-series-servers.ts';

export interface SinkBench {
  /** Observations that wait when the server comes back. */
  readonly backlog: number;
  /** Live observations a second beside them. */
  readonly liveRate: number;
  readonly seconds: number;
  readonly backlogPerS: number;
}

const devices = 100;
const metricsEach = 10;
const clock = systemClock();

/** How far behind the live lane to InfluxDB 1.x is while a backlog waits, and how fast that goes. */
export async function benchSink(options: SinkBench): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-bench-sink-'));
  await using server = await startInfluxd();
  await fetch(`${server.url}/query?q=${encodeURIComponent('CREATE DATABASE vigil')}`, { method: 'POST' });
  const told = (fault: Error): void => console.error(fault.message);
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 16 << 20,
    maxBytes: 16 * 2 ** 30,
    snapshot: () => undefined,
    lost: (loss) => console.error('lost', loss),
    faulty: told,
  });
  const rows = await openRows({ folder: join(folder, 'registry'), clock, told });
  const settings = Value.Default(ServerSchema, {
    id: 'bench',
    kind: 'influxdb-1',
    url: server.url,
    database: 'vigil',
    backlogPerS: options.backlogPerS,
    retryMaxMs: 500,
  }) as ServerSettings;
  const servers = await openServers({
    settings: [settings],
    journal,
    rows,
    clock,
    told: (_, fault) => console.error(fault.message),
  });
  try {
    await server.stop();
    await fill(journal, options.backlog);
    console.log(`${options.backlog} observations wait`);
    await server.start();
    const figures = await live(journal, servers, options);
    console.log(JSON.stringify({ bench: 'sink', ...options, ...figures }));
  } finally {
    await servers.close();
    await journal.close();
    await rows.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Maker {
  private readonly builder = new ObservationBatchBuilder();
  private readonly senders = Array.from({ length: devices }, (_, at) =>
    deviceName(`device-${at}`, 'b7f39e01'),
  );
  private readonly keys = Array.from({ length: metricsEach }, (_, at) => batchName(`MDC_METRIC_${at}`));
  private seq = 0;

  /** One message of each device, all metrics in it. */
  body(atMs: number): Parameters<Journal['append']>[1] {
    const flags = packFlags('valid', kinds.number, false, false);
    this.seq++;
    for (const sender of this.senders) {
      this.builder.message(sender, this.seq, atMs, 0, 0);
      for (const [at, key] of this.keys.entries())
        this.builder.observation(key, atMs, 60 + ((this.seq + at) % 40), flags, 0);
    }
    return this.builder.seal({ received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0 });
  }
}

function keep(journal: Journal, maker: Maker, atMs: number): Promise<void> {
  const facts = { messages: devices, observations: devices * metricsEach, firstAtMs: atMs, lastAtMs: atMs };
  return new Promise((resolve, reject) =>
    journal.append('numerics', maker.body(atMs), facts, (outcome) =>
      outcome === 'kept' ? resolve() : reject(outcome),
    ),
  );
}

/** Old enough to be backlog, a second apart, the newest an hour ago. */
async function fill(journal: Journal, observations: number): Promise<void> {
  const maker = new Maker();
  const batches = Math.ceil(observations / (devices * metricsEach));
  const endMs = clock.nowMs() - 3_600_000;
  const waiting = new Set<Promise<void>>();
  for (let batch = 0; batch < batches; batch++) {
    const kept = keep(journal, maker, endMs - (batches - batch) * 1_000).finally(() => waiting.delete(kept));
    waiting.add(kept);
    if (waiting.size >= 16) await Promise.race(waiting);
  }
  await Promise.all(waiting);
}

async function live(
  journal: Journal,
  servers: Servers,
  { seconds, liveRate, backlog }: SinkBench,
): Promise<Record<string, number>> {
  const view = () => servers.views()[0];
  while (view()?.state !== 'delivering' || (view()?.stored ?? 0) === 0) await pauseMs(50);
  const maker = new Maker();
  const everyMs = (1_000 * devices * metricsEach) / liveRate;
  const startedMs = performance.now();
  const storedBefore = view()?.stored ?? 0;
  let sent = 0;
  let worstMs = 0;
  while (performance.now() - startedMs < seconds * 1_000) {
    for (; sent * everyMs < performance.now() - startedMs; sent++) void keep(journal, maker, clock.nowMs());
    await pauseMs(Math.min(50, everyMs));
    worstMs = Math.max(worstMs, view()?.liveLagMs.max ?? 0);
  }
  const lag = view()?.liveLagMs;
  const tookS = (performance.now() - startedMs) / 1_000;
  const stored = (view()?.stored ?? 0) - storedBefore;
  const liveSent = sent * devices * metricsEach;
  return {
    liveLagP50Ms: Math.round(lag?.p50 ?? -1),
    liveLagP99Ms: Math.round(lag?.p99 ?? -1),
    liveLagMaxMs: Math.round(worstMs),
    liveSentPerS: Math.round(liveSent / tookS),
    backlogDeliveredPerS: Math.round(Math.max(0, stored - liveSent) / tookS),
    stillWaiting: Math.max(0, backlog - Math.max(0, stored - liveSent)),
  };
}
