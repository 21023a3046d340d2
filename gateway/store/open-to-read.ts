/** The historian as another thread reads it beside its own: one state of it, held from the opening on. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../../model/fault.ts';
import { CorrectionBook } from './corrections.ts';
import { Head } from './head.ts';
import { Scanner } from './scan.ts';
import { SeriesBook } from './series-book.ts';
import { StoreFile } from './store-file.ts';
import type { Wish } from './packing.ts';

export interface StoreToRead {
  readonly book: SeriesBook;
  scanner(wish: Wish): Scanner;
  close(): void;
}

const cacheKib = 2_048;

/**
 * Without what is still in the historian's memory (30 s at most). Throws DATABASE_OPEN when there is none, or it cannot
 * be read; damage met on the way is told, and the rest is served.
 */
export function openToRead(folder: string, told: (fault: Fault) => void): StoreToRead {
  const spec = { cacheKib, checkUpToBytes: 0, nowMs: 0, toRead: true };
  const file = new StoreFile({ ...spec, path: join(folder, 'historian.db') });
  const book = new SeriesBook();
  file.loadBook(book);
  const path = join(folder, 'corrections.db');
  const corrections = existsSync(path) ? new CorrectionBook({ ...spec, path }, 0) : undefined;
  const head = new Head(1);
  return {
    book,
    scanner: (wish) =>
      new Scanner({ file, head, book, corrections: corrections ?? { of: () => [] }, told }, wish),
    close: () => {
      file.close();
      corrections?.close();
    },
  };
}
