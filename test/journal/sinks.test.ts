// Goal: a sink gets every batch, what is young first, and no sink's silence costs memory or another sink.
// Way: real journals and real message ports; sinks that answer as each test tells them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Journal, SinkBatch } from '../../journal/types.ts';
import { append, caughtUp, factsOf, folderRoom, openRoom, sinkRoom, textOf, until } from './room.ts';

const old = 1_000;
const young = (): number => Date.now();

const fill = async (
  journal: Journal,
  from: number,
  to: number,
  atMs: number,
  length = 2_000,
): Promise<void> => {
  const all = Array.from({ length: to - from }, (_, index) =>
    append(journal, 'numerics', `n${from + index}`, { length, facts: factsOf(from + index + 1, atMs) }),
  );
  for (const { outcome } of await Promise.all(all)) expect(outcome).toBe('kept');
};
const numbers = (batches: readonly SinkBatch[], lane?: SinkBatch['lane']): number[] =>
  batches.filter((batch) => lane === undefined || batch.lane === lane).map((batch) => batch.number);
const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

test('a sink that answers nothing is given its window and not a batch more', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  const sink = sinkRoom(open.journal, { id: 'mute', window: { batches: 3, bytes: 1 << 20 } }, 'nothing');
  await fill(open.journal, 0, 20, young());
  const narrow = sinkRoom(open.journal, { id: 'narrow', window: { batches: 9, bytes: 4_500 } }, 'nothing');
  await narrow.reached(2);
  expect(await open.journal.stat()).toMatchObject({
    sinks: { mute: { undeliveredBatches: 20 }, narrow: { undeliveredBatches: 20 } },
  });
  expect(sink.batches).toHaveLength(3);
  expect(narrow.batches).toHaveLength(2);
});

test('one sink that answers nothing keeps nothing from another', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  sinkRoom(open.journal, { id: 'mute', window: { batches: 1, bytes: 1 << 20 } }, 'nothing');
  const sink = sinkRoom(open.journal, { id: 'store' });
  await fill(open.journal, 0, 40, young());
  await sink.reached(40);
  expect(numbers(sink.batches).toSorted((a, b) => a - b)).toEqual(upTo(0, 40));
  expect(sink.batches.every((batch) => textOf(batch.body) === `n${batch.number}`)).toBe(true);
});

test('taken but not delivered comes again after a restart; delivered does not', async () => {
  using room = folderRoom();
  {
    await using open = await openRoom(room.folder);
    const sink = sinkRoom(open.journal, { id: 'store', window: { batches: 4, bytes: 1 << 20 } }, 'taken');
    await fill(open.journal, 0, 10, young());
    await sink.reached(10);
    sink.handle.delivered('numerics', [
      [0, 3],
      [5, 6],
    ]);
    await until(async () => (await open.journal.stat()).sinks.store?.undeliveredBatches === 6);
  }
  await using open = await openRoom(room.folder);
  const sink = sinkRoom(open.journal, { id: 'store' });
  await sink.reached(6);
  expect(numbers(sink.batches).toSorted((a, b) => a - b)).toEqual([3, 4, 6, 7, 8, 9]);
});

test('a sink that keeps its position itself is believed, also when it has less than before', async () => {
  using room = folderRoom();
  {
    await using open = await openRoom(room.folder);
    const sink = sinkRoom(open.journal, { id: 'store', delivered: {} }, 'delivered');
    await fill(open.journal, 0, 6, young());
    await sink.reached(6);
    await until(async () => (await open.journal.stat()).sinks.store?.undeliveredBatches === 0);
  }
  await using open = await openRoom(room.folder);
  const sink = sinkRoom(open.journal, { id: 'store', delivered: { numerics: [[0, 2]] } });
  await sink.reached(4);
  expect(numbers(sink.batches)).toEqual([2, 3, 4, 5]);
});

test('after an outage what is young goes first, and the backlog follows oldest first beside it', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  await fill(open.journal, 0, 30, old);
  const sink = sinkRoom(open.journal, { id: 'store', window: { batches: 4, bytes: 1 << 20 } }, 'nothing');
  await sink.reached(2);
  await fill(open.journal, 30, 36, young());
  await until(async () => (await open.journal.stat()).classes.numerics.nextNumber === 36);
  let answered = 0;
  while (answered < 36) {
    await sink.reached(answered + 1);
    const batch = sink.batches[answered++];
    if (batch) sink.handle.delivered('numerics', [[batch.number, batch.number + 1]]);
  }
  expect(numbers(sink.batches, 'backlog')).toEqual(upTo(0, 30));
  expect(numbers(sink.batches, 'live')).toEqual(upTo(30, 36));
  const lastLive = sink.batches.findLastIndex((batch) => batch.lane === 'live');
  expect(lastLive).toBeLessThan(16);
});

