import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { Fault } from '../model/fault.ts';
import {
  control,
  toFault,
  type FromWriter,
  type QueuedBody,
  type ToWriter,
  type WriterStart,
} from './messages.ts';
import { journalClasses, type BodyFacts, type JournalClass, type Outcome } from './types.ts';

/** A body that was handed in and has not settled. */
export interface Waiting {
  readonly klass: JournalClass;
  readonly body: Uint8Array;
  readonly facts: BodyFacts;
  readonly settled: (outcome: Outcome, number: number) => void;
  /** Monotonic. */
  readonly atMs: number;
}

interface Sent {
  readonly waiting: Omit<Waiting, 'body'>;
  readonly bytes: number;
  readonly group: number;
}

export interface WriterHandleOptions {
  readonly start: Omit<WriterStart, 'control' | 'lanes'>;
  readonly joinLanes: (port: MessagePort) => void;
  readonly kept: (klass: JournalClass, facts: BodyFacts, number: number) => void;
  /** A commit of the class failed: its segment is gone. */
  readonly failed: (klass: JournalClass) => void;
  /** Said once until a commit succeeds again. */
  readonly faulty: (fault: Fault) => void;
  readonly drained: () => void;
  readonly ended: (handle: WriterHandle) => void;
  /** A body that will never have the number reserved for it. */
  readonly unreserve: (klass: JournalClass, facts: BodyFacts) => void;
}

/** The caller's side of one writer thread: what is under way in it, and its settling. */
export class WriterHandle {
  private readonly options: WriterHandleOptions;
  private readonly worker: Worker;
  private readonly state: Int32Array<SharedArrayBuffer>;
  private readonly sent = new Map<JournalClass, Sent[]>(journalClasses.map((klass) => [klass, []]));
  private readonly open = new Map<number, number>();
  /** Number of the oldest body under way in each class. */
  private readonly next = new Map<JournalClass, number>();
  private lastGroup = 0;
  private givenUp: Fault | undefined;
  private failing = false;
  private messages = 0;
  private bytes = 0;
  private closed: (() => void) | undefined;

  constructor(options: WriterHandleOptions) {
    this.options = options;
    const shared = new SharedArrayBuffer(4 * control.words);
    this.state = new Int32Array(shared);
    for (const klass of journalClasses) this.next.set(klass, options.start.goesOn[klass].next);
    const { port1, port2 } = new MessageChannel();
    const start: WriterStart = { ...options.start, control: shared, lanes: port1 };
    this.worker = new Worker(new URL('./writer.ts', import.meta.url), {
      name: 'journal-writer',
      workerData: start,
      transferList: [port1],
      resourceLimits: { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4 },
    });
    options.joinLanes(port2);
    this.worker.on('message', (message: FromWriter) => this.hear(message));
    this.worker.on('error', (error) => options.faulty(new Fault('JOURNAL_WRITE', { cause: error.message })));
    this.worker.on('exit', () => this.exited());
  }

  /** Groups under way. */
  get groups(): number {
    return this.open.size;
  }

  get pending(): {
    readonly messages: number;
    readonly bytes: number;
    readonly oldestAtMs: number | undefined;
  } {
    let oldestAtMs: number | undefined;
    for (const [first] of this.sent.values()) {
      if (first && !(oldestAtMs !== undefined && oldestAtMs <= first.waiting.atMs))
        oldestAtMs = first.waiting.atMs;
    }
    return { messages: this.messages, bytes: this.bytes, oldestAtMs };
  }

  /** The lowest number it may still keep; Infinity when nothing of the class is under way. */
  oldest(klass: JournalClass): number {
    return this.sent.get(klass)?.length ? (this.next.get(klass) ?? 0) : Infinity;
  }

  send(group: readonly Waiting[], bodies: readonly QueuedBody[]): void {
    const id = ++this.lastGroup;
    this.open.set(id, group.length);
    for (const { body, ...waiting } of group) {
      this.sent.get(waiting.klass)?.push({ waiting, bytes: body.length, group: id });
      this.messages += waiting.facts.messages;
      this.bytes += body.length;
    }
    const message: ToWriter = { kind: 'group', group: id, bodies };
    this.worker.postMessage(
      message,
      bodies.map(({ body }) => body.buffer as ArrayBuffer),
    );
  }

  /**
   * Gives the thread up. What it has not begun settles now with a fault, and it will not begin it; what it has begun
   * settles when its system call returns, if ever.
   */
  retire(sinceMs: number): void {
    const givenUp = new Fault('JOURNAL_HUNG', { sinceMs: Math.round(sinceMs) });
    this.givenUp = givenUp;
    Atomics.store(this.state, control.retired, 1);
    const begun = Atomics.load(this.state, control.begun);
    for (const [klass, all] of this.sent) {
      const left = all.filter(({ group }) => group > begun);
      this.sent.set(
        klass,
        all.filter(({ group }) => group <= begun),
      );
      for (const sent of left) {
        this.options.unreserve(klass, sent.waiting.facts);
        this.settle(sent, givenUp, -1);
      }
    }
    // It must not keep the process alive when it never comes back.
    this.worker.unref();
  }

  /** Tells the lanes' thread, a new one, what it writes from now on. */
  joinLanes(): void {
    const { port1, port2 } = new MessageChannel();
    const message: ToWriter = { kind: 'lanes', port: port1 };
    this.worker.postMessage(message, [port1]);
    this.options.joinLanes(port2);
  }

  /** Lets it finish what it has, say a clean stop, and end. */
  close(done: () => void): void {
    this.closed = done;
    const message: ToWriter = { kind: 'close' };
    this.worker.postMessage(message);
  }

  leave(): void {
    this.worker.unref();
    void this.worker.terminate();
  }

  private hear(message: FromWriter): void {
    switch (message.kind) {
      case 'settled':
        return this.heard(message);
      case 'fault':
        return this.options.faulty(toFault(message.fault));
      case 'ended':
        return this.closed?.();
      default:
        message satisfies never;
    }
  }

  private heard({ klass, group, bodies, first, fault }: FromWriter & { kind: 'settled' }): void {
    // A group that was given up before it was begun has settled already.
    if (!this.open.has(group)) return;
    const run = this.sent.get(klass)?.splice(0, bodies) ?? [];
    const outcome = fault ? (this.givenUp ?? toFault(fault)) : 'kept';
    if (outcome !== 'kept') {
      this.options.failed(klass);
      if (!this.failing && !this.givenUp) this.options.faulty(outcome);
    } else {
      this.next.set(klass, first + run.length);
    }
    this.failing = outcome !== 'kept';
    for (const [index, sent] of run.entries()) {
      const { facts } = sent.waiting;
      if (outcome === 'kept') this.options.kept(klass, facts, first + index);
      else if (!this.givenUp) this.options.unreserve(klass, facts);
      this.settle(sent, outcome, outcome === 'kept' ? first + index : -1);
    }
    this.options.drained();
  }

  private settle({ waiting, bytes, group }: Sent, outcome: Outcome, number: number): void {
    this.messages -= waiting.facts.messages;
    this.bytes -= bytes;
    const left = (this.open.get(group) ?? 1) - 1;
    if (left === 0) this.open.delete(group);
    else this.open.set(group, left);
    waiting.settled(outcome, number);
  }

  private exited(): void {
    for (const all of this.sent.values()) {
      const fault = new Fault('JOURNAL_WRITE', { cause: 'the writer ended' });
      for (const sent of all.splice(0)) this.settle(sent, fault, -1);
    }
    this.closed?.();
    this.options.ended(this);
  }
}
