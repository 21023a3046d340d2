import { loadavg } from 'node:os';
import WebSocket from 'ws';
import type { GeneratorOrder, GeneratorResult } from './generator.ts';
import { startNats } from './nats.ts';
import { ask, ended, median, pauseMs, residentMb, startPeer } from './peer.ts';
import { percentiles, type Percentiles } from './percentiles.ts';
import { openStage, type Stage } from './stage.ts';

export interface IngestOptions {
  readonly pairs: number;
  readonly pairSeconds: number;
  readonly openSeconds: number;
}

const devices = 200;
const hosts = 50;
const unconfirmed = 20;

/**
 * Front door, judgement, journal and historian under load: open loop at 10,000 msg/s on a fresh gateway, then the ceiling
 * beside a bare aedes and nats-server's durable MQTT in the same run (interleaved), then open loop at 1,000 msg/s with alarms beside a bare echo. Prints as it goes; the last line is one JSON object.
 */
export async function benchIngest({ pairs, pairSeconds, openSeconds }: IngestOptions): Promise<void> {
  console.log(
    `load average before: ${loadavg()
      .map((one) => one.toFixed(2))
      .join(' ')}`,
  );
  const stage = await openStage({ devices, hosts });
  const bare = await startPeer<{ port: number }>('./bare-aedes.ts');
  const nats = await startNats();
  const sent = new Map<string, number>();
  let run = 0;
  const generate = async (
    order: Omit<GeneratorOrder, 'connections' | 'boot' | 'firstSeq'>,
    count: boolean,
  ): Promise<GeneratorResult> => {
    const result = await ask<GeneratorOrder, GeneratorResult>('./generator.ts', {
      ...order,
      connections: stage.connections,
      boot: `bench-${++run}-${process.pid}`,
      firstSeq: 1_000_000_000,
    });
    if (count)
      for (const [device, messages] of Object.entries(result.perDevice))
        sent.set(device, (sent.get(device) ?? 0) + messages);
    return result;
  };

  try {
    // First of all, so that the memory is that of this load and not what a flood left behind.
    const fast = await underWatch(stage, () =>
      generate({ port: stage.mqttPort, load: { open: 10_000 }, seconds: 60 }, true),
    );
    console.log(
      `open loop 10,000/s, 60 s: PUBACK ${show(fast.result.pubackMs)}, rss ${fast.rssMb.toFixed(0)} MB, generator ${percent(fast.result.cpuShare)} CPU`,
    );
    const lagAfterOpenLoop = await historianLag(stage);
    await drained(stage);
    const ours: number[] = [];
    const theirs: number[] = [];
    const natsRates: number[] = [];
    const cpu: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const without = await generate(
        { port: bare.said.port, load: { closed: unconfirmed }, seconds: pairSeconds },
        false,
      );
      const withAll = await generate(
        { port: stage.mqttPort, load: { closed: unconfirmed }, seconds: pairSeconds },
        true,
      );
      if (nats) {
        const durable = await generate(
          { port: nats.port, load: { closed: unconfirmed }, seconds: pairSeconds },
          false,
        );
        natsRates.push(durable.confirmed / durable.seconds);
        console.log(
          `pair ${pair + 1}: nats-server durable ${rate(natsRates.at(-1))}, PUBACK p99 ${durable.pubackMs.p99.toFixed(1)} ms`,
        );
      }
      theirs.push(without.confirmed / without.seconds);
      ours.push(withAll.confirmed / withAll.seconds);
      cpu.push(withAll.cpuShare);
      console.log(
        `pair ${pair + 1}: bare ${rate(theirs.at(-1))} (generator ${percent(without.cpuShare)} CPU), ` +
          `Vigil ${rate(ours.at(-1))} (generator ${percent(withAll.cpuShare)} CPU, PUBACK p99 ${withAll.pubackMs.p99.toFixed(1)} ms), rss ${residentMb(stage.child.pid ?? 0).toFixed(0)} MB`,
      );
      await pauseMs(1_000);
    }
    const lagAfterFlood = await historianLag(stage);
    await drained(stage);

    const slow = await alarmRuns(stage, generate, openSeconds);
    const echo = await echoRuns(openSeconds);
    await drained(stage);
    const books = await compare(stage, sent);
    const ratio = median(ours.map((one, at) => one / (theirs[at] ?? 1)));
    console.log(
      JSON.stringify({
        confirmedPerS: Math.round(median(ours)),
        bareConfirmedPerS: Math.round(median(theirs)),
        ratio: round(ratio),
        ...(natsRates.length > 0 && {
          natsConfirmedPerS: Math.round(median(natsRates)),
          timesNats: round(median(ours.map((one, at) => one / (natsRates[at] ?? 1)))),
        }),
        puback: { at1000: slow.puback, at10000: fast.result.pubackMs },
        alarm: { ...slow.alarm, echo },
        rss: Math.round(fast.rssMb),
        generatorCpu: round(median(cpu)),
        ...books,
        historianLagMs: Math.round(Math.max(lagAfterOpenLoop, lagAfterFlood)),
        load: loadavg()[0],
      }),
    );
  } finally {
    await ended(bare.child);
    await nats?.close();
    await stage.close();
  }
}

type Generate = (
  order: Omit<GeneratorOrder, 'connections' | 'boot' | 'firstSeq'>,
  count: boolean,
) => Promise<GeneratorResult>;

