/**
 * The program of the lanes' thread: it finds what the folder holds, feeds the sinks, keeps their positions, and
 * takes segments away. It stands apart from the writer, so a hung write keeps no sink from its backlog.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { systemClock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { missingOf, readCatalogue, type Catalogue } from './catalogue.ts';
import { causeOf } from './files.ts';
import { readIdentity, writeIdentity } from './identity.ts';
import { Keeper } from './keeper.ts';
import type { FromLanes, LanesStart, ToLanes, WriterToLanes } from './messages.ts';
import { readPositions } from './positions.ts';
import { count, memberFrom } from './ranges.ts';
import { release } from './release.ts';
import { SinkLane } from './sink-lane.ts';
import { thinnedEnd } from './thinning.ts';
import {
  journalClasses,
  type JournalClass,
  type JournalLoss,
  type JournalStat,
  type SinkAnswer,
  type SinkSpec,
} from './types.ts';

/** Positions are written and segments looked through this often; a crash in between repeats deliveries. */
const tidyEveryMs = 200;
/** Bodies under way to the caller while it recovers. */
const recoverAhead = 8;

const start = workerData as LanesStart;
const clock = systemClock();
const wanted = new Int32Array(start.wanted);
const lanes = new Map<string, SinkLane>();
const writers = new Set<MessagePort>();

const tell = (message: FromLanes, transfer: ArrayBuffer[] = []): void =>
  parentPort?.postMessage(message, transfer);
const tellFault = (error: unknown): void => {
  const fault = error instanceof Fault ? error : new Fault('JOURNAL_WRITE', { cause: causeOf(error) });
  tell({ kind: 'fault', fault: { code: fault.code, details: fault.details } });
};

function run(keeper: Keeper, damage: readonly JournalLoss[]): void {
  let recovery: Iterator<FromLanes> | undefined;

  const show = (): void => {
    for (const [index, klass] of journalClasses.entries()) {
      const any = [...lanes.values()].some((lane) => lane.hasRoom && lane.spec.classes.includes(klass));
      Atomics.store(wanted, index, any ? 1 : 0);
    }
  };

  const answered = (lane: SinkLane, answer: SinkAnswer): void => {
    if (answer.kind === 'taken') lane.taken(answer.klass, answer.number);
    else {
      lane.delivered(answer.klass, answer.ranges);
      keeper.delivered(lane.spec.id, answer.klass, answer.ranges);
    }
    lane.pump();
    show();
  };

  const attach = (spec: SinkSpec, port: MessagePort): void => {
    lanes.get(spec.id)?.port.close();
    keeper.joined(spec);
    const lane = new SinkLane(keeper, spec, port, clock);
    lanes.set(spec.id, lane);
    port.on('message', (answer: SinkAnswer) => answered(lane, answer));
    port.on('close', () => {
      if (lanes.get(spec.id) === lane) lanes.delete(spec.id);
      show();
    });
    lane.pump();
    show();
  };

  const written = (message: WriterToLanes): void => {
    const { klass, file } = message;
    if (message.kind === 'opened') return keeper.opened(klass, message);
    if (message.kind === 'closed') return keeper.closed(klass, file, message.bytes);
    keeper.kept(klass, message);
    for (const [index, frame] of message.frames.entries()) {
      const body = message.bodies?.[index];
      if (!body) continue;
      const takers = [...lanes.values()].filter((lane) => lane.wants(klass, frame));
      for (const lane of takers.slice(1)) {
        lane.hand(klass, frame.number, body.slice(), { lane: 'live', facts: frame.facts });
      }
      if (takers[0]) takers[0].hand(klass, frame.number, body, { lane: 'live', facts: frame.facts });
      else release(body);
    }
    for (const lane of lanes.values()) lane.pump();
    show();
  };

  const join = (port: MessagePort): void => {
    const filling = new Map<string, JournalClass>();
    writers.add(port);
    port.on('message', (message: WriterToLanes) => {
      if (message.kind === 'opened') filling.set(message.file, message.klass);
      if (message.kind === 'closed') filling.delete(message.file);
      written(message);
    });
    port.on('close', () => {
      writers.delete(port);
      for (const [file, klass] of filling) keeper.abandoned(klass, file);
    });
  };

  const recoverMore = (): void => {
    const step = recovery?.next();
    if (!step) return;
    if (step.done) {
      recovery = undefined;
      // From now on the caller has what was found, and it is not told again at the next start.
      keeper.account(damage);
      keeper.save();
      tell({ kind: 'recoveredAll' });
    } else if (step.value.kind === 'recovered') {
      tell(step.value, [step.value.body.buffer as ArrayBuffer]);
    }
  };

  const end = (): void => {
    keeper.account(damage);
    keeper.tidy();
    keeper.save();
    for (const lane of lanes.values()) lane.port.close();
    for (const writer of writers) writer.close();
    stopTidying();
    tell({ kind: 'ended' });
    parentPort?.close();
  };

  const stopTidying = clock.every(tidyEveryMs, () => {
    keeper.tidy();
    keeper.save();
    // What could not be read a moment ago.
    for (const lane of lanes.values()) lane.pump();
    show();
  });

  parentPort?.on('message', (message: ToLanes) => {
    switch (message.kind) {
      case 'writer':
        return join(message.port);
      case 'attach':
        return attach(message.spec, message.port);
      case 'forget':
        lanes.get(message.sink)?.port.close();
        return keeper.forget(message.sink);
      case 'recover':
        recovery = recovered(keeper);
        for (let ahead = 0; ahead < recoverAhead; ahead++) recoverMore();
        return;
      case 'more':
        return recoverMore();
      case 'stat':
        return tell({ kind: 'stat', ask: message.ask, stat: statOf(keeper) });
      case 'close':
        return end();
      default:
        message satisfies never;
    }
  });
}

