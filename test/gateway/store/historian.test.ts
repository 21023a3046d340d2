import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { MessagePort } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { defaultBounds } from '../../../gateway/store/historian-protocol.ts';
import { openHistorian } from '../../../gateway/store/historian.ts';
import { packRecords } from '../../../journal/record-batch.ts';
import type { SinkAnswer, SinkBatch, SinkSpec } from '../../../journal/types.ts';
import type { Fault } from '../../../model/fault.ts';
import { bodyOf, numberRow } from './bodies.ts';
import { openFolder, until } from './folder.ts';
import { clock, countOf, everything, heart, keep, openRoom } from './room.ts';

test('what the journal has kept is found by range, latest and aggregate a moment later', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  const atMs = Math.floor(clock.nowMs() / 60_000) * 60_000;
  await keep(room.journal, atMs);
  await until('ten rows', async () => (await countOf(room.historian)) === 10);

  expect(await room.historian.latest(['mx-1', 'nobody'])).toMatchObject([
    { value: 69, takenAtMs: atMs + 9_000 },
  ]);
  expect(await room.historian.aggregate(everything, 60_000)).toEqual([
    {
      device: 'mx-1',
      metric: heart,
      fromMs: atMs,
      count: 10,
      min: 60,
      mean: 64.5,
      median: 64.5,
      max: 69,
      last: 69,
    },
  ]);
  await until(
    'no lag',
    () => room.historian.status().lagMs === 0 && room.historian.status().storedObservations === 10,
  );
  expect(room.faults).toEqual([]);
});

test('a batch of whole messages is passed by and does not come again', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  const body = packRecords([{ head: { topic: 'alerts' }, payload: Buffer.from('{}') }]);
  const facts = { messages: 1, observations: 0, firstAtMs: clock.nowMs(), lastAtMs: clock.nowMs() };
  await new Promise((resolve) => room.journal.append('alarm', body, facts, resolve));
  await until('it was taken', async () => {
    await room.historian.flush();
    return (await room.journal.stat()).sinks['historian']?.undeliveredBatches === 0;
  });
  expect(room.faults).toEqual([]);
});

test('a worker that dies before, at and after writing keeps every observation once', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path, { headObservations: 25, compactBlocks: 3 });
  const atMs = clock.nowMs() - 30_000;
  for (let round = 0; round < 12; round++) {
    await keep(room.journal, atMs + round * 10_000);
    if (round % 3 === 1) await room.historian.killWorker();
    if (round % 4 === 2) await room.historian.flush().catch(() => undefined);
  }
  await until('all rows', async () => {
    try {
      return (await countOf(room.historian)) === 120;
    } catch (error) {
      if ((error as Fault).code === 'STORE_READ') return false;
      throw error;
    }
  });
  await room.historian.flush();
  await room.historian.compact();
  expect(await countOf(room.historian)).toBe(120);
  expect(room.historian.status().storedObservations).toBe(120);
  expect(room.faults.map((fault) => fault.code)).toContain('WORKER_ENDED');
});

test('a question to a worker that dies is refused at once, in words', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  const asked = room.historian.range(everything, { limit: 10 });
  const killed = room.historian.killWorker();
  await expect(
    asked.then(
      () => 'answered',
      (fault: Fault) => fault.code,
    ),
  ).resolves.toMatch(/STORE_READ|answered/);
  await killed;
  await expect(room.historian.latest(['mx-1'])).rejects.toMatchObject({ code: 'STORE_READ' });
});

test('when the reader of the journal dies the historian joins anew, with what it holds, and takes nothing twice', async () => {
  using folder = openFolder();
  const joined: { spec: SinkSpec; port: MessagePort; taken: number[] }[] = [];
  const historian = await openHistorian({
    folder: folder.path,
    clock,
    told: (fault) => {
      throw fault;
    },
    journal: {
      epoch: 'e1',
      closed: false,
      stat: () => new Promise(() => undefined),
      attach: (spec, port) => {
        const taken: number[] = [];
        joined.push({ spec, port, taken });
        port.on('message', (answer: SinkAnswer) => answer.kind === 'taken' && taken.push(answer.number));
      },
    },
  });
  const give = (to: MessagePort, number: number): void => {
    const { body, facts } = bodyOf([[numberRow('mx-1', heart, 1_000 * number, 70, 1_000_000 + number)]]);
    to.postMessage({
      kind: 'batch',
      klass: 'numerics',
      number,
      lane: 'live',
      body,
      facts,
    } satisfies SinkBatch);
  };
  try {
    const first = await until('it joined', () => joined[0]);
    expect(first.spec).toMatchObject({ kind: 'twoLane', delivered: { alarm: [], numerics: [] } });
    give(first.port, 0);
    await until('taken', () => first.taken.length === 1);
    await historian.flush();
    give(first.port, 1);
    await until('taken', () => first.taken.length === 2);
    first.port.close();

    const second = await until('it joined again', () => joined[1]);
    expect(second.spec.delivered).toEqual({ alarm: [], numerics: [[0, 1]] });
    give(second.port, 1);
    give(second.port, 2);
    await until('taken', () => second.taken.length === 2);
    expect(await countOf(historian)).toBe(3);
    expect(joined).toHaveLength(2);
  } finally {
    await historian.close();
    for (const { port } of joined) port.close();
  }
});

