/** The historian's program: takes batches from the journal, writes, compacts, expires and answers. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { systemClock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { SinkAnswer, SinkBatch } from '../../journal/types.ts';
import type {
  HistorianAlive,
  HistorianAnswer,
  HistorianAsk,
  HistorianOpened,
  HistorianSettings,
  JournalJoined,
} from './historian-protocol.ts';
import { causeOf, isDamage } from './sqlite.ts';
import { StoreCore } from './store-core.ts';
import type { LineAsk, LineWord } from './worker-line.ts';

const settings = workerData as HistorianSettings;
const clock = systemClock();
if (!parentPort) throw new Error('this program runs as a worker');
const main = parentPort;
const retryMs = 1_000;
const expireEveryMs = 600_000;
const damagedExit = 3;
/** A slice of compaction waits this long for questions; then it is its turn. */
const mostPatienceMs = 250;

const say = (word: LineWord<HistorianOpened, HistorianAlive>, transfer: ArrayBuffer[] = []): void =>
  main.postMessage(word, transfer);
const tell = (fault: Fault): void => say({ kind: 'told', fault: fault.toJSON() });

let core: StoreCore;
let port: MessagePort | undefined;
/** Batches that came while the disk refused to take a full head. */
const held: SinkBatch[] = [];
let writing = true;
let oldestAtMs = 0;
let working = false;
let closing = false;
/** Questions not yet answered. */
let asking = 0;

const alive = (): void => say({ kind: 'alive', alive: { ...core.status(), writing } });

function open(): void {
  try {
    core = new StoreCore(settings, clock.nowMs(), tell);
  } catch (error) {
    const fault =
      error instanceof Fault
        ? error
        : new Fault('DATABASE_OPEN', { what: 'the historian', cause: causeOf(error) });
    say({ kind: 'failed', fault: fault.toJSON() });
    process.exit(damagedExit);
  }
  say({ kind: 'opened', opened: { delivered: core.deliveredRanges() } });
  clock.every(1_000, tick);
  clock.every(expireEveryMs, () => void expire());
  clock.after(60_000, () => void expire());
  alive();
}

/** Taken at once; while the disk refuses and memory is full, it waits and the journal's window fills. */
function take(batch: SinkBatch): void {
  if (held.length > 0 || (!core.fits(batch.facts.observations) && !flush())) {
    held.push(batch);
    return;
  }
  if (core.waiting === 0) oldestAtMs = clock.monotonicMs();
  core.append(batch.klass, batch.number, batch.body);
  answer({ kind: 'taken', klass: batch.klass, number: batch.number });
}

const answer = (word: SinkAnswer): void => port?.postMessage(word);

/** False when the disk refused; everything is still in memory then and is tried again each second. */
function flush(): boolean {
  try {
    core.flush();
  } catch (error) {
    refuse(error);
    return false;
  }
  writing = true;
  for (const [klass, ranges] of Object.entries(core.deliveredRanges()))
    answer({ kind: 'delivered', klass: klass as SinkBatch['klass'], ranges });
  if (core.compactionDue) void work();
  return true;
}

function refuse(error: unknown): void {
  // A damaged file is set aside by the next start, and the journal is read again.
  if (isDamage(error)) {
    tell(new Fault('STORE_WRITE', { cause: causeOf(error) }));
    process.exit(damagedExit);
  }
  if (writing) tell(new Fault('STORE_WRITE', { cause: causeOf(error) }));
  writing = false;
}

function tick(): void {
  setAside();
  const due = clock.monotonicMs() - oldestAtMs >= (writing ? settings.headAgeMs : retryMs);
  if ((core.waiting > 0 || core.unwritten) && due && flush()) oldestAtMs = clock.monotonicMs();
  for (let batch = held[0]; batch && (core.fits(batch.facts.observations) || flush()); batch = held[0]) {
    held.shift();
    core.append(batch.klass, batch.number, batch.body);
    answer({ kind: 'taken', klass: batch.klass, number: batch.number });
  }
  alive();
}

function setAside(): void {
  try {
    core.setAside();
  } catch (error) {
    refuse(error);
  }
}

/** Compacts slice by slice; batches and questions go between. */
async function work(): Promise<void> {
  if (working) return;
  working = true;
  try {
    while (core.compactionDue && !core.compactStep()) await quiet();
    while (!core.shrinkStep()) await quiet();
  } catch (error) {
    refuse(error);
  } finally {
    working = false;
  }
}

async function expire(): Promise<void> {
  try {
    while (!core.expireStep(clock.nowMs())) await quiet();
  } catch (error) {
    refuse(error);
  }
}

/** Questions go before the next slice, for a while. */
async function quiet(): Promise<void> {
  const untilMs = clock.monotonicMs() + mostPatienceMs;
  do await breath();
  while (asking > 0 && clock.monotonicMs() < untilMs);
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function reply(word: Extract<LineAsk<HistorianAsk>, { kind: 'ask' }>): Promise<void> {
  const untilMs = clock.monotonicMs() + word.deadlineMs;
  const breathe = async (): Promise<void> => {
    if (clock.monotonicMs() > untilMs) throw new Fault('STORE_READ', { cause: 'the deadline has passed' });
    await breath();
  };
  asking++;
  try {
    const result = await run(word.ask, breathe);
    say({ kind: 'answer', id: word.id, answer: result }, buffersOf(result));
  } catch (error) {
    const fault = error instanceof Fault ? error : new Fault('STORE_READ', { cause: causeOf(error) });
    say({ kind: 'refused', id: word.id, fault: fault.toJSON() });
    if (isDamage(error)) refuse(error);
  } finally {
    asking--;
  }
}

async function run(ask: HistorianAsk, breathe: () => Promise<void>): Promise<HistorianAnswer> {
  switch (ask.what) {
    case 'range':
      return core.range(ask, breathe);
    case 'latest':
      return core.latest(ask.devices);
    case 'aggregate':
      return core.aggregate(ask, breathe);
    case 'lines':
      return core.lines(ask, breathe);
    case 'correct':
      return core.correct(ask.correction);
    case 'corrections':
      return core.corrections(ask.spans);
    case 'flush':
      if (!flush()) throw new Fault('STORE_WRITE', { cause: 'see above' });
      alive();
      return undefined;
    case 'compact':
      while (!core.compactStep()) await breathe();
      while (!core.shrinkStep()) await breathe();
      core.checkpoint();
      alive();
      return undefined;
    case 'expire':
      await expire();
      alive();
      return undefined;
    default:
      return ask satisfies never;
  }
}

const buffersOf = (answered: HistorianAnswer): ArrayBuffer[] =>
  Object.values(typeof answered === 'object' ? answered : {}).flatMap((value: unknown) =>
    ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );

function close(): void {
  closing = true;
  flush();
  core.close();
  port?.close();
  process.exit(0);
}

/** A port that closes unasked: whoever read for the journal died, and is joined anew. */
function join(joined: MessagePort): void {
  const before = port;
  port = joined;
  before?.close();
  joined.on('message', take);
  joined.on('close', () => {
    if (port === joined && !closing) say({ kind: 'opened', opened: { delivered: core.deliveredRanges() } });
  });
}

main.on('message', (word: LineAsk<HistorianAsk> | JournalJoined) => {
  if (word.kind === 'journal') join(word.port);
  else if (word.kind === 'ask') void reply(word);
  else close();
});

open();
