/**
 * The waveforms' store itself, without thread or timers: takes batches, writes, deletes what is too old, keeps the
 * strips of alarms, and answers. Its worker feeds it and says when.
 */
import { join } from 'node:path';
import { add, has } from '../../journal/ranges.ts';
import type { Ranges } from '../../journal/types.ts';
import { Fault } from '../../model/fault.ts';
import { causeOf } from '../store/sqlite.ts';
import { answerRange, answerStrip } from './answer.ts';
import type { Breathe } from './asked.ts';
import { unpackRuns } from './codec.ts';
import type {
  StripOrder,
  WaveAnswer,
  WaveformAlive,
  WaveformSettings,
  WaveQuestion,
  WaveWriting,
} from './protocol.ts';
import { clip } from './runs.ts';
import { chunksOf, longestChunkMs, WaveHeads } from './wave-head.ts';
import { WaveFile, type Chunk } from './wave-file.ts';

const deletePerStep = 200;
const earlyPerStep = 16;
const shrinkPages = 4_000;
/** The bound counts as reached for so long after a deletion: one is told, not one a minute. */
const boundHoldsMs = 3_600_000;
/** No strip is longer: by the bounds of the configuration. */
const longestStripMs = 1_200_000;

export class WaveCore {
  private readonly settings: WaveformSettings;
  private readonly told: (fault: Fault) => void;
  private readonly file: WaveFile;
  private readonly heads = new WaveHeads();
  private delivered: Ranges;
  /** Delivered, and what memory holds beside. */
  private taken: Ranges;
  private totals: { blocks: number; samples: number; strips: number; stripBytes: number };
  private newestAtMs = 0;
  private lost: { blocks: number; fromMs: number; toMs: number } | undefined;
  private earlyAtMs = -Infinity;
  /** Batches were taken since the last write. */
  unwritten = false;

  constructor(settings: WaveformSettings, nowMs: number, told: (fault: Fault) => void) {
    this.settings = settings;
    this.told = told;
    this.file = new WaveFile({ path: join(settings.folder, 'waveforms.db'), nowMs });
    if (this.file.damage) told(this.file.damage);
    this.heads.known(this.file.series());
    this.delivered = this.file.loadDelivered(settings.epoch);
    this.taken = this.delivered;
    this.totals = { ...this.file.totals(), ...this.file.stripTotals() };
  }

  /** Whether more can be taken without writing first. */
  get full(): boolean {
    return this.heads.samples >= this.settings.headSamples;
  }

  get waiting(): number {
    return this.heads.blocks;
  }

  get deliveredRanges(): Ranges {
    return this.delivered;
  }

  /** Takes a batch into memory: from then on questions find it. One that is stored already is left out. */
  append(number: number, body: Uint8Array): void {
    this.unwritten = true;
    if (has(this.taken, number)) return;
    try {
      this.newestAtMs = Math.max(this.newestAtMs, this.heads.take(body));
    } catch (error) {
      // It would come again for ever: it is told and passed by; the journal still has it.
      if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
      this.told(new Fault('WAVEFORMS_BODY', { number, cause: causeOf(error) }));
    }
    this.taken = add(this.taken, number, number + 1);
  }

  /** Writes what is in memory with the positions it came from, in one transaction. When it throws, it is still there. */
  flush(): void {
    const { file, heads } = this;
    file.write(() => {
      for (const series of heads.fresh) file.addSeries(series);
      for (const { id, forms } of heads.series)
        for (const form of forms.values()) for (const chunk of chunksOf(form)) file.addChunk(id, form, chunk);
      file.putDelivered(this.taken);
    });
    this.totals.blocks += heads.blocks;
    this.totals.samples += heads.samples;
    heads.clear();
    this.delivered = this.taken;
    this.unwritten = false;
  }

  /** Deletes some of what is too old or too much, after cutting out what strips keep; true when nothing is left. */
  expireStep(nowMs: number): boolean {
    const { settings, file } = this;
    const old = file.oldest(nowMs - settings.retentionMs, deletePerStep);
    if (old.length > 0) {
      this.delete(old);
      return false;
    }
    if (file.usedBytes() > settings.maxBytes) {
      const oldest = file.oldest(Infinity, earlyPerStep);
      if (oldest.length > 0) {
        this.deleteEarly(oldest, nowMs);
        return false;
      }
    }
    return this.expireStrips(nowMs);
  }

