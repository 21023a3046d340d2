import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openFolder } from '../store/folder.ts';
import { act, alarm, clock, loss, open } from './desk.ts';

test('rows of a table are found again after a restart, the newest of each id, and removed ones are gone', async () => {
  using folder = openFolder();
  const first = await open(folder.path);
  await first.rows.put('wards', { id: 'icu', name: '重症', profile: 'adult' });
  await first.rows.put('wards', { id: 'icu', name: 'ICU', profile: 'child' });
  await first.rows.put('wards', { id: 'old', name: 'Old', profile: 'adult' });
  await first.rows.remove('wards', 'old');
  await first.rows.close();
  const { rows } = await open(folder.path);
  expect(await rows.load('wards')).toEqual([{ id: 'icu', name: 'ICU', profile: 'child' }]);
  expect(await rows.load('beds')).toEqual([]);
});

test('entries get ascending numbers in the order handed in, and none is missing after a restart', async () => {
  using folder = openFolder();
  const first = await open(folder.path);
  const numbers = await Promise.all(
    Array.from({ length: 500 }, (_, at) => first.rows.append('audit', act(at))),
  );
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
  await first.rows.close();
  const { rows } = await open(folder.path);
  expect(await rows.append('audit', act(500))).toBe(501);
  const page = await rows.read('audit', { after: 498, limit: 10 });
  expect(page.map(({ number, entry }) => [number, entry.atMs])).toEqual([
    [499, 498],
    [500, 499],
    [501, 500],
  ]);
});

test('a log is read by alarm, bed, person and time, in either direction', async () => {
  using folder = openFolder();
  const { rows } = await open(folder.path);
  for (let at = 0; at < 6; at++)
    await rows.append('alarm-log', {
      atMs: at,
      event: 'raised',
      alarm: alarm(`a-${at % 3}`, at < 4 ? 'b-1' : 'b-2'),
    });
  const atOf = async (page: Parameters<typeof rows.read>[1]): Promise<number[]> =>
    (await rows.read('alarm-log', page)).map(({ entry }) => entry.atMs);
  expect(await atOf({ limit: 10, where: { alarm: 'a-1' } })).toEqual([1, 4]);
  expect(await atOf({ limit: 10, where: { bed: 'b-1', alarm: 'a-0' } })).toEqual([0, 3]);
  expect(await atOf({ limit: 2, newestFirst: true })).toEqual([5, 4]);
  expect(await atOf({ limit: 2, newestFirst: true, after: 5 })).toEqual([3, 2]);
  expect(await atOf({ limit: 10, fromMs: 2, toMs: 4 })).toEqual([2, 3]);
});

test('a transaction happens whole or not at all', async () => {
  using folder = openFolder();
  const { rows } = await open(folder.path);
  await rows.transaction([
    { put: 'beds', row: { id: '3-12', ward: 'icu', label: '12' } },
    { append: 'audit', entry: act(1) },
  ]);
  expect(await rows.load('beds')).toHaveLength(1);
  const beside = rows.append('audit', act(2));
  // A table that does not exist: the group is refused, its neighbours in the same commit are not.
  const broken = rows.transaction([
    { remove: 'beds', id: '3-12' },
    { remove: 'nowhere' as 'beds', id: 'x' },
  ]);
  await expect(broken).rejects.toMatchObject({ code: 'ROWS_WRITE' });
  expect(await beside).toBe(2);
  expect(await rows.load('beds')).toHaveLength(1);
});

test('entries handed in while the worker is dead are written once, in order', async () => {
  using folder = openFolder();
  const { rows, codes } = await open(folder.path);
  const before = Array.from({ length: 50 }, (_, at) => rows.append('losses', loss(at)));
  const killed = rows.killWorker();
  const after = Array.from({ length: 50 }, (_, at) => rows.append('losses', loss(50 + at)));
  await killed;
  const late = Array.from({ length: 50 }, (_, at) => rows.append('losses', loss(100 + at)));
  expect(await Promise.all([...before, ...after, ...late])).toEqual(
    Array.from({ length: 150 }, (_, at) => at + 1),
  );
  const read = await rows.read('losses', { limit: 1_000 });
  expect(read.map(({ entry }) => entry.atMs)).toEqual(Array.from({ length: 150 }, (_, at) => at));
  expect(codes()).toEqual(['WORKER_ENDED']);
});

test('a changed, a removed and a cut-off audit record are each found by number', async () => {
  const ways: [string, number, string][] = [
    [`UPDATE audit SET body = replace(body, 'anna', 'bela') WHERE number = 7`, 7, 'changed'],
    ['DELETE FROM audit WHERE number = 5', 5, 'missing'],
    ['DELETE FROM audit WHERE number > 8', 9, 'missing'],
    [`UPDATE audit SET hash = '0' WHERE number = 3`, 3, 'changed'],
  ];
  for (const [change, number, cause] of ways) {
    using folder = openFolder();
    const first = await open(folder.path);
    for (let at = 0; at < 10; at++) await first.rows.append('audit', act(at));
    expect(await first.rows.verifyAudit()).toEqual({ intact: true, records: 10 });
    await first.rows.close();
    const database = new DatabaseSync(join(folder.path, 'rows.db'));
    database.exec(change);
    database.close();
    const { rows } = await open(folder.path);
    expect(await rows.verifyAudit()).toEqual({ intact: false, number, cause });
    // It goes on, and does not heal what was done.
    await rows.append('audit', act(11));
    expect(await rows.verifyAudit()).toMatchObject({ intact: false, number });
    await rows.close();
  }
});

test('a damaged database is told and set aside, and one of a newer Vigil is refused', async () => {
  using folder = openFolder();
  const first = await open(folder.path);
  await first.rows.put('settings', { id: 'boot', value: 7 });
  await first.rows.close();
  const path = join(folder.path, 'rows.db');
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
  await expect(open(folder.path)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });

  writeFileSync(path, Buffer.alloc(8_192, 0x41));
  const { rows, codes } = await open(folder.path);
  expect(await rows.load('settings')).toEqual([]);
  expect(codes()).toEqual(['DATABASE_CORRUPT']);
  expect(rows.status().fault?.code).toBe('DATABASE_CORRUPT');
  expect(readdirSync(folder.path).some((name) => name.includes('damaged'))).toBe(true);
});

test('an entry is on disk within 50 ms in normal running', async () => {
  using folder = openFolder();
  const { rows } = await open(folder.path);
  const tookMs: number[] = [];
  for (let at = 0; at < 50; at++) {
    const startMs = clock.monotonicMs();
    await rows.append('alarm-log', { atMs: at, event: 'raised', alarm: alarm(`a-${at}`, 'b-1') });
    tookMs.push(clock.monotonicMs() - startMs);
  }
  tookMs.sort((a, b) => a - b);
  expect(tookMs[25]).toBeLessThan(50);
});
