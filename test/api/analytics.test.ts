// Goal: what a ward rang is counted over the API, and other limits are tried on what it measured, as a job.
// Way: the real house; a device raises and ends alarms over MQTT, then the routes are asked.
import { afterAll, expect, test } from 'vitest';
import type { AlarmReport } from '../../api/shapes/analytics.ts';
import type { ReplayResult } from '../../gateway/alarm/replay/open.ts';
import type { Job } from '../../model/job.ts';
import { openBench } from './fixture.ts';

const bench = await openBench();
const cookie = await bench.signIn(['charge-nurse'], ['east']);
afterAll(() => bench[Symbol.asyncDispose]());

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const fromMs = Date.now() - 60_000;

/** Asks until the answer is as wanted; what is written goes to disk a moment later. */
async function until<T>(look: () => Promise<T>, wanted: (found: T) => boolean): Promise<T> {
  for (let waited = 0; ; waited += 200) {
    const found = await look();
    if (wanted(found) || waited > 20_000) return found;
    await pause(200);
  }
}

const get = async <T>(url: string): Promise<T> =>
  (await bench.app.inject({ url, headers: { cookie } })).json<T>();

/** Rings, is acknowledged, and ends; `times` over. */
async function ringAndEnd(times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    const alarm = await bench.ring('east');
    await bench.app.inject({
      method: 'POST',
      url: `/api/v1/alarms/${alarm.id}/acknowledge`,
      headers: { cookie },
      payload: { version: alarm.version },
    });
    await bench.sample('east', { MDC_ECG_HEART_RATE: 72 });
  }
}

test('the report counts what rang, who answered, and how short it was', async () => {
  await ringAndEnd(3);
  const asked = `/api/v1/alarm-analytics?ward=east&from=${fromMs}&to=${fromMs + 3_600_000}`;
  const report = await until(
    () => get<AlarmReport>(asked),
    ({ total }) => total.physiological === 3,
  );
  expect(report).toMatchObject({ ward: 'east', beds: 12 });
  expect(report.total).toMatchObject({ physiological: 3, high: 3, responded: 3 });
  expect(report.total.byAbout).toContainEqual(
    expect.objectContaining({ about: 'MDC_ECG_HEART_RATE', priority: 'high', alarms: 3 }),
  );
  expect(report.total.short).toBeGreaterThanOrEqual(3);
  expect(report.topBeds[0]).toMatchObject({ bed: 'east-1' });
  expect(report.days.reduce((sum, { physiological }) => sum + physiological, 0)).toBe(3);
  expect(report.shifts.reduce((sum, { physiological }) => sum + physiological, 0)).toBe(3);

  const csv = await bench.app.inject({ url: asked, headers: { cookie, accept: 'text/csv' } });
  expect(csv.headers['content-type']).toContain('text/csv');
  const [head, total] = csv.body.split('\r\n').map((line) => line.split(','));
  expect(head?.slice(0, 6)).toEqual(['scope', 'day', 'shift', 'about', 'priority', 'alarms']);
  expect([total?.[0], Number(total?.[5])]).toEqual(['total', report.total.alarms]);
});

test('a time that ends before it begins, or is longer than a month, is refused', async () => {
  for (const [from, to] of [
    [2_000, 1_000],
    [0, 40 * 86_400_000],
  ]) {
    const url = `/api/v1/alarm-analytics?ward=east&from=${from}&to=${to}`;
    expect((await bench.app.inject({ url, headers: { cookie } })).statusCode).toBe(400);
  }
});

test('limits are tried on the ward’s own values, and nothing is changed by it', async () => {
  const limitsOf = () => bench.services.census.limits(bench.ids.east.encounter);
  const before = limitsOf();
  const try_ = (limits: object[]) =>
    bench.app.inject({
      method: 'POST',
      url: '/api/v1/alarm-limits/replay',
      headers: { cookie },
      payload: { ward: 'east', days: 1, limits },
    });
  const band = { metric: 'MDC_ECG_HEART_RATE', direction: 'high', priority: 'high' };
  const refused = await try_([{ ...band, value: 250 }]);
  expect([refused.statusCode, refused.json().code]).toEqual([422, 'API_REFUSED']);

  const begun = await try_([
    { ...band, value: null },
    { ...band, priority: 'medium', value: null },
  ]);
  expect(begun.statusCode).toBe(202);
  const { id } = begun.json<Job>();
  expect(begun.headers.location).toBe(`/api/v1/jobs/${id}`);
  // The house's own jobs: the bench's server shows those of the bench.
  const job = await until(
    async () => bench.gateway.services.jobs.job(id),
    (found) => found?.state !== 'running',
  );
  expect(job).toMatchObject({ state: 'done', kind: 'limits-replay' });
  const result = job?.result as ReplayResult;
  expect(result).toMatchObject({ ward: 'east', proposed: { alarms: 0 }, damage: [] });
  // Three times 180, and without a delay.
  expect(result.today).toMatchObject({ alarms: 3 });
  expect(result.missed).toMatchObject({ count: 3 });
  expect(result.missed.list[0]).toMatchObject({ bed: 'east-1', priority: 'high', peak: 180 });
  expect(limitsOf()).toEqual(before);
});
