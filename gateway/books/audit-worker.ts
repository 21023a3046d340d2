/** The audit of the books as a job: it opens every body of the historian in its span, so it has a thread of its own. */
import { workerData } from 'node:worker_threads';
import { Fault } from '../../model/fault.ts';
import { serveJob } from '../jobs/worker-job.ts';
import { causeOf } from '../store/sqlite.ts';
import { auditBooks, type AuditAsk } from './audit.ts';

/** Rows that a job's result holds; those that do not agree go first. */
const mostRows = 5_000;
const breatheEveryBodies = 256;

serveJob(async ({ signal, progress }) => {
  let bodies = 0;
  const breathe = (share: number): void => {
    if (signal.aborted) throw new Fault('BOOKS_WRITE', { cause: 'called off' });
    if (++bodies % breatheEveryBodies === 0) progress(share, 'counting what is stored');
  };
  try {
    const found = auditBooks({ ...(workerData as Omit<AuditAsk, 'breathe'>), breathe });
    const rows = found.rows.toSorted((a, b) => Number(a.balanced) - Number(b.balanced)).slice(0, mostRows);
    return { ...found, rows, omitted: found.rows.length - rows.length };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('BOOKS_WRITE', { cause: causeOf(error) }, { cause: error });
  }
});
