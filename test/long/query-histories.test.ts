import { afterAll, expect, test } from 'vitest';
import { playHistories } from '../gateway/query/histories.ts';
import { openStore } from '../gateway/query/store.ts';
import { openFolder } from '../gateway/store/folder.ts';

const folder = openFolder();
const store = openStore(folder.path, Date.UTC(2026, 0, 5));
afterAll(() => {
  store.close();
  folder[Symbol.dispose]();
});

test('a thousand random histories of a ward: nothing under the wrong patient, nothing missing, nothing doubled', async () => {
  const seed = Number(process.env['VIGIL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  expect(await playHistories(store, { runs: 1_000, seed })).toBeGreaterThan(100_000);
});
