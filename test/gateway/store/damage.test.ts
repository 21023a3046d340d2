import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { bodyOf, numberRow } from './bodies.ts';
import { breathe, openCore } from './core-room.ts';

// Goal: whatever byte of the store turns over, it is noticed and told with its stretch, nothing wrong is ever served,
// and the rest is.

const fromMs = Date.UTC(2026, 0, 5, 8);
const laterMs = fromMs + 5 * 3_600_000;
const heart = 'MDC_ECG_HEART_RATE';
const all = [{ device: 'mx-1', fromMs: 0, toMs: 1e15 }];

const minute = (atMs: number, device = 'mx-1') =>
  Array.from({ length: 60 }, (_, second) => [
    numberRow(device, heart, atMs + second * 1_000, 60 + second, atMs / 1_000 + second),
  ]);

/** Two chunks of one series, five hours apart, and one of another device. */
function openRoom() {
  const room = openCore();
  room.chunk([...minute(fromMs), ...minute(laterMs), ...minute(fromMs, 'mx-2')]);
  return room;
}
type Room = ReturnType<typeof openRoom>;

/** Changes rows of the closed database, as a disk would. */
function damage(room: Room, change: (database: DatabaseSync) => void, file = 'historian.db'): void {
  room.reopen(() => {
    const database = new DatabaseSync(join(room.folder, file));
    change(database);
    database.close();
  });
}