test('an ordered sink gets every batch strictly by number, backlog and live alike', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  await fill(open.journal, 0, 20, old);
  const sink = sinkRoom(open.journal, {
    id: 'pcd-04',
    kind: 'ordered',
    window: { batches: 3, bytes: 1 << 20 },
  });
  await fill(open.journal, 20, 40, young());
  await sink.reached(40);
  expect(numbers(sink.batches)).toEqual(upTo(0, 40));
});

test('the alarm class goes before the others', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  await fill(open.journal, 0, 10, old);
  await append(open.journal, 'alarm', 'ring', { facts: factsOf(1, old) });
  await until(async () => (await open.journal.stat()).classes.alarm.nextNumber === 1);
  const sink = sinkRoom(open.journal, { id: 'store', classes: ['alarm', 'numerics'] });
  await sink.reached(11);
  expect(sink.batches[0]).toMatchObject({ klass: 'alarm', number: 0 });
});

test('a second outage during catching up loses nothing and repeats only what was not delivered', async () => {
  using room = folderRoom();
  const got = new Map<number, number>();
  const count = (batches: readonly SinkBatch[]): void => {
    for (const { number } of batches) got.set(number, (got.get(number) ?? 0) + 1);
  };
  await using open = await openRoom(room.folder);
  await fill(open.journal, 0, 40, old);
  for (const outage of [1, 2]) {
    const sink = sinkRoom(open.journal, { id: 'store', window: { batches: 4, bytes: 1 << 20 } }, 'nothing');
    await fill(open.journal, 40 + outage * 5, 45 + outage * 5, young());
    for (let answered = 0; answered < 12; answered++) {
      await sink.reached(answered + 1);
      const batch = sink.batches[answered];
      if (batch) sink.handle.delivered('numerics', [[batch.number, batch.number + 1]]);
    }
    const left = 40 + 5 * outage - 12 * outage;
    await until(async () => (await open.journal.stat()).sinks.store?.undeliveredBatches === left);
    sink.handle.close();
    count(sink.batches.slice(0, 12));
  }
  const sink = sinkRoom(open.journal, { id: 'store' });
  await until(async () => (await open.journal.stat()).sinks.store?.undeliveredBatches === 0);
  count(sink.batches);
  expect([...got.keys()].toSorted((a, b) => a - b)).toEqual(upTo(0, 50));
  expect([...got.values()].every((times) => times === 1)).toBe(true);
  expect(open.losses).toEqual([]);
});

test('whatever a sink does, every batch reaches it until it has delivered it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('append', 'append old', 'deliver', 'take', 'rejoin', 'restart'), {
        maxLength: 30,
      }),
      fc.constantFrom('ordered' as const, 'twoLane' as const),
      async (acts, kind) => {
        using room = folderRoom();
        let appended = 0;
        let open = await openRoom(room.folder, { segmentBytes: 8_192, maxBytes: 1 << 22 });
        const join_ = () =>
          sinkRoom(open.journal, { id: 'store', kind, window: { batches: 3, bytes: 6_000 } }, 'nothing');
        const delivered = new Set<number>();
        let sink = join_();
        for (const act of acts) {
          const held = sink.batches.find((batch) => !delivered.has(batch.number));
          if (act === 'append' || act === 'append old') {
            await fill(open.journal, appended, ++appended, act === 'append' ? young() : old);
          } else if (act === 'restart') {
            await open[Symbol.asyncDispose]();
            open = await openRoom(room.folder, { segmentBytes: 8_192, maxBytes: 1 << 22 });
            sink = join_();
          } else if (act === 'rejoin') {
            sink = join_();
          } else if (held && act === 'deliver') {
            delivered.add(held.number);
            sink.handle.delivered('numerics', [[held.number, held.number + 1]]);
          } else if (held) {
            sink.handle.taken('numerics', held.number);
          }
        }
        const last = sinkRoom(open.journal, { id: 'store', kind });
        await caughtUp(open.journal, 'store', appended);
        for (const { number } of last.batches) delivered.add(number);
        for (const { number } of sink.batches) delivered.add(number);
        expect([...delivered].toSorted((a, b) => a - b)).toEqual(upTo(0, appended));
        expect(last.batches.every((batch) => textOf(batch.body) === `n${batch.number}`)).toBe(true);
        await open[Symbol.asyncDispose]();
      },
    ),
    { numRuns: 6 },
  );
});

