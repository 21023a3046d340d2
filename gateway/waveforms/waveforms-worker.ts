/** The waveforms' program: takes batches from the journal, writes, deletes what is too old, and answers. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { systemClock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { SinkAnswer, SinkBatch } from '../../journal/types.ts';
import { causeOf, isDamage } from '../store/sqlite.ts';
import type { LineAsk, LineWord } from '../store/worker-line.ts';
import type { JournalJoined } from '../store/historian-protocol.ts';
import type { WaveformAlive, WaveformAsk, WaveformOpened, WaveformSettings } from './protocol.ts';
import { WaveCore } from './wave-core.ts';

const settings = workerData as WaveformSettings;
const clock = systemClock();
if (!parentPort) throw new Error('this program runs as a worker');
const main = parentPort;
const retryMs = 1_000;
const expireEveryMs = 60_000;
const damagedExit = 3;

const say = (word: LineWord<WaveformOpened, WaveformAlive>, transfer: ArrayBuffer[] = []): void =>
  main.postMessage(word, transfer);
const tell = (fault: Fault): void => say({ kind: 'told', fault: fault.toJSON() });

let core: WaveCore;
let port: MessagePort | undefined;
/** Batches that came while the disk refused to take what is in memory. */
const held: SinkBatch[] = [];
let writing = true;
let oldestAtMs = 0;
let closing = false;
let expiring = false;

const alive = (): void => say({ kind: 'alive', alive: { ...core.status(clock.nowMs()), writing } });
const answer = (word: SinkAnswer): void => port?.postMessage(word);

function open(): void {
  try {
    core = new WaveCore(settings, clock.nowMs(), tell);
  } catch (error) {
    const fault =
      error instanceof Fault
        ? error
        : new Fault('DATABASE_OPEN', { what: 'the waveforms', cause: causeOf(error) });
    say({ kind: 'failed', fault: fault.toJSON() });
    process.exit(damagedExit);
  }
  say({ kind: 'opened', opened: { delivered: core.deliveredRanges } });
  clock.every(1_000, tick);
  clock.every(expireEveryMs, () => void expire(clock.nowMs()));
  alive();
}

/** Taken at once; while the disk refuses and memory is full, it waits and the journal's window fills. */
function take(batch: SinkBatch): void {
  if (held.length > 0 || (core.full && !flush())) held.push(batch);
  else append(batch);
}

function append(batch: SinkBatch): void {
  if (!core.unwritten) oldestAtMs = clock.monotonicMs();
  core.append(batch.number, batch.body);
  answer({ kind: 'taken', klass: batch.klass, number: batch.number });
}

/** False when the disk refused; everything is still in memory then and is tried again each second. */
function flush(): boolean {
  try {
    core.flush();
  } catch (error) {
    refuse(error);
    return false;
  }
  writing = true;
  answer({ kind: 'delivered', klass: 'waveforms', ranges: core.deliveredRanges });
  return true;
}

function refuse(error: unknown): void {
  // A damaged file is set aside by the next start, and the journal is read again.
  if (writing || isDamage(error)) tell(new Fault('WAVEFORMS_WRITE', { cause: causeOf(error) }));
  if (isDamage(error)) process.exit(damagedExit);
  writing = false;
}

function tick(): void {
  const due = clock.monotonicMs() - oldestAtMs >= (writing ? settings.headAgeMs : retryMs);
  if (core.unwritten && due && flush()) oldestAtMs = clock.monotonicMs();
  for (let batch = held[0]; batch && (!core.full || flush()); batch = held[0]) {
    held.shift();
    append(batch);
  }
  alive();
}

async function expire(nowMs: number): Promise<void> {
  if (expiring) return;
  expiring = true;
  try {
    while (!closing && !core.expireStep(nowMs)) await breath();
  } catch (error) {
    refuse(error);
  } finally {
    expiring = false;
  }
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function reply(word: Extract<LineAsk<WaveformAsk>, { kind: 'ask' }>): Promise<void> {
  const untilMs = clock.monotonicMs() + word.deadlineMs;
  const breathe = async (): Promise<void> => {
    if (clock.monotonicMs() > untilMs)
      throw new Fault('WAVEFORMS_READ', { cause: 'the deadline has passed' });
    await breath();
  };
  try {
    const { answered, pieces } = await run(word.ask, breathe);
    say(
      { kind: 'answer', id: word.id, answer: answered },
      pieces.map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    const fault = error instanceof Fault ? error : new Fault('WAVEFORMS_READ', { cause: causeOf(error) });
    say({ kind: 'refused', id: word.id, fault: fault.toJSON() });
    if (isDamage(error)) refuse(error);
  }
}

async function run(
  ask: WaveformAsk,
  breathe: () => Promise<void>,
): Promise<{ answered: unknown; pieces: readonly Uint8Array[] }> {
  switch (ask.what) {
    case 'range': {
      const answered = await core.range(ask, breathe);
      return { answered, pieces: answered.pieces };
    }
    case 'strip': {
      const answered = await core.strip(ask, breathe);
      return { answered, pieces: answered?.answer.pieces ?? [] };
    }
    case 'keep':
      core.keep(ask.strip);
      break;
    case 'flush':
      if (!flush()) throw new Fault('WAVEFORMS_WRITE', { cause: 'the disk refused' });
      break;
    case 'expire':
      await expire(ask.nowMs ?? clock.nowMs());
      break;
    default:
      ask satisfies never;
  }
  alive();
  return { answered: undefined, pieces: [] };
}

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
    if (port === joined && !closing) say({ kind: 'opened', opened: { delivered: core.deliveredRanges } });
  });
}

main.on('message', (word: LineAsk<WaveformAsk> | JournalJoined) => {
  if (word.kind === 'journal') join(word.port);
  else if (word.kind === 'ask') void reply(word);
  else close();
});

open();