/** 1,000 msg/s, a violating sample every 21 (so that each device has its turn): five runs, the median of their percentiles. */
export async function alarmRuns(
  stage: Stage,
  generate: Generate,
  seconds: number,
): Promise<{ alarm: Percentiles; puback: Percentiles }> {
  const cookie = await stage.signIn();
  const url = `${stage.httpUrl.replace('http', 'ws')}/api/v1/stream`;
  const alarms: Percentiles[] = [];
  const pubacks: Percentiles[] = [];
  for (let run = 0; run < 5; run++) {
    const result = await generate(
      { port: stage.mqttPort, load: { open: 1_000 }, seconds, alarms: { url, cookie, everyMessages: 21 } },
      true,
    );
    if (result.alarmMs) alarms.push(result.alarmMs);
    pubacks.push(result.pubackMs);
    console.log(
      `open loop 1,000/s: PUBACK ${show(result.pubackMs)}; alarms ${result.alarmsSent} sent, ${show(result.alarmMs)}`,
    );
  }
  return { alarm: middle(alarms), puback: middle(pubacks) };
}

/** What the machine itself costs: the same rate through a WebSocket that only echoes. */
export async function echoRuns(seconds: number): Promise<Percentiles> {
  const peer = await startPeer<{ port: number }>('./bare-echo.ts');
  try {
    const runs: Percentiles[] = [];
    for (let run = 0; run < 5; run++) runs.push(await echo(peer.said.port, Math.min(seconds, 5)));
    console.log(`bare WebSocket echo 1,000/s: ${show(middle(runs))}`);
    return middle(runs);
  } finally {
    await ended(peer.child);
  }
}

async function echo(port: number, seconds: number): Promise<Percentiles> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  await new Promise<void>((resolve) => socket.once('open', () => resolve()));
  const took: number[] = [];
  socket.on(
    'message',
    (data: Buffer) => void took.push(performance.now() - Number(data.toString().slice(0, 24))),
  );
  const filler = ' '.repeat(400);
  const started = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.floor(performance.now() - started) - sent;
      for (let left = due; left > 0; left--, sent++)
        socket.send(String(performance.now()).padEnd(24).slice(0, 24) + filler);
      if (performance.now() - started < seconds * 1_000) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await pauseMs(200);
  socket.terminate();
  return percentiles(took);
}

async function underWatch(
  stage: Stage,
  run: () => Promise<GeneratorResult>,
): Promise<{ result: GeneratorResult; rssMb: number }> {
  let rssMb = 0;
  const timer = setInterval(() => (rssMb = Math.max(rssMb, residentMb(stage.child.pid ?? 0))), 500);
  try {
    return { result: await run(), rssMb };
  } finally {
    clearInterval(timer);
  }
}

interface Health {
  readonly counters: Readonly<Record<string, number>>;
}
const health = async (stage: Stage): Promise<Health> =>
  (await (await fetch(`${stage.httpUrl}/health`)).json()) as Health;

/** From /metrics: the age of the oldest kept observation that a query would not find. */
async function historianLag(stage: Stage): Promise<number> {
  const text = await (await fetch(`${stage.httpUrl}/metrics`)).text();
  return Number(/^vigil_historian_lag_seconds (\S+)$/m.exec(text)?.[1] ?? NaN) * 1_000;
}

async function drained(stage: Stage): Promise<void> {
  for (let waited = 0; waited < 60_000 && (await historianLag(stage)) > 0; waited += 250) await pauseMs(250);
}

/** Counts, per device, what the historian answers against what was confirmed. */
async function compare(
  stage: Stage,
  sent: ReadonlyMap<string, number>,
): Promise<{ lost: number; duplicated: number; balance: number }> {
  const cookie = await stage.signIn();
  let lost = 0;
  let duplicated = 0;
  for (const [device, messages] of sent) {
    const day = 86_400_000;
    const from = new Date(Date.now() - day).toISOString();
    const to = new Date(Date.now() + day).toISOString();
    const query = new URLSearchParams({
      device,
      metric: 'MDC_ECG_HEART_RATE',
      from,
      to,
      every: String(day),
      aggregate: 'count',
    });
    const answer = await fetch(`${stage.httpUrl}/api/v1/observations?${query}`, { headers: { cookie } });
    if (!answer.ok) throw new Error(`observations: ${answer.status} ${await answer.text()}`);
    const { items } = (await answer.json()) as { items: readonly { count: number }[] };
    const stored = items.reduce((sum, row) => sum + row.count, 0);
    lost += Math.max(0, messages - stored);
    duplicated += Math.max(0, stored - messages);
  }
  const {
    received = 0,
    kept = 0,
    ledgered = 0,
    quarantined = 0,
    duplicate = 0,
  } = (await health(stage)).counters;
  return { lost, duplicated, balance: received - kept - ledgered - quarantined - duplicate };
}

const rate = (perS = 0): string => `${Math.round(perS).toLocaleString('en')} msg/s`;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const round = (figure: number): number => Math.round(figure * 1_000) / 1_000;
export const show = (one: Percentiles | undefined): string =>
  one
    ? `p50 ${one.p50.toFixed(2)} ms, p99 ${one.p99.toFixed(2)} ms, max ${one.max.toFixed(1)} ms (${one.count})`
    : 'none';
const middle = (runs: readonly Percentiles[]): Percentiles => ({
  p50: round(median(runs.map((one) => one.p50))),
  p99: round(median(runs.map((one) => one.p99))),
  max: round(Math.max(...runs.map((one) => one.max))),
  count: runs.reduce((sum, one) => sum + one.count, 0),
});