const flipped = (blob: unknown): Uint8Array => {
  const bytes = Uint8Array.from(blob as Uint8Array);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 4;
  return bytes;
};
const flip = (table: string, column: string, where: string) => (database: DatabaseSync) => {
  const row = database
    .prepare(`SELECT rowid AS place, ${column} AS bytes FROM ${table} WHERE ${where}`)
    .get();
  database
    .prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`)
    .run(flipped(row?.['bytes']), row?.['place'] as number);
};
const told = (room: Room) => room.faults.map(({ code, details }) => ({ code, ...details }));

test.each([
  ['values', 'body'],
  ['sources', 'sources'],
])(
  'a flipped byte in the %s of a chunk is told once with its stretch, and the rest is served',
  async (_, column) => {
    using room = openRoom();
    damage(room, flip('chunks', column, `series = 1 AND fromMs < ${laterMs}`));
    const expected = [laterMs, laterMs + 59_000];
    for (let again = 0; again < 2; again++) {
      const rows = await room.rows(all);
      expect([rows.at(0)?.takenAtMs, rows.at(-1)?.takenAtMs, rows.length]).toEqual([...expected, 60]);
    }
    expect(told(room)).toMatchObject([
      { code: 'STORE_CORRUPT', observations: 60, fromMs, toMs: fromMs + 59_000 },
    ]);

    room.core.setAside();
    expect(room.core.status().stored).toBe(120);
    room.reopen();
    expect(await room.rows(all)).toHaveLength(60);
    expect(room.faults).toHaveLength(1);
  },
);

test('a row that damage has moved to another series, time or length is not served as that', async () => {
  for (const [column, value] of [
    ['series', 2],
    ['fromMs', fromMs - 3_600_000],
    ['toMs', fromMs + 58_000],
    ['observations', 59],
  ] as const) {
    using room = openRoom();
    damage(room, (database) =>
      database.prepare(`UPDATE chunks SET ${column} = ? WHERE series = 1 AND fromMs = ?`).run(value, fromMs),
    );
    const rows = await room.rows([...all, { ...all[0], device: 'mx-2', fromMs: 0, toMs: 1e15 }]);
    expect(rows.filter(({ device }) => device === 'mx-2')).toHaveLength(60);
    expect(rows.filter(({ device }) => device === 'mx-1')).toHaveLength(60);
    expect(told(room)).toMatchObject([{ code: 'STORE_CORRUPT' }]);
  }
});

test.each(['body', 'directory'])(
  'a flipped byte in the %s of a fresh block is told, the others are served',
  async (column) => {
    using room = openRoom();
    const give = (number: number, atMs: number): void => {
      room.core.append('numerics', number, bodyOf(minute(atMs)).body);
      room.core.flush();
    };
    give(7, laterMs + 3_600_000);
    give(8, laterMs + 7_200_000);
    damage(room, flip('blocks', column, `fromMs = ${laterMs + 3_600_000}`));
    expect(await room.rows(all)).toHaveLength(180);
    while (!room.core.compactStep());
    expect(await room.rows(all)).toHaveLength(180);
    expect(told(room)).toMatchObject([
      { code: 'STORE_CORRUPT', observations: 60, fromMs: laterMs + 3_600_000 },
    ]);
  },
);

test('a device name that damage has changed makes nobody else’s series of it', async () => {
  using room = openRoom();
  damage(room, (database) => database.exec("UPDATE series SET device = 'mx-2' WHERE id = 1"));
  expect(await room.rows(all)).toEqual([]);
  expect(await room.rows([{ device: 'mx-2', fromMs: 0, toMs: 1e15 }])).toHaveLength(60);
  expect(told(room)).toMatchObject([
    { code: 'STORE_CORRUPT', observations: 120, fromMs, toMs: laterMs + 59_000 },
  ]);
  room.reopen();
  expect(room.faults).toHaveLength(1);
});

test('a newest value that damage has changed is left out and told', async () => {
  using room = openRoom();
  damage(room, (database) => database.exec('UPDATE latest SET value = 250 WHERE series = 1'));
  expect(room.core.latest(['mx-1']).names).toEqual([]);
  expect(await room.rows(all)).toHaveLength(120);
  expect(told(room)).toMatchObject([{ code: 'STORE_CORRUPT', observations: 1, fromMs: laterMs + 59_000 }]);
});

test('positions that damage has changed are not believed: the journal is read again and nothing stored twice', async () => {
  using room = openRoom();
  damage(room, (database) => database.exec('UPDATE delivered SET toNumber = toNumber + 1000'));
  expect(room.core.deliveredRanges().numerics).toEqual([]);
  room.chunk(minute(fromMs));
  expect(await room.rows(all)).toHaveLength(120);
});

test('how far compaction had come, if damaged, hides nothing', async () => {
  using room = openRoom();
  room.core.append('numerics', 7, bodyOf(minute(laterMs + 3_600_000)).body);
  room.core.flush();
  damage(room, (database) =>
    database.exec(
      `UPDATE meta SET value = '1\n{"throughBlock":99,"beforeSeries":99}' WHERE name = 'compacted'`,
    ),
  );
  expect(await room.rows(all)).toHaveLength(180);
});

test('a correction that damage has changed is not laid over anything, and is told', async () => {
  using room = openRoom();
  const name = { device: 'mx-1', metric: heart, takenAtMs: fromMs, boot: 'b1', seq: fromMs / 1_000 };
  room.core.correct({ ...name, by: 'anna', atMs: laterMs, why: 'the lead was off', now: { value: 99 } });
  damage(room, (database) => database.exec(`UPDATE corrections SET now = '{"value":9}'`), 'corrections.db');
  expect((await room.rows(all))[0]).toMatchObject({ value: 60 });
  expect(told(room)).toMatchObject([{ code: 'STORE_CORRUPT', observations: 1, fromMs }]);
});

test('a flipped byte in the write-ahead log is noticed: what stood behind it is told as missing', async () => {
  using room = openRoom();
  room.core.checkpoint();
  for (let number = 7; number < 12; number++) {
    room.core.append('numerics', number, bodyOf(minute(laterMs + number * 60_000)).body);
    room.core.flush();
  }
  const path = join(room.folder, 'historian.db');
  // As after a cut of the power: the log was never brought into the file.
  const [database, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
  const frame = 4_096 + 24;
  const place = 32 + frame * Math.floor((log.length - 32) / frame / 2) + 100;
  log[place] = (log[place] ?? 0) ^ 1;
  room.reopen(() => {
    writeFileSync(path, database);
    writeFileSync(`${path}-wal`, log);
  });

  const kept = await room.rows(all);
  expect(kept.length).toBeGreaterThanOrEqual(120);
  expect(kept.length).toBeLessThan(120 + 300);
  expect(told(room)).toMatchObject([
    { code: 'STORE_CORRUPT', observations: 120 + 300 - kept.length, toMs: laterMs + 11 * 60_000 + 59_005 },
  ]);
});

test('a damaged page of the file is found at the start, and the file set aside', async () => {
  using room = openRoom();
  const path = join(room.folder, 'historian.db');
  room.reopen(() => {
    const bytes = readFileSync(path);
    bytes.fill(0x41, 4_096, 4_096 + 64);
    writeFileSync(path, bytes);
  });
  expect(told(room).map(({ code }) => code)).toContain('DATABASE_CORRUPT');
  room.chunk(minute(fromMs));
  expect((await room.rows(all)).length).toBeGreaterThanOrEqual(60);
  expect(statSync(path).size).toBeGreaterThan(0);
  await room.core.aggregate({ spans: all, everyMs: 60_000 }, breathe);
});
