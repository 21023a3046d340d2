// Goal: the books hold every batch once and every counter at its greatest, however often and in whatever order they come.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BooksFile } from '../../../gateway/books/books-file.ts';
import type { Ranges } from '../../../journal/types.ts';
import { folderRoom } from '../../journal/room.ts';

const none: Ranges = [];
const upTo = (number: number) => ({
  alarm: none,
  numerics: [[0, number]] as Ranges,
  raw: none,
  waveforms: none,
});
const counted = (received: number, run = 1) => ({
  device: 'a',
  hour: 5,
  klass: 'numerics' as const,
  run,
  received,
  duplicate: 0,
  historical: 0,
  quarantined: 0,
});
const kept = (observations: number) => ({
  device: 'a',
  hour: 5,
  klass: 'numerics' as const,
  messages: 1,
  observations,
  historical: 0,
});
const all = { fromHour: 0, toHour: 10, limit: 100 };

test('counters of a run take the greatest, those of two runs add up, and what is kept adds up', () => {
  using room = folderRoom();
  const books = new BooksFile(join(room.folder, 'books.db'), 0);
  books.enter({ counted: [counted(10)], kept: [kept(6)], delivered: upTo(1) });
  books.enter({ counted: [counted(4), counted(3, 2)], kept: [kept(4)], delivered: upTo(2) });
  expect(books.page(all)).toMatchObject([{ device: 'a', hour: 5, received: 13, kept: 10, stowed: 10 }]);
  books.close();
});

test('a line of the ledger tells what was counted by then, and is copied once', () => {
  using room = folderRoom();
  const books = new BooksFile(join(room.folder, 'books.db'), 0);
  books.enter({ counted: [counted(10)], kept: [kept(10)], delivered: upTo(1) });
  const counts = { run: 1, received: 14, duplicate: 0, historical: 0, quarantined: 0 };
  const line = { number: 1, device: 'a', hour: 5, fromMs: 1, toMs: 2, observations: 4, why: 'unrecorded' };
  for (let time = 0; time < 2; time++)
    books.copy([{ ...line, klass: 'numerics', sinks: [], counted: counts }]);
  expect(books.page(all)).toMatchObject([{ received: 14, kept: 10, ledgered: 4 }]);
  expect(books.copiedLines).toBe(1);
  books.close();
});

test('the position belongs to one journal, and comes back after a start', () => {
  using room = folderRoom();
  const path = join(room.folder, 'books.db');
  const first = new BooksFile(path, 0);
  expect(first.delivered('one').numerics).toEqual([]);
  first.enter({ counted: [], kept: [kept(1)], delivered: upTo(7) });
  first.close();
  const again = new BooksFile(path, 0);
  expect(again.delivered('one').numerics).toEqual([[0, 7]]);
  expect(again.delivered('two').numerics).toEqual([]);
  again.forget(6);
  expect(again.page(all)).toEqual([]);
  again.close();
});
