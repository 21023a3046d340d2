/** Registry, census, alarm log, audit and loss ledger on disk, as the main thread sees them: a worker asked by calls. */
import { mkdirSync } from 'node:fs';
import type { Clock } from '../../model/clock.ts';
import { Fault, type FaultReport } from '../../model/fault.ts';
import { WorkerLine } from '../store/worker-line.ts';
import { canonical } from './audit-chain.ts';
import type {
  AppendOp,
  AuditVerdict,
  NumberedBody,
  ReadPage,
  RowsAlive,
  RowsAsk,
  RowsOp,
  RowsOpened,
} from './rows-protocol.ts';
import { markOf, type EntryOf, type LogName, type RowOf, type TableName } from './tables.ts';

export type { AuditVerdict, ReadPage } from './rows-protocol.ts';
export type * from './tables.ts';

/** One step of a transaction. */
export type RowsStep =
  | { [T in TableName]: { readonly put: T; readonly row: RowOf<T> } }[TableName]
  | { readonly remove: TableName; readonly id: string }
  | { [L in LogName]: { readonly append: L; readonly entry: EntryOf<L> } }[LogName];

/** An entry with its number in its log: 1, 2, 3 … */
export interface Numbered<L extends LogName> {
  readonly number: number;
  readonly entry: EntryOf<L>;
}

export interface RowsStatus {
  /** Log entries handed in and not yet on disk. */
  readonly waiting: number;
  readonly bytes: number;
  readonly auditNumber: number;
  /** Hash of the audit's newest record: to be anchored in a second place. */
  readonly auditHash: string;
  readonly fault?: FaultReport;
  /** Last sign of life of its worker, monotonic ms of the main thread. */
  readonly aliveAtMs: number;
}

export interface Rows {
  /** All rows of a table, by id; read once at start. */
  load<T extends TableName>(table: T): Promise<RowOf<T>[]>;
  /** Inserts or replaces by id; resolves when on disk. Rejects with ROWS_WRITE when the disk refuses. */
  put<T extends TableName>(table: T, row: RowOf<T>): Promise<void>;
  remove(table: TableName, id: string): Promise<void>;
  /**
   * Resolves with the entry's number when it is on disk, normally within 50 ms. While the disk refuses the entry waits
   * in line and is tried again; order is kept, also over a restart of the worker, and none is written twice. Rejects
   * with ROWS_OVERFLOW when too many wait.
   */
  append<L extends LogName>(log: L, entry: EntryOf<L>): Promise<number>;
  read<L extends LogName>(log: L, page: ReadPage): Promise<readonly Numbered<L>[]>;
  /** All steps or none. */
  transaction(steps: readonly RowsStep[]): Promise<void>;
  /** Goes through the audit's chain and names the first broken record. */
  verifyAudit(): Promise<AuditVerdict>;
  status(): RowsStatus;
  close(): Promise<void>;
}

export interface RowsOptions {
  /** Holds `rows.db`; made if missing. */
  readonly folder: string;
  /** A real one: the worker's sign of life and the deadlines are. */
  readonly clock: Clock;
  readonly told: (fault: Fault) => void;
  /** Log entries in line at most while the disk refuses; 20,000. */
  readonly mostWaiting?: number;
  /** Reads and writes answer or reject within this; 5 s. */
  readonly deadlineMs?: number;
}

const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 };
const verifyMs = 600_000;
/** Shown until the next start: somebody has to look. */
const lasting: ReadonlySet<string> = new Set([
  'DATABASE_CORRUPT',
  'ROWS_DAMAGED',
  'ROWS_CUT_OFF',
  'AUDIT_BROKEN',
]);

/** Starts the worker. Rejects with FORMAT_TOO_NEW, DATABASE_OPEN or WORKER_ENDED. */
export async function openRows(options: RowsOptions): Promise<Rows & { killWorker(): Promise<void> }> {
  mkdirSync(options.folder, { recursive: true });
  const rows = new WorkerRows(options);
  await rows.line.ready;
  return rows;
}

interface InLine {
  readonly op: AppendOp;
  readonly resolve: (number: number) => void;
  readonly reject: (fault: Fault) => void;
}

class WorkerRows implements Rows {
  readonly line: WorkerLine<RowsAsk, RowsOpened, RowsAlive>;
  private readonly told: (fault: Fault) => void;
  private readonly mostWaiting: number;
  /** Entries not yet on disk, in order: sent again to a new worker. */
  private readonly inLine = new Map<string, InLine>();
  private opening = 0;
  private entries = 0;
  private up = false;
  private refused = 0;
  private alive: RowsAlive | undefined;
  private fault: Fault | undefined;

