/** The store of waveforms as the main thread sees it: a worker of its own, fed by the journal, asked through typed calls. */
import { mkdirSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import { endOf } from '../../journal/ranges.ts';
import type { Journal, JournalStat } from '../../journal/types.ts';
import type { Clock } from '../../model/clock.ts';
import type { Fault, FaultReport } from '../../model/fault.ts';
import { WorkerLine, type Post } from '../store/worker-line.ts';
import {
  defaultWaveformBounds,
  type StripOrder,
  type WaveAnswer,
  type WaveformAlive,
  type WaveformAsk,
  type WaveformBounds,
  type WaveformOpened,
  type WaveformSettings,
  type WaveQuestion,
  type WaveWriting,
} from './protocol.ts';

export interface WaveformsOptions extends Partial<WaveformBounds> {
  /** Holds `waveforms.db`; made if missing. */
  readonly folder: string;
  readonly journal: Pick<Journal, 'epoch' | 'attach' | 'stat' | 'closed'>;
  /** A real one: the worker's sign of life and the deadlines are. */
  readonly clock: Clock;
  readonly told: (fault: Fault) => void;
  /** Deleted before their time, because of the bound. */
  readonly lost: (loss: NonNullable<WaveformAlive['lost']>) => void;
  /** Each question answers or rejects within this; 5 s. */
  readonly deadlineMs?: number;
}

export interface WaveformStatus {
  /** Age of the newest block found while a kept one is not found yet, ms; 0 = none waits. */
  readonly lagMs: number;
  readonly series: number;
  readonly blocks: number;
  readonly samples: number;
  readonly bytes: number;
  readonly strips: number;
  readonly fault?: FaultReport;
  /** Last sign of life of its worker, monotonic ms of the main thread. */
  readonly aliveAtMs: number;
}

export interface Waveforms {
  range(question: WaveQuestion): Promise<WaveAnswer>;
  /** Keeps what is and will be there of these devices in the span as long as strips are kept. On disk when it resolves. */
  keepStrip(strip: StripOrder): Promise<void>;
  strip(ask: {
    alarm: string;
    writing: WaveWriting;
    demo: boolean;
  }): Promise<{ strip: StripOrder; answer: WaveAnswer } | undefined>;
  status(): WaveformStatus;
  /** Writes what is in memory; for backup, tests and measurements. */
  flush(): Promise<void>;
  /** Deletes what is too old or too much now, or as of another instant. */
  expire(nowMs?: number): Promise<void>;
  /** Ends the worker as a crash would; it is restarted. */
  killWorker(): Promise<void>;
  close(): Promise<void>;
}

export const sinkId = 'waveforms';
const window = { batches: 256, bytes: 8 * 1024 * 1024 };
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 4, stackSizeMb: 4 };
const longMs = 600_000;
const rejoinMs = 1_000;
/** Shown until the next start: somebody has to look. */
const lasting: ReadonlySet<string> = new Set(['DATABASE_CORRUPT', 'WAVEFORMS_CORRUPT', 'WAVEFORMS_BODY']);

/** Starts the worker and joins it to the journal. Rejects with FORMAT_TOO_NEW, DATABASE_OPEN or WORKER_ENDED. */
export async function openWaveforms(options: WaveformsOptions): Promise<Waveforms> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const waveforms = new WorkerWaveforms(options);
  await waveforms.line.ready;
  return waveforms;
}

class WorkerWaveforms implements Waveforms {
  readonly line: WorkerLine<WaveformAsk, WaveformOpened, WaveformAlive>;
  private readonly options: WaveformsOptions;
  private readonly pollEnd: () => void;
  private alive: WaveformAlive | undefined;
  private fault: Fault | undefined;
  private lagMs = 0;
  private aliveAtMs = 0;
  private polling = false;
  private joinedAtMs = -Infinity;

