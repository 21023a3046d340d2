import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare } from '../gateway/alarm/replay/compare.ts';
import { replayWard, type ReplayStay } from '../gateway/alarm/replay/ward-replay.ts';
import type { PlannedLimit } from '../gateway/alarm/replay/ward-line.ts';
import { defaultLimits } from '../gateway/alarm/defaults.ts';
import { BodyWriter, ownerOf } from '../gateway/store/packing.ts';
import { chunkSpanMs } from '../gateway/store/chunks.ts';
import { Columns } from '../gateway/store/columns.ts';
import { openToRead } from '../gateway/store/open-to-read.ts';
import { StoreFile } from '../gateway/store/store-file.ts';
import { seededChance } from '../simulators/chance.ts';

export interface ReplayBench {
  readonly days: number;
  readonly beds: number;
}

/** Six metrics a bed at 1 Hz, with where they wander about. */
const metrics = [
  ['MDC_ECG_HEART_RATE', 92, 26],
  ['MDC_PULS_OXIM_SAT_O2', 94, 5],
  ['MDC_RESP_RATE', 18, 9],
  ['MDC_PRESS_BLD_ART_ABP_SYS', 128, 38],
  ['MDC_PULS_OXIM_PULS_RATE', 92, 26],
  ['MDC_TEMP', 37, 1],
] as const;

const dayMs = 86_400_000;
const chunkObservations = 7_200;

/** A historian as it is after its compaction: chunks of one series each. */
function fill(folder: string, { days, beds }: ReplayBench, fromMs: number): number {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'historian.db');
  const file = new StoreFile({ path, cacheKib: 2_048, checkUpToBytes: 0, nowMs: Date.now() });
  const writer = new BodyWriter();
  const chance = seededChance(7);
  const columns = new Columns(chunkObservations);
  const chunks = file.sql(
    `INSERT INTO chunks (series, fromMs, toMs, receivedToMs, observations, body, sources) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  let id = 0;
  let observations = 0;
  for (let bed = 0; bed < beds; bed++) {
    for (const [metric, middle, swing] of metrics) {
      file.addSeries({ id: ++id, device: `device-${bed}`, metric, channel: '' });
      file.write(() => {
        let seq = 0;
        for (let at = fromMs; at < fromMs + days * dayMs; at += chunkObservations * 1_000) {
          columns.clear();
          columns.reserve(chunkObservations);
          const boot = columns.boots.number('b7f39e01c4d2a6f8');
          for (let row = 0; row < chunkObservations; row++) {
            const atMs = at + row * 1_000 + Math.floor(chance.fraction() * 20);
            const minutes = atMs / 60_000;
            const wave = Math.sin(minutes / 37 + id) * 0.7 + Math.sin(minutes / 3.1 + id * 3) * 0.4;
            const noise = (chance.fraction() - 0.5) * 0.2;
            columns.taken[row] = atMs;
            columns.received[row] = atMs + 40;
            columns.value[row] = Math.round(Math.min(100_000, middle + swing * (wave + noise)));
            columns.seq[row] = ++seq;
            columns.boot[row] = boot;
            columns.flags[row] = 0;
            columns.reason[row] = 0;
          }
          columns.length = chunkObservations;
          const owner = ownerOf(`device-${bed}`, metric, columns.taken[0] ?? 0);
          const { values, sources } = writer.chunk(columns, [0, chunkObservations], 3, owner);
          const last = columns.taken[chunkObservations - 1] ?? 0;
          chunks.run(id, columns.taken[0] ?? 0, last, last + 40, chunkObservations, values, sources);
          observations += chunkObservations;
        }
      });
    }
  }
  file.checkpoint();
  file.close();
  return observations;
}

/** Every metric is judged: the defaults, and a limit on the temperature. */
const today: readonly PlannedLimit[] = [
  ...defaultLimits('adult'),
  { metric: 'MDC_TEMP', direction: 'high', priority: 'low', value: 38, delayS: 10, hysteresis: 0.2 },
];
const proposed = today.map((limit) => ({ ...limit, delayS: 19 }));

/** Proposed limits against a ward's week: from the files of a historian to the comparison, in one thread. */
export async function benchReplay(bench: ReplayBench): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-replay-'));
  try {
    const fromMs = Math.floor(Date.now() / chunkSpanMs) * chunkSpanMs - bench.days * dayMs;
    const filled = fill(folder, bench, fromMs);
    const bytes = statSync(join(folder, 'historian.db')).size;
    console.log(`${filled} observations of ${bench.beds} beds in ${Math.round(bytes / 1_048_576)} MiB`);
    const stays: ReplayStay[] = Array.from({ length: bench.beds }, (_, bed) => ({
      bed: `bed-${bed}`,
      spans: [{ device: `device-${bed}`, fromMs, toMs: fromMs + bench.days * dayMs, periodMs: 1_000 }],
      plans: [today, proposed],
    }));
    const started = performance.now();
    const store = openToRead(folder, (fault) => {
      throw fault;
    });
    const { episodes, observations } = await replayWard({
      stays,
      book: store.book,
      scanner: store.scanner('values'),
      progress: async () => undefined,
    });
    const { today: now, proposed: then, missed } = compare(stays, episodes);
    const seconds = (performance.now() - started) / 1_000;
    store.close();
    const memoryMb = Math.round(process.resourceUsage().maxRSS / 1_024);
    console.log(
      JSON.stringify({
        bench: 'replay',
        stored: filled,
        judged: observations,
        seconds: Math.round(seconds * 10) / 10,
        perS: Math.round(filled / seconds),
        today: now.alarms,
        proposed: then.alarms,
        missed: missed.count,
        memoryMb,
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
