import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WaveHead } from '../gateway/intake/wave-head.ts';
import { defaultWaveformBounds } from '../gateway/waveforms/protocol.ts';
import { WaveCore } from '../gateway/waveforms/wave-core.ts';
import { packRecords } from '../journal/record-batch.ts';
import { loadWaves } from '../simulators/waves.ts';
import { ask, median } from './peer.ts';
import { openStage, type Stage } from './stage.ts';
import type { WaveOrder, WaveResult } from './wave-generator.ts';

export interface WaveBenchOptions {
  readonly beds: number;
  readonly seconds: number;
  /** Of three waves of one device, kept before the gateway starts. */
  readonly hours: number;
}

const periodUs = 4_000;
const hourMs = 3_600_000;
/** Kept under this device; it sends nothing afterwards. */
const oldDevice = 'device-0';
const asks = 15;

/**
 * Waveforms of a ward at 250 Hz, three a bed, on a gateway with everything on: what they cost the main thread and the
 * disk, and how long questions take while they come.
 */
export async function benchWaveforms({ beds, seconds, hours }: WaveBenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-bench-'));
  let stage: Stage | undefined;
  try {
    const filled = fill(join(folder, 'data', 'waveforms'), hours);
    console.log(
      `kept ${hours} h of three waves: ${(filled.samples / 1e6).toFixed(1)} million samples, ` +
        `${filled.bytesPerSample.toFixed(3)} bytes each, ${(filled.samplesPerS / 1e6).toFixed(1)} million a second`,
    );
    stage = await openStage({ devices: beds + 1, hosts: 6, folder });
    const load = await underLoad(stage, { seconds, boot: `waves-${Date.now()}` });
    console.log(
      `${beds + 1} beds: ${load.blocksPerS} blocks/s, ${load.samplesPerS} samples/s, PUBACK p99 ${load.pubackP99Ms} ms, ` +
        `main thread ${(load.mainCpuShare * 100).toFixed(0)} % of a core, the whole gateway ${(load.cpuShare * 100).toFixed(0)} %`,
    );
    const figures = {
      bench: 'waveforms',
      beds: beds + 1,
      ...load,
      bytesPerSample: round(filled.bytesPerSample, 3),
      fillSamplesPerS: Math.round(filled.samplesPerS),
      ...(await questions(stage, filled.toMs, hours)),
    };
    console.log(JSON.stringify(figures));
  } finally {
    await stage?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const round = (figure: number, decimals: number): number => Number(figure.toFixed(decimals));

/** As the journal would have fed it, second by second, written once a minute. */
function fill(
  folder: string,
  hours: number,
): { samples: number; bytesPerSample: number; samplesPerS: number; toMs: number } {
  mkdirSync(folder, { recursive: true });
  const core = new WaveCore({ ...defaultWaveformBounds, folder, epoch: 'bench' }, Date.now(), (fault) =>
    console.error(fault.message),
  );
  const waves = loadWaves('icu_x1', ['ii', 'pleth', 'abp']);
  const toMs = Math.floor(Date.now() / 1_000) * 1_000;
  const count = hours * 3_600;
  const started = performance.now();
  for (let second = 0; second < count; second++) {
    const atMs = toMs - (count - second) * 1_000;
    const records = waves.map(({ metric, gain, offset, samples }, index) => {
      const from = (second * 250) % (samples.length - 250);
      const wave: WaveHead = { metric, atMs, periodUs, gain, offset, marks: 0 };
      const head = { device: oldDevice, boot: 'b', seq: second * 3 + index, receivedAtMs: atMs, wave };
      return { head, payload: new Uint8Array(samples.slice(from, from + 250).buffer) };
    });
    core.append(second, packRecords(records));
    if (second % 60 === 59) core.flush();
  }
  core.flush();
  const took = (performance.now() - started) / 1_000;
  core.close();
  const samples = count * 250 * waves.length;
  const bytes = statSync(join(folder, 'waveforms.db')).size;
  return { samples, bytesPerSample: bytes / samples, samplesPerS: samples / took, toMs };
}

/** CPU seconds of the main thread and of the whole process. */
function cpuSeconds(pid: number): { main: number; all: number } {
  const ticks = (file: string): number => {
    const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  return { main: ticks(`/proc/${pid}/task/${pid}/stat`), all: ticks(`/proc/${pid}/stat`) };
}

async function underLoad(stage: Stage, { seconds, boot }: { seconds: number; boot: string }) {
  const pid = stage.child.pid ?? 0;
  const connections = stage.connections.map((connection) => ({
    ...connection,
    devices: connection.devices.filter((device) => device !== oldDevice),
  }));
  const order: WaveOrder = { port: stage.mqttPort, connections, seconds, boot };
  const before = cpuSeconds(pid);
  const result = await ask<WaveOrder, WaveResult>('./wave-generator.ts', order);
  const after = cpuSeconds(pid);
  if (result.confirmed !== result.sent)
    throw new Error(`${result.sent - result.confirmed} blocks not confirmed`);
  return {
    blocksPerS: Math.round(result.sent / result.seconds),
    samplesPerS: Math.round(result.samples / result.seconds),
    pubackP99Ms: round(result.pubackMs.p99, 1),
    mainCpuShare: round((after.main - before.main) / result.seconds, 3),
    cpuShare: round((after.all - before.all) / result.seconds, 3),
  };
}

/** p50 over HTTP: the last 10 s whole, and all the hours in 1,000 columns. */
async function questions(stage: Stage, toMs: number, hours: number) {
  const cookie = await stage.signIn();
  const timed = async (query: string): Promise<{ ms: number; bytes: number }> => {
    const took: number[] = [];
    let bytes = 0;
    for (let turn = 0; turn < asks; turn++) {
      const started = performance.now();
      const answer = await fetch(`${stage.httpUrl}/api/v1/waveforms?device=${oldDevice}&${query}`, {
        headers: { cookie, origin: stage.httpUrl },
      });
      const body = await answer.arrayBuffer();
      if (!answer.ok) throw new Error(Buffer.from(body).toString());
      took.push(performance.now() - started);
      bytes = body.byteLength;
    }
    return { ms: round(median(took), 1), bytes };
  };
  const ecg = 'metric=MDC_ECG_ELEC_POTL_II';
  const day = `from=${toMs - hours * hourMs}&to=${toMs}&width=1000`;
  const seconds = `from=${toMs - 10_000}&to=${toMs}`;
  const [one, all, oneDay, allDay, compact] = [
    await timed(`${ecg}&${seconds}`),
    await timed(seconds),
    await timed(`${ecg}&${day}`),
    await timed(day),
    await timed(`${ecg}&from=${toMs - 600_000}&to=${toMs}&form=base64`),
  ];
  return {
    tenSecondsMs: one.ms,
    tenSecondsThreeWavesMs: all.ms,
    hours,
    dayMs: oneDay.ms,
    dayThreeWavesMs: allDay.ms,
    dayBytes: oneDay.bytes,
    tenMinutesBase64Ms: compact.ms,
  };
}
