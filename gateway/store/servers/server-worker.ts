/** The program of one time-series server: takes batches from the journal, writes them there, and asks it. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { JournalClass, SinkAnswer, SinkBatch } from '../../../journal/types.ts';
import { systemClock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import { systemChance } from '../../../model/ids.ts';
import type { LineAsk, LineWord } from '../worker-line.ts';
import { diagnose } from './diagnosis.ts';
import { createReader } from './reader.ts';
import type { RefusedStretch } from './request.ts';
import { Sender } from './sender.ts';
import type {
  LedgerAsk,
  LedgerJoined,
  ServerAlive,
  ServerAnswer,
  ServerAsk,
  ServerJoined,
} from './server-protocol.ts';
import type { ServerSettings } from './settings.ts';
import { Transport } from './transport.ts';
import { writePath } from './paths.ts';

const settings = workerData as ServerSettings;
const clock = systemClock();
if (!parentPort) throw new Error('this program runs as a worker');
const main = parentPort;

const say = (word: LineWord<undefined, ServerAlive>, transfer: ArrayBuffer[] = []): void =>
  main.postMessage(word, transfer);

let journal: MessagePort | undefined;
let ledger: MessagePort | undefined;
let closing = false;
let entries = 0;
/** Stretches of which the loss ledger has not said yet that it has them. */
const entering = new Map<
  number,
  { readonly refused: readonly RefusedStretch[]; readonly done: () => void }
>();

const transport = new Transport(settings, clock);
const reader = createReader(settings, transport);
const sender = new Sender({
  settings,
  clock,
  chance: systemChance(),
  post: (lines) =>
    transport.send({
      method: 'POST',
      path: writePath(settings),
      body: lines.join('\n'),
      gzip: settings.gzip,
    }),
  refresh: () => transport.refresh(),
  delivered: (klass, number) => confirm(klass, number),
  ledger: (refused) =>
    new Promise((done) => {
      const id = ++entries;
      entering.set(id, { refused, done });
      ledger?.postMessage({ id, refused } satisfies LedgerAsk);
    }),
  told: (fault) => say({ kind: 'told', fault: fault.toJSON() }),
  changed: () => alive(),
});

const confirm = (klass: JournalClass, number: number): void =>
  journal?.postMessage({ kind: 'delivered', klass, ranges: [[number, number + 1]] } satisfies SinkAnswer);

function alive(): void {
  const { fault, ...figures } = sender.figures();
  say({ kind: 'alive', alive: { ...figures, ...(fault ? { fault: fault.toJSON() } : {}) } as ServerAlive });
}

/** A port that closes unasked: whoever read for the journal died, and is joined anew. */
function join(port: MessagePort): void {
  const before = journal;
  journal = port;
  before?.close();
  sender.drop();
  port.on('message', (batch: SinkBatch) => sender.take(batch));
  port.on('close', () => {
    if (journal === port && !closing) say({ kind: 'opened', opened: undefined });
  });
}

function joinLedger(port: MessagePort): void {
  ledger?.close();
  ledger = port;
  port.on('message', (id: number) => {
    entering.get(id)?.done();
    entering.delete(id);
  });
  for (const [id, { refused }] of entering) port.postMessage({ id, refused } satisfies LedgerAsk);
}

async function reply({ id, ask, deadlineMs }: Extract<LineAsk<ServerAsk>, { kind: 'ask' }>): Promise<void> {
  try {
    const answer = await run(ask, deadlineMs);
    say({ kind: 'answer', id, answer }, buffersOf(answer));
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    const fault = error instanceof Fault ? error : new Fault('SINK_READ', { sink: settings.id, cause });
    say({ kind: 'refused', id, fault: fault.toJSON() });
  }
}

function run(ask: ServerAsk, deadlineMs: number): Promise<ServerAnswer> {
  switch (ask.what) {
    case 'test':
      return diagnose(settings, clock);
    case 'range':
      return reader.range(ask, clock.monotonicMs() + deadlineMs);
    case 'aggregate':
      return reader.aggregate(ask, clock.monotonicMs() + deadlineMs);
    default:
      return ask satisfies never;
  }
}

const buffersOf = (answered: ServerAnswer): ArrayBuffer[] =>
  Object.values(answered).flatMap((value: unknown) =>
    ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );

function close(): void {
  closing = true;
  sender.close();
  transport.close();
  journal?.close();
  process.exit(0);
}

main.on('message', (word: LineAsk<ServerAsk> | ServerJoined | LedgerJoined) => {
  if (word.kind === 'journal') join(word.port);
  else if (word.kind === 'ledger') joinLedger(word.port);
  else if (word.kind === 'ask') void reply(word);
  else close();
});

say({ kind: 'opened', opened: undefined });
alive();
clock.every(1_000, alive);
