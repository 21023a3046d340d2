import { readRecords } from '../../journal/record-batch.ts';
import type { WaveHead } from '../intake/wave-head.ts';
import { samplesOf } from '../intake/waveform.ts';
import type { Run } from './codec.ts';
import { endMs, joined, type WaveForm } from './runs.ts';
import type { WaveSeries } from './wave-file.ts';

/** Blocks of one series and form that are not written yet. */
export interface HeadForm extends WaveForm {
  readonly runs: Run[];
}

interface HeadSeries extends WaveSeries {
  readonly forms: Map<string, HeadForm>;
}

/** No chunk covers more time, so that one is found by its begin. */
export const longestChunkMs = 600_000;
const chunkSamples = 65_536;

/** What came since the last write, in memory: questions find it here. */
export class WaveHeads {
  private readonly bySeries = new Map<string, HeadSeries>();
  private nextId = 1;
  /** Series the file does not know yet. */
  readonly fresh: WaveSeries[] = [];
  samples = 0;
  blocks = 0;

  known(series: readonly WaveSeries[]): void {
    for (const one of series) {
      this.bySeries.set(keyOf(one), { ...one, forms: new Map() });
      this.nextId = Math.max(this.nextId, one.id + 1);
    }
  }

  get series(): IterableIterator<HeadSeries> {
    return this.bySeries.values();
  }

  get count(): number {
    return this.bySeries.size;
  }

  /** Takes the blocks of one journal batch; answers the latest receipt in it. Throws when the body cannot be read. */
  take(body: Uint8Array): number {
    let newestAtMs = 0;
    for (const { head, payload } of readRecords(body)) {
      const { device, wave, receivedAtMs } = head as {
        device?: string;
        wave?: WaveHead;
        receivedAtMs?: number;
      };
      // Of a version that kept the message as it was: the journal has it, nobody else.
      if (device === undefined || wave === undefined) continue;
      this.add(device, wave, samplesOf(payload));
      newestAtMs = Math.max(newestAtMs, receivedAtMs ?? 0);
    }
    return newestAtMs;
  }

  clear(): void {
    for (const series of this.bySeries.values()) series.forms.clear();
    this.fresh.length = 0;
    this.samples = 0;
    this.blocks = 0;
  }

  private add(device: string, wave: WaveHead, samples: Int16Array): void {
    const { metric, channel = '', atMs, periodUs, gain, offset, marks } = wave;
    const series = this.open({ device, metric, channel });
    const key = `${periodUs} ${gain} ${offset} ${marks}`;
    let form = series.forms.get(key);
    if (!form) series.forms.set(key, (form = { periodUs, gain, offset, marks, runs: [] }));
    form.runs.push({ fromMs: atMs, samples });
    this.samples += samples.length;
    this.blocks += 1;
  }

  private open(name: Omit<WaveSeries, 'id'>): HeadSeries {
    const key = keyOf(name);
    let series = this.bySeries.get(key);
    if (series) return series;
    series = { id: this.nextId++, ...name, forms: new Map() };
    this.bySeries.set(key, series);
    this.fresh.push(series);
    return series;
  }
}

const keyOf = ({ device, metric, channel }: Omit<WaveSeries, 'id'>): string =>
  `${device} ${metric} ${channel}`;

/** The runs of a chunk each, in the order of time, and how many blocks they came as. */
export function chunksOf({ runs, periodUs }: HeadForm): { runs: Run[]; blocks: number }[] {
  const chunks: { runs: Run[]; blocks: number }[] = [];
  const sorted = runs.toSorted((a, b) => a.fromMs - b.fromMs);
  let open: Run[] = [];
  let samples = 0;
  const close = (): void => {
    if (open.length > 0) chunks.push({ runs: joined(open, periodUs), blocks: open.length });
    open = [];
    samples = 0;
  };
  for (const run of sorted) {
    const fromMs = open[0]?.fromMs ?? run.fromMs;
    const full = samples + run.samples.length > chunkSamples;
    if (full || endMs(run, periodUs) - fromMs > longestChunkMs) close();
    open.push(run);
    samples += run.samples.length;
  }
  close();
  return chunks;
}
