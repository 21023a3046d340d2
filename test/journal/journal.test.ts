import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { append, factsOf, folderRoom, openRoom, recovered, sinkRoom, textOf, until } from './room.ts';

test('what was kept is there again after the next start, in order and with its numbers', async () => {
  using room = folderRoom();
  {
    await using open = await openRoom(room.folder);
    expect(open.journal.found).toEqual({ clean: true, damage: [], faults: [] });
    const settled = await Promise.all([
      append(open.journal, 'numerics', 'a'),
      append(open.journal, 'alarm', 'first alarm'),
      append(open.journal, 'numerics', 'b'),
    ]);
    expect(settled).toEqual([
      { outcome: 'kept', number: 0 },
      { outcome: 'kept', number: 0 },
      { outcome: 'kept', number: 1 },
    ]);
    expect(open.journal.pending).toEqual({ messages: 0, bytes: 0, oldestMs: 0 });
  }
  await using open = await openRoom(room.folder);
  expect(open.journal.found).toEqual({ clean: true, damage: [], faults: [] });
  expect(await recovered(open.journal)).toEqual(['alarm 0 first alarm', 'numerics 0 a', 'numerics 1 b']);
  expect(await append(open.journal, 'numerics', 'c')).toEqual({ outcome: 'kept', number: 2 });
});

test('the epoch stays with the folder', async () => {
  using room = folderRoom();
  using other = folderRoom();
  const epochs: string[] = [];
  for (const folder of [room.folder, room.folder, other.folder]) {
    await using open = await openRoom(folder);
    epochs.push(open.journal.epoch);
  }
  expect(epochs[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(epochs[1]).toBe(epochs[0]);
  expect(epochs[2]).not.toBe(epochs[0]);
});

test('a second opening of the same folder is refused in words', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  await expect(openRoom(room.folder)).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
  expect(await append(open.journal, 'numerics', 'still works')).toMatchObject({ outcome: 'kept' });
});

test('a sink gets what is kept from memory, and delivered segments go', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder, { segmentBytes: 8192, maxBytes: 1 << 20 });
  const sink = sinkRoom(open.journal, { id: 'store' });
  for (let index = 0; index < 50; index++) {
    await append(open.journal, 'numerics', `n${index}`, { length: 2000, facts: factsOf(1, Date.now()) });
  }
  await sink.reached(50);
  expect(sink.batches.map((batch) => textOf(batch.body))).toEqual(
    Array.from({ length: 50 }, (_, index) => `n${index}`),
  );
  expect(new Set(sink.batches.map((batch) => batch.lane))).toEqual(new Set(['live']));
  await until(async () => (await open.journal.stat()).classes.numerics.segments === 1);
  expect(readdirSync(room.folder).filter((file) => file.endsWith('.segment'))).toHaveLength(1);
  expect((await open.journal.stat()).sinks).toEqual({ store: { undeliveredBatches: 0 } });
});

test('recovery begins at the newest snapshot, with the bodies it does not cover behind it', async () => {
  using room = folderRoom();
  let taken = 0;
  const snapshot = (): Uint8Array => new TextEncoder().encode(`snapshot ${taken}`);
  {
    await using open = await openRoom(room.folder, { segmentBytes: 8192, snapshot });
    for (let index = 0; index < 20; index++) {
      await append(open.journal, 'numerics', `n${index}`, { length: 2000 });
      taken = index + 1;
    }
  }
  await using open = await openRoom(room.folder, { snapshot });
  const lines = await recovered(open.journal);
  expect(lines[0]).toMatch(/^numerics -1 snapshot \d+$/);
  const covered = Number(lines[0]?.split(' ').at(-1));
  expect(lines.slice(1)).toEqual(
    Array.from({ length: 20 - covered }, (_, index) => `numerics ${covered + index} n${covered + index}`),
  );
  expect(covered).toBeGreaterThan(15);
});
