import { Worker } from 'node:worker_threads';
import type { BatchTrace } from '../../journal/observation-batch.ts';
import { hourMs, type TallyRow } from '../../journal/tally.ts';
import type { JournalClass } from '../../journal/types.ts';

/** What could not be kept: which device, which metric (`*` = all or unknown), from when to when, why. */
export interface Loss {
  readonly device: string;
  readonly metric: string;
  /** By receipt. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How many; 0 when nobody can know (a span in doubt). */
  readonly observations: number;
  readonly why:
    | 'unrecorded'
    | 'unclean-stop'
    | 'journal-bound'
    | 'journal-thinned'
    | 'journal-corrupt'
    | 'journal-missing'
    | 'interval-bound'
    | 'raw-unread'
    | 'waveforms-bound'
    | 'store-corrupt';
  /** Of what the journal gave up: its class, and the sinks that had not had it. */
  readonly klass?: JournalClass;
  readonly sinks?: readonly string[];
  /** Of what was lost on arrival: the running counters of its device, class and hour by then (journal/tally.ts). */
  readonly counted?: LossCounts;
}

export type LossCounts = { readonly run: number } & Pick<
  TallyRow,
  'received' | 'duplicate' | 'historical' | 'quarantined'
>;

/** An entry of the lasting ledger, as far as it is looked at here. */
export interface Lasting {
  readonly device?: string;
  readonly metric?: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly observations: number;
  readonly why: string;
  readonly klass?: string;
  readonly sinks?: readonly string[];
}

export interface LedgerOptions {
  /** The reserve file, preallocated, so that a full disk cannot keep an entry out. */
  readonly file: string;
  readonly bytes: number;
  /** Takes the entries over into the lasting ledger; resolves when they are on disk there. */
  readonly settle: (losses: readonly Loss[]) => Promise<void>;
}

/**
 * The loss ledger of the front door. Entries are merged in memory at once and written to the reserve file by a
 * thread of its own (DESIGN promise 2: in the state *unrecorded* no confirmation waits for this disk). Entries of a
 * batch that hangs are held apart, and struck if its commit returns after all.
 */
export class Ledger {
  private readonly options: LedgerOptions;
  private readonly worker: Worker;
  private merged = new Map<string, Loss>();
  private readonly held = new Map<number, readonly Loss[]>();
  private writing = false;
  private dirty = false;
  private closed = false;
  private waiters: (() => void)[] = [];

  constructor(options: LedgerOptions) {
    this.options = options;
    this.worker = new Worker(new URL('./reserve-worker.ts', import.meta.url), {
      workerData: { file: options.file, bytes: options.bytes },
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    this.worker.on('message', () => {
      this.writing = false;
      if (this.dirty) this.write();
      else for (const done of this.waiters.splice(0)) done();
    });
    this.worker.on('error', () => {
      // The entries stay in memory and go to the lasting ledger when recording resumes.
      this.closed = true;
      this.writing = this.dirty = false;
      for (const done of this.waiters.splice(0)) done();
    });
    this.worker.unref();
  }

  /** Enters losses for good. */
  enter(losses: readonly Loss[]): void {
    for (const loss of losses) merge(this.merged, loss);
    this.write();
  }

  /** Enters what a batch held while it hangs; `strike` takes it back, `fail` makes it final. */
  hold(batch: number, losses: readonly Loss[]): void {
    this.held.set(batch, losses);
    this.write();
  }

  strike(batch: number): readonly Loss[] {
    const losses = this.held.get(batch) ?? [];
    this.held.delete(batch);
    this.write();
    return losses;
  }

  fail(batch: number): void {
    const losses = this.held.get(batch);
    this.held.delete(batch);
    if (losses) this.enter(losses);
  }

  /** Resolves when what was entered so far is in the reserve file, or its thread has ended. */
  async written(): Promise<void> {
    if (this.writing || this.dirty) await new Promise<void>((done) => void this.waiters.push(done));
  }

  /** All entries not yet in the lasting ledger. */
  open(): readonly Loss[] {
    const all = new Map(this.merged);
    for (const losses of this.held.values()) for (const loss of losses) merge(all, loss);
    return [...all.values()];
  }

  /** Recording again: hands the final entries to the lasting ledger, then clears them here. */
  async settle(): Promise<void> {
    if (this.merged.size === 0) return;
    const taken = this.merged;
    this.merged = new Map();
    try {
      await this.options.settle([...taken.values()]);
    } catch {
      // Not on disk there: they stay ours, and the next settling tries again.
      for (const loss of taken.values()) merge(this.merged, loss);
    }
    this.write();
  }

  async close(): Promise<void> {
    await this.written();
    this.closed = true;
    await this.worker.terminate();
  }

  private write(): void {
    if (this.closed) return;
    if (this.writing) {
      this.dirty = true;
      return;
    }
    this.writing = true;
    this.dirty = false;
    this.worker.postMessage(this.open());
  }
}

/** Losses of one device, metric, cause and hour are one entry until they are handed to the lasting ledger. */
function merge(into: Map<string, Loss>, loss: Loss): void {
  const key = `${subjectOf(loss)} ${Math.floor(loss.fromMs / hourMs)}`;
  const known = into.get(key);
  into.set(
    key,
    known
      ? {
          ...known,
          fromMs: Math.min(known.fromMs, loss.fromMs),
          toMs: Math.max(known.toMs, loss.toMs),
          observations: known.observations + loss.observations,
          ...(loss.counted && { counted: loss.counted }),
        }
      : loss,
  );
}

/**
 * What of these losses the lasting ledger does not hold yet. A write that was given up, or after which the process was
 * killed, may have arrived all the same: whatever lies there within a loss is a part of it.
 */
export function notYetLasting(losses: readonly Loss[], lasting: readonly Lasting[]): Loss[] {
  const bySubject = Map.groupBy(lasting, subjectOf);
  return losses.flatMap((loss) => {
    const parts = (bySubject.get(subjectOf(loss)) ?? []).filter(
      ({ fromMs, toMs }) => fromMs >= loss.fromMs && toMs <= loss.toMs,
    );
    if (parts.length === 0) return [loss];
    const lastMs = Math.max(...parts.map(({ toMs }) => toMs));
    const observations = loss.observations - parts.reduce((sum, part) => sum + part.observations, 0);
    return observations <= 0 && lastMs >= loss.toMs ? [] : [{ ...loss, fromMs: lastMs, observations }];
  });
}

const subjectOf = ({ device, metric, why, klass = '', sinks = [] }: Lasting): string =>
  [device, metric, why, klass, sinks.join(',')].join(' ');

/** What a body of observations held, per device and metric. */
export function lossesOf(trace: BatchTrace, why: Loss['why']): Loss[] {
  const decoder = new TextDecoder();
  const devices = trace.devices.map((name) => decoder.decode(name.bytes).split('\u0000')[0] ?? '');
  const keys = trace.keys.map((name) => decoder.decode(name.bytes));
  const losses = new Map<string, Loss>();
  let at = 0;
  for (let message = 0; message < trace.device.length; message++) {
    const receivedAtMs = trace.receivedAtMs[message] ?? 0;
    const device = devices[trace.device[message] ?? 0] ?? '';
    for (let left = trace.count[message] ?? 0; left > 0; left--) {
      const metric = keys[trace.key[at++] ?? 0] ?? '*';
      merge(losses, { device, metric, fromMs: receivedAtMs, toMs: receivedAtMs, observations: 1, why });
    }
  }
  return [...losses.values()];
}
