// Goal: a full disk costs only what could not be written, says so, and recording goes on by itself once there is room.
// Way: the journal on a real tmpfs of 2 MB, filled by a file beside it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fault } from '../../model/fault.ts';
import { append, openRoom, recovered } from '../journal/room.ts';

let disk = '';
beforeAll(() => {
  disk = mkdtempSync(join(tmpdir(), 'vigil-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
});
afterAll(() => {
  execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});

const options = { segmentBytes: 1 << 18, maxBytes: 1 << 30 };

test('what was confirmed before, between and after a full disk is there, and nothing else is missed', async () => {
  const folder = join(disk, 'journal');
  mkdirSync(folder);
  const kept: string[] = [];
  let failed = 0;
  const write = async (journal: Parameters<typeof append>[0], text: string): Promise<boolean> => {
    const { outcome, number } = await append(journal, 'numerics', text, { length: 10_000 });
    if (outcome === 'kept') kept.push(`numerics ${number} ${text}`);
    else {
      expect(outcome).toMatchObject({
        code: 'JOURNAL_WRITE',
        details: { cause: 'ENOSPC' },
      } satisfies Partial<Fault>);
      failed++;
    }
    return outcome === 'kept';
  };
  {
    await using open = await openRoom(folder, options);
    for (let index = 0; index < 20; index++) expect(await write(open.journal, `before ${index}`)).toBe(true);
    expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(4 << 20))).toThrow('ENOSPC');

    for (let index = 0; failed < 30; index++) await write(open.journal, `full ${index}`);
    // Said when it began, not with every message.
    expect(open.faults.filter((fault) => fault.code === 'JOURNAL_WRITE').length).toBeLessThan(10);
    const segments = readdirSync(folder).filter((file) => file.endsWith('.segment'));
    expect(segments.length).toBeLessThan(10);

    rmSync(join(disk, 'filler'));
    for (let index = 0; index < 20; index++) expect(await write(open.journal, `after ${index}`)).toBe(true);
    expect(open.losses).toEqual([]);
  }
  await using open = await openRoom(folder, options);
  expect(open.journal.found).toEqual({ clean: true, damage: [], faults: [] });
  expect(await recovered(open.journal)).toEqual(kept);
});

test('a start on a full disk goes on, says that it cannot write, and records again when it can', async () => {
  const folder = join(disk, 'journal');
  expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(4 << 20))).toThrow('ENOSPC');
  await using open = await openRoom(folder, options);
  expect(await append(open.journal, 'alarm', 'not written', { length: 10_000 })).toMatchObject({
    number: -1,
  });
  expect(open.faults[0]).toMatchObject({ code: 'JOURNAL_WRITE' });
  rmSync(join(disk, 'filler'));
  expect(await append(open.journal, 'alarm', 'written')).toEqual({ outcome: 'kept', number: 0 });
});
