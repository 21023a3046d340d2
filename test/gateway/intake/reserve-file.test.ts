import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Loss } from '../../../gateway/intake/ledger.ts';
import { openReserve, readReserve } from '../../../gateway/intake/reserve-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'vigil-reserve-'));
afterAll(() => rmSync(folder, { recursive: true }));
const bytes = 128 * 1024;
let files = 0;
const newFile = (): string => join(folder, `reserve-${files++}`);
const loss = (device: string, observations = 1): Loss => ({
  device,
  metric: 'MDC_TEMP',
  fromMs: 1,
  toMs: 2,
  observations,
  why: 'unrecorded',
});

describe('the reserve file of the loss ledger', () => {
  test('is preallocated with real blocks, so that a full disk cannot keep an entry out', () => {
    const file = newFile();
    openReserve(file, bytes).close();
    const stat = statSync(file);
    expect(stat.size).toBe(bytes);
    expect(stat.blocks * 512).toBeGreaterThanOrEqual(bytes);
  });

  test('holds the newest entries, over a reopening too; none before the first', () => {
    const file = newFile();
    expect(readReserve(file, bytes)).toEqual([]);
    const reserve = openReserve(file, bytes);
    expect(readReserve(file, bytes)).toEqual([]);
    reserve.write([loss('a')]);
    reserve.write([loss('a'), loss('b')]);
    reserve.close();
    const again = openReserve(file, bytes);
    expect(readReserve(file, bytes)).toEqual([loss('a'), loss('b')]);
    again.write([]);
    expect(readReserve(file, bytes)).toEqual([]);
    again.close();
  });

  test('a write torn at any byte leaves the one before it whole', () => {
    const file = newFile();
    const reserve = openReserve(file, bytes);
    reserve.write([loss('before')]);
    const before = readFileSync(file);
    reserve.write([loss('after')]);
    reserve.close();
    const after = readFileSync(file);
    const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
    for (const cut of changed) {
      const torn = Buffer.from(before);
      after.copy(torn, changed[0] ?? 0, changed[0] ?? 0, cut);
      writeFileSync(file, torn);
      expect(readReserve(file, bytes)).toEqual([loss('before')]);
    }
  });

  test('a flipped byte in the newest half gives the older one, never nonsense', () => {
    const file = newFile();
    const reserve = openReserve(file, bytes);
    reserve.write([loss('older')]);
    reserve.write([loss('newer')]);
    reserve.close();
    const handle = openSync(file, 'r+');
    const at = readFileSync(file).indexOf('newer');
    writeSync(handle, 'N', at);
    closeSync(handle);
    expect(readReserve(file, bytes)).toEqual([loss('older')]);
  });

  test('more than fits keeps the largest and counts the rest in one line', () => {
    const file = newFile();
    const reserve = openReserve(file, bytes);
    const many = Array.from({ length: 5_000 }, (_, at) => loss(`device-${at}`, at));
    expect(reserve.write(many)).toBe(false);
    reserve.close();
    const kept = readReserve(file, bytes);
    const sum = (losses: readonly Loss[]): number =>
      losses.reduce((total, one) => total + one.observations, 0);
    expect(sum(kept)).toBe(sum(many));
    expect(kept.at(-1)).toMatchObject({ device: '*', metric: '*' });
    expect(kept[0]?.device).toBe('device-4999');
  });
});
