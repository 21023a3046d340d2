// Goal: whenever the power is cut, every message whose confirmation had left is in the journal, and nothing is missed
// that is there.
// Way: the writer runs under strace. Its disk is rebuilt from the trace at every confirmation, once from only what
// had been synced, and many times with random sectors of the rest; then the journal is opened on it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { missingOf, readCatalogue } from '../../journal/catalogue.ts';
import { frameHeaderBytes } from '../../journal/format.ts';
import { readIdentity } from '../../journal/identity.ts';
import { readPositions } from '../../journal/positions.ts';
import { journalClasses, type JournalClass } from '../../journal/types.ts';
import { openRoom } from '../journal/room.ts';
import { eventsOf, powerCutBody, tracedCalls, TracedDisk } from './power-cut-trace.ts';

const total = 480;
let room = '';
let trace = '';

beforeAll(() => {
  room = mkdtempSync(join(tmpdir(), 'vigil-power-'));
  const child = fileURLToPath(new URL('./power-cut-child.ts', import.meta.url));
  const file = join(room, 'trace');
  const options = ['-f', '-xx', '-s', '200000', '-e', `trace=${tracedCalls}`, '-o', file];
  const run = spawnSync('strace', [
    ...options,
    process.execPath,
    child,
    join(room, 'journal'),
    String(total),
  ]);
  if (run.error) throw new Error('strace is needed: apt-get install strace', { cause: run.error });
  expect(run.stdout.toString()).toMatch(/closed\n$/);
  trace = readFileSync(file, 'latin1');
});
afterAll(() => rmSync(room, { recursive: true, force: true }));

/** Numbers that were confirmed and not yet delivered, with the index of their body. */
type Owed = ReadonlyMap<string, number>;

interface Cut {
  readonly disk: TracedDisk;
  readonly owed: Owed;
}

/** Every moment at which the process said that something was kept. */
function* cuts(ignored: readonly string[] = []): Generator<Cut> {
  const disk = new TracedDisk(join(room, 'journal'), ignored);
  const owed = new Map<string, number>();
  // A sink may have a batch before the confirmation of it was heard.
  const delivered = new Set<string>();
  for (const event of eventsOf(trace)) {
    for (const line of disk.play(event)?.trim().split('\n') ?? []) {
      const [word, klass, number, index] = line.split(' ');
      if (word === 'kept') {
        if (!delivered.has(`${klass} ${number}`)) owed.set(`${klass} ${number}`, Number(index));
        yield { disk, owed };
      } else if (word === 'delivered') {
        delivered.add(`${klass} ${number}`);
        owed.delete(`${klass} ${number}`);
      } else {
        expect(line).toBe('closed');
      }
    }
  }
}

/** What is owed and not there, and what the journal itself says is missing. */
function lostIn(folder: string, owed: Owed): string[] {
  const found = readCatalogue(folder, readIdentity(folder).epoch);
  const positions = readPositions(folder);
  const there = new Map<string, Uint8Array>();
  const lost: string[] = [];
  for (const klass of journalClasses) {
    for (const segment of found.classes[klass].segments) {
      const bytes = readFileSync(join(folder, segment.file));
      for (const { header, offset, whole } of segment.frames) {
        const at = offset + frameHeaderBytes;
        if (whole && header.number < segment.before)
          there.set(`${klass} ${header.number}`, bytes.subarray(at, at + header.length));
      }
    }
    const accounted = positions.fault ? undefined : (positions.gone[klass] ?? []);
    lost.push(
      ...missingOf(klass, found.classes[klass], accounted).map((loss) => `told ${JSON.stringify(loss)}`),
    );
  }
  for (const [key, index] of owed) {
    const body = there.get(key);
    const wanted = powerCutBody(key.split(' ')[0] ?? '', index);
    if (!body || Buffer.compare(body, wanted) !== 0) lost.push(`${key} (${index})`);
  }
  return lost;
}

/** Repeats from its seed (mulberry32). */
function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('at every confirmation, what had been synced by then holds every confirmed message', () => {
  let confirmed = 0;
  for (const { disk, owed } of cuts()) {
    disk.rebuild(join(room, 'cut'));
    expect(lostIn(join(room, 'cut'), owed), `at confirmation ${confirmed}`).toEqual([]);
    confirmed++;
  }
  expect(confirmed).toBe(total);
});

test('whatever else of the unsynced sectors and names survives changes nothing', () => {
  const seed = Number(process.env.VIGIL_SEED ?? 20_261);
  const chance = chanceFrom(seed);
  let at = 0;
  for (const { disk, owed } of cuts()) {
    if (at++ % 3 !== 0) continue;
    const likely = chance();
    disk.rebuild(join(room, 'cut'), () => chance() < likely);
    expect(lostIn(join(room, 'cut'), owed), `seed ${seed}, at confirmation ${at}`).toEqual([]);
  }
});

test('the journal opens on such a disk, tells no loss, and gives all of it back', async () => {
  const chance = chanceFrom(7);
  let at = 0;
  for (const { disk, owed } of cuts()) {
    if (at++ % 60 !== 59) continue;
    disk.rebuild(join(room, 'cut'), () => chance() < 0.5);
    await using open = await openRoom(join(room, 'cut'), { segmentBytes: 1 << 16, maxBytes: 1 << 24 });
    expect(open.journal.found.damage).toEqual([]);
    const got = new Set<string>();
    await open.journal.recover((klass: JournalClass, number) => got.add(`${klass} ${number}`));
    // Recovery begins at a snapshot; what is older and still owed is in the segments that were checked above.
    const newest = [...owed.keys()].filter((key) => key.startsWith('alarm')).at(-1);
    if (newest) expect(got.has(newest)).toBe(true);
    expect(open.losses).toEqual([]);
  }
});

test.each([
  ['the data', 'fdatasync'],
  ['the folder', 'fsync'],
])('without syncing %s this test would find a loss', (_what, ignored) => {
  const lost = new Set<string>();
  for (const { disk, owed } of cuts([ignored])) {
    disk.rebuild(join(room, 'cut'));
    for (const one of lostIn(join(room, 'cut'), owed)) lost.add(one);
    if (lost.size > 0) break;
  }
  expect(lost.size).toBeGreaterThan(0);
});
