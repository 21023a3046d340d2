import type { Bed, Ward } from '../../../model/census.ts';
import type { Clock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import type { Job } from '../../../model/job.ts';
import type { Person } from '../../../model/person.ts';
import type { JobHandle, Jobs } from '../../jobs/jobs.ts';
import { runInWorker } from '../../jobs/worker-job.ts';
import type { Comparison } from '../replay/compare.ts';
import type { ReplayRoom } from '../replay/open.ts';
import type { ReportAsked } from './report-worker.ts';
import type { AlarmReport, DelayProposal } from './report.ts';

export interface AnalyticsRoomOptions {
  readonly census: { ward(id: string): Ward | undefined; beds(ward: string): readonly Bed[] };
  /** Of the rows' database. */
  readonly path: string;
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly replay: Pick<ReplayRoom, 'compareAll'>;
}

export interface ReportWanted {
  readonly ward: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly shifts: readonly number[];
}

export interface WardReport extends AlarmReport {
  readonly ward: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly beds: number;
}

/** A proposal with what the ward's own data say of it. */
export interface ReplayedProposal extends DelayProposal {
  readonly replayed: Pick<Comparison, 'today' | 'proposed' | 'laterS'> & { readonly missed: number };
}

export interface AnalyticsRoom {
  /** Rejects with ANALYTICS_LATE when it takes too long, ROWS_READ when the log cannot be read. */
  report(wanted: ReportWanted): Promise<WardReport | 'absent'>;
  /** Proposals of the ward's last days, each replayed, as a job. */
  propose(
    by: Person,
    asked: { readonly ward: string; readonly days: number },
  ): Job | 'absent' | 'too-many-jobs';
}

const dayMs = 86_400_000;
const reportWithinMs = 30_000;
/** Reports at the same time; each has a thread of its own. */
const mostReports = 2;
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };
const usualShifts = [7, 19] as const;

export function openAnalytics({ census, path, clock, jobs, replay }: AnalyticsRoomOptions): AnalyticsRoom {
  let running = 0;

  const read = async (wanted: ReportWanted, handle: JobHandle): Promise<WardReport> => {
    const { ward, fromMs, toMs } = wanted;
    const beds = census.beds(ward).length;
    const report = await runInWorker<AlarmReport>(
      {
        name: 'alarm report',
        program: new URL('./report-worker.ts', import.meta.url),
        workerData: { ...wanted, beds, path } satisfies ReportAsked,
        resourceLimits,
        clock,
      },
      handle,
    );
    return { ward, fromMs, toMs, beds, ...report };
  };

  return {
    report: async (wanted) => {
      if (!census.ward(wanted.ward)) return 'absent';
      if (running >= mostReports) throw new Fault('ANALYTICS_LATE', { cause: 'others are being made' });
      running++;
      const abort = new AbortController();
      const cancel = clock.after(reportWithinMs, () => abort.abort());
      try {
        return await read(wanted, { signal: abort.signal, progress: () => undefined });
      } catch (error) {
        if (!abort.signal.aborted) throw error;
        throw new Fault('ANALYTICS_LATE', { cause: `it takes longer than ${reportWithinMs / 1_000} s` });
      } finally {
        cancel();
        running--;
      }
    },
    propose: (by, { ward, days }) => {
      if (!census.ward(ward)) return 'absent';
      const toMs = clock.nowMs();
      const span = { ward, fromMs: toMs - days * dayMs, toMs };
      return jobs.start({
        kind: 'alarm-proposals',
        by: by.id,
        run: async (handle) => {
          handle.progress(0, 'reading the alarm log');
          const { proposals } = await read({ ...span, shifts: usualShifts }, handle);
          const changes = proposals.map(({ metric, direction, priority, delayS }) => [
            { metric, direction, priority, delayS },
          ]);
          const { comparisons, observations } =
            changes.length === 0
              ? { comparisons: [], observations: 0 }
              : await replay.compareAll(span, changes, handle);
          return { ...span, observations, proposals: proposals.flatMap(withEffect(comparisons)) };
        },
      });
    },
  };
}

const withEffect =
  (comparisons: readonly Comparison[]) =>
  (proposal: DelayProposal, index: number): ReplayedProposal[] => {
    const found = comparisons[index];
    if (!found) return [];
    const { today, proposed, laterS, missed } = found;
    return [{ ...proposal, replayed: { today, proposed, laterS, missed: missed.count } }];
  };
