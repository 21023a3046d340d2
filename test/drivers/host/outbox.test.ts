import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openOutbox, type Outbox } from '../../../drivers/host/outbox.ts';
import { openJournal } from '../../../journal/journal.ts';
import type { Journal } from '../../../journal/types.ts';
import { systemClock } from '../../../model/clock.ts';

// The outbox with a real journal under it, and a wire of the test's own.
let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'vigil-outbox-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clock = systemClock();
const open = (): Promise<Journal> =>
  openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 1_000_000,
    maxBytes: 64_000_000,
    snapshot: () => undefined,
    lost: () => {},
    faulty: () => {},
  });

interface Wire {
  up: boolean;
  confirms: boolean;
  readonly heard: { readonly topic: string; readonly n: number; readonly historical: boolean }[];
}

function outboxOn(journal: Journal | undefined, wire: Wire, memoryBytes = 1_000_000): Outbox {
  const box: Outbox = openOutbox({
    host: 'h1',
    journal,
    clock,
    memoryBytes,
    window: 8,
    publish: (topic, payload, done) => {
      if (!wire.up) return false;
      const { n, historical } = JSON.parse(payload) as { n: number; historical?: boolean };
      wire.heard.push({ topic, n, historical: historical === true });
      if (wire.confirms) queueMicrotask(() => done(true));
      return true;
    },
  });
  return box;
}
const makeWire = (): Wire => ({ up: true, confirms: true, heard: [] });
const numbers = (wire: Wire): number[] =>
  [...new Set(wire.heard.map(({ n }) => n))].toSorted((a, b) => a - b);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
async function until(ready: () => boolean): Promise<void> {
  for (let tries = 0; !ready(); tries++) {
    if (tries > 2_000) throw new Error('not seen in 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('sends in the tick it is given, before the disk, and confirms to the journal afterwards', async () => {
  const journal = await open();
  const wire = makeWire();
  const box = outboxOn(journal, wire);
  box.add('d', 'observations', { n: 0 }, clock.nowMs());
  expect(wire.heard).toMatchObject([{ topic: 'v1/device/d/observations', n: 0, historical: false }]);
  await box.kept();
  expect(box.state).toMatchObject({ recording: true, undelivered: 0 });
  box.close();
  await journal.close();

  const again = await open();
  const silent = makeWire();
  const second = outboxOn(again, silent);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(silent.heard).toEqual([]);
  second.close();
  await again.close();
});

test('what was never confirmed comes back after a restart, the old as historical', async () => {
  const journal = await open();
  const wire: Wire = { ...makeWire(), up: false };
  const box = outboxOn(journal, wire);
  box.add('d', 'observations', { n: 0 }, clock.nowMs() - 120_000);
  await box.kept();
  box.add('d', 'alerts', { n: 1 }, clock.nowMs());
  box.add('d', 'observations', { n: 2 }, clock.nowMs());
  await box.kept();
  box.close();
  await journal.close();

  const again = await open();
  const later = makeWire();
  const second = outboxOn(again, later);
  await until(() => numbers(later).length === 3);
  expect(later.heard.find(({ n }) => n === 0)?.historical).toBe(true);
  expect(later.heard.find(({ n }) => n === 2)?.historical).toBe(false);
  second.close();
  await again.close();
});

test('what memory has no room for waits on disk and comes back, nothing lost', async () => {
  const journal = await open();
  const wire: Wire = { ...makeWire(), up: false };
  // Some 40 messages of this size; the journal's window holds more, so most of the rest waits on disk.
  const box = outboxOn(journal, wire, 40_000);
  const filler = 'x'.repeat(1_000);
  for (const n of upTo(900)) {
    box.add('d', 'observations', { n, filler }, clock.nowMs());
    if (n % 5 === 4) await box.kept();
  }
  wire.up = true;
  box.pump();
  await until(() => numbers(wire).length === 900);
  expect(numbers(wire)).toEqual(upTo(900));
  await until(() => box.state.undelivered === 0);
  expect(box.state.fault).toBeUndefined();
  box.close();
  await journal.close();
}, 30_000);

test('goes on from memory without a journal, says so, and counts what memory could not hold', () => {
  const wire: Wire = { ...makeWire(), up: false };
  const box = outboxOn(undefined, wire, 100);
  expect(box.state).toMatchObject({ recording: false, fault: { code: 'HOST_JOURNAL' } });
  for (const n of upTo(30)) box.add('d', 'observations', { n }, clock.nowMs());
  expect(box.state.undelivered).toBeLessThan(30);
  wire.up = true;
  box.pump();
  // The newest are kept.
  expect(numbers(wire)).toContain(29);
  box.close();
});
