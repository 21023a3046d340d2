/**
 * The program of the writer's thread. It owns its files alone: it takes what waits as one group, writes it, syncs
 * each touched segment and the head, and only then says so. Whatever hangs in the system hangs here and nowhere else.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { ClassWriter, CommitFailed, type Closed, type Committed } from './class-writer.ts';
import { causeOf } from './files.ts';
import { headFile, HeadWriter, type HeadCount } from './head.ts';
import {
  control,
  type FromWriter,
  type PlainFault,
  type QueuedBody,
  type ToWriter,
  type WriterStart,
  type WriterToLanes,
} from './messages.ts';
import { release } from './release.ts';
import { journalClasses, type JournalClass } from './types.ts';

const start = workerData as WriterStart;
const state = new Int32Array(start.control);
const wanted = new Int32Array(start.wanted);
let lanes: MessagePort = start.lanes;
let head: HeadWriter | undefined;
let headSerial = 0;
let oldHeads = start.oldHeads;

const writers = Object.fromEntries(
  journalClasses.map((klass) => [
    klass,
    new ClassWriter({
      folder: start.folder,
      epoch: start.epoch,
      writer: start.writer,
      segmentBytes: start.segmentBytes,
      klass,
      count: start.counts[klass],
      goesOn: start.goesOn[klass],
      head: () => head ?? openHead(),
    }),
  ]),
) as Record<JournalClass, ClassWriter>;

/** What the head says of each class: batches really on disk. */
const kept: Record<JournalClass, HeadCount> = { ...start.counts };

const tell = (message: FromWriter): void => parentPort?.postMessage(message);
const tellLanes = (message: WriterToLanes, transfer: ArrayBuffer[] = []): void =>
  lanes.postMessage(message, transfer);
const retired = (): boolean => Atomics.load(state, control.retired) === 1;

function openHead(): HeadWriter {
  const own = headFile(start.writer, ++headSerial);
  head = new HeadWriter(start.folder, own, kept);
  for (const file of oldHeads) rmSync(join(start.folder, file), { force: true });
  oldHeads = [own];
  return head;
}

function writeGroup(group: number, bodies: readonly QueuedBody[]): void {
  Atomics.store(state, control.begun, group);
  let hung = retired();
  for (const klass of journalClasses) {
    for (const run of runsOf(bodies, klass)) {
      if (hung) settleFault(group, klass, run, { code: 'JOURNAL_HUNG', details: {} });
      else writeRun(group, klass, run);
      // A call that hung and came back: another writer has taken over, so nothing more is begun here.
      hung = retired();
    }
  }
  for (const klass of journalClasses) {
    if (!hung) writers[klass].ahead();
    hung = retired();
  }
  if (hung) end();
}

function writeRun(group: number, klass: JournalClass, run: readonly QueuedBody[]): void {
  try {
    const { committed, closed } = writers[klass].commit(run);
    kept[klass] = writers[klass].count;
    tell({ kind: 'settled', group, klass, bodies: run.length, first: committed.frames[0]?.number ?? 0 });
    tellKept(klass, run, committed, closed);
  } catch (error) {
    if (!(error instanceof CommitFailed)) throw error;
    if (error.headFailed) {
      // Nothing is written behind a failed write: the next commit makes a new head.
      head?.dispose();
      head = undefined;
    }
    if (error.closed) tellLanes({ kind: 'closed', klass, ...error.closed });
    settleFault(group, klass, run, { code: 'JOURNAL_WRITE', details: { cause: causeOf(error.cause) } });
  }
}

function tellKept(
  klass: JournalClass,
  run: readonly QueuedBody[],
  { opened, file, bytes, frames }: Committed,
  closed: Closed | undefined,
): void {
  if (closed) tellLanes({ kind: 'closed', klass, ...closed });
  if (opened) tellLanes({ kind: 'opened', klass, ...opened });
  const message = { kind: 'kept', klass, file, bytes, frames } as const;
  const bodies = run.map(({ body }) => body);
  if (Atomics.load(wanted, journalClasses.indexOf(klass)) === 1) {
    tellLanes(
      { ...message, bodies },
      bodies.map((body) => body.buffer as ArrayBuffer),
    );
  } else {
    tellLanes(message);
    bodies.forEach(release);
  }
}

function settleFault(
  group: number,
  klass: JournalClass,
  run: readonly QueuedBody[],
  fault: PlainFault,
): void {
  tell({ kind: 'settled', group, klass, bodies: run.length, first: -1, fault });
  for (const { body } of run) release(body);
}

/** The bodies of a class, parted where one opens a segment. */
function runsOf(bodies: readonly QueuedBody[], klass: JournalClass): QueuedBody[][] {
  const runs: QueuedBody[][] = [];
  for (const body of bodies) {
    if (body.klass !== klass) continue;
    const open = runs.at(-1);
    if (open && !body.roll) open.push(body);
    else runs.push([body]);
  }
  return runs;
}

function end(): void {
  for (const klass of journalClasses) {
    const closed = writers[klass].close();
    if (closed) tellLanes({ kind: 'closed', klass, ...closed });
  }
  try {
    if (retired()) head?.dispose();
    else (head ?? openHead()).finish(kept);
  } catch (error) {
    tell({ kind: 'fault', fault: { code: 'JOURNAL_WRITE', details: { cause: causeOf(error) } } });
  }
  head = undefined;
  tell({ kind: 'ended' });
  lanes.close();
  parentPort?.close();
}

try {
  openHead();
} catch (error) {
  tell({ kind: 'fault', fault: { code: 'JOURNAL_WRITE', details: { cause: causeOf(error) } } });
}

parentPort?.on('message', (message: ToWriter) => {
  switch (message.kind) {
    case 'group':
      return writeGroup(message.group, message.bodies);
    case 'lanes':
      lanes = message.port;
      for (const klass of journalClasses) {
        const { current } = writers[klass];
        if (current) tellLanes({ kind: 'opened', klass, ...current });
      }
      return;
    case 'close':
      return end();
    default:
      message satisfies never;
  }
});
