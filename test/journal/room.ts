import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault } from '../../model/fault.ts';
import { openJournal } from '../../journal/journal.ts';
import { openSink, type SinkHandle } from '../../journal/sink.ts';
import type {
  BodyFacts,
  Journal,
  JournalClass,
  JournalLoss,
  JournalOptions,
  Outcome,
  SinkBatch,
  SinkSpec,
} from '../../journal/types.ts';

/** A folder of its own for one test, taken away when the test ends. */
export function folderRoom(): { readonly folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-journal-'));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface OpenRoom extends AsyncDisposable {
  readonly journal: Journal;
  readonly losses: JournalLoss[];
  readonly faults: Fault[];
}

/** An open journal that remembers what it was told; closed when the test ends. */
export async function openRoom(folder: string, options: Partial<JournalOptions> = {}): Promise<OpenRoom> {
  const losses: JournalLoss[] = [];
  const faults: Fault[] = [];
  const journal = await openJournal({
    folder,
    segmentBytes: 1 << 20,
    maxBytes: 1 << 30,
    snapshot: () => undefined,
    lost: (loss) => void losses.push(loss),
    faulty: (fault) => void faults.push(fault),
    ...options,
  });
  return { journal, losses, faults, [Symbol.asyncDispose]: () => journal.close() };
}

/** A body that says which one it is. */
export function bodyOf(text: string, length = 200): Uint8Array {
  const body = new Uint8Array(length);
  body.set(new TextEncoder().encode(text));
  return body;
}
export const textOf = (body: Uint8Array): string => {
  const end = body.indexOf(0);
  return new TextDecoder().decode(body.subarray(0, end < 0 ? body.length : end));
};

export const factsOf = (messages: number, atMs = 1_000, observations = messages * 6): BodyFacts => ({
  messages,
  observations,
  firstAtMs: atMs,
  lastAtMs: atMs,
});

export interface Settled {
  readonly outcome: Outcome;
  readonly number: number;
}

export const append = (
  journal: Journal,
  klass: JournalClass,
  text: string,
  { length = 200, facts = factsOf(1) }: { length?: number; facts?: BodyFacts } = {},
): Promise<Settled> =>
  new Promise((resolve) =>
    journal.append(klass, bodyOf(text, length), facts, (outcome, number) => resolve({ outcome, number })),
  );

/** All that recover() gives, as `class number text`. */
export async function recovered(journal: Journal): Promise<string[]> {
  const lines: string[] = [];
  await journal.recover((klass, number, body) => lines.push(`${klass} ${number} ${textOf(body)}`));
  return lines;
}

export interface SinkRoom {
  readonly handle: SinkHandle;
  readonly batches: SinkBatch[];
  /** Resolves when so many batches have come in all. */
  reached(count: number): Promise<void>;
}

/** A sink that keeps what it is given, and answers as it is told to. */
export function sinkRoom(
  journal: Journal,
  spec: Partial<SinkSpec> & { readonly id: string },
  answer: 'delivered' | 'taken' | 'nothing' = 'delivered',
): SinkRoom {
  const batches: SinkBatch[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const handle = openSink(
    journal,
    { kind: 'twoLane', classes: ['numerics'], window: { batches: 8, bytes: 1 << 20 }, ...spec },
    (batch) => {
      batches.push(batch);
      if (answer === 'delivered') handle.delivered(batch.klass, [[batch.number, batch.number + 1]]);
      else if (answer === 'taken') handle.taken(batch.klass, batch.number);
      for (const { count, resolve } of waiting) if (batches.length >= count) resolve();
    },
  );
  return {
    handle,
    batches,
    reached: (count) =>
      new Promise((resolve) => {
        if (batches.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
}

/** Waits until what is asked for is true; the test's own time limit ends it. */
export async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await is())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Waits until the sink has delivered all numerics below `next`. */
export const caughtUp = (journal: Journal, sink: string, next: number): Promise<void> =>
  until(async () => {
    const { classes, sinks } = await journal.stat();
    return classes.numerics.nextNumber === next && sinks[sink]?.undeliveredBatches === 0;
  });
