import { afterAll, expect, test } from 'vitest';
import { openFolder } from '../store/folder.ts';
import { playHistories } from './histories.ts';
import { openStore } from './store.ts';

const folder = openFolder();
const store = openStore(folder.path, Date.UTC(2026, 0, 5));
afterAll(() => {
  store.close();
  folder[Symbol.dispose]();
});

test('forty random histories of a ward: nothing under the wrong patient, nothing missing, nothing doubled', async () => {
  const seed = Number(process.env['VIGIL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  expect(await playHistories(store, { runs: 40, seed })).toBeGreaterThan(1_000);
}, 120_000);
