import { Worker, type MessagePort } from 'node:worker_threads';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { toFault, type FromLanes, type LanesStart, type Opened, type ToLanes } from './messages.ts';
import type { JournalClass, JournalLoss, JournalStat, SinkSpec } from './types.ts';

/** A thread that dies at once is not restarted faster than this. */
const restartAfterMs = 1_000;

export interface LanesHandleOptions {
  readonly start: LanesStart;
  readonly clock: Clock;
  readonly lost: (loss: JournalLoss) => void;
  readonly faulty: (fault: Fault) => void;
  /** It died and is there again: the writers must join it anew. */
  readonly restarted: () => void;
}

type Recover = (klass: JournalClass, number: number, body: Uint8Array) => void;

/** The caller's side of the lanes' thread: questions and their answers, and its restart. */
export class LanesHandle {
  private readonly options: LanesHandleOptions;
  private worker: Worker;
  private readonly asked = new Map<number, (stat: JournalStat) => void>();
  private asks = 0;
  private recovery: { readonly each: Recover; readonly done: () => void } | undefined;
  private ended: (() => void) | undefined;
  private closing = false;
  /** What is asked while there is no thread to ask. */
  private waiting: { readonly message: ToLanes; readonly transfer: MessagePort[] }[] | undefined;

  /** Rejects with Fault FORMAT_TOO_NEW or JOURNAL_WRITE. */
  static open(
    options: LanesHandleOptions,
  ): Promise<{ readonly lanes: LanesHandle; readonly opened: Opened }> {
    return new Promise((resolve, reject) => {
      const lanes = new LanesHandle(options);
      const refuse = (error: unknown): void => {
        lanes.closing = true;
        reject(error);
      };
      lanes.worker.once('error', refuse);
      lanes.worker.once('message', (message: FromLanes) => {
        lanes.worker.off('error', refuse);
        if (message.kind === 'opened') resolve({ lanes, opened: message });
        else {
          const known = message.kind === 'refused' ? toFault(message.fault) : undefined;
          refuse(known ?? new Fault('JOURNAL_WRITE', { cause: 'the journal did not open' }));
        }
      });
    });
  }

  private constructor(options: LanesHandleOptions) {
    this.options = options;
    this.worker = this.begin();
  }

  joinWriter(port: MessagePort): void {
    this.tell({ kind: 'writer', port }, [port]);
  }

  attach(spec: SinkSpec, port: MessagePort): void {
    this.tell({ kind: 'attach', spec, port }, [port]);
  }

  forget(sink: string): void {
    this.tell({ kind: 'forget', sink });
  }

  recover(each: Recover): Promise<void> {
    return new Promise((done) => {
      this.recovery = { each, done };
      if (!this.waiting) this.tell({ kind: 'recover' });
    });
  }

  stat(): Promise<JournalStat> {
    return new Promise((resolve) => {
      const ask = ++this.asks;
      this.asked.set(ask, resolve);
      if (!this.waiting) this.tell({ kind: 'stat', ask });
    });
  }

  /** `done` when positions are on disk and every port is closed. */
  close(done: () => void): void {
    this.closing = true;
    this.ended = done;
    this.tell({ kind: 'close' });
  }

  leave(): void {
    this.worker.unref();
    void this.worker.terminate();
  }

  private begin(): Worker {
    const worker = new Worker(new URL('./lanes.ts', import.meta.url), {
      name: 'journal-lanes',
      workerData: this.options.start,
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 },
    });
    let cause = 'it stopped';
    worker.on('message', (message: FromLanes) => this.hear(message));
    worker.on('error', (error) => (cause = error.message));
    worker.on('exit', () => this.exited(cause));
    return worker;
  }

  /** Sinks see their ports close and join again; what was asked is asked again. */
  private exited(cause: string): void {
    this.ended?.();
    if (this.closing) return;
    this.options.faulty(new Fault('JOURNAL_READER', { cause }));
    this.waiting = [];
    this.options.clock.after(restartAfterMs, () => {
      if (this.closing) return;
      this.worker = this.begin();
      const waiting = this.waiting ?? [];
      this.waiting = undefined;
      this.options.restarted();
      for (const { message, transfer } of waiting) this.tell(message, transfer);
      for (const ask of this.asked.keys()) this.tell({ kind: 'stat', ask });
      if (this.recovery) this.tell({ kind: 'recover' });
    });
  }

  private hear(message: FromLanes): void {
    switch (message.kind) {
      case 'lost':
        return this.options.lost(message.loss);
      case 'refused':
      case 'fault':
        if (!this.closing) this.options.faulty(toFault(message.fault));
        return;
      case 'recovered':
        this.recovery?.each(message.klass, message.number, message.body);
        return this.tell({ kind: 'more' });
      case 'recoveredAll': {
        const { recovery } = this;
        this.recovery = undefined;
        return recovery?.done();
      }
      case 'stat':
        this.asked.get(message.ask)?.(message.stat);
        this.asked.delete(message.ask);
        return;
      case 'ended':
        return this.ended?.();
      case 'opened':
        return;
      default:
        message satisfies never;
    }
  }

  private tell(message: ToLanes, transfer: MessagePort[] = []): void {
    if (this.waiting) this.waiting.push({ message, transfer });
    else this.worker.postMessage(message, transfer);
  }
}
