import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Fault } from '../../model/fault.ts';
import { act, alarm, loss, open } from '../gateway/rows/desk.ts';
import { openFolder, until } from '../gateway/store/folder.ts';
import { clock, countOf, keep, openRoom } from '../gateway/store/room.ts';

// Small disks of memory, mounted as root.

test('a full disk stops the writing, not the answers, and everything is written when there is room', async () => {
  using folder = openFolder();
  const disk = join(folder.path, 'store');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk]);
  try {
    await using room = await openRoom(folder.path, { headObservations: 100 });
    writeFileSync(join(disk, 'full'), Buffer.alloc(11 << 20));
    try {
      for (let block = 0; ; block++) writeFileSync(join(disk, `full-${block}`), Buffer.alloc(4_096));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
    const atMs = clock.nowMs() - 15_000;
    for (let batch = 0; batch < 30; batch++) await keep(room.journal, atMs);
    await until('the fault is shown', () => room.historian.status().fault?.code === 'STORE_WRITE');
    // Memory is full with 100; the rest waits in the journal's window and is no loss.
    expect(await countOf(room.historian)).toBe(100);
    await until('the lag shows', () => room.historian.status().lagMs > 0);
    execFileSync('sh', ['-c', `rm ${disk}/full*`]);
    await until('all rows', async () => (await countOf(room.historian)) === 300);
    await until('the fault is gone', () => room.historian.status().fault === undefined);
    await until('no lag', () => room.historian.status().lagMs === 0);
    expect(room.faults.map((fault) => fault.code)).toEqual(['STORE_WRITE']);
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

test('a full disk refuses rows, keeps log entries in line, and writes them in order when there is room', async () => {
  using folder = openFolder();
  const disk = join(folder.path, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]);
  try {
    const { rows, codes } = await open(disk, { mostWaiting: 40 });
    await rows.append('alarm-log', { atMs: 0, event: 'raised', alarm: alarm('a-0', 'b-1') });
    writeFileSync(join(disk, 'full'), Buffer.alloc(1 << 20));
    try {
      for (let block = 0; ; block++) writeFileSync(join(disk, `full-${block}`), Buffer.alloc(4_096));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
    const wide = { note: 'x'.repeat(100_000) };
    await expect(rows.put('settings', { id: 'wide', value: wide })).rejects.toMatchObject({
      code: 'ROWS_WRITE',
    });
    const entry = (atMs: number) => ({
      atMs,
      event: 'raised',
      alarm: alarm(`a-${atMs}`, 'b-1'),
      details: wide,
    });
    const waiting = Array.from({ length: 5 }, (_, at) => rows.append('alarm-log', entry(at + 1)));
    const audited = rows.append('audit', act(1));
    await until('the fault is shown', () => rows.status().fault?.code === 'ROWS_WRITE');
    expect(rows.status().waiting).toBe(6);
    await expect(rows.put('settings', { id: 'wide', value: wide })).rejects.toMatchObject({
      code: 'ROWS_WRITE',
    });
    const many = Array.from({ length: 40 }, (_, at) =>
      rows.append('losses', loss(at)).catch((fault: Fault) => fault.code),
    );
    execFileSync('sh', ['-c', `rm ${disk}/full*`]);
    expect(await Promise.all(waiting)).toEqual([2, 3, 4, 5, 6]);
    expect(await audited).toBe(1);
    expect((await Promise.all(many)).filter((outcome) => outcome === 'ROWS_OVERFLOW')).toHaveLength(6);
    await rows.put('settings', { id: 'wide', value: 1 });
    await until('the fault is gone', () => rows.status().fault === undefined);
    expect((await rows.read('alarm-log', { limit: 10 })).map(({ entry: { atMs } }) => atMs)).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    expect(codes()).toContain('ROWS_WRITE');
    await rows.close();
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});
