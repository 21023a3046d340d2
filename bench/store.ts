import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHistorian } from '../gateway/store/historian.ts';
import { openJournal } from '../journal/journal.ts';
import { systemClock } from '../model/clock.ts';
import type { GeneratorOrder, GeneratorResult } from './generator.ts';
import { ask, median, startPeer } from './peer.ts';
import { percentiles } from './percentiles.ts';
import { openStage, type Stage } from './stage.ts';
import { measureAppend } from './store-append.ts';
import { dayDevice } from './store-day.ts';
import { fillHistorian, fillInflux, fillLatest } from './store-fill.ts';
import { startInfluxd, type TimeSeriesServer } from './time-series-servers.ts';

export interface StoreOptions {
  /** Times each question is asked; the median counts. */
  readonly rounds: number;
  /** Devices with a day of eight series each. */
  readonly devices: number;
  readonly appendSeconds: number;
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const oneSeries = { metric: 'MDC_ECG_HEART_RATE', channel: '2' };
const latestSeries = 10_000;
const alarmSeconds = 10;

/**
 * The store: how fast it keeps, how small, and how soon it answers over HTTP from a real gateway, beside a real
 * InfluxDB with the same points in the same run. Prints as it goes; the last line is one JSON object.
 */
export async function benchStore({ rounds, devices, appendSeconds }: StoreOptions): Promise<void> {
  console.log(
    `load average before: ${loadavg()
      .map((one) => one.toFixed(2))
      .join(' ')}`,
  );
  const rates = await measureAppend(appendSeconds);
  const latest10kMs = await measureLatest(rounds);
  const folder = mkdtempSync(join(tmpdir(), 'vigil-store-'));
  const toMs = Math.floor(Date.now() / hourMs) * hourMs;
  const spec = { devices, fromMs: toMs - dayMs, seconds: dayMs / 1_000 };
  try {
    const filled = fillHistorian(join(folder, 'data', 'historian'), spec);
    console.log(
      `a day of ${devices * 8} series: ${filled.observations.toLocaleString('en')} observations in ` +
        `${(filled.bytes / 1e6).toFixed(2)} MB, ${(filled.bytes / filled.observations).toFixed(2)} bytes each`,
    );
    await using influx = await startInfluxd();
    const theirs = await fillInflux(influx, spec);
    if (theirs.observations !== filled.observations)
      throw new Error(`InfluxDB got ${theirs.observations} points, Vigil ${filled.observations}`);
    const stage = await openStage({ devices: 200, hosts: 50, folder });
    try {
      const span = { fromMs: spec.fromMs, toMs };
      const answers = await compare({ stage, influx, cookie: await stage.signIn(), span, rounds });
      const alarm = await alarmsMeanwhile(stage, span);
      console.log(
        JSON.stringify({
          appendObjectsPerS: Math.round(rates.appendObjectsPerS),
          appendBatchedPerS: Math.round(rates.appendBatchedPerS),
          bytesPerObservation: round(filled.bytes / filled.observations),
          latest10kMs,
          ...answers,
          alarmMs: alarm,
          load: loadavg()[0],
        }),
      );
    } finally {
      await stage.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Comparison {
  readonly stage: Stage;
  readonly influx: TimeSeriesServer;
  readonly cookie: string;
  readonly span: Span;
  readonly rounds: number;
}

/** Each question in turn to both, so that a busy moment of the machine meets both; medians of the rounds. */
async function compare({ stage, influx, cookie, span, rounds }: Comparison) {
  const took = { range: [], minutes: [], influxRange: [], influxMinutes: [] } as Record<string, number[]>;
  let points = 0;
  let influxPoints = 0;
  for (let at = 0; at < rounds + 2; at++) {
    const range = await timed(() => askRange(stage, cookie, span));
    const influxRange = await timed(() => askInflux(influx, influxRangeOf(span), true));
    const minutes = await timed(() => askMinutes(stage, cookie, span));
    const influxMinutes = await timed(() => askInflux(influx, influxMinutesOf(span), false));
    points = range.answer.toString().split('\n').length - 1;
    influxPoints = influxRange.answer.toString().split(',"valid"').length - 1;
    if (minutes.answer.toString().split('"fromMs"').length - 1 !== 8 * 1_440)
      console.log('the minutes of Vigil are not 8 × 1,440');
    // The first two warm both up.
    if (at < 2) continue;
    took['range']?.push(range.ms);
    took['minutes']?.push(minutes.ms);
    took['influxRange']?.push(influxRange.ms);
    took['influxMinutes']?.push(influxMinutes.ms);
  }
  const of = (name: string): number => round(median(took[name] ?? []));
  console.log(
    `24 h of one series over HTTP: Vigil ${of('range')} ms (${points} rows), InfluxDB ${of('influxRange')} ms (${influxPoints} rows)`,
  );
  console.log(
    `1-minute means of 8 series over 24 h: Vigil ${of('minutes')} ms, InfluxDB ${of('influxMinutes')} ms`,
  );
  return {
    range24hMs: of('range'),
    influxRange24hMs: of('influxRange'),
    rangeTimesFaster: round(of('influxRange') / of('range')),
    minutes24hMs: of('minutes'),
    influxMinutes24hMs: of('influxMinutes'),
    minutesTimesFaster: round(of('influxMinutes') / of('minutes')),
    points,
  };
}

async function timed(run: () => Promise<Buffer>): Promise<{ answer: Buffer; ms: number }> {
  const startedMs = performance.now();
  const answer = await run();
  return { answer, ms: performance.now() - startedMs };
}

async function bytes(url: string, headers: Record<string, string>): Promise<Buffer> {
  const answer = await fetch(url, { headers });
  const body = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`${answer.status} ${body.toString().slice(0, 300)}`);
  return body;
}

const spanOf = ({ fromMs, toMs }: Span) => ({ from: String(fromMs), to: String(toMs) });

function askRange({ httpUrl }: Stage, cookie: string, span: Span): Promise<Buffer> {
  const metric = `${oneSeries.metric}/${oneSeries.channel}`;
  const query = new URLSearchParams({ device: dayDevice(0), metric, ...spanOf(span) });
  return bytes(`${httpUrl}/api/v1/observations?${query}`, { cookie, accept: 'application/x-ndjson' });
}

function askMinutes({ httpUrl }: Stage, cookie: string, span: Span): Promise<Buffer> {
  const query = new URLSearchParams({
    device: dayDevice(0),
    every: '60s',
    aggregate: 'mean',
    ...spanOf(span),
  });
  return bytes(`${httpUrl}/api/v1/observations?${query}`, { cookie });
}

const influxTime = ({ fromMs, toMs }: Span): string => `time >= ${fromMs}ms AND time < ${toMs}ms`;
const influxRangeOf = (span: Span): string =>
  `SELECT value, validity, boot, seq, receivedAtMs FROM observation WHERE device = '${dayDevice(0)}' AND ` +
  `metric = '${oneSeries.metric}' AND channel = '${oneSeries.channel}' AND ${influxTime(span)}`;
const influxMinutesOf = (span: Span): string =>
  `SELECT mean(value) FROM observation WHERE device = '${dayDevice(0)}' AND ${influxTime(span)} ` +
  'GROUP BY time(1m), metric, channel';

function askInflux({ url }: TimeSeriesServer, question: string, chunked: boolean): Promise<Buffer> {
  const query = new URLSearchParams({ db: 'vigil', epoch: 'ms', q: question });
  if (chunked) query.set('chunked', 'true');
  return bytes(`${url}/query?${query}`, {});
}

/** The newest of 10,000 series from the worker to rows on the main thread. */
async function measureLatest(rounds: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-latest-'));
  const devices = fillLatest(join(folder, 'historian'), latestSeries, Date.now() - 60_000);
  const told = (fault: Error): void => console.error(fault.message);
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 1 << 20,
    maxBytes: 64 << 20,
    snapshot: () => undefined,
    lost: () => undefined,
    faulty: told,
  });
  const historian = await openHistorian({
    folder: join(folder, 'historian'),
    journal,
    clock: systemClock(),
    told,
  });
  try {
    const took: number[] = [];
    for (let at = 0; at < rounds + 2; at++) {
      const startedMs = performance.now();
      const rows = await historian.latest(devices);
      if (rows.length !== latestSeries) throw new Error(`${rows.length} series instead of ${latestSeries}`);
      if (at >= 2) took.push(performance.now() - startedMs);
    }
    console.log(`newest of ${latestSeries} series: p50 ${median(took).toFixed(1)} ms`);
    return round(median(took));
  } finally {
    await historian.close();
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** 1,000 msg/s with alarms while both questions are asked again and again. */
async function alarmsMeanwhile(
  stage: Stage,
  span: Span,
): Promise<{ p50: number; p99: number; count: number }> {
  const cookie = await stage.signIn();
  const order: GeneratorOrder = {
    port: stage.mqttPort,
    connections: stage.connections,
    load: { open: 1_000 },
    seconds: alarmSeconds,
    boot: `bench-store-${process.pid}`,
    firstSeq: 1_000_000_000,
    alarms: { url: `${stage.httpUrl.replace('http', 'ws')}/api/v1/stream`, cookie, everyMessages: 21 },
  };
  // The questions come from a process of their own: reading 20 MB is the client's work.
  const asker = await startPeer<{ ready: true }>('./store-asker.ts', [
    JSON.stringify({ url: stage.httpUrl, cookie, span }),
  ]);
  try {
    const { alarmMs } = await ask<GeneratorOrder, GeneratorResult>('./generator.ts', order);
    const { p50, p99, count } = alarmMs ?? percentiles([]);
    console.log(
      `alarms meanwhile: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${count}), questions asked on and on`,
    );
    return { p50: round(p50), p99: round(p99), count };
  } finally {
    asker.child.kill('SIGKILL');
  }
}

const round = (figure: number): number => Math.round(figure * 100) / 100;
