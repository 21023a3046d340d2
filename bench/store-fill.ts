import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { defaultBounds } from '../gateway/store/historian-protocol.ts';
import { StoreCore } from '../gateway/store/store-core.ts';
import { BodyMaker, playDay, type DayMessage, type DaySpec } from './store-day.ts';
import type { TimeSeriesServer } from './time-series-servers.ts';

const messagesABatch = 256;
const linesARequest = 10_000;

export interface Filled {
  readonly observations: number;
  readonly bytes: number;
}

/** A historian's folder filled as the gateway would fill it: bodies in, blocks, chunks; all files measured at the end. */
export function fillHistorian(folder: string, spec: DaySpec): Filled {
  mkdirSync(folder, { recursive: true });
  const core = new StoreCore({ ...defaultBounds, folder, epoch: 'bench' }, Date.now(), (fault) => {
    throw fault;
  });
  const maker = new BodyMaker();
  let number = 0;
  const append = (): void => {
    const { body, facts } = maker.seal();
    if (!core.fits(facts.observations)) core.flush();
    while (core.compactionDue && !core.compactStep());
    core.append('numerics', number++, body);
  };
  for (const message of playDay(spec)) {
    maker.add(message);
    if (maker.messages === messagesABatch) append();
  }
  append();
  core.flush();
  while (!core.compactStep());
  while (!core.shrinkStep());
  core.checkpoint();
  const { stored } = core.status();
  core.close();
  return { observations: stored, bytes: bytesOf(folder) };
}

/** The same points in InfluxDB, with the columns that a row of Vigil has. */
export async function fillInflux({ url }: TimeSeriesServer, spec: DaySpec): Promise<Filled> {
  await fetch(`${url}/query?q=CREATE+DATABASE+vigil`, { method: 'POST' });
  let lines: string[] = [];
  let observations = 0;
  const write = async (): Promise<void> => {
    const answer = await fetch(`${url}/write?db=vigil&precision=ms`, {
      method: 'POST',
      body: lines.join('\n'),
    });
    if (answer.status !== 204) throw new Error(`InfluxDB refused: ${answer.status} ${await answer.text()}`);
    lines = [];
  };
  for (const message of playDay(spec)) {
    lines.push(...linesOf(message));
    observations += message.observations.length;
    if (lines.length >= linesARequest) await write();
  }
  await write();
  return { observations, bytes: NaN };
}

function linesOf({ device, boot, seq, receivedAtMs, observations }: DayMessage): string[] {
  return observations.map((seen) => {
    const channel = seen.channel === undefined ? '' : `,channel=${seen.channel}`;
    const value = 'value' in seen ? seen.value : 0;
    return (
      `observation,device=${device},metric=${seen.metric}${channel} ` +
      `value=${value},validity="${seen.validity}",boot="${boot}",seq=${seq}i,receivedAtMs=${receivedAtMs}i ${seen.takenAtMs}`
    );
  });
}

/** Newest values of many series, as after a start: `series` of them, ten a device. */
export function fillLatest(folder: string, series: number, atMs: number): readonly string[] {
  mkdirSync(folder, { recursive: true });
  const core = new StoreCore({ ...defaultBounds, folder, epoch: 'bench' }, Date.now(), (fault) => {
    throw fault;
  });
  const maker = new BodyMaker();
  const devices = Array.from({ length: series / 10 }, (_, at) => `latest-${at}`);
  for (let second = 0; second < 3; second++) {
    for (const device of devices) {
      const takenAtMs = atMs + second * 1_000;
      const observations = Array.from({ length: 10 }, (_, channel) => ({
        metric: 'MDC_TEMP',
        channel: String(channel),
        takenAtMs,
        value: 36 + channel / 10,
        validity: 'valid' as const,
      }));
      maker.add({ device, boot: 'b7f39e01c4d2a6f0', seq: second, receivedAtMs: takenAtMs + 5, observations });
    }
    core.append('numerics', second, maker.seal().body);
  }
  core.flush();
  core.close();
  return devices;
}

const sectorBytes = 512;

/** What the files under a folder take on the disk; what is only set apart in them takes nothing. */
export function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * sectorBytes, 0);
}
