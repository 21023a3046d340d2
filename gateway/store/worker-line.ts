/**
 * The line to a worker thread: questions with answers and deadlines, a sign of life each second, a restart when it
 * dies. What is asked is typed by the caller.
 */
import { Worker, type ResourceLimits, type Transferable } from 'node:worker_threads';
import type { Cancel, Clock } from '../../model/clock.ts';
import { Fault, type FaultCode, type FaultReport } from '../../model/fault.ts';

/** Worker → main thread. */
export type LineWord<Opened, Alive> =
  | { readonly kind: 'opened'; readonly opened: Opened }
  | { readonly kind: 'alive'; readonly alive: Alive }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly fault: FaultReport }
  | { readonly kind: 'told'; readonly fault: FaultReport }
  | { readonly kind: 'failed'; readonly fault: FaultReport };

/** Main thread → worker. */
export type LineAsk<Ask> =
  | { readonly kind: 'ask'; readonly id: number; readonly ask: Ask; readonly deadlineMs: number }
  | { readonly kind: 'close' };

/** Speaks to one worker. */
export type Post = (word: unknown, transfer?: readonly Transferable[]) => void;

export interface LineSpec<Opened, Alive> {
  readonly name: string;
  readonly program: URL;
  readonly workerData: unknown;
  /** One that runs as the worker's own does: its sign of life is real. */
  readonly clock: Clock;
  readonly resourceLimits: ResourceLimits;
  readonly deadlineMs: number;
  /** Faults for health and the technical alarms. */
  readonly told: (fault: Fault) => void;
  /** Each time the worker has opened its file; `post` speaks to this worker. */
  readonly opened: (
    opened: Opened,
    post: (word: unknown, transfer?: readonly Transferable[]) => void,
  ) => void;
  readonly alive: (alive: Alive) => void;
  /** The worker has ended; `opened` follows when a new one is there. */
  readonly down?: () => void;
  /** The code of a question not answered in time or at all. */
  readonly unanswered: FaultCode;
}

interface Pending {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (fault: Fault) => void;
  readonly cancel: Cancel;
}

const backoffMs: readonly number[] = [0, 1_000, 2_000, 5_000, 10_000];
const longestBackoffMs = 30_000;
const calmMs = 60_000;
/** Deaths before it ever opened. */
const mostFalseStarts = 2;
const silentMs = 10_000;
const givenUpMs = 60_000;
const closeMs = 10_000;

export const faultFrom = (report: FaultReport): Fault => new Fault(report.code as FaultCode, report.details);

export class WorkerLine<Ask, Opened, Alive> {
  aliveAtMs: number;
  private readonly spec: LineSpec<Opened, Alive>;
  private readonly pending = new Map<number, Pending>();
  private readonly watch: Cancel;
  private worker: Worker | undefined;
  private nextId = 1;
  private deaths = 0;
  private bornAtMs = 0;
  private silentTold = false;
  private closing = false;
  private cancelRestart: Cancel = () => undefined;
  private readonly first: { resolve: () => void; reject: (fault: Fault) => void; done: boolean };
  /** Resolves when the worker opened for the first time, rejects when it could not. */
  readonly ready: Promise<void>;

  constructor(spec: LineSpec<Opened, Alive>) {
    this.spec = spec;
    this.aliveAtMs = spec.clock.monotonicMs();
    this.first = { resolve: () => undefined, reject: () => undefined, done: false };
    this.ready = new Promise((resolve, reject) => {
      this.first.resolve = resolve;
      this.first.reject = reject;
    });
    this.watch = spec.clock.every(1_000, () => this.watchSilence());
    this.spawn();
  }

  /** Asks; rejects with a Fault at the deadline (Infinity: never) or when the worker ends before it has answered. */
  ask<Answer>(ask: Ask, deadlineMs = this.spec.deadlineMs): Promise<Answer> {
    const { worker } = this;
    if (!worker || this.closing) return Promise.reject(this.unanswered('its worker is not running'));
    const id = this.nextId++;
    return new Promise<Answer>((resolve, reject) => {
      const late = (): void => {
        this.pending.delete(id);
        reject(this.unanswered(`no answer within ${deadlineMs} ms`));
      };
      const cancel = deadlineMs === Infinity ? () => undefined : this.spec.clock.after(deadlineMs, late);
      this.pending.set(id, { resolve: resolve as (answer: unknown) => void, reject, cancel });
      worker.postMessage({ kind: 'ask', id, ask, deadlineMs } satisfies LineAsk<Ask>);
    });
  }

