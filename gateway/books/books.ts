/** The books as the main thread sees them: a worker that reads the journal, asked through typed calls. */
import { mkdirSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import { hourMs } from '../../journal/tally.ts';
import { journalClasses, type Journal } from '../../journal/types.ts';
import type { Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';
import type { Rows } from '../rows/rows.ts';
import type { LossEntry } from '../rows/tables.ts';
import { WorkerLine, type Post } from '../store/worker-line.ts';
import type {
  BooksAlive,
  BooksAsk,
  BooksCell,
  BooksOpened,
  BooksPage,
  BooksSettings,
  LedgerLine,
} from './types.ts';

export interface BooksOptions {
  /** Holds `books.db`; made if missing. */
  readonly folder: string;
  readonly journal: Pick<Journal, 'epoch' | 'attach' | 'closed' | 'stat'>;
  /** The lasting loss ledger. */
  readonly rows: Pick<Rows, 'read'>;
  /** A real one: the worker's sign of life and the deadlines are. */
  readonly clock: Clock;
  readonly told: (fault: Fault) => void;
  readonly keepDays: number;
}

export const booksSink = 'books';
const window = { batches: 64, bytes: 4 * 1024 * 1024 };
const resourceLimits = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 4, stackSizeMb: 4 };
const copyEveryMs = 10_000;
const copyAtOnce = 500;
const rejoinMs = 1_000;
const catchUpMs = 2_000;
const catchUpLookMs = 20;

/** Starts the worker and joins it to the journal. Rejects with FORMAT_TOO_NEW, DATABASE_OPEN or WORKER_ENDED. */
export async function openBooks(options: BooksOptions): Promise<Books> {
  mkdirSync(options.folder, { recursive: true });
  const books = new Books(options);
  await books.ready;
  return books;
}

export class Books {
  private readonly options: BooksOptions;
  private readonly line: WorkerLine<BooksAsk, BooksOpened, BooksAlive>;
  private readonly stopCopying: () => void;
  private copiedLines = 0;
  private copying = false;
  private joinedAtMs = -Infinity;
  private fault: Fault | undefined;

  constructor(options: BooksOptions) {
    this.options = options;
    const { folder, journal, clock, keepDays } = options;
    const settings: BooksSettings = { folder, epoch: journal.epoch, keepDays };
    this.line = new WorkerLine({
      name: 'books',
      program: new URL('./books-worker.ts', import.meta.url),
      workerData: settings,
      clock,
      resourceLimits,
      deadlineMs: 5_000,
      unanswered: 'BOOKS_WRITE',
      told: (fault) => {
        this.fault = fault;
        options.told(fault);
      },
      opened: (opened, post) => {
        this.copiedLines = opened.copiedLines;
        this.join(opened, post);
      },
      alive: ({ writing }) => {
        if (writing && this.fault?.code !== 'DATABASE_CORRUPT') this.fault = undefined;
      },
    });
    this.stopCopying = clock.every(copyEveryMs, () => void this.copyLedger());
  }

  get ready(): Promise<void> {
    return this.line.ready;
  }

  status(): { readonly fault: Fault | undefined; readonly aliveAtMs: number } {
    return { fault: this.fault, aliveAtMs: this.line.aliveAtMs };
  }

  /** Cells by hour and device, oldest first. */
  page(page: BooksPage): Promise<readonly BooksCell[]> {
    return this.line.ask({ what: 'page', page });
  }

  /** Copies the lines of the ledger that are new. A failure leaves them for the next time. */
  async copyLedger(): Promise<void> {
    if (this.copying) return;
    this.copying = true;
    try {
      for (;;) {
        const after = this.copiedLines;
        const lines = await this.options.rows.read('losses', { after, limit: copyAtOnce });
        if (lines.length === 0) return;
        const copies = lines.map(({ number, entry }) => lineOf(number, entry));
        await this.line.ask({ what: 'copy', lines: copies });
        this.copiedLines = Math.max(after, lines.at(-1)?.number ?? after);
      }
    } catch {
      // Neither the rows' nor the books' disk is ours to judge here: both tell their own faults.
    } finally {
      this.copying = false;
    }
  }

  /** Enters what the journal has and all lines of the ledger, within a while; what is left is read at the next start. */
  async close(): Promise<void> {
    this.stopCopying();
    await this.copyLedger();
    await this.catchUp();
    await this.line.close();
  }

  private async catchUp(): Promise<void> {
    const { clock, journal } = this.options;
    const untilMs = clock.monotonicMs() + catchUpMs;
    try {
      while (clock.monotonicMs() < untilMs) {
        await this.line.ask({ what: 'flush' });
        const { sinks } = await journal.stat();
        if ((sinks[booksSink]?.undeliveredBatches ?? 0) === 0) return;
        await new Promise<void>((resolve) => void clock.after(catchUpLookMs, resolve));
      }
    } catch {
      // The next start reads them again.
    }
  }

  private join({ delivered }: BooksOpened, post: Post): void {
    const { journal, clock } = this.options;
    const waitMs = Math.max(0, this.joinedAtMs + rejoinMs - clock.monotonicMs());
    this.joinedAtMs = clock.monotonicMs() + waitMs;
    const attach = (): void => {
      if (journal.closed) return;
      const { port1, port2 } = new MessageChannel();
      post({ kind: 'journal', port: port1 }, [port1]);
      // In order, so that counters and contents of a class go equally far.
      journal.attach({ id: booksSink, kind: 'ordered', classes: journalClasses, delivered, window }, port2);
    };
    if (waitMs === 0) attach();
    else clock.after(waitMs, attach);
  }
}

export const lineOf = (number: number, entry: LossEntry): LedgerLine => ({
  number,
  device: entry.device ?? '*',
  hour: Math.floor(entry.fromMs / hourMs),
  fromMs: entry.fromMs,
  toMs: entry.toMs,
  observations: entry.observations,
  why: entry.why,
  klass: journalClasses.find((klass) => klass === entry.klass) ?? 'numerics',
  sinks: entry.sinks ?? [],
  ...(entry.counted && { counted: entry.counted }),
});
