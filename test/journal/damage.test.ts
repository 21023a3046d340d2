// Goal: no damage to a file of the journal goes unnoticed, and it costs nothing but itself.
// Way: a small journal written by the writer's own class, then every byte flipped, every tail cut, every file taken.
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { missingOf, readCatalogue, type Catalogue } from '../../journal/catalogue.ts';
import { ClassWriter } from '../../journal/class-writer.ts';
import { frameHeaderBytes } from '../../journal/format.ts';
import { headFile, HeadWriter, emptyHead } from '../../journal/head.ts';
import { journalClasses, type JournalLoss, type Ranges } from '../../journal/types.ts';
import { bodyOf, factsOf, folderRoom, textOf } from './room.ts';

const epoch = '00112233445566ff';
const heads = Object.fromEntries(journalClasses.map((klass) => [klass, emptyHead])) as Record<
  (typeof journalClasses)[number],
  typeof emptyHead
>;

/** Batch n holds n + 1 messages, n + 7 observations, and came at 1000 + n. */
const factsAt = (number: number) => factsOf(number + 1, 1_000 + number, number + 7);

/** Two segments of the class numerics: batches 0 to 3, then 4 to 6 behind a snapshot. */
function writeSmall(folder: string): void {
  const head = new HeadWriter(folder, headFile(1, 1), heads);
  const writer = new ClassWriter({
    folder,
    epoch,
    writer: 1,
    segmentBytes: 1 << 20,
    klass: 'numerics',
    count: emptyHead,
    goesOn: emptyHead,
    head: () => head,
  });
  for (let number = 0; number < 7; number++) {
    const opens = number === 0 || number === 4;
    const snapshot = number === 4 ? bodyOf('snapshot', 40) : undefined;
    const roll = opens ? { snapshot, recoverFrom: number } : undefined;
    const body = bodyOf(`batch ${number}`, 30 + number);
    writer.commit([{ klass: 'numerics', body, facts: factsAt(number), roll }]);
  }
  writer.close();
  head.dispose();
}

const segmentsOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.segment'))
    .toSorted();

interface Read {
  readonly catalogue: Catalogue;
  readonly losses: Omit<JournalLoss, 'sinks'>[];
  readonly present: Ranges;
}

function read(folder: string): Read {
  const catalogue = readCatalogue(folder, epoch);
  const found = catalogue.classes.numerics;
  return { catalogue, losses: missingOf('numerics', found, []), present: found.present };
}

/** What is served is what was written, and what is not served is told with exact content. */
function expectWhole(folder: string, { catalogue, losses }: Read, batches: number): void {
  const served = new Map<number, string>();
  for (const segment of catalogue.classes.numerics.segments) {
    const bytes = readFileSync(join(folder, segment.file));
    for (const frame of segment.frames) {
      if (!frame.whole) continue;
      const at = frame.offset + frameHeaderBytes;
      served.set(frame.header.number, textOf(bytes.subarray(at, at + frame.header.length)));
    }
  }
  const missing: number[] = [];
  for (let number = 0; number < batches; number++) {
    if (served.has(number)) expect(served.get(number)).toBe(`batch ${number}`);
    else missing.push(number);
  }
  const told = losses.flatMap((loss) =>
    Array.from({ length: loss.toNumber - loss.fromNumber }, (_, index) => loss.fromNumber + index),
  );
  expect(told).toEqual(missing);
  for (const loss of losses) {
    const facts = Array.from({ length: loss.toNumber - loss.fromNumber }, (_, index) =>
      factsAt(loss.fromNumber + index),
    );
    expect(loss.messages).toBe(facts.reduce((sum, { messages }) => sum + messages, 0));
    expect(loss.observations).toBe(facts.reduce((sum, { observations }) => sum + observations, 0));
    expect(loss.firstAtMs).toBeLessThanOrEqual(1_000 + loss.fromNumber);
    expect(loss.lastAtMs).toBeGreaterThanOrEqual(1_000 + loss.toNumber - 1);
  }
}

test('an undamaged journal has nothing to tell', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  const found = read(room.folder);
  expect(found.present).toEqual([[0, 7]]);
  expect(found.losses).toEqual([]);
  expect(found.catalogue.faults).toEqual([]);
  expect(found.catalogue.clean).toBe(false);
  expectWhole(room.folder, found, 7);
});

test('every single flipped byte of every segment is noticed, and costs at most its own batch', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  for (const file of segmentsOf(room.folder)) {
    const path = join(room.folder, file);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(path, flipped);
      const found = read(room.folder);
      expect(found.catalogue.faults.length, `${file} at ${at}`).toBeGreaterThan(0);
      expect(found.catalogue.faults[0]?.code).toBe('JOURNAL_CORRUPT');
      expectWhole(room.folder, found, 7);
      expect(
        found.losses.reduce((sum, loss) => sum + loss.toNumber - loss.fromNumber, 0),
      ).toBeLessThanOrEqual(1);
      if (found.losses[0]) expect(found.losses[0].why).toBe('corrupt');
    }
    writeFileSync(path, whole);
  }
});