  keep(strip: StripOrder): void {
    this.totals.strips += this.file.write(() => this.file.addStrip(strip));
  }

  range(question: WaveQuestion, breathe: Breathe): Promise<WaveAnswer> {
    return answerRange(this.sources, question, breathe);
  }

  strip(
    ask: { alarm: string; writing: WaveWriting; demo: boolean },
    breathe: Breathe,
  ): Promise<{ strip: StripOrder; answer: WaveAnswer } | undefined> {
    return answerStrip(this.sources, ask, breathe);
  }

  /** What was deleted before its time is told once. */
  status(nowMs: number): Omit<WaveformAlive, 'writing'> {
    const { lost, totals, heads } = this;
    this.lost = undefined;
    return {
      series: heads.count,
      blocks: totals.blocks + heads.blocks,
      samples: totals.samples + heads.samples,
      bytes: this.file.bytes(),
      strips: totals.strips,
      taken: this.taken,
      newestAtMs: this.newestAtMs,
      atBound: this.atBound(nowMs),
      ...(lost ? { lost } : {}),
    };
  }

  close(): void {
    this.file.close();
  }

  private atBound(nowMs: number): boolean {
    return nowMs - this.earlyAtMs < boundHoldsMs;
  }

  private deleteEarly(chunks: readonly Chunk[], nowMs: number): void {
    this.delete(chunks);
    const { lost = { blocks: 0, fromMs: Infinity, toMs: -Infinity } } = this;
    for (const { blocks, fromMs, toMs } of chunks) {
      lost.blocks += blocks;
      lost.fromMs = Math.min(lost.fromMs, fromMs);
      lost.toMs = Math.max(lost.toMs, toMs);
    }
    this.lost = lost;
    if (!this.atBound(nowMs)) this.told(new Fault('WAVEFORMS_BOUND', { bytes: this.settings.maxBytes }));
    this.earlyAtMs = nowMs;
  }

  private delete(chunks: readonly Chunk[]): void {
    const { file, totals } = this;
    const fromMs = Math.min(...chunks.map((chunk) => chunk.fromMs));
    const toMs = Math.max(...chunks.map((chunk) => chunk.toMs));
    file.write(() => {
      const strips = file.stripsIn(fromMs, toMs, longestStripMs);
      for (const chunk of chunks) {
        for (const strip of strips) totals.stripBytes += this.cut(chunk, strip);
        file.deleteChunk(chunk);
      }
    });
    for (const chunk of chunks) {
      totals.blocks -= chunk.blocks;
      totals.samples -= chunk.samples;
    }
    file.shrink(shrinkPages);
  }

  /** The part of a chunk that an alarm's strip keeps; answers its bytes. */
  private cut(chunk: Chunk, strip: StripOrder): number {
    if (chunk.toMs <= strip.fromMs || chunk.fromMs >= strip.toMs) return 0;
    const device = [...this.heads.series].find(({ id }) => id === chunk.series)?.device;
    if (device === undefined || !strip.devices.includes(device)) return 0;
    const { series, periodUs, gain, offset, marks } = chunk;
    let bytes = 0;
    try {
      for (const run of unpackRuns(this.file.body(chunk.id) ?? new Uint8Array())) {
        const part = clip(run, periodUs, [strip.fromMs, strip.toMs]);
        if (part)
          bytes += this.file.addCut(strip.alarm, { series, periodUs, gain, offset, marks, run: part });
      }
    } catch (error) {
      const { samples } = chunk;
      this.told(new Fault('WAVEFORMS_CORRUPT', { samples, cause: causeOf(error) }));
    }
    return bytes;
  }

  private expireStrips(nowMs: number): boolean {
    const { settings, file } = this;
    let gone = file.oldestStrips(nowMs - settings.stripRetentionMs, deletePerStep);
    if (gone.length === 0 && this.totals.stripBytes > settings.stripMaxBytes)
      gone = file.oldestStrips(nowMs - settings.retentionMs, deletePerStep);
    if (gone.length === 0) return true;
    file.write(() => {
      for (const alarm of gone) file.deleteStrip(alarm);
    });
    Object.assign(this.totals, file.stripTotals());
    return false;
  }

  private get sources() {
    const { file, heads, told, settings } = this;
    return { file, heads, told, answerSamples: settings.answerSamples, longestChunkMs };
  }
}
