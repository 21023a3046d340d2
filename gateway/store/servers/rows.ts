/** Rows as they come from a server, put in order, and made into the columns that go to the main thread. */
import { kinds, packFlags, packReason } from '../../../journal/observation-batch.ts';
import { Fault } from '../../../model/fault.ts';
import type { Reason, Validity } from '../../../model/observation.ts';
import type { NamedSeries, RowColumns } from '../historian-protocol.ts';

export interface ServerRow {
  readonly device: string;
  readonly metric: string;
  readonly channel: string;
  readonly takenAtMs: number;
  /** Order within the millisecond. */
  readonly slot: number;
  readonly receivedAtMs: number;
  readonly value: number | null;
  readonly text?: string;
  readonly code?: readonly [code: string, system: string];
  readonly validity: Validity;
  readonly reason?: Reason;
  readonly boot: string;
  readonly seq: number;
  readonly historical: boolean;
  readonly unplaced: boolean;
}

/** Where a page ended: time, then series. */
export interface Place {
  readonly takenAtMs: number;
  readonly slot: number;
  readonly series: string;
}

const seriesOf = ({ device, metric, channel }: ServerRow): string => `${device} ${metric} ${channel}`;
export const placeOf = (row: ServerRow): Place => ({
  takenAtMs: row.takenAtMs,
  slot: row.slot,
  series: seriesOf(row),
});

export const comparePlaces = (a: Place, b: Place): number =>
  a.takenAtMs - b.takenAtMs || a.slot - b.slot || (a.series < b.series ? -1 : a.series > b.series ? 1 : 0);

/** In order of time and series, each once. */
export function inOrder(rows: readonly ServerRow[]): ServerRow[] {
  const placed = rows.map((row) => ({ row, place: placeOf(row) }));
  placed.sort((a, b) => comparePlaces(a.place, b.place));
  return placed.flatMap(({ row, place }, at) => {
    const before = placed[at - 1];
    return before && comparePlaces(before.place, place) === 0 ? [] : [row];
  });
}

export const writePlace = ({ takenAtMs, slot, series }: Place): string =>
  Buffer.from(JSON.stringify(['server', takenAtMs, slot, series])).toString('base64url');

/** Throws SINK_CURSOR. */
export function readPlace(text: string): Place {
  try {
    const [mark, takenAtMs, slot, series] = JSON.parse(
      Buffer.from(text, 'base64url').toString(),
    ) as unknown[];
    if (
      mark === 'server' &&
      typeof takenAtMs === 'number' &&
      typeof slot === 'number' &&
      typeof series === 'string'
    )
      return { takenAtMs, slot, series };
  } catch (error) {
    throw new Fault('SINK_CURSOR', {}, { cause: error });
  }
  throw new Fault('SINK_CURSOR');
}

/** The first `limit` rows; when there are more, where they end. */
export function pageOf(rows: readonly ServerRow[], limit: number): RowColumns {
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const names: NamedSeries[] = [];
  const numberOfSeries = numbering((row: ServerRow) => {
    names.push({ device: row.device, metric: row.metric, channel: row.channel });
    return seriesOf(row);
  }, seriesOf);
  const boots: string[] = [];
  const numberOfBoot = numbering(
    (row: ServerRow) => {
      boots.push(row.boot);
      return row.boot;
    },
    ({ boot }) => boot,
  );
  return {
    names,
    boots,
    series: Uint32Array.from(page, numberOfSeries),
    taken: Float64Array.from(page, (row) => row.takenAtMs),
    received: Float64Array.from(page, (row) => row.receivedAtMs),
    value: Float64Array.from(page, (row) => row.value ?? NaN),
    seq: Float64Array.from(page, (row) => row.seq),
    boot: Uint32Array.from(page, numberOfBoot),
    flags: Uint8Array.from(page, flagsOf),
    reason: Uint8Array.from(page, (row) => packReason(row.reason)),
    texts: page.flatMap((row, at) => {
      const text = row.text ?? row.code;
      return text === undefined ? [] : [[at, text] as const];
    }),
    corrected: [],
    ...(last ? { next: writePlace(placeOf(last)) } : {}),
  };
}

/** Numbers words in the order of their first coming. */
function numbering(first: (row: ServerRow) => string, word: (row: ServerRow) => string) {
  const known = new Map<string, number>();
  return (row: ServerRow): number => {
    const number = known.get(word(row));
    if (number !== undefined) return number;
    known.set(first(row), known.size);
    return known.size - 1;
  };
}

function flagsOf(row: ServerRow): number {
  const kind =
    row.code !== undefined
      ? kinds.code
      : row.text !== undefined
        ? kinds.text
        : row.value === null
          ? kinds.none
          : kinds.number;
  return packFlags(row.validity, kind, row.historical, row.unplaced);
}
