import { expect, test } from 'vitest';
import { createLanes, type Entry, type EntryBatch, type Lanes } from '../../../drivers/host/lanes.ts';
import { virtualClock } from '../../house/virtual-clock.ts';

interface Sent {
  readonly n: number;
  readonly ageMs: number;
  readonly historical: boolean;
  readonly done: (confirmed: boolean) => void;
}

function openLanes(options: { readonly window?: number; readonly memoryBytes?: number } = {}) {
  const clock = virtualClock();
  const sent: Sent[] = [];
  const confirmed: number[] = [];
  const dropped: number[] = [];
  const wire = { up: true };
  const batchOf = (recorded: boolean): EntryBatch => ({
    klass: 'numerics',
    number: undefined,
    left: 1,
    handed: false,
    recorded,
    givenUp: 0,
  });
  const lanes: Lanes = createLanes({
    clock,
    memoryBytes: options.memoryBytes ?? 1_000_000,
    window: options.window ?? 4,
    publish: (_, payload, done) => {
      if (!wire.up) return false;
      const { n, ageMs, historical } = JSON.parse(payload) as {
        n: number;
        ageMs: number;
        historical?: boolean;
      };
      sent.push({ n, ageMs, historical: historical === true, done });
      return true;
    },
    confirmed: ({ json }) => confirmed.push((JSON.parse(json) as { n: number }).n),
    dropped: (_, count) => dropped.push(count),
  });
  const add = (n: number, takenAtMs = clock.nowMs(), recorded = false): void => {
    const entry: Entry = { topic: 't', takenAtMs, json: JSON.stringify({ n }), batch: batchOf(recorded) };
    lanes.add(entry);
    lanes.pump();
  };
  return { clock, sent, confirmed, dropped, wire, lanes, add };
}

test('a message is sent in the tick it is added, with its age', () => {
  const { sent, add, clock } = openLanes();
  add(1, clock.nowMs() - 250);
  expect(sent).toMatchObject([{ n: 1, ageMs: 250, historical: false }]);
});

test('after an outage the younger than 60 s go first in order, then the older, flagged', async () => {
  const { sent, add, clock, wire, lanes } = openLanes({ window: 2 });
  wire.up = false;
  for (let n = 0; n < 10; n++) {
    add(n);
    await clock.pass(10_000);
  }
  wire.up = true;
  lanes.pump();
  for (let at = 0; at < sent.length; at++) sent[at]?.done(true);
  // Number n was taken (100 − 10 n) s ago: 4 to 9 are 60 s and younger.
  expect(sent.map(({ n }) => n)).toEqual([4, 5, 6, 7, 8, 9, 0, 1, 2, 3]);
  expect(sent.map(({ historical }) => historical)).toEqual([
    ...Array<boolean>(6).fill(false),
    ...Array<boolean>(4).fill(true),
  ]);
});

test('the backlog never fills the window, so a new value waits for nobody', async () => {
  const { sent, add, clock, wire, lanes } = openLanes({ window: 4 });
  wire.up = false;
  for (let n = 0; n < 20; n++) add(n);
  await clock.pass(61_000);
  wire.up = true;
  lanes.pump();
  expect(sent.map(({ historical }) => historical)).toEqual([true, true]);
  add(99);
  expect(sent.at(-1)).toMatchObject({ n: 99, historical: false });
});

test('what was on its way when the connection ended is sent again, in its old place', () => {
  const { sent, add, confirmed, wire, lanes } = openLanes({ window: 3 });
  for (let n = 0; n < 5; n++) add(n);
  expect(sent.map(({ n }) => n)).toEqual([0, 1, 2]);
  sent[1]?.done(true);
  expect(sent.map(({ n }) => n)).toEqual([0, 1, 2, 3]);
  wire.up = false;
  for (const { done } of [...sent].filter(({ n }) => n !== 1)) done(false);
  wire.up = true;
  lanes.pump();
  expect(sent.slice(4).map(({ n }) => n)).toEqual([0, 2, 3]);
  for (let at = 4; at < sent.length; at++) sent[at]?.done(true);
  expect(confirmed.toSorted()).toEqual([0, 1, 2, 3, 4]);
  expect(lanes.count).toBe(0);
});

test('full memory gives up first what the journal can bring back', () => {
  const { add, dropped, wire, lanes, clock } = openLanes({ memoryBytes: 90 });
  wire.up = false;
  // Each is 7 bytes; the 13th is one too many.
  for (let n = 0; n < 13; n++) add(n, clock.nowMs(), n >= 6);
  expect(dropped.length).toBeGreaterThan(0);
  wire.up = true;
  const { sent } = { sent: [] as number[] };
  lanes.pump();
  expect(sent).toEqual([]);
  expect(lanes.count).toBe(13 - dropped.length);
});
