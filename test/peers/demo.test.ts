// Goal: the demo is what it says: four people with their own rights, a true alarm, and data that outlive a kill -9.
// Way: the demo and then the plain gateway as programs of their own, asked over HTTP as the platform asks them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Alarm } from '../../model/alarm.ts';
import type { Role } from '../../model/person.ts';
import { signIn, startDemo, startGateway, type Caller, type RunningDemo } from '../web/demo-process.ts';

const roles: readonly Role[] = ['nurse', 'charge-nurse', 'biomed', 'admin'];

interface Row {
  readonly boot: string;
  readonly seq: number;
  readonly metric: string;
  readonly takenAtMs: number;
  readonly value: number | null;
}

let folder: string;
let demo: RunningDemo;
const callers = new Map<Role, Caller>();
const as = (role: Role): Caller => {
  const caller = callers.get(role);
  if (!caller) throw new Error(`${role} is not signed in`);
  return caller;
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vigil-demo-test-'));
  demo = await startDemo(['--data', folder]);
});
afterAll(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

const bodyOf = async <T>(caller: Caller, path: string): Promise<T> => {
  const { status, body } = await caller('GET', path);
  expect(status, path).toBe(200);
  return body as T;
};
const alarmOf03 = async (caller: Caller): Promise<Alarm | undefined> => {
  const { items } = await bodyOf<{ items: Alarm[] }>(caller, '/alarms?bed=bed-03');
  return items.find((alarm) => alarm.kind === 'physiological' && alarm.metric === 'MDC_ECG_HEART_RATE');
};
const rowsOf03 = async (caller: Caller, toMs: number): Promise<Row[]> => {
  const rows: Row[] = [];
  let cursor: string | undefined;
  do {
    const at = `/observations?bed=bed-03&metric=MDC_ECG_HEART_RATE&from=${toMs - 600_000}&to=${toMs}`;
    const page = await bodyOf<{ items: Row[]; next?: string }>(
      caller,
      cursor ? `${at}&cursor=${encodeURIComponent(cursor)}` : at,
    );
    rows.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return rows;
};

/** Asks once a second until it is there. */
async function soon<T>(within: number, ask: () => Promise<T | undefined>): Promise<T> {
  const until = performance.now() + within;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`not there within ${within} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

test('the demo prints its address and four sign-ins, and each of them signs in', async () => {
  expect(demo.said).toContain(`Ward page   ${demo.url}/ward`);
  expect(Object.keys(demo.passwords).toSorted()).toEqual([...roles].toSorted());
  expect(new Set(Object.values(demo.passwords)).size).toBe(roles.length);
  for (const role of roles) callers.set(role, await signIn(demo, role, demo.passwords[role] ?? ''));
  await expect(signIn(demo, 'nurse', 'not the password')).rejects.toThrow('401');
});

test('each sees and does what is theirs, and no more', async () => {
  const beds = await bodyOf<{ items: { id: string }[] }>(as('nurse'), '/beds');
  expect(beds.items).toHaveLength(8);
  const patientOf03 = async (role: Role): Promise<unknown> =>
    (await bodyOf<{ view: { patient?: { name?: string } } }>(as(role), '/beds/bed-03')).view.patient?.name;
  expect(await patientOf03('nurse')).toBe('Zhang Min');
  expect(await patientOf03('charge-nurse')).toBe('Zhang Min');
  expect(await patientOf03('biomed')).toBeUndefined();
  expect(await patientOf03('admin')).toBeUndefined();

  const device = { id: 'spare-1', label: 'Spare', ward: 'demo-ward' };
  expect(await as('nurse')('POST', '/devices', device)).toMatchObject({ status: 403 });
  expect(await as('biomed')('POST', '/devices', device)).toMatchObject({ status: 201 });
  const bed = { id: 'bed-10', ward: 'demo-ward', label: '10' };
  expect(await as('charge-nurse')('POST', '/beds', bed)).toMatchObject({ status: 403 });
  expect(await as('admin')('POST', '/beds', bed)).toMatchObject({ status: 201 });
  const stay = { ward: 'demo-ward', bed: 'bed-10', patient: { name: 'Sun Li' } };
  expect(await as('nurse')('POST', '/encounters', stay)).toMatchObject({ status: 403 });
  expect(await as('charge-nurse')('POST', '/encounters', stay)).toMatchObject({ status: 201 });
  for (const role of ['biomed', 'admin'] as const)
    expect(await as(role)('GET', '/observations?bed=bed-03')).toMatchObject({ status: 403 });
});

test('within two minutes bed 03 has its true alarm, which an engineer may see and not acknowledge', async () => {
  const alarm = await soon(120_000, () => alarmOf03(as('nurse')));
  expect(alarm).toMatchObject({ priority: 'medium', direction: 'high', limit: 120, presence: 'present' });
  const act = `/alarms/${alarm.id}/acknowledge`;
  expect(await as('biomed')('POST', act, {})).toMatchObject({ status: 403 });
  expect(await as('admin')('POST', act, {})).toMatchObject({ status: 403 });
});

test('after kill -9 the plain gateway has the same observations and the same alarm', async () => {
  const before = await soon(10_000, () => alarmOf03(as('nurse')));
  const { toMs, kept } = await soon(60_000, async () => {
    const until = Date.now() - 2_000;
    const rows = await rowsOf03(as('nurse'), until);
    return rows.length >= 30 ? { toMs: until, kept: rows } : undefined;
  });
  await demo.kill();

  const config = join(folder, 'vigil.yaml');
  writeFileSync(
    config,
    `version: 1\ndata: ${join(folder, 'gateway')}\nhttp: { port: 0 }\nmqtt: { port: 0 }\nhost: { enabled: false }\n`,
  );
  const gateway = await startGateway(config);
  try {
    const nurse = await signIn(gateway, 'nurse', demo.passwords['nurse'] ?? '');
    const after = await soon(20_000, async () => {
      const rows = await rowsOf03(nurse, toMs);
      return rows.length >= kept.length ? rows : undefined;
    });
    expect(after.map(({ boot, seq, value }) => [boot, seq, value])).toEqual(
      kept.map(({ boot, seq, value }) => [boot, seq, value]),
    );
    const alarm = await alarmOf03(nurse);
    expect(alarm).toMatchObject({
      id: before.id,
      onsetAtMs: before.onsetAtMs,
      raisedAtMs: before.raisedAtMs,
    });
  } finally {
    await gateway.close();
  }
});
