// Goal: a thread of the journal that dies is there again, and costs at most a told fault.
// Way: the real threads, ended from outside in the middle of their work.
import type { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Journal } from '../../journal/types.ts';
import { append, caughtUp, factsOf, folderRoom, openRoom, recovered, sinkRoom, until } from './room.ts';

/** The threads behind a journal; nobody but a test ends them. */
const threadsOf = (journal: Journal): { writer: Worker; lanes: Worker } => {
  const inner = journal as unknown as { writer: { worker: Worker }; parts: { lanes: { worker: Worker } } };
  return { writer: inner.writer.worker, lanes: inner.parts.lanes.worker };
};

test('a writer that dies is replaced; what was under way is told as failed, what follows is kept', async () => {
  using room = folderRoom();
  const kept: string[] = [];
  {
    await using open = await openRoom(room.folder);
    const write = async (text: string): Promise<boolean> => {
      const { outcome, number } = await append(open.journal, 'numerics', text);
      if (outcome === 'kept') kept.push(`numerics ${number} ${text}`);
      else expect(outcome.code).toBe('JOURNAL_WRITE');
      return outcome === 'kept';
    };
    expect(await write('before')).toBe(true);
    const dying = threadsOf(open.journal).writer.terminate();
    const during = await Promise.all(['x', 'y', 'z'].map(write));
    await dying;
    expect(during.every((was) => !was)).toBe(true);
    expect(await write('after')).toBe(true);
    expect(open.faults).toMatchObject([{ code: 'JOURNAL_WRITE' }]);
    expect(open.journal.pending).toMatchObject({ messages: 0, bytes: 0 });
  }
  await using open = await openRoom(room.folder);
  expect(open.journal.found.damage).toEqual([]);
  const got = await recovered(open.journal);
  expect(got).toEqual(expect.arrayContaining(kept));
});

test('a reading thread that dies comes back, and the sink gets all that it had not delivered', async () => {
  using room = folderRoom();
  await using open = await openRoom(room.folder, { segmentBytes: 8_192, maxBytes: 1 << 22 });
  const sink = sinkRoom(open.journal, { id: 'store' });
  const fill = async (from: number, to: number): Promise<void> => {
    for (let index = from; index < to; index++) {
      const facts = factsOf(1, Date.now());
      expect(await append(open.journal, 'numerics', `n${index}`, { length: 1_000, facts })).toMatchObject({
        number: index,
      });
    }
  };
  await fill(0, 10);
  await caughtUp(open.journal, 'store', 10);
  const dying = threadsOf(open.journal).lanes.terminate();
  await fill(10, 30);
  await dying;
  const asked = open.journal.stat();
  await fill(30, 40);
  expect(Object.keys((await asked).sinks)).toEqual(['store']);
  await caughtUp(open.journal, 'store', 40);
  expect(open.faults).toMatchObject([{ code: 'JOURNAL_READER' }]);
  expect(new Set(sink.batches.map((batch) => batch.number)).size).toBe(40);
  expect(open.losses).toEqual([]);
});

test('a closed journal refuses what comes late', async () => {
  using room = folderRoom();
  const { journal } = await openRoom(room.folder);
  const sink = sinkRoom(journal, { id: 'store' });
  await journal.close();
  await journal.close();
  expect(journal.closed).toBe(true);
  expect(await append(journal, 'numerics', 'late')).toMatchObject({
    outcome: { code: 'JOURNAL_WRITE' },
    number: -1,
  });
  await until(() => sink.batches.length === 0);
});