test('any stretch of rubbish in a segment is told with its exact content, and the rest is served', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  const [file = ''] = segmentsOf(room.folder);
  const path = join(room.folder, file);
  const whole = readFileSync(path);
  fc.assert(
    fc.property(
      fc.nat({ max: whole.length - 1 }),
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      (at, rubbish) => {
        const spoilt = Buffer.from(whole);
        spoilt.set(rubbish.subarray(0, whole.length - at), at);
        writeFileSync(path, spoilt);
        const found = read(room.folder);
        expectWhole(room.folder, found, 7);
        if (!spoilt.equals(whole)) expect(found.catalogue.faults.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 300 },
  );
});

test('a segment cut off at any byte loses only what was behind the cut, and says so', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  for (const file of segmentsOf(room.folder)) {
    const path = join(room.folder, file);
    const whole = readFileSync(path);
    for (let length = whole.length - 1; length >= 0; length--) {
      truncateSync(path, length);
      const found = read(room.folder);
      expectWhole(room.folder, found, 7);
      expect(found.losses.length + found.catalogue.faults.length, `cut at ${length}`).toBeGreaterThan(0);
    }
    writeFileSync(path, whole);
  }
});

test('a missing segment is told with its range and its exact content', () => {
  for (const [taken, range] of [
    [0, [0, 4]],
    [1, [4, 7]],
  ] as const) {
    using room = folderRoom();
    writeSmall(room.folder);
    rmSync(join(room.folder, segmentsOf(room.folder)[taken] ?? ''));
    const found = read(room.folder);
    expectWhole(room.folder, found, 7);
    expect(found.losses).toMatchObject([{ fromNumber: range[0], toNumber: range[1], why: 'missing' }]);
    expect(found.catalogue.classes.numerics.next.next).toBe(7);
  }
});

test('a missing head is told; all batches are served', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  rmSync(join(room.folder, headFile(1, 1)));
  const found = read(room.folder);
  expect(found.catalogue.faults).toMatchObject([{ details: { segment: 'head' } }]);
  expect(found.present).toEqual([[0, 7]]);
  expect(found.catalogue.classes.numerics.next).toMatchObject({ next: 7, messages: 28 });
});

test('every flipped byte of a head slot is noticed, and the other slot stands in for it', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  const path = join(room.folder, headFile(1, 1));
  const whole = readFileSync(path);
  const block = 4096;
  const slots = [0, 1].map((slot) => (journalClasses.indexOf('numerics') * 2 + slot) * block);
  for (const begin of slots) {
    for (let at = begin; at < begin + 512; at++) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      writeFileSync(path, flipped);
      const found = read(room.folder);
      expect(found.catalogue.faults.length, `at ${at}`).toBe(1);
      expect(found.losses).toEqual([]);
      expect(found.present).toEqual([[0, 7]]);
      expect(found.catalogue.classes.numerics.next.next).toBe(7);
      expect(found.catalogue.classes.numerics.head.next).toBeGreaterThanOrEqual(6);
    }
  }
});

test('one batch more than the head says is kept; one fewer is a noticed loss', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  const path = join(room.folder, headFile(1, 1));
  const whole = readFileSync(path);
  const newest = [0, 1]
    .map((slot) => (journalClasses.indexOf('numerics') * 2 + slot) * 4096)
    .toSorted((a, b) => whole.readDoubleLE(b + 16) - whole.readDoubleLE(a + 16))[0];
  const older = Buffer.from(whole);
  older.fill(0, newest, (newest ?? 0) + 512);
  writeFileSync(path, older);
  expect(read(room.folder)).toMatchObject({ losses: [], present: [[0, 7]] });

  writeFileSync(path, whole);
  const last = join(room.folder, segmentsOf(room.folder)[1] ?? '');
  truncateSync(last, readFileSync(last).length - 48);
  expect(read(room.folder)).toMatchObject({
    losses: [{ fromNumber: 6, toNumber: 7, messages: 7, observations: 13, why: 'corrupt' }],
    present: [[0, 6]],
  });
});

test('of a torn group nobody was told of, what lies behind the tear does not count and is no loss', () => {
  using room = folderRoom();
  writeSmall(room.folder);
  const path = join(room.folder, headFile(1, 1));
  const head = readFileSync(path);
  const slots = [0, 1].map((slot) => (journalClasses.indexOf('numerics') * 2 + slot) * 4096);
  for (const at of slots) {
    // The head of before the second segment: batches 4 to 6 were one group, not confirmed.
    head.writeDoubleLE(4, at + 24);
    head.writeDoubleLE(10, at + 32);
    head.writeUInt32LE(crc32(head.subarray(at, at + 508)), at + 508);
  }
  writeFileSync(path, head);
  const second = join(room.folder, segmentsOf(room.folder)[1] ?? '');
  const bytes = readFileSync(second);
  bytes.fill(0, bytes.indexOf('batch 5'), bytes.indexOf('batch 5') + 8);
  writeFileSync(second, bytes);
  expect(read(room.folder)).toMatchObject({
    losses: [],
    present: [[0, 5]],
    catalogue: { classes: { numerics: { next: { next: 5, messages: 15 } } } },
  });
});
