// Goal: the backlog keeps its rate on the mean, and what is live never waits for it.
// Way: the account on a virtual clock; then a real journal whose backlog has spent its account at once.
import { expect, test } from 'vitest';
import { Pace } from '../../journal/pace.ts';
import { virtualClock } from '../house/virtual-clock.ts';
import { append, factsOf, folderRoom, openRoom, sinkRoom, until } from './room.ts';

test('without a rate all may go', () => {
  const pace = new Pace(undefined, virtualClock());
  pace.spend(1e9);
  expect(pace.mayGo).toBe(true);
});

test('what is given at the rate is the rate, however the batches are cut', () => {
  for (const batch of [1, 90, 700, 5_000]) {
    const clock = virtualClock();
    const pace = new Pace(1_000, clock);
    let given = 0;
    for (let ms = 0; ms < 60_000; ms += 200) {
      while (pace.mayGo) {
        pace.spend(batch);
        given += batch;
      }
      clock.passSync(200);
    }
    // A burst of half a second at the begin, and the one batch that overdraws.
    expect(given).toBeGreaterThanOrEqual(60_000);
    expect(given).toBeLessThanOrEqual(60_500 + batch);
  }
});

test('a long pause saves up no more than half a second', () => {
  const clock = virtualClock();
  const pace = new Pace(1_000, clock);
  clock.passSync(3_600_000);
  pace.spend(500);
  expect(pace.mayGo).toBe(false);
});

test('while the backlog waits for its rate, every live batch goes at once and in order', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  const settled = (number: number, atMs: number) =>
    append(open.journal, 'numerics', `n${number}`, { facts: factsOf(1_000, atMs) });
  for (let number = 0; number < 20; number++) await settled(number, 1_000);
  // The first backlog batch overdraws the account for an hour and a half.
  const sink = sinkRoom(open.journal, { id: 'store', backlogPerS: 1 });
  await sink.reached(1);
  for (let number = 20; number < 60; number++) await settled(number, Date.now());
  await sink.reached(41);
  await until(async () => (await open.journal.stat()).sinks.store?.undeliveredBatches === 19);
  const lanes = sink.batches.map(({ lane, number }) => `${lane} ${number}`);
  expect(lanes).toEqual(['backlog 0', ...Array.from({ length: 40 }, (_, index) => `live ${20 + index}`)]);
});