function* recovered(keeper: Keeper): Generator<FromLanes> {
  for (const klass of journalClasses) {
    const { snapshot, from } = keeper.recoverPoint(klass);
    if (snapshot) yield { kind: 'recovered', klass, number: -1, body: snapshot };
    const until = keeper.next[klass];
    for (let number = memberFrom(keeper.present[klass], from); number !== undefined && number < until;) {
      const read = keeper.read(klass, number);
      if (read === 'later') throw new Error(`batch ${number} of ${klass} cannot be read now`);
      if (read) yield { kind: 'recovered', klass, number, body: read.body };
      number = memberFrom(keeper.present[klass], number + 1);
    }
  }
}

function statOf(keeper: Keeper): JournalStat {
  const classes = Object.fromEntries(
    journalClasses.map((klass) => [
      klass,
      {
        segments: keeper.segmentsOf(klass),
        bytes: keeper.bytesOf(klass),
        nextNumber: keeper.next[klass],
        oldestNumber: keeper.present[klass][0]?.[0] ?? keeper.next[klass],
        present: keeper.present[klass],
      },
    ]),
  ) as JournalStat['classes'];
  const sinks = keeper.book.all.map((sink) => {
    const undelivered = sink.classes.map((klass) => [klass, keeper.undelivered(klass, sink)] as const);
    const oldest = undelivered.flatMap(([klass, ranges]) => {
      const number = ranges[0]?.[0];
      const entry = number === undefined ? undefined : keeper.entry(klass, number);
      return entry ? [entry.facts.firstAtMs] : [];
    });
    return [
      sink.id,
      {
        undeliveredBatches: undelivered.reduce((sum, [, ranges]) => sum + count(ranges), 0),
        ...(oldest.length === 0 ? {} : { oldestUndeliveredAtMs: Math.min(...oldest) }),
      },
    ] as const;
  });
  return { bytes: keeper.bytes, fullest: keeper.fullest, classes, sinks: Object.fromEntries(sinks) };
}

/** A copy that was being made when the process ended. */
function removeHalfWritten(): void {
  for (const file of readdirSync(start.folder)) {
    if (file.endsWith(thinnedEnd)) rmSync(join(start.folder, file), { force: true });
  }
}

function open(): void {
  removeHalfWritten();
  const identity = readIdentity(start.folder);
  const read: Catalogue = readCatalogue(start.folder, identity.epoch);
  const positions = readPositions(start.folder);
  const fresh = identity.epoch === undefined && read.epoch === undefined;
  const epoch = read.epoch ?? start.epoch;
  if (identity.epoch !== epoch) writeIdentity(start.folder, epoch);
  const keeper = new Keeper(
    {
      folder: start.folder,
      maxBytes: start.maxBytes,
      classBytes: start.classBytes,
      segmentBytes: start.segmentBytes,
      lost: (loss) => tell({ kind: 'lost', loss }),
      faulty: tellFault,
    },
    read,
    positions,
  );
  keeper.save();
  const damage = journalClasses.flatMap((klass) =>
    missingOf(klass, read.classes[klass], positions.fault ? undefined : (positions.gone[klass] ?? [])).map(
      (loss): JournalLoss => ({
        ...loss,
        sinks: keeper.book.lacking(klass, [[loss.fromNumber, loss.toNumber]]),
      }),
    ),
  );
  const faults = [
    ...identity.faults,
    ...read.faults,
    ...(positions.fault && !fresh ? [positions.fault] : []),
  ];
  const each = <T>(make: (klass: JournalClass) => T): Record<JournalClass, T> =>
    Object.fromEntries(journalClasses.map((klass) => [klass, make(klass)])) as Record<JournalClass, T>;
  tell({
    kind: 'opened',
    epoch,
    clean: read.clean && damage.length === 0,
    damage,
    faults: faults.map((fault) => fault.toJSON()),
    writer: read.lastWriter + 1,
    heads: read.heads,
    counts: each((klass) => read.classes[klass].next),
  });
  run(keeper, damage);
}

try {
  open();
} catch (error) {
  const fault = error instanceof Fault ? error : new Fault('JOURNAL_WRITE', { cause: causeOf(error) });
  tell({ kind: 'refused', fault: { code: fault.code, details: fault.details } });
  parentPort?.close();
}
