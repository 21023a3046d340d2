/** The program of the books' thread: reads every batch of the journal once, and enters what it holds and says. */
import { join } from 'node:path';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { Contents } from '../../journal/content.ts';
import { add, has } from '../../journal/ranges.ts';
import { hourMs, readTally } from '../../journal/tally.ts';
import {
  journalClasses,
  type JournalClass,
  type Ranges,
  type SinkAnswer,
  type SinkBatch,
} from '../../journal/types.ts';
import { systemClock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { causeOf, isDamage } from '../store/sqlite.ts';
import type { LineAsk, LineWord } from '../store/worker-line.ts';
import { BooksFile, booksFile, type CountedRow } from './books-file.ts';
import type { BooksAlive, BooksAsk, BooksCell, BooksOpened, BooksSettings } from './types.ts';

/** Often enough that what a crash makes be read again is little. */
const enterEveryMs = 1_000;
/** Cells in memory at most before they are entered. */
const mostWaiting = 20_000;
const forgetEveryMs = 3_600_000;
const damagedExit = 3;

const settings = workerData as BooksSettings;
const clock = systemClock();
if (!parentPort) throw new Error('this program runs as a worker');
const main = parentPort;

let file: BooksFile;
let port: MessagePort | undefined;
let writing = true;
let closing = false;
/** Taken into memory, entered or not. */
let taken: Record<JournalClass, Ranges>;
let kept = newContents();
let counted = new Map<string, CountedRow>();
let waiting = 0;

function newContents(): Record<JournalClass, Contents> {
  return { alarm: new Contents(), numerics: new Contents(), raw: new Contents(), waveforms: new Contents() };
}

const say = (word: LineWord<BooksOpened, BooksAlive>): void => main.postMessage(word);
const answer = (word: SinkAnswer): void => port?.postMessage(word);
const opened = (): void => {
  const delivered = file.delivered(settings.epoch);
  say({ kind: 'opened', opened: { delivered, copiedLines: file.copiedLines } });
};

function open(): void {
  try {
    file = new BooksFile(join(settings.folder, booksFile), clock.nowMs());
    taken = file.delivered(settings.epoch);
  } catch (error) {
    const cause = { what: 'the books', cause: causeOf(error) };
    const fault = error instanceof Fault ? error : new Fault('DATABASE_OPEN', cause);
    say({ kind: 'failed', fault: fault.toJSON() });
    process.exit(damagedExit);
  }
  if (file.damage) say({ kind: 'told', fault: file.damage.toJSON() });
  opened();
  clock.every(enterEveryMs, tick);
  clock.every(forgetEveryMs, forget);
}

function take({ klass, number, body }: SinkBatch): void {
  if (!has(taken[klass], number)) {
    taken[klass] = add(taken[klass], number, number + 1);
    kept[klass].add(body);
    const tally = readTally(body);
    for (const row of tally?.rows ?? []) {
      const run = tally?.run ?? 0;
      const key = `${klass} ${row.device} ${row.hour} ${run}`;
      const known = counted.get(key);
      // Batches may come in any order.
      if (!known || known.received <= row.received) counted.set(key, { ...row, klass, run });
    }
    waiting++;
  }
  answer({ kind: 'taken', klass, number });
  if (counted.size > mostWaiting) enter();
}

/** False when the disk refused; all is in memory still and is tried again. */
function enter(): boolean {
  if (waiting > 0) {
    try {
      file.enter({ counted: counted.values(), kept: keptRows(), delivered: taken });
    } catch (error) {
      refuse(error);
      return false;
    }
    kept = newContents();
    counted = new Map();
    waiting = 0;
  }
  writing = true;
  for (const klass of journalClasses) answer({ kind: 'delivered', klass, ranges: taken[klass] });
  return true;
}

function* keptRows() {
  for (const klass of journalClasses) for (const one of kept[klass].all) yield { ...one, klass };
}

function refuse(error: unknown): void {
  if (writing || isDamage(error)) {
    const fault = new Fault('BOOKS_WRITE', { cause: causeOf(error) });
    say({ kind: 'told', fault: fault.toJSON() });
  }
  // A damaged file is set aside by the next start.
  if (isDamage(error)) process.exit(damagedExit);
  writing = false;
}

function tick(): void {
  if (waiting > 0) enter();
  say({ kind: 'alive', alive: { writing } });
}

function forget(): void {
  try {
    file.forget(Math.floor(clock.nowMs() / hourMs) - settings.keepDays * 24);
  } catch (error) {
    refuse(error);
  }
}

function run(ask: BooksAsk): readonly BooksCell[] | undefined {
  switch (ask.what) {
    case 'page':
      enter();
      return file.page(ask.page);
    case 'copy':
      file.copy(ask.lines);
      return undefined;
    case 'flush':
      enter();
      return undefined;
    default:
      return ask satisfies never;
  }
}

function reply({ id, ask }: Extract<LineAsk<BooksAsk>, { kind: 'ask' }>): void {
  try {
    say({ kind: 'answer', id, answer: run(ask) });
  } catch (error) {
    say({ kind: 'refused', id, fault: new Fault('BOOKS_WRITE', { cause: causeOf(error) }).toJSON() });
    if (isDamage(error)) refuse(error);
  }
}

function close(): void {
  closing = true;
  enter();
  file.close();
  port?.close();
  process.exit(0);
}

function join_(joined: MessagePort): void {
  const before = port;
  port = joined;
  before?.close();
  joined.on('message', take);
  joined.on('close', () => {
    if (port === joined && !closing) opened();
  });
}

main.on('message', (word: LineAsk<BooksAsk> | { kind: 'journal'; port: MessagePort }) => {
  if (word.kind === 'journal') join_(word.port);
  else if (word.kind === 'ask') reply(word);
  else close();
});

open();
