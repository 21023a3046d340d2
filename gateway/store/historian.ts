/** The embedded store as the main thread sees it: a worker fed by the journal's writer, asked through typed calls. */
import { mkdirSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import type { Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';
import { has, minus } from '../../journal/ranges.ts';
import type { Journal, JournalStat } from '../../journal/types.ts';
import {
  defaultBounds,
  type AggregateColumns,
  type HistorianAlive,
  type HistorianAsk,
  type HistorianBounds,
  type HistorianOpened,
  type HistorianSettings,
  type RowColumns,
} from './historian-protocol.ts';
import { aggregatesOf, rowsOf } from './rows-of.ts';
import type { Historian } from './types.ts';
import { WorkerLine, type Post } from './worker-line.ts';

export interface HistorianOptions extends Partial<HistorianBounds> {
  /** Holds `historian.db`; made if missing. */
  readonly folder: string;
  readonly journal: Pick<Journal, 'epoch' | 'attach' | 'stat' | 'closed'>;
  /** A real one: the worker's sign of life and the deadlines are. */
  readonly clock: Clock;
  /** Faults for health and the technical alarms. */
  readonly told: (fault: Fault) => void;
  /** Each query answers or rejects within this; 5 s. */
  readonly deadlineMs?: number;
}

export interface EmbeddedHistorian extends Historian {
  /** Writes what is in memory; for backup, tests and measurements. */
  flush(): Promise<void>;
  /** Makes chunks of all fresh blocks now. */
  compact(): Promise<void>;
  /** Deletes what is older than the retention now. */
  expire(): Promise<void>;
  /** Ends the worker as a crash would; it is restarted. */
  killWorker(): Promise<void>;
}

export const sinkId = 'historian';
const classes = ['alarm', 'numerics'] as const;
const window = { batches: 64, bytes: 8 * 1024 * 1024 };
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 2, stackSizeMb: 4 };
const longMs = 600_000;
const rejoinMs = 1_000;
/** Shown until the next start: somebody has to look. */
const lasting: ReadonlySet<string> = new Set(['DATABASE_CORRUPT', 'STORE_CORRUPT', 'STORE_BODY']);

/** Starts the worker and joins it to the journal. Rejects with FORMAT_TOO_NEW, DATABASE_OPEN or WORKER_ENDED. */
export async function openHistorian(options: HistorianOptions): Promise<EmbeddedHistorian> {
  mkdirSync(options.folder, { recursive: true });
  const historian = new WorkerHistorian(options);
  await historian.line.ready;
  return historian;
}

class WorkerHistorian implements EmbeddedHistorian {
  readonly line: WorkerLine<HistorianAsk, HistorianOpened, HistorianAlive>;
  private readonly options: HistorianOptions;
  private readonly pollEnd: () => void;
  private alive: HistorianAlive | undefined;
  private fault: Fault | undefined;
  private lagMs = 0;
  private polling = false;
  private joinedAtMs = -Infinity;

  constructor(options: HistorianOptions) {
    this.options = options;
    const { folder, journal, clock, told, deadlineMs = 5_000, ...bounds } = options;
    const settings: HistorianSettings = { ...defaultBounds, ...bounds, folder, epoch: journal.epoch };
    this.line = new WorkerLine({
      name: 'historian',
      program: new URL('./historian-worker.ts', import.meta.url),
      workerData: settings,
      clock,
      resourceLimits,
      deadlineMs,
      unanswered: 'STORE_READ',
      told: (fault) => {
        this.fault = fault;
        told(fault);
      },
      opened: (opened, post) => this.join(opened, post),
      alive: (alive) => {
        this.alive = alive;
        if (alive.writing && !lasting.has(this.fault?.code ?? '')) this.fault = undefined;
      },
    });
    this.pollEnd = clock.every(1_000, () => void this.poll());
  }

  async range(...[spans, page]: Parameters<Historian['range']>): ReturnType<Historian['range']> {
    const { limit, after } = page;
    const columns = await this.line.ask<RowColumns>({ what: 'range', spans, limit, after });
    const rows = await rowsOf(columns);
    return columns.next === undefined ? { rows } : { rows, next: columns.next };
  }

  async latest(...[devices]: Parameters<Historian['latest']>): ReturnType<Historian['latest']> {
    return rowsOf(await this.line.ask<RowColumns>({ what: 'latest', devices }));
  }

  lines(...[spans, page]: Parameters<Historian['lines']>): ReturnType<Historian['lines']> {
    return this.line.ask({ what: 'lines', spans, ...page });
  }

  async aggregate(
    ...[spans, everyMs, of]: Parameters<Historian['aggregate']>
  ): ReturnType<Historian['aggregate']> {
    return aggregatesOf(await this.line.ask<AggregateColumns>({ what: 'aggregate', spans, everyMs, of }));
  }

  correct(...[correction]: Parameters<Historian['correct']>): ReturnType<Historian['correct']> {
    return this.line.ask({ what: 'correct', correction });
  }

  corrections(...[spans]: Parameters<Historian['corrections']>): ReturnType<Historian['corrections']> {
    return this.line.ask({ what: 'corrections', spans });
  }

  status(): ReturnType<Historian['status']> {
    return {
      lagMs: this.lagMs,
      series: this.alive?.series ?? 0,
      storedObservations: this.alive?.stored ?? 0,
      expiredObservations: this.alive?.expired ?? 0,
      bytes: this.alive?.bytes ?? 0,
      aliveAtMs: this.line.aliveAtMs,
      ...(this.fault ? { fault: this.fault.toJSON() } : {}),
    };
  }

  flush(): Promise<void> {
    return this.line.ask({ what: 'flush' }, longMs);
  }

  compact(): Promise<void> {
    return this.line.ask({ what: 'compact' }, longMs);
  }

  expire(): Promise<void> {
    return this.line.ask({ what: 'expire' }, longMs);
  }

  killWorker(): Promise<void> {
    return this.line.kill();
  }

  async close(): Promise<void> {
    this.pollEnd();
    await this.line.close();
  }

  /** The journal feeds the worker directly. Joined again when either side has died; not more than once a second. */
  private join({ delivered }: HistorianOpened, post: Post): void {
    const { journal, clock } = this.options;
    const waitMs = Math.max(0, this.joinedAtMs + rejoinMs - clock.monotonicMs());
    this.joinedAtMs = clock.monotonicMs() + waitMs;
    const attach = (): void => {
      if (journal.closed) return;
      const { port1, port2 } = new MessageChannel();
      post({ kind: 'journal', port: port1 }, [port1]);
      journal.attach({ id: sinkId, kind: 'twoLane', classes, delivered, window }, port2);
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

  private lag(stat: JournalStat): number {
    const nowMs = this.options.clock.nowMs();
    let behind = false;
    for (const klass of classes) {
      const { nextNumber, present } = stat.classes[klass];
      const taken = this.alive?.taken[klass] ?? [];
      const missing = minus(present, taken)[0]?.[0];
      if (missing === undefined) continue;
      behind = true;
      // Something older is missing than what came last: a backlog; its age is the journal's to say.
      const oldest = stat.sinks[sinkId]?.oldestUndeliveredAtMs;
      if (has(taken, nextNumber - 1) || (taken.at(-1)?.[1] ?? 0) > missing)
        return oldest === undefined ? 0 : Math.max(0, nowMs - oldest);
    }
    if (!behind) return 0;
    const since = this.alive?.newestAtMs || stat.sinks[sinkId]?.oldestUndeliveredAtMs || nowMs;
    return Math.max(0, nowMs - since);
  }
}
