import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startInfluxd } from '../../bench/time-series-servers.ts';
import { until } from '../gateway/store/folder.ts';
import { openServerRoom, settingsOf } from '../gateway/store/servers/room.ts';
import { confirm, expectStored, query } from './time-series-oracle.ts';

// InfluxDB 1.x from Debian is killed, frozen, locked and away; what the journal confirmed must be there, each once.

const backlogAtMs = 1_763_740_800_000;
const devices = ['mx-1', 'mx-2', 'mx-3', 'mx-4'];
const pauseMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('InfluxDB killed in the middle of batches, again and again, has every confirmed observation once', async () => {
  await using server = await startInfluxd();
  await query(server, 'CREATE DATABASE vigil');
  await using room = await openServerRoom([
    settingsOf({ url: server.url, requestLines: 500, backlogPerS: 1_000_000 }),
  ]);
  const count = 10_000;
  const work = confirm(room, { devices, fromSeq: 0, count, perBatch: 50, atMs: backlogAtMs });
  for (let kills = 0; kills < 4; kills++) {
    const before = room.sink().stored;
    await until('some were stored', () => room.sink().stored > before || room.sink().stored === count * 4);
    await server.stop('SIGKILL');
    await pauseMs(100);
    await server.start();
    await until('it delivers again', () => room.sink().state === 'delivering');
  }
  await work;
  await room.settled(60_000);
  await expectStored(server, devices, count);
  expect(await room.losses()).toEqual([]);
});

test('InfluxDB away while values arrive, and away again during the catch-up, has every one once', async () => {
  await using server = await startInfluxd();
  await query(server, 'CREATE DATABASE vigil');
  await using room = await openServerRoom([settingsOf({ url: server.url, backlogPerS: 1_000_000 })]);
  await server.stop();
  const count = 40_000;
  await confirm(room, { devices, fromSeq: 0, count, perBatch: 100, atMs: backlogAtMs });
  await until('it waits', () => room.sink().state === 'waiting');
  expect(room.sink().stored).toBe(0);
  await server.start();
  await until('it catches up', () => room.sink().stored > 20_000);
  await server.stop('SIGKILL');
  await until('it waits again', () => room.sink().state === 'waiting');
  // Our own side dies too: worker, journal and all, and comes back.
  await room.reopen();
  await server.start();
  await room.settled(60_000);
  await expectStored(server, devices, count);
  expect(await room.losses()).toEqual([]);
});

test('InfluxDB that accepts and hangs is noticed by the deadline, and has every observation once afterwards', async () => {
  await using server = await startInfluxd();
  await query(server, 'CREATE DATABASE vigil');
  await using room = await openServerRoom([settingsOf({ url: server.url, deadlineMs: 500 })]);
  process.kill(server.pid, 'SIGSTOP');
  await confirm(room, { devices, fromSeq: 0, count: 500, perBatch: 100, atMs: Date.now() - 10_000 });
  await until('it waits', () => room.sink().state === 'waiting');
  expect(room.sink().fault).toMatchObject({
    code: 'SINK_AWAY',
    details: { cause: 'no answer within 500 ms' },
  });
  expect(room.servers.health()).toMatchObject([{ part: 'sink tsdb', status: 'red' }]);
  process.kill(server.pid, 'SIGCONT');
  await room.settled(30_000);
  await expectStored(server, devices, 500);
  await until('it is green', () => room.servers.health()[0]?.status === 'green');
});

test('a password refused for a while costs nothing, and its renewal is found by the sink itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-secret-'));
  try {
    await using server = await startInfluxd({ auth: true });
    await query(server, "CREATE USER vigil WITH PASSWORD 'first' WITH ALL PRIVILEGES");
    const asUser = async (statement: string, password: string): Promise<number> => {
      const answer = await fetch(`${server.url}/query?db=vigil&q=${encodeURIComponent(statement)}`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`vigil:${password}`).toString('base64')}` },
      });
      return answer.status;
    };
    expect(await asUser('CREATE DATABASE vigil', 'first')).toBe(200);
    const file = join(folder, 'password');
    writeFileSync(file, 'first');
    await using room = await openServerRoom([
      settingsOf({ url: server.url, user: 'vigil', secret: { file }, longQueries: true }),
    ]);
    const some = { devices: ['mx-1'], perBatch: 100, atMs: backlogAtMs };
    await confirm(room, { ...some, fromSeq: 0, count: 1_000 });
    await room.settled();
    expect(await asUser("SET PASSWORD FOR vigil = 'second'", 'first')).toBe(200);
    await confirm(room, { ...some, fromSeq: 1_000, count: 1_000 });
    await until('it pauses', () => room.sink().state === 'paused');
    expect(room.sink().fault).toMatchObject({ code: 'SINK_SECRET_REFUSED' });
    await confirm(room, { ...some, fromSeq: 2_000, count: 1_000 });
    expect(await room.losses()).toEqual([]);
    writeFileSync(file, 'second');
    await room.settled();
    const page = await room.servers.longStore?.range([{ device: 'mx-1', fromMs: 0, toMs: 4e12 }], {
      limit: 10_000,
    });
    expect(page?.rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 3_000 }, (_, seq) => seq));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what is live is delivered while a backlog waits, and does not wait for it', async () => {
  await using server = await startInfluxd();
  await query(server, 'CREATE DATABASE vigil');
  await using room = await openServerRoom([settingsOf({ url: server.url, backlogPerS: 2_000 })]);
  await server.stop();
  await confirm(room, { devices, fromSeq: 0, count: 10_000, perBatch: 50, atMs: backlogAtMs });
  await server.start();
  await until('it catches up', () => room.sink().stored > 0);
  const order: string[] = [];
  for (let second = 0; second < 5; second++) {
    const seq = second * 10;
    await confirm(room, {
      devices: ['live-1'],
      fromSeq: seq,
      count: 10,
      perBatch: 10,
      atMs: Date.now() - seq * 1_000,
    });
    await until('the live ones are there', async () => {
      const [row] = await query(server, `SELECT count("seq") FROM "vigil" WHERE "device" = 'live-1'`);
      return row?.[1] === seq + 10;
    });
    order.push(room.sink().undeliveredBatches > 0 ? 'before the backlog' : 'after the backlog');
  }
  expect(order).toEqual(Array.from({ length: 5 }, () => 'before the backlog'));
});
