// Goal: a start finds what happened to the folder, says it once, and goes on with the rest.
// Way: real folders, spoilt between two openings.
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import type { JournalOptions } from '../../journal/types.ts';
import { append, caughtUp, factsOf, folderRoom, openRoom, recovered, sinkRoom } from './room.ts';

const files = (folder: string, like: RegExp): string[] =>
  readdirSync(folder).filter((file) => like.test(file));

/** Numerics n0 to n(count − 1) in segments of two, in a folder then closed. */
async function filled(folder: string, count: number, options: Partial<JournalOptions> = {}): Promise<void> {
  await using open = await openRoom(folder, { segmentBytes: 4_096, maxBytes: 1 << 22, ...options });
  for (let index = 0; index < count; index++) {
    const facts = factsOf(index + 1, 1_000 + index);
    expect(await append(open.journal, 'numerics', `n${index}`, { length: 1_500, facts })).toMatchObject({
      outcome: 'kept',
    });
  }
}

function spoil(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}

const flip = (bytes: Buffer, at: number): void => {
  bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at);
};

test('damage is found with its content and the sinks that miss it, told once, and the rest is served', async () => {
  using room = folderRoom();
  await filled(room.folder, 6);
  const [, second = ''] = files(room.folder, /^numerics/).toSorted();
  spoil(join(room.folder, second), (bytes) => bytes.fill(0x55, bytes.indexOf('n2'), bytes.indexOf('n2') + 9));
  {
    await using open = await openRoom(room.folder);
    expect(open.journal.found).toMatchObject({
      clean: false,
      damage: [
        {
          klass: 'numerics',
          fromNumber: 2,
          toNumber: 3,
          messages: 3,
          observations: 18,
          why: 'corrupt',
          sinks: [],
        },
      ],
      faults: [{ code: 'JOURNAL_CORRUPT', details: { segment: second } }],
    });
    const sink = sinkRoom(open.journal, { id: 'store' });
    await sink.reached(5);
    expect(sink.batches.map((batch) => batch.number)).toEqual([0, 1, 3, 4, 5]);
    expect(await recovered(open.journal)).toEqual([0, 1, 3, 4, 5].map((n) => `numerics ${n} n${n}`));
    expect(open.losses).toEqual([]);
  }
  await using open = await openRoom(room.folder);
  expect(open.journal.found.damage).toEqual([]);
});

test('a sink that had the damaged batch already is not named', async () => {
  using room = folderRoom();
  {
    await using open = await openRoom(room.folder);
    for (const text of ['a', 'b', 'c']) await append(open.journal, 'numerics', text);
    const store = sinkRoom(open.journal, { id: 'store' });
    await store.reached(3);
    const influx = sinkRoom(
      open.journal,
      { id: 'influx', window: { batches: 1, bytes: 1 << 20 } },
      'nothing',
    );
    await influx.reached(1);
    await caughtUp(open.journal, 'store', 3);
  }
  const [file = ''] = files(room.folder, /^numerics/);
  spoil(join(room.folder, file), (bytes) => bytes.fill(1, bytes.indexOf('b\0'), bytes.indexOf('b\0') + 2));
  await using open = await openRoom(room.folder);
  expect(open.journal.found.damage).toMatchObject([{ fromNumber: 1, toNumber: 2, sinks: ['influx'] }]);
});

test('with the newest snapshot damaged, the one before it and the bodies behind it serve', async () => {
  using room = folderRoom();
  let taken = 0;
  const snapshot = (): Uint8Array => Buffer.from(`covers ${taken++}`);
  await filled(room.folder, 6, { snapshot });
  const last =
    files(room.folder, /^numerics/)
      .toSorted()
      .at(-1) ?? '';
  spoil(join(room.folder, last), (bytes) => bytes.fill(0, 340, 343));
  await using open = await openRoom(room.folder, { snapshot });
  expect(open.journal.found).toMatchObject({ damage: [], faults: [{ code: 'JOURNAL_CORRUPT' }] });
  expect(await recovered(open.journal)).toEqual([
    'numerics -1 covers 1',
    ...[2, 3, 4, 5].map((n) => `numerics ${n} n${n}`),
  ]);
});

