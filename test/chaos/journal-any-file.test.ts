// Goal: a flipped bit or a cut in any file of the folder is told, costs at most what it hit, and the start goes on.
// Way: a journal of all classes as it lies after a stop; any file, any byte; then opened anew and read to its end.
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalClasses, type JournalClass } from '../../journal/types.ts';
import { append, bodyOf, factsOf, folderRoom, openRoom, sinkRoom, textOf, until } from '../journal/room.ts';

const room = folderRoom();
const perClass = 12;
/** Of these the sink says at the begin that it has them. */
const delivered = 4;

beforeAll(async () => {
  await using open = await openRoom(room.folder, {
    segmentBytes: 4_096,
    snapshot: (klass) => bodyOf(`snapshot of ${klass}`, 60),
  });
  sinkRoom(open.journal, { id: 'away', classes: journalClasses }, 'nothing');
  for (const klass of journalClasses) {
    for (let number = 0; number < perClass; number++) {
      const facts = factsOf(number + 1, 1_000 + number);
      await append(open.journal, klass, `${klass} ${number}`, { length: 600, facts });
    }
  }
});
afterAll(() => room[Symbol.dispose]());

const files = (): string[] =>
  readdirSync(room.folder).filter((file) => statSync(join(room.folder, file)).size > 0);

interface Outcome {
  readonly told: number;
  readonly lost: number;
}

/** Spoils one file of a copy, opens it, and compares what is served and what is told with what was written. */
async function openSpoilt(file: string, spoil: (bytes: Buffer) => Buffer | undefined): Promise<Outcome> {
  using copy = folderRoom();
  cpSync(room.folder, copy.folder, { recursive: true });
  const path = join(copy.folder, file);
  const bytes = spoil(readFileSync(path));
  if (bytes) writeFileSync(path, bytes);
  else rmSync(path);
  await using open = await openRoom(copy.folder, { segmentBytes: 4_096 });
  const got = Object.fromEntries(journalClasses.map((klass) => [klass, [[0, delivered]]])) as Partial<
    Record<JournalClass, [number, number][]>
  >;
  const sink = sinkRoom(open.journal, { id: 'away', classes: journalClasses, delivered: got });
  await until(async () => (await open.journal.stat()).sinks['away']?.undeliveredBatches === 0);
  const { damage, faults } = open.journal.found;
  const losses = [...damage, ...open.losses];
  let lost = 0;
  for (const klass of journalClasses) {
    const served = new Map(
      sink.batches
        .filter((batch) => batch.klass === klass)
        .map((batch) => [batch.number, textOf(batch.body)]),
    );
    for (let number = delivered; number < perClass; number++) {
      const told = losses.some(
        (loss) => loss.klass === klass && number >= loss.fromNumber && number < loss.toNumber,
      );
      if (served.has(number)) expect(served.get(number)).toBe(`${klass} ${number}`);
      else lost += 1;
      expect(served.has(number) || told, `${klass} ${number} is served or told`).toBe(true);
    }
  }
  // What is appended afterwards is kept and never stands under a number that was used.
  const more = await append(open.journal, 'numerics', 'after', {});
  expect(more.outcome).toBe('kept');
  expect(more.number).toBeGreaterThanOrEqual(perClass - 1);
  return { told: losses.length + faults.length + open.faults.length, lost };
}

/** The head's blocks hold 512 bytes each; the rest of a block means nothing. */
const means = (file: string, at: number): boolean => !file.startsWith('head-') || at % 4_096 < 512;

test('the folder holds every kind of file', () => {
  const kinds = new Set(files().map((file) => file.replace(/-.*$/, '')));
  expect([...kinds].toSorted()).toEqual([...journalClasses, 'head', 'journal.json', 'positions'].toSorted());
});

test('any flipped bit of any file is told, and costs one batch at most', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat({ max: 7 }), async (pick, place, bit) => {
      const all = files();
      const file = all[pick % all.length] ?? '';
      let at = 0;
      const { told, lost } = await openSpoilt(file, (bytes) => {
        at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        return bytes;
      });
      if (means(file, at)) expect(told, `${file}, byte ${at}, bit ${bit}`).toBeGreaterThan(0);
      expect(lost).toBeLessThanOrEqual(1);
    }),
    { numRuns: 40 },
  );
}, 120_000);

test('any file cut off anywhere, or gone, is told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), async (pick, place) => {
      const all = files();
      const file = all[pick % all.length] ?? '';
      let matters = false;
      const { told } = await openSpoilt(file, (bytes) => {
        const at = place % bytes.length;
        // Behind the last slot of a head there is only the rest of its block.
        matters = bytes.some((_, index) => index >= at && means(file, index));
        return bytes.subarray(0, at);
      });
      if (matters) expect(told, `${file} cut at ${place}`).toBeGreaterThan(0);
    }),
    { numRuns: 15 },
  );
  for (const file of files()) {
    const { told } = await openSpoilt(file, () => undefined);
    // The epoch stands in the names of the segments too.
    if (file !== 'journal.json') expect(told, `${file} gone`).toBeGreaterThan(0);
  }
}, 120_000);
