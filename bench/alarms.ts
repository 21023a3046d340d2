import { execFileSync, fork } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GeneratorOrder, GeneratorResult } from './generator.ts';
import type { HandheldsOrder, HandheldsResult, Shown } from './handhelds.ts';
import { alarmRuns, echoRuns, show } from './ingest.ts';
import { ask, ended, freePort, pauseMs, residentMb } from './peer.ts';
import { percentiles, type Percentiles } from './percentiles.ts';
import { openStage, type Stage } from './stage.ts';

export interface AlarmsOptions {
  /** Of the calm part, before and after the burst. */
  readonly seconds: number;
  readonly burstSeconds: number;
  readonly openSeconds: number;
  /** A time-series server is configured and does not answer. */
  readonly influxStopped: boolean;
  /** The data folder is on a disk of its own that is filled before the load. */
  readonly diskFull: boolean;
}

const beds = 500;
const hosts = 50;
const handhelds = 200;
const messagesPerS = 500;
const burst = 10;
/** Prime to the number of beds, so that each bed has its turn. */
const everyMessages = 21;
const small = {
  journal: { segmentBytes: 1 << 20, reserveBytes: 256 * 1024, startRoomBytes: 1 << 20 },
};

/**
 * 500 beds × 1 Hz × 6 metrics and 200 connected handhelds that hold their own beds: from sending a violating sample to
 * the handheld that shows its alarm, in the calm, in a tenfold burst and after it. Then 1,000 msg/s to the stream beside a
 * bare echo. Prints as it goes; the last line is one JSON object.
 */
export async function benchAlarms(options: AlarmsOptions): Promise<void> {
  console.log(
    `load average before: ${loadavg()
      .map((one) => one.toFixed(2))
      .join(' ')}`,
  );
  const disk = options.diskFull ? smallDisk() : undefined;
  const stage = await openStage({
    devices: beds,
    hosts,
    handhelds,
    ...(disk ? { folder: disk.folder } : {}),
    config: {
      ...(disk ? small : {}),
      ...(options.influxStopped ? { sinks: [await deadServer()] } : {}),
    },
  });
  try {
    disk?.fill();
    const phones = await connect(stage);
    let run = 0;
    const generate = (order: Partial<GeneratorOrder> & Pick<GeneratorOrder, 'load' | 'seconds'>) =>
      ask<GeneratorOrder, GeneratorResult>('./generator.ts', {
        port: stage.mqttPort,
        ...order,
        connections: stage.connections,
        boot: `alarms-${++run}-${process.pid}`,
        firstSeq: 1_000_000_000,
      });
    const parts: Part[] = [];
    for (const [name, rate, seconds] of [
      ['calm', messagesPerS, options.seconds],
      ['burst', messagesPerS * burst, options.burstSeconds],
      ['after', messagesPerS, options.seconds],
    ] as const) {
      const result = await generate({ load: { open: rate }, seconds, violateEvery: everyMessages });
      parts.push({ name, violations: result.violations });
      const rss = residentMb(stage.child.pid ?? 0).toFixed(0);
      console.log(
        `${name}: ${rate} msg/s for ${seconds} s, ${result.violations.length} violations, PUBACK ` +
          `${show(result.pubackMs)}, generator ${Math.round(result.cpuShare * 100)} % CPU, rss ${rss} MB`,
      );
    }
    await pauseMs(2_000);
    const result = await phones.stop();
    const figures = compare(parts, result.shown);
    for (const { name, took, lost } of figures)
      console.log(`${name}: sample to shown ${show(took)}, lost ${lost}`);
    const own = await ownFigures(stage);
    const stream =
      options.openSeconds > 0 ? await besideEcho(stage, generate, options.openSeconds) : undefined;
    const all = figures.flatMap(({ each }) => each);
    const { p50, p99, max, count } = percentiles(all);
    console.log(
      JSON.stringify({
        shownMs: { p50: round(p50), p99: round(p99), max: round(max), count },
        parts: Object.fromEntries(figures.map(({ name, took, lost }) => [name, { ...rounded(took), lost }])),
        lost: figures.reduce((sum, { lost }) => sum + lost, 0),
        foreign: result.foreign,
        closed: result.closed,
        handheldsCpu: round(result.cpuShare),
        own,
        ...(stream ? { stream } : {}),
        influxStopped: options.influxStopped,
        diskFull: options.diskFull,
        load: round(loadavg()[0] ?? 0),
      }),
    );
  } finally {
    await stage.close();
    disk?.remove();
  }
}