  /** Lets the worker finish what it holds, then ends it; one that hangs in a system call is left behind. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    this.cancelRestart();
    const { worker } = this;
    if (worker) {
      await new Promise<void>((resolve) => {
        const cancel = this.spec.clock.after(closeMs, resolve);
        worker.once('exit', () => {
          cancel();
          resolve();
        });
        worker.postMessage({ kind: 'close' } satisfies LineAsk<Ask>);
      });
      void worker.terminate();
    }
    this.watch();
    this.rejectAll('it is closed');
  }

  /** Ends the worker as a crash would. */
  async kill(): Promise<void> {
    await this.worker?.terminate();
  }

  private spawn(): void {
    const { spec } = this;
    const worker = new Worker(spec.program, {
      workerData: spec.workerData,
      resourceLimits: spec.resourceLimits,
      name: spec.name,
    });
    this.worker = worker;
    this.bornAtMs = this.aliveAtMs = spec.clock.monotonicMs();
    let cause = 'it stopped';
    worker.on('message', (word: LineWord<Opened, Alive>) => this.hear(worker, word));
    worker.on('error', (error) => (cause = error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => this.ended(worker, cause));
  }

  private hear(worker: Worker, word: LineWord<Opened, Alive>): void {
    this.aliveAtMs = this.spec.clock.monotonicMs();
    this.silentTold = false;
    switch (word.kind) {
      case 'opened':
        this.spec.opened(word.opened, (message, transfer) => worker.postMessage(message, transfer ?? []));
        this.first.done = true;
        return this.first.resolve();
      case 'alive':
        return this.spec.alive(word.alive);
      case 'answer':
        return this.settle(word.id, (pending) => pending.resolve(word.answer));
      case 'refused':
        return this.settle(word.id, (pending) => pending.reject(faultFrom(word.fault)));
      case 'told':
        return this.spec.told(faultFrom(word.fault));
      case 'failed':
        return this.first.done ? this.spec.told(faultFrom(word.fault)) : this.giveUp(faultFrom(word.fault));
      default:
        word satisfies never;
    }
  }

  /** It never opened: the caller of `ready` hears why. */
  private giveUp(fault: Fault): void {
    this.closing = true;
    this.watch();
    this.first.reject(fault);
  }

  private settle(id: number, how: (pending: Pending) => void): void {
    const pending = this.pending.get(id);
    if (!pending) return;
    this.pending.delete(id);
    pending.cancel();
    how(pending);
  }

  private ended(worker: Worker, cause: string): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    this.spec.down?.();
    this.rejectAll(cause);
    if (this.closing) return;
    const fault = new Fault('WORKER_ENDED', { worker: this.spec.name, cause });
    if (!this.first.done && this.deaths >= mostFalseStarts) return this.giveUp(fault);
    this.spec.told(fault);
    if (this.spec.clock.monotonicMs() - this.bornAtMs > calmMs) this.deaths = 0;
    const waitMs = backoffMs[this.deaths++] ?? longestBackoffMs;
    this.cancelRestart = this.spec.clock.after(waitMs, () => this.spawn());
  }

  private watchSilence(): void {
    const sinceMs = this.spec.clock.monotonicMs() - this.aliveAtMs;
    if (!this.worker || sinceMs < silentMs) return;
    if (!this.silentTold)
      this.spec.told(new Fault('WORKER_SILENT', { worker: this.spec.name, sinceMs: Math.round(sinceMs) }));
    this.silentTold = true;
    // One that only computes is ended by this; one stuck in a system call ends when the call returns.
    if (sinceMs > givenUpMs) void this.worker.terminate();
  }

  private rejectAll(cause: string): void {
    for (const id of [...this.pending.keys()])
      this.settle(id, (pending) => pending.reject(this.unanswered(cause)));
  }

  private unanswered(cause: string): Fault {
    return new Fault(this.spec.unanswered, { cause });
  }
}
