/** The loss ledger and the books as the API asks for them. */
import { hourMs } from '../../journal/tally.ts';
import type { SteppedClock } from '../../model/clock.ts';
import type { Job } from '../../model/job.ts';
import type { Person } from '../../model/person.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { runInWorker } from '../jobs/worker-job.ts';
import type { Numbered, Rows } from '../rows/rows.ts';
import type { AuditAsk } from './audit.ts';
import type { Books } from './books.ts';
import type { BooksCell } from './types.ts';

export interface LossDeskOptions {
  readonly rows: Pick<Rows, 'read'>;
  readonly books: Pick<Books, 'page'>;
  readonly jobs: Pick<Jobs, 'start'>;
  readonly clock: SteppedClock;
  /** The data folder. */
  readonly folder: string;
  readonly retentionMs: number;
}

interface Span {
  readonly device?: string | undefined;
  readonly fromMs: number;
  readonly toMs: number;
}
interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}
type Paged<T> = Promise<{ readonly items: readonly T[]; readonly next?: string }>;

/** Serves LossService of the API. */
export interface LossDesk {
  entries(span: Span, page: Page): Paged<ReturnType<typeof itemOf>>;
  books(span: Span, page: Page): Paged<ReturnType<typeof cellOf>>;
  reconcile(by: Person, span: Span): Job | 'too-many-jobs';
}

const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };
const readAtOnce = 500;
/** Lines looked through for one page at most: a cursor leads on from there. */
const mostRead = 20_000;

export function lossDesk(options: LossDeskOptions): LossDesk {
  const { rows, books, jobs, clock, folder, retentionMs } = options;
  return {
    entries: async ({ device, fromMs, toMs }, { limit, after }) => {
      const found: Numbered<'losses'>[] = [];
      let at = after === undefined ? 0 : Number(after);
      for (let read = 0; read < mostRead; read += readAtOnce) {
        const where = device === undefined ? {} : { where: { device } };
        const lines = await rows.read('losses', { ...where, after: at, limit: readAtOnce });
        for (const line of lines) {
          if (found.length === limit) return { items: found.map(itemOf), next: String(at) };
          at = line.number;
          if (line.entry.toMs >= fromMs && line.entry.fromMs < toMs) found.push(line);
        }
        if (lines.length < readAtOnce) return { items: found.map(itemOf) };
      }
      return { items: found.map(itemOf), next: String(at) };
    },
    books: async ({ device, fromMs, toMs }, { limit, after }) => {
      const [hour, ...name] = after?.split(' ') ?? [];
      const cells = await books.page({
        fromHour: Math.floor(fromMs / hourMs),
        toHour: Math.ceil(toMs / hourMs),
        limit: limit + 1,
        ...(device === undefined ? {} : { device }),
        ...(hour === undefined ? {} : { after: [Number(hour), name.join(' ')] as const }),
      });
      const items = cells.slice(0, limit).map(cellOf);
      const last = cells.length > limit ? cells[limit - 1] : undefined;
      return { items, ...(last && { next: `${last.hour} ${last.device}` }) };
    },
    reconcile: (by, { device, fromMs, toMs }) =>
      jobs.start({
        kind: 'reconcile',
        by: by.id,
        run: (handle) => {
          const ask: Omit<AuditAsk, 'breathe'> = {
            folder,
            device,
            fromMs,
            toMs,
            nowMs: clock.nowMs(),
            retentionMs,
          };
          const program = new URL('./audit-worker.ts', import.meta.url);
          return runInWorker({ name: 'reconcile', program, workerData: ask, resourceLimits, clock }, handle);
        },
      }),
  };
}

const itemOf = ({ number, entry }: Numbered<'losses'>) => {
  const { atMs, device = '*', metric = '*', fromMs, toMs, observations, why, klass, sinks } = entry;
  return {
    number,
    atMs,
    device,
    metric,
    fromMs,
    toMs,
    observations,
    why,
    ...(klass === undefined ? {} : { class: klass }),
    ...(sinks === undefined ? {} : { sinks }),
  };
};

const cellOf = ({ hour, historicalKept, historicalDuplicate, ...cell }: BooksCell) => ({
  ...cell,
  fromMs: hour * hourMs,
  historical: { kept: historicalKept, duplicate: historicalDuplicate },
});