test.each([
  ['journal.json', (text: string) => JSON.stringify({ ...(JSON.parse(text) as object), format: 99 })],
  [
    'positions',
    (text: string) => {
      const json = text.split('\n')[1]?.replace('"version":1', '"version":99') ?? '';
      return `${crc32(json).toString(16).padStart(8, '0')}\n${json}\n`;
    },
  ],
])('a newer %s is refused in words, and nothing is changed', async (file, newer) => {
  using room = folderRoom();
  await filled(room.folder, 2);
  const path = join(room.folder, file);
  writeFileSync(path, newer(readFileSync(path, 'utf8')));
  await expect(openRoom(room.folder)).rejects.toMatchObject({
    code: 'FORMAT_TOO_NEW',
    details: { found: 99 },
  });
  // The lock was let go: the newer program may open it.
  await expect(openRoom(room.folder)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
});

test.each([
  ['segment', /^numerics/, 252],
  ['head', /^head/, 508],
])('a newer %s is refused in words', async (_what, like, crcAt) => {
  using room = folderRoom();
  await filled(room.folder, 2);
  const [file = ''] = files(room.folder, like);
  spoil(join(room.folder, file), (bytes) => {
    for (let at = 0; at + crcAt + 4 <= bytes.length; at += 4_096) {
      bytes.writeUInt32LE(99, at + 4);
      bytes.writeUInt32LE(crc32(bytes.subarray(at, at + crcAt)), at + crcAt);
      if (like.test('numerics')) break;
    }
  });
  await expect(openRoom(room.folder)).rejects.toMatchObject({
    code: 'FORMAT_TOO_NEW',
    details: { found: 99 },
  });
});

test('a damaged journal.json costs nothing: the segments know their epoch', async () => {
  using room = folderRoom();
  await filled(room.folder, 2);
  const epoch = (JSON.parse(readFileSync(join(room.folder, 'journal.json'), 'utf8')) as { epoch: string })
    .epoch;
  spoil(join(room.folder, 'journal.json'), (bytes) => flip(bytes, bytes.indexOf(epoch)));
  await using open = await openRoom(room.folder);
  expect(open.journal.epoch).toBe(epoch);
  expect(open.journal.found).toMatchObject({
    damage: [],
    faults: [{ details: { segment: 'journal.json' } }],
  });
  expect(await recovered(open.journal)).toHaveLength(2);
});

test('with the positions damaged everything is delivered again, and nothing is called lost', async () => {
  using room = folderRoom();
  const options = { segmentBytes: 4_096, maxBytes: 1 << 22 };
  {
    await using open = await openRoom(room.folder, options);
    const sink = sinkRoom(open.journal, { id: 'store' });
    for (let index = 0; index < 9; index++)
      await append(open.journal, 'numerics', `n${index}`, { length: 1_500 });
    await sink.reached(9);
    await caughtUp(open.journal, 'store', 9);
  }
  spoil(join(room.folder, 'positions'), (bytes) => flip(bytes, 40));
  await using open = await openRoom(room.folder, options);
  expect(open.journal.found).toMatchObject({ damage: [], faults: [{ details: { segment: 'positions' } }] });
  const { oldestNumber } = (await open.journal.stat()).classes.numerics;
  expect(oldestNumber).toBeGreaterThan(0);
  const sink = sinkRoom(open.journal, { id: 'store' });
  await sink.reached(9 - oldestNumber);
  await caughtUp(open.journal, 'store', 9);
});

test("another journal's segment is told and left alone", async () => {
  using room = folderRoom();
  using other = folderRoom();
  await filled(room.folder, 2);
  await filled(other.folder, 2);
  const [file = ''] = files(other.folder, /^numerics/);
  copyFileSync(join(other.folder, file), join(room.folder, file));
  await using open = await openRoom(room.folder);
  expect(open.journal.found).toMatchObject({ damage: [], faults: [{ details: { segment: file } }] });
  expect(await recovered(open.journal)).toHaveLength(2);
  expect(readFileSync(join(room.folder, file))).toEqual(readFileSync(join(other.folder, file)));
});

test('a start that was not preceded by a clean stop says so', async () => {
  using room = folderRoom();
  using copy = folderRoom();
  await using open = await openRoom(room.folder);
  await append(open.journal, 'numerics', 'a');
  for (const file of readdirSync(room.folder)) {
    if (file !== 'lock') copyFileSync(join(room.folder, file), join(copy.folder, file));
  }
  await using again = await openRoom(copy.folder);
  expect(again.journal.found).toEqual({ clean: false, damage: [], faults: [] });
  expect(await recovered(again.journal)).toEqual(['numerics 0 a']);
});

test('everything taken away but the heads is a loss of everything, with its exact content', async () => {
  using room = folderRoom();
  await filled(room.folder, 5);
  for (const file of files(room.folder, /segment$/)) rmSync(join(room.folder, file));
  await using open = await openRoom(room.folder);
  expect(open.journal.found.damage).toMatchObject([
    { fromNumber: 0, toNumber: 5, messages: 15, observations: 90, lastAtMs: 1_004, why: 'missing' },
  ]);
  expect(await append(open.journal, 'numerics', 'goes on')).toEqual({ outcome: 'kept', number: 5 });
});