test('after a restart nothing is read again and nothing is missing', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  await keep(room.journal, clock.nowMs());
  await until('ten rows', async () => (await countOf(room.historian)) === 10);
  await room.reopen();
  await keep(room.journal, clock.nowMs() + 20_000);
  await until('twenty rows', async () => (await countOf(room.historian)) === 20);
  expect(room.historian.status().series).toBe(1);
});

test('a damaged database is told, set aside, and filled again with what the journal still has', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  await keep(room.journal, clock.nowMs());
  await until('ten rows', async () => (await countOf(room.historian)) === 10);
  await room.historian.close();
  const path = join(folder.path, 'store', 'historian.db');
  writeFileSync(path, readFileSync(path).fill(0x41, 0, 4_096));
  await room.reopen();
  await until('ten rows again', async () => (await countOf(room.historian)) === 10);
  expect(room.faults.map((fault) => fault.code)).toEqual(['DATABASE_CORRUPT']);
  expect(room.historian.status().fault?.code).toBe('DATABASE_CORRUPT');
  expect(readdirSync(join(folder.path, 'store')).filter((name) => name.includes('damaged'))).not.toEqual([]);
});

test('a flipped byte in a chunk is found and told, and the rest is served', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  await keep(room.journal, Date.UTC(2026, 0, 5, 10));
  await keep(room.journal, Date.UTC(2026, 0, 5, 12));
  await until('twenty rows', async () => (await countOf(room.historian)) === 20);
  await room.historian.flush();
  await room.historian.compact();
  await room.historian.close();
  const database = new DatabaseSync(join(folder.path, 'store', 'historian.db'));
  const { id, body } = database.prepare('SELECT id, body FROM chunks LIMIT 1').get() as {
    id: number;
    body: Uint8Array;
  };
  body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
  database.prepare('UPDATE chunks SET body = ? WHERE id = ?').run(body, id);
  database.close();
  await room.reopen();
  expect(await countOf(room.historian)).toBe(10);
  expect(room.faults.map((fault) => fault.code)).toEqual(['STORE_CORRUPT']);
});

test('a store written by a newer Vigil is refused in words', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  await room.historian.close();
  const database = new DatabaseSync(join(folder.path, 'store', 'historian.db'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  await expect(
    openHistorian({
      folder: join(folder.path, 'store'),
      journal: room.journal,
      clock,
      told: () => undefined,
    }),
  ).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
});

test('a folder that cannot hold a database refuses the start in words', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path);
  const path = join(folder.path, 'other');
  mkdirSync(join(path, 'historian.db'), { recursive: true });
  await expect(
    openHistorian({ folder: path, journal: room.journal, clock, told: () => undefined }),
  ).rejects.toMatchObject({ code: 'DATABASE_OPEN' });
});

test('what is older than the retention is deleted, and a series of which nothing is left is forgotten', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path, {
    retention: { ...defaultBounds.retention, vital: 3_600_000 },
  });
  await keep(room.journal, clock.nowMs() - 7_200_000);
  await until('ten rows', async () => (await countOf(room.historian)) === 10);
  await room.historian.flush();
  await room.historian.compact();
  await room.historian.expire();
  expect(await countOf(room.historian)).toBe(0);
  await until(
    'no series',
    () => room.historian.status().series === 0 && room.historian.status().storedObservations === 0,
  );
  expect(room.historian.status().expiredObservations).toBe(10);
});

test('figures for more intervals than can be given are refused in words', async () => {
  using folder = openFolder();
  await using room = await openRoom(folder.path, { aggregateRows: 5 });
  await keep(room.journal, clock.nowMs());
  await until('ten rows', async () => (await countOf(room.historian)) === 10);
  await expect(room.historian.aggregate(everything, 1_000)).rejects.toMatchObject({ code: 'STORE_TOO_MUCH' });
  await expect(room.historian.range(everything, { limit: 5, after: 'bm9uZQ' })).rejects.toMatchObject({
    code: 'STORE_CURSOR',
  });
});
