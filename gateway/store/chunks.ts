/** Chunks as they are read: a stretch of one series each. */
import { Columns } from './columns.ts';
import { Body, type Wish } from './packing.ts';
import type { Extent, StoreFile } from './store-file.ts';

/** The longest time from the first to the last observation of a chunk; it never crosses a multiple of it. */
export const chunkSpanMs = 4 * 3_600_000;

/** Those that hold something of the time, oldest first. */
export const chunksBetween = (file: StoreFile, series: number, fromMs: number, toMs: number): Extent[] =>
  file
    .sql(
      `SELECT id, fromMs, toMs, observations FROM chunks
       WHERE series = ? AND fromMs > ? AND fromMs < ? AND toMs >= ? ORDER BY fromMs`,
    )
    .all(series, fromMs - chunkSpanMs, toMs, fromMs) as unknown as Extent[];

/** Some 700 KB each at most. */
const mostRecent = 4;

/** The chunk's rows for a page: the next page begins where this one ended, mostly in the same chunk. */
export function recentChunk(file: StoreFile, chunk: Extent): Columns {
  let rows = file.recent.get(chunk.id);
  if (!rows) {
    rows = new Columns(chunk.observations);
    takeChunk(file, chunk, rows, 'rows');
    const [oldest] = file.recent.keys();
    if (file.recent.size >= mostRecent && oldest !== undefined) file.recent.delete(oldest);
    file.recent.set(chunk.id, rows);
  }
  return rows;
}

/** Appends the chunk's rows. Throws when it is damaged; rows of the target before it are as they were. */
export function takeChunk(file: StoreFile, chunk: Extent, target: Columns, wish: Wish): void {
  const columns = wish === 'rows' ? 'body, sources' : 'body';
  const row = file.sql(`SELECT ${columns} FROM chunks WHERE id = ?`).get(chunk.id);
  if (!row) return;
  const before = target.length;
  try {
    file.reads.chunks++;
    new Body(row['body'] as Uint8Array).take(target, 0, 'values');
    const count = target.length - before;
    // A mismatch is damage that no checksum of a part can find.
    if (count !== chunk.observations) throw new RangeError('it holds another number of observations');
    if (row['sources']) {
      file.reads.sources++;
      new Body(row['sources'] as Uint8Array).takeSources(target, count);
    }
  } catch (error) {
    target.length = before;
    throw error;
  }
}