  constructor({ folder, clock, told, mostWaiting = 20_000, deadlineMs = 5_000 }: RowsOptions) {
    this.told = told;
    this.mostWaiting = mostWaiting;
    this.line = new WorkerLine({
      name: 'rows',
      program: new URL('./rows-worker.ts', import.meta.url),
      workerData: { folder },
      clock,
      resourceLimits,
      deadlineMs,
      unanswered: 'ROWS_UNANSWERED',
      told: (fault) => this.tell(fault),
      opened: ({ opening }) => {
        this.opening ||= opening;
        this.up = true;
        for (const waiting of this.inLine.values()) this.send(waiting);
      },
      alive: (alive) => {
        this.alive = alive;
        if (alive.writing && !lasting.has(this.fault?.code ?? '')) this.fault = undefined;
      },
      down: () => {
        this.up = false;
      },
    });
  }

  async load<T extends TableName>(table: T): Promise<RowOf<T>[]> {
    const bodies = await this.line.ask<string[]>({ what: 'load', table });
    return bodies.map((body) => JSON.parse(body) as RowOf<T>);
  }

  async put<T extends TableName>(table: T, row: RowOf<T>): Promise<void> {
    await this.write([{ op: 'put', table, id: row.id, body: JSON.stringify(row) }]);
  }

  async remove(table: TableName, id: string): Promise<void> {
    await this.write([{ op: 'remove', table, id }]);
  }

  append<L extends LogName>(log: L, entry: EntryOf<L>): Promise<number> {
    if (this.inLine.size >= this.mostWaiting) return Promise.reject(this.overflow(log));
    return new Promise((resolve, reject) => {
      const waiting = { op: this.appendOp(log, entry), resolve, reject };
      this.inLine.set(waiting.op.key, waiting);
      if (this.up) this.send(waiting);
    });
  }

  async read<L extends LogName>(log: L, page: ReadPage): Promise<readonly Numbered<L>[]> {
    const found = await this.line.ask<NumberedBody[]>({ what: 'read', log, page });
    return found.map(({ number, body }) => ({ number, entry: JSON.parse(body) as EntryOf<L> }));
  }

  async transaction(steps: readonly RowsStep[]): Promise<void> {
    await this.write(
      steps.map((step): RowsOp => {
        if ('put' in step)
          return { op: 'put', table: step.put, id: step.row.id, body: JSON.stringify(step.row) };
        if ('remove' in step) return { op: 'remove', table: step.remove, id: step.id };
        return this.appendOp(step.append, step.entry);
      }),
    );
  }

  verifyAudit(): Promise<AuditVerdict> {
    return this.line.ask({ what: 'verify' }, verifyMs);
  }

  status(): RowsStatus {
    return {
      waiting: this.inLine.size,
      bytes: this.alive?.bytes ?? 0,
      auditNumber: this.alive?.auditNumber ?? 0,
      auditHash: this.alive?.auditHash ?? '',
      aliveAtMs: this.line.aliveAtMs,
      ...(this.fault ? { fault: this.fault.toJSON() } : {}),
    };
  }

  killWorker(): Promise<void> {
    return this.line.kill();
  }

  async close(): Promise<void> {
    await this.line.close();
    for (const { reject } of this.inLine.values())
      reject(new Fault('ROWS_UNANSWERED', { cause: 'it is closed' }));
    this.inLine.clear();
  }

  private write(ops: readonly RowsOp[]): Promise<number> {
    return this.line.ask({ what: 'write', ops });
  }

  private appendOp<L extends LogName>(log: L, entry: EntryOf<L>): AppendOp {
    const key = `${this.opening}-${++this.entries}`;
    return { op: 'append', log, key, atMs: entry.atMs, mark: markOf(log, entry), body: canonical(entry) };
  }

  /** The entry stays in line until it is on disk, or the worker says what is wrong with it. */
  private send(waiting: InLine): void {
    this.line.ask<number>({ what: 'append', op: waiting.op }, Infinity).then(
      (number) => {
        this.inLine.delete(waiting.op.key);
        waiting.resolve(number);
      },
      (fault: Fault) => {
        if (fault.code === 'ROWS_UNANSWERED') return;
        this.inLine.delete(waiting.op.key);
        waiting.reject(fault);
      },
    );
  }

  private overflow(log: LogName): Fault {
    this.refused++;
    const fault = new Fault('ROWS_OVERFLOW', { count: this.refused, log });
    if (this.refused === 1 || this.refused % 1_000 === 0) this.tell(fault);
    return fault;
  }

  private tell(fault: Fault): void {
    this.fault = fault;
    this.told(fault);
  }
}
