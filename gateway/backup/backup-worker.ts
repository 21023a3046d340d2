/** The program of a backup asked for over the API. */
import { workerData } from 'node:worker_threads';
import { systemClock } from '../../model/clock.ts';
import { systemChance } from '../../model/ids.ts';
import { serveJob } from '../jobs/worker-job.ts';
import { makeBackup, type BackupOptions } from './backup.ts';

const asked = workerData as Pick<BackupOptions, 'data' | 'config' | 'to' | 'secret' | 'version'>;

serveJob(({ signal, progress }) =>
  makeBackup({ ...asked, clock: systemClock(), chance: systemChance(), signal, progress }),
);
