/** The program of the rows worker: group commit, reads, and log entries that wait while the disk refuses. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import { causeOf, isDamage } from '../store/sqlite.ts';
import type { LineAsk, LineWord } from '../store/worker-line.ts';
import { RowsFile } from './rows-file.ts';
import type { AppendOp, RowsAlive, RowsAsk, RowsOp, RowsOpened } from './rows-protocol.ts';

interface Waiting {
  readonly id: number;
  readonly ops: readonly RowsOp[];
  /** A single log entry: it stays in line while the disk refuses; everything else is refused at once. */
  readonly stays: boolean;
}

const { folder } = workerData as { readonly folder: string };
const clock = systemClock();
if (!parentPort) throw new Error('this program runs as a worker');
const main = parentPort;
const retryMs = 500;
const verifyAfterMs = 3_000;
const verifyEveryMs = 86_400_000;
/** Operations in one commit at most. */
const mostAtOnce = 2_000;

const say = (word: LineWord<RowsOpened, RowsAlive>): void => main.postMessage(word);
const refuse = (id: number, fault: Fault): void => say({ kind: 'refused', id, fault: fault.toJSON() });

let file: RowsFile;
let queue: Waiting[] = [];
let scheduled = false;
let writing = true;
let closing = false;

function open(): void {
  try {
    file = new RowsFile(join(folder, 'rows.db'), clock.nowMs(), (fault) =>
      say({ kind: 'told', fault: fault.toJSON() }),
    );
    if (file.damage) say({ kind: 'told', fault: file.damage.toJSON() });
    say({ kind: 'opened', opened: { opening: file.countOpening() } });
  } catch (error) {
    const fault =
      error instanceof Fault
        ? error
        : new Fault('DATABASE_OPEN', { what: 'registry and logs', cause: causeOf(error) });
    say({ kind: 'failed', fault: fault.toJSON() });
    process.exit(3);
  }
  clock.every(1_000, () => {
    alive();
    markLogs();
  });
  alive();
  clock.after(verifyAfterMs, () => void verify());
}

let marked = '';
/** Only when they have grown: a calm night writes nothing. */
function markLogs(): void {
  const numbers = JSON.stringify(file.numbers);
  if (numbers === marked) return;
  marked = numbers;
  file.mark();
}

/** The audit's chain, soon after the start and once a day: nobody may have to ask to learn that it is broken. */
async function verify(): Promise<void> {
  try {
    const verdict = await file.verifyAudit(() => new Promise((resolve) => setImmediate(resolve)));
    if (!verdict.intact) {
      const { number, cause } = verdict;
      say({ kind: 'told', fault: new Fault('AUDIT_BROKEN', { number, cause }).toJSON() });
    }
  } catch (error) {
    say({ kind: 'told', fault: new Fault('ROWS_READ', { cause: causeOf(error) }).toJSON() });
  }
  if (!closing) clock.after(verifyEveryMs, () => void verify());
}

function alive(): void {
  const { number, hash } = file.audit;
  const waiting = queue.filter(({ stays }) => stays).length;
  say({
    kind: 'alive',
    alive: { bytes: file.bytes(), waiting, writing, auditNumber: number, auditHash: hash },
  });
}

/** Everything that arrived in this turn goes into one commit; what arrives during it goes into the next. */
function schedule(): void {
  if (scheduled || !writing) return;
  scheduled = true;
  setImmediate(commit);
}

function commit(): void {
  scheduled = false;
  const groups = queue.slice(0, mostAtOnce);
  if (groups.length === 0) return;
  try {
    const outcomes = file.write(groups.map(({ ops }) => ops));
    queue = queue.slice(groups.length);
    groups.forEach(({ id }, index) => {
      const outcome = outcomes[index];
      if (typeof outcome === 'number') say({ kind: 'answer', id, answer: outcome });
      else refuse(id, new Fault('ROWS_WRITE', { cause: causeOf(outcome) }));
    });
    if (!writing) {
      writing = true;
      alive();
    }
    if (queue.length > 0) schedule();
  } catch (error) {
    failed(error);
  }
}

/** The disk refuses: log entries stay in line and are tried again, everything else is refused. */
function failed(error: unknown): void {
  const fault = new Fault('ROWS_WRITE', { cause: causeOf(error) });
  if (isDamage(error)) {
    // The next start of this worker sets the file aside; entries in line are sent again to it.
    say({ kind: 'told', fault: fault.toJSON() });
    process.exit(3);
  }
  for (const waiting of queue) if (!waiting.stays) refuse(waiting.id, fault);
  queue = queue.filter(({ stays }) => stays);
  if (writing) {
    writing = false;
    say({ kind: 'told', fault: fault.toJSON() });
    alive();
  }
  if (!closing) clock.after(retryMs, commitAgain);
}

function commitAgain(): void {
  if (queue.length > 0) commit();
  else {
    // Nothing waits, so the next write finds out.
    writing = true;
    alive();
  }
}

function ask(word: Extract<LineAsk<RowsAsk>, { kind: 'ask' }>): void {
  const { id, ask: asked } = word;
  switch (asked.what) {
    case 'append':
      return enqueue({ id, ops: [asked.op satisfies AppendOp], stays: true });
    case 'write':
      if (!writing) return refuse(id, new Fault('ROWS_WRITE', { cause: 'the disk refuses' }));
      return enqueue({ id, ops: asked.ops, stays: false });
    case 'load':
      return answer(id, () => file.load(asked.table));
    case 'read':
      return answer(id, () => file.read(asked.log, asked.page));
    case 'verify':
      return answer(id, () => file.verifyAudit(() => new Promise((resolve) => setImmediate(resolve))));
    default:
      return asked satisfies never;
  }
}

function enqueue(waiting: Waiting): void {
  queue.push(waiting);
  schedule();
}

function answer(id: number, run: () => unknown): void {
  void (async () => {
    try {
      say({ kind: 'answer', id, answer: await run() });
    } catch (error) {
      refuse(id, new Fault('ROWS_READ', { cause: causeOf(error) }));
    }
  })();
}

function close(): void {
  closing = true;
  while (queue.length > 0 && writing) commit();
  file.mark();
  file.close();
  process.exit(0);
}

main.on('message', (word: LineAsk<RowsAsk>) => (word.kind === 'ask' ? ask(word) : close()));

open();
