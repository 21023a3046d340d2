/** One time-series server as the main thread sees it: a worker fed by the journal, asked through typed calls. */
import { MessageChannel } from 'node:worker_threads';
import type { Journal, JournalStat } from '../../../journal/types.ts';
import type { Clock } from '../../../model/clock.ts';
import { Fault, type FaultReport } from '../../../model/fault.ts';
import type { AggregateColumns, RowColumns } from '../historian-protocol.ts';
import { aggregatesOf, rowsOf } from '../rows-of.ts';
import type { LongStore } from '../types.ts';
import { WorkerLine, type Post } from '../worker-line.ts';
import type { GateState } from './gate.ts';
import type { RefusedStretch } from './request.ts';
import type { LagFigures } from './sender.ts';
import type { Diagnosis, LedgerAsk, ServerAlive, ServerAsk } from './server-protocol.ts';
import { journalSinkId, placeOf, type ServerSettings } from './settings.ts';

export interface ServerSinkOptions {
  readonly settings: ServerSettings;
  readonly journal: Pick<Journal, 'attach' | 'closed'>;
  /** A real one: the worker's sign of life and the deadlines are. */
  readonly clock: Clock;
  /** Enters what the server will not take into the loss ledger; resolves when it is on disk there. */
  readonly ledger: (sink: string, refused: readonly RefusedStretch[]) => Promise<void>;
  /** Faults that pass: of the worker, refused lines. */
  readonly told: (fault: Fault) => void;
}

/** A sink as people see it; no secret is in it. */
export interface SinkView {
  readonly id: string;
  readonly kind: ServerSettings['kind'];
  readonly url: string;
  readonly place: string;
  readonly longQueries: boolean;
  /** `paused`: a person must act; it is tried now and then all the same. */
  readonly state: GateState;
  /** Not delivering since. */
  readonly sinceMs?: number;
  readonly nextTryAtMs?: number;
  readonly fault?: FaultReport;
  readonly lastSuccessAtMs?: number;
  /** Age of the oldest observation it lacks, ms. */
  readonly lagMs: number;
  readonly undeliveredBatches: number;
  /** How far behind the live lane was in the last minute. */
  readonly liveLagMs: LagFigures;
  /** Observations since the start. */
  readonly stored: number;
  readonly refused: number;
  readonly leftOut: number;
}

const classes = ['alarm', 'numerics'] as const;
const windowBatches = 1_024;
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };
const rejoinMs = 1_000;
const askDeadlineMs = 15_000;
const noLag: LagFigures = { p50: 0, p99: 0, max: 0 };

export class ServerSink {
  readonly settings: ServerSettings;
  private readonly options: ServerSinkOptions;
  private readonly line: WorkerLine<ServerAsk, undefined, ServerAlive>;
  private alive: ServerAlive | undefined;
  /** The worker's own: it ended or is silent. */
  private fault: Fault | undefined;
  /** Of workers that ended before this one. */
  private before = { stored: 0, refused: 0, leftOut: 0 };
  private joinedAtMs = -Infinity;
  private journalSays: JournalStat['sinks'][string] | undefined;

  constructor(options: ServerSinkOptions) {
    const { settings, clock, told } = options;
    this.settings = settings;
    this.options = options;
    this.line = new WorkerLine({
      name: `sink ${settings.id}`,
      program: new URL('./server-worker.ts', import.meta.url),
      workerData: settings,
      clock,
      resourceLimits,
      deadlineMs: askDeadlineMs,
      unanswered: 'SINK_READ',
      told: (fault) => {
        if (fault.code.startsWith('WORKER_')) this.fault = fault;
        told(fault);
      },
      opened: (_, post) => this.join(post),
      alive: (alive) => {
        this.alive = alive;
        this.fault = undefined;
      },
      down: () => this.down(),
    });
  }

  /** Resolves when the worker has started. */
  get ready(): Promise<void> {
    return this.line.ready;
  }

  /** Last sign of life of its worker, monotonic. */
  get aliveAtMs(): number {
    return this.line.aliveAtMs;
  }

  /** What the journal says it owes this sink. */
  note(stat: JournalStat): void {
    this.journalSays = stat.sinks[journalSinkId(this.settings.id)];
  }

