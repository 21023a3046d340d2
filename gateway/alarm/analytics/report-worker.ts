/** The program of one report: a month of a busy ward is some hundred thousand entries. */
import { workerData } from 'node:worker_threads';
import { serveJob } from '../../jobs/worker-job.ts';
import { AlarmStories } from './figures.ts';
import { readAlarmLog } from './log-reader.ts';
import { reportOf, type AlarmReport, type ReportSpan } from './report.ts';

export interface ReportAsked extends ReportSpan {
  readonly path: string;
  readonly ward: string;
}

const asked = workerData as ReportAsked;
const atOnce = 2_000;

serveJob(async ({ signal }): Promise<AlarmReport> => {
  const stories = new AlarmStories();
  let read = 0;
  for (const entry of readAlarmLog(asked.path, asked)) {
    stories.add(entry);
    if (++read % atOnce !== 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  return reportOf(stories.all(asked.toMs), asked);
});
