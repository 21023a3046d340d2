/** Deletes what is older than the retention of its class, whole chunks at a time and a few at a stroke. */
import type { Head } from './head.ts';
import { classOf, longestRetentionMs, type MetricClass, type Retention } from './retention.ts';
import type { SeriesBook } from './series-book.ts';
import type { StoreFile } from './store-file.ts';

const seriesPerStep = 200;
const chunksPerStep = 500;
const shrinkPages = 200;

export class Expiry {
  /** Observations deleted since the start. */
  deleted = 0;
  private readonly file: StoreFile;
  private readonly book: SeriesBook;
  private readonly retention: Retention;
  /** The series whose turn it is. */
  private next = 0;
  private readonly classes = new Map<string, MetricClass>();

  constructor(file: StoreFile, book: SeriesBook, retention: Retention) {
    this.file = file;
    this.book = book;
    this.retention = retention;
  }

  /**
   * Goes on with some series; true when it has been through all. Old is what was taken and received before: a
   * backlog is kept for as long after it came. Blocks hold every class and go by the longest; none while they are made
   * into chunks.
   */
  step(nowMs: number, blocks: 'with blocks' | 'chunks only'): boolean {
    const { file, book } = this;
    const chunks: { readonly id: number; readonly observations: number }[] = [];
    const end = Math.min(book.all.length, this.next + seriesPerStep);
    const ofSeries = file.sql(
      'SELECT id, observations FROM chunks WHERE series = ? AND toMs < ? AND receivedToMs < ? LIMIT ?',
    );
    while (this.next < end && chunks.length < chunksPerStep) {
      const series = book.all[this.next++];
      if (!series) continue;
      const before = this.beforeMs(series.metric, nowMs);
      chunks.push(...(ofSeries.all(series.id, before, before, chunksPerStep) as typeof chunks));
    }
    this.deleteChunks(chunks);
    if (this.next < book.all.length) return false;
    this.next = 0;
    const longest = nowMs - longestRetentionMs(this.retention);
    if (blocks === 'with blocks') this.deleteBlocks(longest);
    // Of no series any more, or damaged: nobody else takes them away.
    file.sql('DELETE FROM damaged WHERE toMs < ?').run(longest);
    const lone = file
      .sql('SELECT id, observations FROM chunks WHERE toMs < ? AND receivedToMs < ? LIMIT ?')
      .all(longest, longest, chunksPerStep) as typeof chunks;
    this.deleteChunks(lone);
    return file.shrink(shrinkPages) && lone.length < chunksPerStep;
  }

  /** Forgets series of which nothing is kept and nothing newer than the retention was seen. */
  forget(head: Head, nowMs: number): void {
    const { file, book } = this;
    const kept = file.sql('SELECT 1 FROM chunks WHERE series = ? LIMIT 1');
    const gone = new Set<number>();
    for (const series of book.all) {
      const newest = series && book.latest[series.id];
      if (!newest) continue;
      const before = this.beforeMs(series.metric, nowMs);
      if (Math.max(newest.takenAtMs, newest.receivedAtMs) >= before) continue;
      if (kept.get(series.id) === undefined) gone.add(series.id);
    }
    if (gone.size === 0) return;
    for (let row = 0; row < head.length; row++) gone.delete(head.series[row] ?? 0);
    for (const block of file.blocks) for (const { series } of file.directory(block.id)) gone.delete(series);
    file.write(() => {
      for (const series of gone) {
        file.sql('DELETE FROM series WHERE id = ?').run(series);
        file.sql('DELETE FROM latest WHERE series = ?').run(series);
      }
    });
    for (const series of gone) book.remove(series);
  }

  private beforeMs(metric: string, nowMs: number): number {
    let known = this.classes.get(metric);
    if (!known) this.classes.set(metric, (known = classOf(metric)));
    return nowMs - this.retention[known];
  }

  private deleteChunks(chunks: readonly { readonly id: number; readonly observations: number }[]): void {
    if (chunks.length === 0) return;
    this.file.write(() => {
      for (const { id } of chunks) this.file.sql('DELETE FROM chunks WHERE id = ?').run(id);
    });
    for (const { observations } of chunks) this.deleted += observations;
  }

  private deleteBlocks(before: number): void {
    const { blocks } = this.file;
    const old = blocks.filter((block) => block.toMs < before && block.receivedToMs < before);
    if (old.length === 0) return;
    this.file.write(() => {
      for (const { id } of old) this.file.sql('DELETE FROM blocks WHERE id = ?').run(id);
    });
    for (const block of old) {
      this.deleted += block.observations;
      blocks.splice(blocks.indexOf(block), 1);
    }
  }
}
