// Goal: long work can be watched and called off, is bounded, and says why it failed.
// Way: the room itself with jobs that end when the test says so.
import { expect, test } from 'vitest';
import { Jobs, type JobHandle } from '../../../gateway/jobs/jobs.ts';
import { Fault } from '../../../model/fault.ts';
import type { Job } from '../../../model/job.ts';
import { systemChance } from '../../../model/ids.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

function openJobs() {
  const jobs = new Jobs({ clock: virtualClock(), chance: systemChance() });
  const begin = (run: (handle: JobHandle) => Promise<unknown>): Job => {
    const job = jobs.start({ kind: 'count', by: 'anna', run });
    if (job === 'too-many-jobs') throw new Error(job);
    return job;
  };
  return { jobs, begin };
}

/** Work that goes on until it is called off. */
const untilCalledOff = ({ signal }: JobHandle): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

test('a job tells how far it is, then what it found', async () => {
  const { jobs, begin } = openJobs();
  let finish = (_: number): void => undefined;
  const { id } = begin(async ({ progress }) => {
    progress(0.25, 'counting');
    return { beds: await new Promise<number>((resolve) => (finish = resolve)) };
  });
  await settled();
  expect(jobs.job(id)).toMatchObject({ state: 'running', progress: 0.25, says: 'counting', by: 'anna' });
  finish(12);
  await settled();
  expect(jobs.job(id)).toMatchObject({ state: 'done', progress: 1, result: { beds: 12 } });
  expect(jobs.cancel(id)).toBe('ended');
});

test('a job that is called off ends as cancelled, whatever it throws then', async () => {
  const { jobs, begin } = openJobs();
  const { id } = begin(untilCalledOff);
  await settled();
  expect(jobs.cancel(id)).toBe('done');
  await settled();
  expect(jobs.job(id)).toMatchObject({ state: 'cancelled' });
  expect(jobs.cancel('job-none')).toBe('absent');
});

test('a job that fails says its fault', async () => {
  const { jobs, begin } = openJobs();
  const { id } = begin(() => Promise.reject(new Fault('STORE_READ', { cause: 'the disk' })));
  const other = begin(() => Promise.reject(new TypeError('x is not y')));
  await settled();
  expect(jobs.job(id)?.fault?.code).toBe('STORE_READ');
  expect(jobs.job(other.id)?.fault?.code).toBe('JOB_BROKE');
});

test('two run at once; a third is refused, and closing calls off both', async () => {
  const { jobs, begin } = openJobs();
  const first = begin(untilCalledOff);
  begin(untilCalledOff);
  await settled();
  expect(jobs.start({ kind: 'count', by: 'anna', run: untilCalledOff })).toBe('too-many-jobs');
  await jobs.close();
  expect(jobs.job(first.id)?.state).toBe('cancelled');
});