  view(): SinkView {
    const { id, kind, url, longQueries } = this.settings;
    const { alive, before, journalSays } = this;
    const oldest = journalSays?.oldestUndeliveredAtMs;
    const fault = alive?.fault ?? this.fault?.toJSON();
    return {
      id,
      kind,
      url,
      place: placeOf(this.settings),
      longQueries,
      state: alive?.state ?? (this.fault ? 'waiting' : 'delivering'),
      ...(alive?.sinceMs === undefined ? {} : { sinceMs: alive.sinceMs }),
      ...(alive?.nextTryAtMs === undefined ? {} : { nextTryAtMs: alive.nextTryAtMs }),
      ...(fault ? { fault } : {}),
      ...(alive?.lastSuccessAtMs === undefined ? {} : { lastSuccessAtMs: alive.lastSuccessAtMs }),
      lagMs: oldest === undefined ? 0 : Math.max(0, this.options.clock.nowMs() - oldest),
      undeliveredBatches: journalSays?.undeliveredBatches ?? 0,
      liveLagMs: alive?.liveLagMs ?? noLag,
      stored: before.stored + (alive?.stored ?? 0),
      refused: before.refused + (alive?.refused ?? 0),
      leftOut: before.leftOut + (alive?.leftOut ?? 0),
    };
  }

  test(): Promise<Diagnosis> {
    return this.ask<Diagnosis>({ what: 'test' }, 4 * this.settings.deadlineMs + 5_000);
  }

  get longStore(): LongStore {
    const isDelivering = (): boolean => this.alive?.state === 'delivering';
    return {
      sink: this.settings.id,
      get answering() {
        return isDelivering();
      },
      range: async (spans, { limit, after }) => {
        const ask = { what: 'range', spans, limit, ...(after === undefined ? {} : { after }) } as const;
        const columns = await this.ask<RowColumns>(ask);
        const rows = await rowsOf(columns);
        return columns.next === undefined ? { rows } : { rows, next: columns.next };
      },
      aggregate: async (spans, everyMs) =>
        aggregatesOf(await this.ask<AggregateColumns>({ what: 'aggregate', spans, everyMs })),
    };
  }

  /** Ends the worker as a crash would; it is restarted. */
  killWorker(): Promise<void> {
    return this.line.kill();
  }

  close(): Promise<void> {
    return this.line.close();
  }

  private async ask<Answer>(ask: ServerAsk, deadlineMs = askDeadlineMs): Promise<Answer> {
    try {
      return await this.line.ask<Answer>(ask, deadlineMs);
    } catch (error) {
      // The line to the worker does not know whose it is.
      if (error instanceof Fault && error.code === 'SINK_READ' && error.details['sink'] === undefined)
        throw new Fault('SINK_READ', { ...error.details, sink: this.settings.id });
      throw error;
    }
  }

  /** The journal feeds the worker directly. Joined again when either side has died; not more than once a second. */
  private join(post: Post): void {
    const { journal, clock, settings } = this.options;
    const waitMs = Math.max(0, this.joinedAtMs + rejoinMs - clock.monotonicMs());
    this.joinedAtMs = clock.monotonicMs() + waitMs;
    const attach = (): void => {
      if (journal.closed) return;
      this.joinLedger(post);
      const { port1, port2 } = new MessageChannel();
      post({ kind: 'journal', port: port1 }, [port1]);
      const { windowBytes, backlogPerS } = settings;
      const window = { batches: windowBatches, bytes: windowBytes };
      journal.attach(
        { id: journalSinkId(settings.id), kind: 'twoLane', classes, window, backlogPerS },
        port2,
      );
    };
    if (waitMs === 0) attach();
    else clock.after(waitMs, attach);
  }

  private joinLedger(post: Post): void {
    const { port1, port2 } = new MessageChannel();
    port2.on('message', ({ id, refused }: LedgerAsk) => {
      void this.options.ledger(this.settings.id, refused).then(() => port2.postMessage(id));
    });
    post({ kind: 'ledger', port: port1 }, [port1]);
  }

  private down(): void {
    const { stored = 0, refused = 0, leftOut = 0 } = this.alive ?? {};
    const { before } = this;
    this.before = {
      stored: before.stored + stored,
      refused: before.refused + refused,
      leftOut: before.leftOut + leftOut,
    };
    this.alive = undefined;
  }
}
