/** Counts the rows that are really in the historian's file, by device and hour of receipt: every body is opened. */
import type { DatabaseSync } from 'node:sqlite';
import { hourMs } from '../../journal/tally.ts';
import { Columns } from './columns.ts';
import { Body } from './packing.ts';
import { readDirectory, unsealed, type Compacted, type Entry } from './store-file.ts';

export interface CountAsk {
  /** By receipt; from inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  /** All if absent. */
  readonly device?: string | undefined;
}

export interface RowCounts {
  /** `device hour` (hours since 1970) → rows. */
  readonly stored: ReadonlyMap<string, number>;
  /** Bodies that cannot be opened: whose and how many rows they should hold. */
  readonly damaged: readonly {
    readonly device: string;
    readonly fromMs: number;
    readonly observations: number;
  }[];
}

/** `breathe` is called between bodies, with the share that is done; it may throw to call the count off. */
export function countRows(
  database: DatabaseSync,
  ask: CountAsk,
  breathe: (share: number) => void,
): RowCounts {
  const devices = new Map<number, string>();
  for (const row of database.prepare('SELECT id, device FROM series').iterate()) {
    const device = row['device'] as string;
    if (ask.device === undefined || ask.device === device) devices.set(row['id'] as number, device);
  }
  const count = new Count(devices, ask);
  const chunks = database
    .prepare('SELECT id, series, fromMs, observations FROM chunks WHERE receivedToMs >= ?')
    .all(ask.fromMs);
  const blocks = database.prepare('SELECT id FROM blocks WHERE receivedToMs >= ?').all(ask.fromMs);
  const bodyOfChunk = database.prepare('SELECT body, sources FROM chunks WHERE id = ?');
  for (const [at, chunk] of chunks.entries()) {
    const series = chunk['series'] as number;
    if (!devices.has(series)) continue;
    const { body, sources } = bodyOfChunk.get(chunk['id'] as number) ?? {};
    const fromMs = chunk['fromMs'] as number;
    count.chunk({ series, fromMs, observations: chunk['observations'] as number }, body, sources);
    breathe(at / (chunks.length + blocks.length));
  }
  const compacted = compactedOf(database);
  for (const [at, { id }] of blocks.entries()) {
    const block = database.prepare('SELECT directory, body FROM blocks WHERE id = ?').get(id as number);
    if (!block) continue;
    const isHalf = (id as number) <= compacted.throughBlock;
    // What a compaction has done already stands in the chunks.
    const entries = readDirectory(block['directory'] as Uint8Array).filter(
      ({ series }) => devices.has(series) && !(isHalf && series < compacted.beforeSeries),
    );
    if (entries.length > 0) count.block(block['body'], entries);
    breathe((chunks.length + at) / (chunks.length + blocks.length));
  }
  return count;
}

type Part = Pick<Entry, 'series' | 'fromMs' | 'observations'>;

class Count implements RowCounts {
  readonly stored = new Map<string, number>();
  readonly damaged: { device: string; fromMs: number; observations: number }[] = [];
  private readonly devices: ReadonlyMap<number, string>;
  private readonly ask: CountAsk;
  private readonly columns = new Columns();

  constructor(devices: ReadonlyMap<number, string>, ask: CountAsk) {
    this.devices = devices;
    this.ask = ask;
  }

  chunk(part: Part, values: unknown, sources: unknown): void {
    this.rows(part, () => {
      new Body(values as Uint8Array).take(this.columns, 0, 'values');
      if (sources) new Body(sources as Uint8Array).takeSources(this.columns, this.columns.length);
    });
  }

  block(bytes: unknown, entries: readonly Entry[]): void {
    let body: Body | undefined;
    for (const entry of entries) {
      this.rows(entry, () => {
        body ??= new Body(bytes as Uint8Array);
        body.take(this.columns, entry.offset, 'rows');
      });
    }
  }

  private rows({ series, fromMs, observations }: Part, take: () => void): void {
    const device = this.devices.get(series) ?? '';
    this.columns.clear();
    try {
      take();
      if (this.columns.length !== observations) throw new RangeError('another number of observations');
      this.addRows(device);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.damaged.push({ device, fromMs, observations });
    }
  }

  private addRows(device: string): void {
    const { received, length } = this.columns;
    let hour = -1;
    let rows = 0;
    const put = (): void => {
      if (rows === 0) return;
      const key = `${device} ${hour}`;
      this.stored.set(key, (this.stored.get(key) ?? 0) + rows);
    };
    for (let row = 0; row < length; row++) {
      const atMs = received[row] ?? 0;
      if (atMs < this.ask.fromMs || atMs >= this.ask.toMs) continue;
      const own = Math.floor(atMs / hourMs);
      if (own !== hour) {
        put();
        hour = own;
        rows = 0;
      }
      rows++;
    }
    put();
  }
}

function compactedOf(database: DatabaseSync): Compacted {
  const text = database.prepare("SELECT value FROM meta WHERE name = 'compacted'").get()?.['value'];
  return unsealed<Compacted>(text as string | undefined) ?? { throughBlock: 0, beforeSeries: 0 };
}
