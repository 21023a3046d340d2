// Goal: a flipped bit in the registry, its logs or their write-ahead log is found and told, and the rest is served.
// Way: rows written, the file changed beneath them as a disk would, opened again.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { migrations } from '../../../gateway/rows/schema.ts';
import { openFolder } from '../store/folder.ts';
import { act, alarm, clock, loss, open } from './desk.ts';

const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

/** Flips one bit of the first place where the text stands in the file. */
function flipIn(path: string, text: string): void {
  const content = readFileSync(path);
  const at = content.indexOf(text);
  expect(at, `${text} stands in ${path}`).toBeGreaterThan(0);
  content[at] = (content[at] ?? 0) ^ 1;
  writeFileSync(path, content);
}

test('a flipped bit in a row leaves that row out, and says so', async () => {
  using folder = openFolder();
  const first = await open(folder.path);
  for (const id of ['east', 'north', 'west'])
    await first.rows.put('wards', { id, name: id, profile: 'adult' });
  await first.rows.close();
  flipIn(join(folder.path, 'rows.db'), '"name":"north"');

  const { rows, faults } = await open(folder.path);
  expect((await rows.load('wards')).map(({ id }) => id)).toEqual(['east', 'west']);
  expect(faults.map(({ code, details }) => [code, details['what'], details['count']])).toEqual([
    ['ROWS_DAMAGED', 'wards', 1],
  ]);
  await pause(1_500);
  expect(rows.status().fault?.code).toBe('ROWS_DAMAGED');
  // Entered again, it is whole.
  await rows.put('wards', { id: 'north', name: 'North', profile: 'adult' });
  expect((await rows.load('wards')).map(({ id }) => id)).toEqual(['east', 'north', 'west']);
});

test('a flipped bit in a log leaves that entry out of every page, and pages stay full', async () => {
  using folder = openFolder();
  const first = await open(folder.path);
  for (let at = 0; at < 9; at++) await first.rows.append('losses', loss(1_000 + at));
  await first.rows.close();
  flipIn(join(folder.path, 'rows.db'), '"atMs":1003');
  const { rows, codes } = await open(folder.path);
  const page = await rows.read('losses', { limit: 5 });
  expect(page.map(({ number }) => number)).toEqual([1, 2, 3, 5, 6]);
  const rest = await rows.read('losses', { after: 6, limit: 5 });
  expect(rest.map(({ number }) => number)).toEqual([7, 8, 9]);
  expect(codes()).toEqual(['ROWS_DAMAGED']);
});

test('a flipped bit in an audit record is told soon after the start, without anybody asking', async () => {
  using folder = openFolder();
  const first = await open(folder.path);
  for (let at = 0; at < 5; at++) await first.rows.append('audit', act(2_000 + at));
  await first.rows.close();
  flipIn(join(folder.path, 'rows.db'), '"atMs":2002');
  const { codes } = await open(folder.path);
  for (let waited = 0; waited < 20_000 && codes().length === 0; waited += 100) await pause(100);
  expect(codes()).toEqual(['AUDIT_BROKEN']);
});

test('a flipped bit in the write-ahead log takes later commits with it; how many is told, the others are served', async () => {
  using folder = openFolder();
  using copy = openFolder();
  const first = await open(folder.path);
  for (let at = 0; at < 12; at++)
    await first.rows.append('alarm-log', {
      atMs: 3_000 + at,
      event: 'raised',
      alarm: alarm(`a-${at}`, 'b-1'),
    });
  // The mark beside the database is written once a second.
  await pause(2_500);
  // As a kill leaves it: the log not yet brought into the database.
  cpSync(folder.path, copy.path, { recursive: true });
  flipIn(join(copy.path, 'rows.db-wal'), '"atMs":3007');
  const { rows, faults } = await open(copy.path);
  const left = await rows.read('alarm-log', { limit: 100 });
  expect(left.length).toBeLessThan(12);
  expect(left.map(({ entry }) => entry.atMs)).toEqual(left.map((_, at) => 3_000 + at));
  expect(faults.map(({ code, details }) => [code, details['log'], details['count']])).toContainEqual([
    'ROWS_CUT_OFF',
    'alarm-log',
    12 - left.length,
  ]);
});

test('rows of a Vigil that kept no sums are served, and get one when they are written again', async () => {
  using folder = openFolder();
  const database = new DatabaseSync(join(folder.path, 'rows.db'));
  for (const step of migrations.slice(0, 2)) database.exec(step);
  database.exec('PRAGMA user_version = 2');
  database
    .prepare('INSERT INTO wards VALUES (?, ?)')
    .run('icu', JSON.stringify({ id: 'icu', name: 'ICU', profile: 'adult' }));
  database.close();
  const { rows, codes } = await open(folder.path);
  expect(await rows.load('wards')).toEqual([{ id: 'icu', name: 'ICU', profile: 'adult' }]);
  await rows.put('wards', { id: 'icu', name: 'Intensive', profile: 'adult' });
  expect((await rows.load('wards'))[0]?.name).toBe('Intensive');
  expect(codes()).toEqual([]);
});