  constructor(options: WaveformsOptions) {
    this.options = options;
    const { folder, journal, clock, told, lost: _, deadlineMs = 5_000, ...bounds } = options;
    const settings: WaveformSettings = { ...defaultWaveformBounds, ...bounds, folder, epoch: journal.epoch };
    this.line = new WorkerLine({
      name: 'waveforms',
      program: new URL('./waveforms-worker.ts', import.meta.url),
      workerData: settings,
      clock,
      resourceLimits,
      deadlineMs,
      unanswered: 'WAVEFORMS_READ',
      told: (fault) => {
        this.fault = fault;
        told(fault);
      },
      opened: (opened, post) => this.join(opened, post),
      alive: (alive) => this.heard(alive),
    });
    this.pollEnd = clock.every(1_000, () => void this.poll());
  }

  range(question: WaveQuestion): Promise<WaveAnswer> {
    return this.line.ask({ what: 'range', ...question });
  }

  keepStrip(strip: StripOrder): Promise<void> {
    return this.line.ask({ what: 'keep', strip });
  }

  strip(ask: Parameters<Waveforms['strip']>[0]): ReturnType<Waveforms['strip']> {
    return this.line.ask({ what: 'strip', ...ask });
  }

  status(): WaveformStatus {
    const { series = 0, blocks = 0, samples = 0, bytes = 0, strips = 0 } = this.alive ?? {};
    const { lagMs, fault } = this;
    const { aliveAtMs } = this.line;
    return {
      lagMs,
      series,
      blocks,
      samples,
      bytes,
      strips,
      aliveAtMs,
      ...(fault && { fault: fault.toJSON() }),
    };
  }

  flush(): Promise<void> {
    return this.line.ask({ what: 'flush' }, longMs);
  }

  expire(nowMs?: number): Promise<void> {
    return this.line.ask({ what: 'expire', ...(nowMs === undefined ? {} : { nowMs }) }, longMs);
  }

  killWorker(): Promise<void> {
    return this.line.kill();
  }

  async close(): Promise<void> {
    this.pollEnd();
    await this.line.close();
  }

  private heard(alive: WaveformAlive): void {
    this.alive = alive;
    this.aliveAtMs = this.options.clock.nowMs();
    if (alive.writing && !alive.atBound && !lasting.has(this.fault?.code ?? '')) this.fault = undefined;
    if (alive.lost) this.options.lost(alive.lost);
  }

  /** The journal feeds the worker directly. Joined again when either side has died; not more than once a second. */
  private join({ delivered }: WaveformOpened, post: Post): void {
    const { journal, clock } = this.options;
    const waitMs = Math.max(0, this.joinedAtMs + rejoinMs - clock.monotonicMs());
    this.joinedAtMs = clock.monotonicMs() + waitMs;
    const attach = (): void => {
      if (journal.closed) return;
      const { port1, port2 } = new MessageChannel();
      post({ kind: 'journal', port: port1 }, [port1]);
      const spec = { id: sinkId, kind: 'twoLane', classes: ['waveforms'], window } as const;
      journal.attach({ ...spec, delivered: { waveforms: delivered } }, port2);
    };
    if (waitMs === 0) attach();
    else clock.after(waitMs, attach);
  }

  /** Compares what the journal has with what the worker says it holds. */
  private async poll(): Promise<void> {
    if (this.polling) return;
    this.polling = true;
    try {
      this.lagMs = this.lag(await this.options.journal.stat());
    } catch (error) {
      // A journal that cannot say is its own alarm; ours is kept as it was.
      if (!(error instanceof Error)) throw error;
    } finally {
      this.polling = false;
    }
  }

  private lag({ classes, sinks }: JournalStat): number {
    const { nextNumber, oldestNumber } = classes.waveforms;
    const { taken = [], newestAtMs = 0 } = this.alive ?? {};
    if (endOf(taken, oldestNumber) >= nextNumber) return 0;
    // As of its last sign of life: what came since is not behind, and a worker that is silent is told as such.
    const { aliveAtMs } = this;
    return Math.max(0, aliveAtMs - (newestAtMs || sinks[sinkId]?.oldestUndeliveredAtMs || aliveAtMs));
  }
}
