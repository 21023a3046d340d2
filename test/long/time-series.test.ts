import { expect, test } from 'vitest';
import { startInfluxd } from '../../bench/time-series-servers.ts';
import { until } from '../gateway/store/folder.ts';
import { openServerRoom, settingsOf } from '../gateway/store/servers/room.ts';
import { confirm, expectStored, query } from '../chaos/time-series-oracle.ts';

test('InfluxDB away while two million values arrive, and away again during the catch-up, has every one once', async () => {
  await using server = await startInfluxd();
  await query(server, 'CREATE DATABASE vigil');
  await using room = await openServerRoom([settingsOf({ url: server.url, backlogPerS: 10_000_000 })]);
  await server.stop('SIGKILL');
  const devices = ['mx-1', 'mx-2', 'mx-3', 'mx-4'];
  const count = 500_000;
  await confirm(room, { devices, fromSeq: 0, count, perBatch: 500, atMs: 1_700_000_000_000 });
  await until('it waits', () => room.sink().state === 'waiting');
  await server.start();
  for (let aways = 0; aways < 3; aways++) {
    const before = room.sink().stored;
    await until('it catches up', () => room.sink().stored > before + 200_000);
    await server.stop('SIGKILL');
    await until('it waits again', () => room.sink().state === 'waiting');
    await server.start();
  }
  await room.settled(300_000);
  await expectStored(server, devices, count);
  expect(await room.losses()).toEqual([]);
});
