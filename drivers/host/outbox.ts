import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { DeviceId, HostId } from '../../model/ids.ts';
import { deviceTopic, type DeviceBranch } from '../../broker/topics.ts';
import { packRecords, readRecords } from '../../journal/record-batch.ts';
import type { Journal, JournalClass, SinkAnswer, SinkBatch } from '../../journal/types.ts';
import { createLanes, type Entry, type EntryBatch } from './lanes.ts';

export interface OutboxOptions {
  readonly host: HostId;
  /** Undefined: nothing can be kept, everything goes from memory. */
  readonly journal: Journal | undefined;
  readonly clock: Clock;
  readonly memoryBytes: number;
  /** Messages sent and not yet confirmed. */
  readonly window: number;
  /** Sends one message now, or says false; `done` as GatewayLink.publish. */
  readonly publish: (topic: string, payload: string, done: (confirmed: boolean) => void) => boolean;
}

export interface Outbox {
  /** Queues the write and, in the same tick, sends from memory when there is a connection and room in the window. */
  add(device: DeviceId, branch: DeviceBranch, message: object, takenAtMs: number): void;
  /** The connection is there, or a confirmation made room. */
  pump(): void;
  /** Resolves when everything added so far is on disk (or, without a disk, in memory under a fault). */
  kept(): Promise<void>;
  readonly state: { readonly recording: boolean; readonly undelivered: number; readonly fault?: Fault };
  close(): void;
}

const classOf: Readonly<Record<DeviceBranch, JournalClass>> = {
  alerts: 'alarm',
  observations: 'numerics',
  state: 'alarm',
  waveforms: 'waveforms',
};
const sinkWindow = { batches: 512, bytes: 8_000_000 };
/** Numbers delivered lately: the journal may hand such a batch over once more, when both messages crossed. */
const rememberedDeliveries = 4_096;

interface OpenBatch {
  readonly klass: JournalClass;
  readonly entries: Entry[];
  readonly batch: EntryBatch;
}

/**
 * What the host has to tell the gateway, and the proof that it did. Each tick's messages are one journal batch; they
 * are sent from memory without waiting for it, and a batch is delivered when all its messages are confirmed. What
 * memory does not hold (of an earlier run, or given up when memory was full) comes back from the journal.
 */
