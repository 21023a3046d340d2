// Goal: the audit finds what is missing or too much, says where, and lets the ledger explain what it can.
import { expect, test } from 'vitest';
import { balance, type Gathered } from '../../../gateway/books/balance.ts';
import type { LedgerLine } from '../../../gateway/books/types.ts';
import { Contents } from '../../../journal/content.ts';

const hour = 3_600_000;
const ask = { fromMs: 0, toMs: 100 * hour, nowMs: 50 * hour, retentionMs: 72 * hour };
const cell = {
  device: 'a',
  hour: 5,
  received: 100,
  kept: 90,
  stowed: 80,
  ledgered: 0,
  quarantined: 4,
  duplicate: 6,
  historicalKept: 0,
  historicalDuplicate: 0,
};
const line = (number: number, more: Partial<LedgerLine>): LedgerLine => ({
  number,
  device: 'a',
  hour: 5,
  fromMs: 5 * hour,
  toMs: 5 * hour + 1,
  observations: 3,
  why: 'journal-bound',
  klass: 'numerics',
  sinks: ['historian'],
  ...more,
});
const gathered = (more: Partial<Gathered> = {}): Gathered => ({
  cells: [cell],
  ledger: [],
  copied: [],
  stored: new Map([['a 5', 80]]),
  damaged: [],
  waiting: new Contents(),
  unentered: new Contents(),
  missing: [],
  ...more,
});

test('what agrees is balanced', () => {
  expect(balance(gathered(), ask)).toMatchObject({
    balanced: true,
    problems: [],
    totals: { received: 100, stored: 80 },
  });
});

test('a stored row too few or too many is told with its device and hour', () => {
  for (const [stored, by] of [
    [79, 1],
    [82, -2],
  ] as const)
    expect(balance(gathered({ stored: new Map([['a 5', stored]]) }), ask)).toMatchObject({
      balanced: false,
      rows: [{ device: 'a', fromMs: 5 * hour, unexplained: { received: 0, stored: by }, balanced: false }],
    });
  const foreign = balance(gathered({ stored: new Map([['a 5', 80], ['ghost 6', 1]]) }), ask); // prettier-ignore
  expect(foreign.rows.find(({ device }) => device === 'ghost')).toMatchObject({
    unexplained: { stored: -1 },
  });
});

test('what was given up before the historian had it is explained by its line, and by no other', () => {
  const stored = new Map([['a 5', 77]]);
  const told = [line(1, {})];
  expect(balance(gathered({ stored, ledger: told, copied: told }), ask)).toMatchObject({ balanced: true });
  const ofAnother = [line(1, { sinks: ['sink-influx'] })];
  expect(balance(gathered({ stored, ledger: ofAnother, copied: ofAnother }), ask).balanced).toBe(false);
});

test('a line that names no device explains what is missing in its hours, up to its count', () => {
  const unknown = [line(1, { device: '*', why: 'journal-corrupt', sinks: ['historian'] })];
  const with_ = (stored: number) =>
    balance(gathered({ stored: new Map([['a 5', stored]]), ledger: unknown, copied: unknown }), ask);
  expect(with_(77).balanced).toBe(true);
  expect(with_(76).rows).toMatchObject([{ unexplained: { stored: 1 } }]);
});

test('what the books never saw because it went first counts as kept', () => {
  const gone = [line(1, { sinks: ['books', 'historian'], observations: 10 })];
  const cells = [{ ...cell, received: 110 }];
  expect(balance(gathered({ cells, ledger: gone, copied: gone }), ask)).toMatchObject({
    balanced: true,
    rows: [{ kept: 100, givenUp: 10 }],
  });
});

test('a line taken from the ledger or changed in it is named', () => {
  const copied = [line(1, {}), line(2, {}), line(3, {})];
  const stored = new Map([['a 5', 71]]);
  const found = balance(
    gathered({ stored, copied, ledger: [line(1, {}), line(3, { observations: 1 })] }),
    ask,
  );
  expect(found.balanced).toBe(false);
  expect(found.problems).toMatchObject([
    expect.stringMatching(/^line 2 of the loss ledger is missing: a, 3 observations, journal-bound/),
    expect.stringMatching(/^line 3 of the loss ledger is not what it was/),
  ]);
});

test('what the historian no longer keeps is not compared', () => {
  const old = balance(gathered({ stored: new Map() }), { ...ask, nowMs: 100 * hour });
  expect(old).toMatchObject({ balanced: true, rows: [{ stored: null }] });
});
