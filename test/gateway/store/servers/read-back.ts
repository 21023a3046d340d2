import { expect } from 'vitest';
import type { LongStore, SeriesSpan, StoredRow } from '../../../../gateway/store/types.ts';
import type { ServerRoom } from './room.ts';

/** Every stretch of a device. */
export const all = (device: string): readonly SeriesSpan[] => [{ device, fromMs: 0, toMs: 4e12 }];

/** All pages, by the sink's own reader. */
export async function readBack(
  room: ServerRoom,
  spans: readonly SeriesSpan[],
  limit = 10_000,
): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  let after: string | undefined;
  do {
    const page: Awaited<ReturnType<LongStore['range']>> | undefined = await room.servers.longStore?.range(
      spans,
      after === undefined ? { limit } : { limit, after },
    );
    rows.push(...(page?.rows ?? []));
    expect(page?.rows.length).toBeLessThanOrEqual(limit);
    after = page?.next;
  } while (after !== undefined);
  return rows;
}