export function openOutbox(options: OutboxOptions): Outbox {
  const { journal, clock } = options;
  const lanes = createLanes({ ...options, confirmed, dropped });
  const known = new Map<string, EntryBatch>();
  const early = new Map<string, SinkBatch>();
  const delivered = new Set<string>();
  let unsettled = 0;
  let waiters: (() => void)[] = [];
  let open: OpenBatch[] = [];
  let journalFault = journal
    ? undefined
    : new Fault('HOST_JOURNAL', { host: options.host, cause: 'no journal' });
  let dropCount = 0;
  let closed = false;

  const port = journal && attach(journal, handed);

  function handed(batch: SinkBatch): void {
    const name = nameOf(batch.klass, batch.number);
    const mine = known.get(name);
    if (mine) mine.handed = true;
    else if (delivered.has(name)) answer({ kind: 'taken', klass: batch.klass, number: batch.number });
    else if (unsettled > 0) early.set(name, batch);
    else takeBack(batch);
  }

  /** A batch that memory does not hold: of an earlier run, or given up. */
  function takeBack({ klass, number, body }: SinkBatch): void {
    const records = readRecords(body);
    const batch: EntryBatch = {
      klass,
      number,
      left: records.length,
      handed: true,
      recorded: true,
      givenUp: 0,
    };
    known.set(nameOf(klass, number), batch);
    if (records.length === 0) return deliver(batch);
    for (const { head, payload } of records) {
      const { topic, takenAtMs } = head as { topic: string; takenAtMs: number };
      lanes.add({ topic, takenAtMs, json: Buffer.from(payload).toString(), batch });
    }
    lanes.pump();
  }

  function seal(): void {
    const sealing = open;
    open = [];
    for (const { klass, entries, batch } of sealing) write(klass, entries, batch);
  }

  function write(klass: JournalClass, entries: readonly Entry[], batch: EntryBatch): void {
    if (!journal) return;
    const body = packRecords(
      entries.map(({ topic, takenAtMs, json }) => ({
        head: { topic, takenAtMs },
        payload: Buffer.from(json),
      })),
    );
    const atMs = clock.nowMs();
    const facts = { messages: entries.length, observations: 0, firstAtMs: atMs, lastAtMs: atMs };
    unsettled += 1;
    journal.append(klass, body, facts, (outcome, number) => {
      unsettled -= 1;
      if (outcome === 'kept') settle(batch, number);
      else {
        journalFault = new Fault('HOST_JOURNAL', { host: options.host, cause: outcome.message });
        dropCount += batch.givenUp;
        batch.givenUp = 0;
      }
      if (unsettled === 0) drainEarly();
      notify();
    });
  }

  function settle(batch: EntryBatch, number: number): void {
    journalFault = undefined;
    batch.number = number;
    batch.recorded = true;
    // What memory gave up meanwhile comes back from the journal as a whole.
    if (batch.givenUp > 0) return;
    const name = nameOf(batch.klass, number);
    batch.handed = early.delete(name);
    known.set(name, batch);
    if (batch.left === 0) deliver(batch);
  }

  function drainEarly(): void {
    const waiting = [...early.values()];
    early.clear();
    waiting.forEach(takeBack);
  }

  function confirmed(entry: Entry): void {
    entry.batch.left -= 1;
    if (entry.batch.left === 0 && entry.batch.number !== undefined) deliver(entry.batch);
  }

  function deliver({ klass, number, handed: mustAnswer }: EntryBatch): void {
    if (number === undefined) return;
    const name = nameOf(klass, number);
    known.delete(name);
    delivered.add(name);
    if (delivered.size > rememberedDeliveries) delivered.delete([...delivered.values()][0] ?? name);
    if (mustAnswer) answer({ kind: 'taken', klass, number });
    answer({ kind: 'delivered', klass, ranges: [[number, number + 1]] });
  }

  /** Memory is full. A batch on disk comes back from there; one that never gets there is lost. */
  function dropped(batch: EntryBatch, count: number): void {
    if (batch.number !== undefined) known.delete(nameOf(batch.klass, batch.number));
    else if (journal) batch.givenUp += count;
    else dropCount += count;
  }

  function answer(message: SinkAnswer): void {
    if (!closed) port?.postMessage(message);
  }

  function notify(): void {
    if (unsettled > 0 || open.length > 0) return;
    const resolved = waiters;
    waiters = [];
    for (const resolve of resolved) resolve();
  }

  const batchFor = (klass: JournalClass): OpenBatch => {
    const there = open.find((each) => each.klass === klass);
    if (there) return there;
    if (open.length === 0) queueMicrotask(() => (seal(), notify()));
    const batch: EntryBatch = {
      klass,
      number: undefined,
      left: 0,
      handed: false,
      recorded: false,
      givenUp: 0,
    };
    const made = { klass, entries: [], batch };
    open.push(made);
    return made;
  };

  return {
    add: (device, branch, message, takenAtMs) => {
      const into = batchFor(classOf[branch]);
      const topic = deviceTopic(device, branch);
      const entry: Entry = { topic, takenAtMs, json: JSON.stringify(message), batch: into.batch };
      into.entries.push(entry);
      into.batch.left += 1;
      lanes.add(entry);
      lanes.pump();
    },
    pump: () => lanes.pump(),
    kept: () =>
      new Promise((resolve) => {
        waiters.push(resolve);
        if (open.length === 0) notify();
      }),
    get state() {
      const cause = `${dropCount} did not fit into memory`;
      const fault =
        journalFault ??
        (dropCount > 0
          ? new Fault('HOST_DROPPED', { host: options.host, count: dropCount, cause })
          : undefined);
      return {
        recording: journalFault === undefined,
        undelivered: lanes.count,
        ...(fault && { fault }),
      };
    },
    close: () => {
      seal();
      closed = true;
      port?.close();
    },
  };
}

const nameOf = (klass: JournalClass, number: number): string => `${klass}:${number}`;

function attach(journal: Journal, handed: (batch: SinkBatch) => void): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', handed);
  port1.unref();
  const classes: readonly JournalClass[] = ['alarm', 'numerics', 'waveforms'];
  journal.attach({ id: 'gateway', kind: 'twoLane', classes, window: sinkWindow }, port2);
  return port1;
}
