/** Chunks as they are read: a stretch of one series each. */
import { Columns } from './columns.ts';
import { seriesKey } from '../../model/observation.ts';
import { Body, ownerOf, type Wish } from './packing.ts';
import type { Series } from './series-book.ts';
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
export function recentChunk(file: StoreFile, series: Series, chunk: Extent): Columns {
  let rows = file.recent.get(chunk.id);
  if (!rows) {
    rows = new Columns(chunk.observations);
    takeChunk(file, series, chunk, { target: rows, wish: 'rows' });
    const [oldest] = file.recent.keys();
    if (file.recent.size >= mostRecent && oldest !== undefined) file.recent.delete(oldest);
    file.recent.set(chunk.id, rows);
  }
  return rows;
}

/** Appends the chunk's rows. Throws when it is damaged; rows of the target before it are as they were. */
export function takeChunk(
  file: StoreFile,
  { device, metric, channel }: Series,
  chunk: Extent,
  { target, wish }: { readonly target: Columns; readonly wish: Wish },
): void {
  const columns = wish === 'rows' ? 'body, sources' : 'body';
  const row = file.sql(`SELECT ${columns} FROM chunks WHERE id = ?`).get(chunk.id);
  if (!row) return;
  const before = target.length;
  try {
    file.reads.chunks++;
    const owner = ownerOf(device, seriesKey(metric, channel), chunk.fromMs);
    new Body(row['body'] as Uint8Array, owner).take(target, 0, 'values');
    const count = target.length - before;
    // The row of the database has no checksum of its own.
    if (count !== chunk.observations || target.taken[target.length - 1] !== chunk.toMs)
      throw new RangeError('it holds other observations than its row says');
    if (row['sources']) {
      file.reads.sources++;
      new Body(row['sources'] as Uint8Array, owner).takeSources(target, count);
    }
  } catch (error) {
    target.length = before;
    throw error;
  }
}
