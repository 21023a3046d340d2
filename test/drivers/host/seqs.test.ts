import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { blockSize, openSeqs, type Seqs } from '../../../drivers/host/seqs.ts';
import { systemChance } from '../../../model/ids.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'vigil-seqs-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (more: Partial<Parameters<typeof openSeqs>[0]> = {}): Promise<Seqs> =>
  openSeqs({
    folder,
    epoch: 'epoch1',
    chance: systemChance(),
    rebooted: () => {},
    failed: () => {},
    ...more,
  });

test('numbers follow each other within a start, and a start after a crash uses none again', async () => {
  const first = await open();
  await first.open('d');
  const used: number[] = [];
  for (let round = 0; round < 10; round++) {
    for (let n = 0; n < 2_345; n++) used.push(first.take('d'));
    // A disk slower than half a block would be a fault of its own; here it is only waited for.
    await first.open('d');
  }
  expect(used).toEqual(used.map((_, index) => index));
  // A crash: nothing is closed.
  const second = await open();
  await second.open('d');
  expect(second.boot).toBe(first.boot);
  expect(second.take('d')).toBeGreaterThan(used.at(-1) ?? Infinity);
});

test('each counter has its own numbers', async () => {
  const seqs = await open();
  await seqs.open('a');
  await seqs.open('b');
  expect([seqs.take('a'), seqs.take('a'), seqs.take('b')]).toEqual([0, 1, 0]);
});

test('a number is used only when its block is on disk', async () => {
  const seqs = await open();
  await seqs.open('d');
  seqs.take('d');
  const kept = JSON.parse(readFileSync(join(folder, 'seqs.json'), 'utf8')) as { reserved: { d: number } };
  expect(kept.reserved.d).toBe(blockSize);
});

test('a new journal, a lost or a damaged file each begin a boot of their own', async () => {
  const boots = new Set([(await open()).boot]);
  const first = await open();
  await first.open('d');
  boots.add(first.boot);
  writeFileSync(join(folder, 'seqs.json'), '{"version":1,');
  boots.add((await open()).boot);
  boots.add((await open({ epoch: 'epoch2' })).boot);
  boots.add((await open({ epoch: undefined })).boot);
  expect(boots.size).toBe(5);
});

test('when the disk refuses, numbering goes on under a boot of memory alone', async () => {
  let told = 0;
  const faults: unknown[] = [];
  const blocked = join(folder, 'file');
  writeFileSync(blocked, '');
  const seqs = await open({
    folder: join(blocked, 'below'),
    rebooted: () => told++,
    failed: (cause) => faults.push(cause),
  });
  const before = seqs.boot;
  await seqs.open('d');
  expect(faults).toHaveLength(1);
  const numbers = [seqs.take('d'), seqs.take('d')];
  expect(numbers).toEqual([0, 1]);
  expect(told).toBe(1);
  expect(seqs.boot).not.toBe(before);
});
