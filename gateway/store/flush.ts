/** Writes the head into blocks: sorted by series and time, with the newest values and the journal positions at once. */
import type { JournalClass, Ranges } from '../../journal/types.ts';
import { Columns } from './columns.ts';
import type { Head } from './head.ts';
import { BodyWriter } from './packing.ts';
import type { SeriesBook } from './series-book.ts';
import type { BlockExtent, Entry, StoreFile } from './store-file.ts';
import type { Progress } from './witness.ts';

/** Small enough to be opened for one series in a fraction of a millisecond. */
const blockObservations = 16_384;
const blockBytes = 256 * 1024;
const level = 1;

export interface Flushed {
  readonly blocks: readonly BlockExtent[];
  readonly observations: number;
  readonly progress: Progress;
}

/** Stores everything in the head in one transaction. When it throws, the head is as it was. */
export function flushHead(
  file: StoreFile,
  book: SeriesBook,
  head: Head,
  { delivered, progress }: { delivered: ReadonlyMap<JournalClass, Ranges>; progress: Progress },
): Flushed {
  let made = progress;
  const flushed = file.write(() => {
    for (const series of book.fresh) file.addSeries(series);
    const blocks = writeBlocks(file, head, book.all.length);
    for (const { id } of newest(book, head)) file.putLatest(id, head.latestRow(book.newestAt[id] ?? 0));
    file.putDelivered(delivered);
    made = { ...progress, observations: progress.observations + countOf(blocks) };
    file.setSealed('progress', made);
    return blocks;
  });
  for (const { id } of newest(book, head)) book.setLatest(id, head.latestRow(book.newestAt[id] ?? 0));
  book.fresh.length = 0;
  head.clear();
  return { blocks: flushed, observations: countOf(flushed), progress: made };
}

const countOf = (blocks: readonly BlockExtent[]): number =>
  blocks.reduce((sum, block) => sum + block.observations, 0);

function* newest(book: SeriesBook, head: Head): Generator<{ id: number }> {
  if (head.length === 0) return;
  for (const series of book.all) if (series && (book.newestAt[series.id] ?? 0) >= 0) yield series;
}

function writeBlocks(file: StoreFile, head: Head, seriesCount: number): BlockExtent[] {
  const { order, starts } = orderBySeries(head, seriesCount);
  const writer = new BodyWriter();
  const columns = new Columns();
  const blocks: BlockExtent[] = [];
  let entries: Entry[] = [];
  let observations = 0;
  let receivedToMs = -Infinity;
  const seal = (): void => {
    if (entries.length === 0) return;
    const body = writer.seal(columns.boots.words, level);
    blocks.push(file.addBlock({ entries, receivedToMs, body }));
    columns.clear();
    entries = [];
    observations = 0;
    receivedToMs = -Infinity;
  };
  for (let series = 0; series < seriesCount; series++) {
    for (let from = starts[series] ?? 0; from < (starts[series + 1] ?? 0); from += blockObservations) {
      head.gather(columns, order.subarray(from, Math.min(from + blockObservations, starts[series + 1] ?? 0)));
      columns.settle();
      for (let row = 0; row < columns.length; row++)
        if ((columns.received[row] ?? 0) > receivedToMs) receivedToMs = columns.received[row] ?? 0;
      entries.push({
        series,
        offset: writer.put(columns),
        observations: columns.length,
        fromMs: columns.taken[0] ?? 0,
        toMs: columns.taken[columns.length - 1] ?? 0,
      });
      observations += columns.length;
      if (observations >= blockObservations || writer.length >= blockBytes) seal();
    }
  }
  seal();
  return blocks;
}

/** Rows of the head by series, in order of arrival: a counting sort. Series s has order[starts[s]..starts[s+1]). */
export function orderBySeries(
  head: Head,
  seriesCount: number,
): { readonly order: Uint32Array; readonly starts: Uint32Array } {
  const starts = new Uint32Array(seriesCount + 1);
  const add = (place: number, count: number): void => {
    starts[place] = (starts[place] ?? 0) + count;
  };
  for (let row = 0; row < head.length; row++) add((head.series[row] ?? 0) + 1, 1);
  for (let series = 0; series < seriesCount; series++) add(series + 1, starts[series] ?? 0);
  const next = starts.slice();
  const order = new Uint32Array(head.length);
  for (let row = 0; row < head.length; row++) {
    const series = head.series[row] ?? 0;
    const place = next[series] ?? 0;
    order[place] = row;
    next[series] = place + 1;
  }
  return { order, starts };
}