test('at the bound the oldest undelivered go, and the loss is told exactly', async () => {
  using room = folderRoom();
  const options = { segmentBytes: 16_384, maxBytes: 131_072 };
  await using open = await openRoom(room.folder, options);
  sinkRoom(open.journal, { id: 'mute', window: { batches: 1, bytes: 1 << 20 } }, 'nothing');
  for (let from = 0; from < 200; from += 5) await fill(open.journal, from, from + 5, 5_000 + from);
  await until(async () => (await open.journal.stat()).bytes <= options.maxBytes);
  const { classes, sinks } = await open.journal.stat();
  const left = classes.numerics.oldestNumber;
  expect(left).toBeGreaterThan(0);
  expect(sinks.mute?.undeliveredBatches).toBe(200 - left);
  expect(sinks.mute?.oldestUndeliveredAtMs).toBe(5_000 + left - (left % 5));
  expect(open.losses.every((loss) => loss.why === 'bound' && loss.sinks.join() === 'mute')).toBe(true);
  expect(open.losses.map((loss) => loss.fromNumber)).toEqual([
    0,
    ...open.losses.slice(0, -1).map((loss) => loss.toNumber),
  ]);
  expect(open.losses.at(-1)?.toNumber).toBe(left);
  expect(open.losses.reduce((sum, loss) => sum + loss.messages, 0)).toBe((left * (left + 1)) / 2);
  expect(open.losses.reduce((sum, loss) => sum + loss.observations, 0)).toBe(3 * left * (left + 1));
  expect(open.losses[0]?.firstAtMs).toBe(5_000);
});

test('what the bound took is not a loss again at the next start', async () => {
  using room = folderRoom();
  const options = { segmentBytes: 16_384, maxBytes: 131_072 };
  {
    await using open = await openRoom(room.folder, options);
    for (let from = 0; from < 150; from += 5) await fill(open.journal, from, from + 5, old);
    await until(async () => (await open.journal.stat()).classes.numerics.oldestNumber > 0);
    expect(open.losses).toEqual([]);
  }
  await using open = await openRoom(room.folder, options);
  expect(open.journal.found).toMatchObject({ clean: true, damage: [], faults: [] });
});

test('a segment waits for every sink that is known, joined or not, until it is forgotten', async () => {
  using room = folderRoom();
  const options = { segmentBytes: 8_192, maxBytes: 1 << 22 };
  {
    await using open = await openRoom(room.folder, options);
    sinkRoom(open.journal, { id: 'influx' }, 'nothing');
    await append(open.journal, 'numerics', 'n0');
  }
  await using open = await openRoom(room.folder, options);
  const sink = sinkRoom(open.journal, { id: 'store' });
  await fill(open.journal, 1, 20, young());
  await sink.reached(20);
  await caughtUp(open.journal, 'store', 20);
  expect((await open.journal.stat()).classes.numerics.oldestNumber).toBe(0);
  open.journal.forget('influx');
  await until(async () => (await open.journal.stat()).classes.numerics.oldestNumber > 0);
  expect(Object.keys((await open.journal.stat()).sinks)).toEqual(['store']);
  expect(open.losses).toEqual([]);
});

test('a batch damaged on disk is told with its content when it is read, and the rest is delivered', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder);
  await fill(open.journal, 0, 5, old);
  const file = readdirSync(room.folder).find((name) => name.startsWith('numerics-')) ?? '';
  const bytes = readFileSync(join(room.folder, file));
  const at = bytes.indexOf('n2');
  bytes[at] = 0x4d;
  writeFileSync(join(room.folder, file), bytes);
  const sink = sinkRoom(open.journal, { id: 'store' });
  await sink.reached(4);
  expect(numbers(sink.batches)).toEqual([0, 1, 3, 4]);
  expect(open.losses).toMatchObject([
    {
      klass: 'numerics',
      fromNumber: 2,
      toNumber: 3,
      messages: 3,
      observations: 18,
      why: 'corrupt',
      sinks: ['store'],
    },
  ]);
});