interface Part {
  readonly name: string;
  readonly violations: GeneratorResult['violations'];
}

/** Each violating sample of a bed raises one alarm, and the next sample ends it: the first with the first, and so on. */
function compare(
  parts: readonly Part[],
  shown: readonly Shown[],
): { name: string; took: Percentiles; each: readonly number[]; lost: number }[] {
  const came = Map.groupBy(
    shown.toSorted((a, b) => a.atMs - b.atMs),
    ({ bed }) => bed,
  );
  const next = new Map<string, number>();
  return parts.map(({ name, violations }) => {
    const each: number[] = [];
    for (const [device, sentMs] of violations) {
      const bed = device.replace('device', 'bed');
      const at = next.get(bed) ?? 0;
      next.set(bed, at + 1);
      const found = came.get(bed)?.[at];
      if (found) each.push(found.atMs - sentMs);
    }
    return { name, took: percentiles(each), each, lost: violations.length - each.length };
  });
}

async function connect(stage: Stage): Promise<{ stop(): Promise<HandheldsResult> }> {
  const order: HandheldsOrder = {
    url: `${stage.httpUrl.replace('http', 'ws')}/api/v1/stream`,
    handhelds: await stage.signInHandhelds(),
  };
  const child = fork(fileURLToPath(new URL('./handhelds.ts', import.meta.url)), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const answer = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      child.once('message', (message: { failed?: string }) =>
        message.failed === undefined ? resolve(message as T) : reject(new Error(message.failed)),
      );
      child.once('exit', (code) => code !== 0 && reject(new Error(`the handhelds ended with ${code}`)));
    });
  child.send(order);
  await answer<{ ready: true }>();
  return {
    stop: async () => {
      child.send({ stop: true });
      const { result } = await answer<{ result: HandheldsResult }>();
      await ended(child);
      return result;
    },
  };
}

/** What the gateway itself says of the same alarms. */
async function ownFigures(stage: Stage): Promise<object> {
  const metrics = await (await fetch(`${stage.httpUrl}/metrics`)).text();
  const raised = Number(
    /^vigil_alarm_delivery_seconds_count\{hop="judged"\} (\d+)$/m.exec(metrics)?.[1] ?? 0,
  );
  const health = (await (await fetch(`${stage.httpUrl}/health`)).json()) as { deliveryMs: object[] };
  return { raised, ...health.deliveryMs[0] };
}

async function besideEcho(
  stage: Stage,
  generate: Parameters<typeof alarmRuns>[1],
  seconds: number,
): Promise<{ alarm: Percentiles; echo: Percentiles }> {
  const { alarm } = await alarmRuns(stage, generate, seconds);
  return { alarm, echo: await echoRuns(seconds) };
}

async function deadServer() {
  return {
    id: 'stopped',
    kind: 'influxdb-1',
    url: `http://127.0.0.1:${await freePort()}`,
    database: 'vigil',
  };
}

function smallDisk() {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-bench-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', folder]);
  return {
    folder,
    /** Leaves nothing: what the gateway has preallocated is all it has. */
    fill: (): void => {
      const { bavail, bsize } = statfsSync(folder);
      try {
        writeFileSync(join(folder, 'filler'), Buffer.alloc(bavail * bsize));
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error;
      }
    },
    remove: (): void => {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const round = (figure: number): number => Math.round(figure * 100) / 100;
const rounded = ({ p50, p99, max, count }: Percentiles) => ({
  p50: round(p50),
  p99: round(p99),
  max: round(max),
  count,
});
