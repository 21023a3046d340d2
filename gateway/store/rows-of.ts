/** Makes rows of the columns that came from the worker, some thousands at a stretch. */
import {
  flagsHistorical,
  flagsKind,
  flagsUnplaced,
  flagsValidity,
  kinds,
  unpackReason,
} from '../../journal/observation-batch.ts';
import {
  figureNumbers,
  type AggregateColumns,
  type NamedSeries,
  type RowColumns,
} from './historian-protocol.ts';
import type { AggregateRow, StoredRow } from './types.ts';

/** Rows made before the thread is given away: about a millisecond's worth. */
const rowsAtOnce = 4_000;

export async function rowsOf(columns: RowColumns): Promise<StoredRow[]> {
  const texts = new Map(columns.texts);
  const corrected = new Map(columns.corrected);
  const rows: StoredRow[] = [];
  for (let at = 0; at < columns.series.length; at++) {
    if (at > 0 && at % rowsAtOnce === 0) await breath();
    const flags = columns.flags[at] ?? 0;
    const text = texts.get(at);
    const said = corrected.get(at);
    const reason = unpackReason(columns.reason[at] ?? 0);
    rows.push({
      ...seriesOf(columns.names[columns.series[at] ?? 0]),
      takenAtMs: columns.taken[at] ?? 0,
      receivedAtMs: columns.received[at] ?? 0,
      value: flagsKind(flags) === kinds.number ? (columns.value[at] ?? 0) : null,
      ...(text === undefined ? {} : typeof text === 'string' ? { text } : { code: text[0], system: text[1] }),
      validity: flagsValidity(flags),
      ...(reason ? { reason } : {}),
      boot: columns.boots[columns.boot[at] ?? 0] ?? '',
      seq: columns.seq[at] ?? 0,
      historical: flagsHistorical(flags),
      unplaced: flagsUnplaced(flags),
      ...(said ? { corrected: said } : {}),
    });
  }
  return rows;
}

export async function aggregatesOf({ names, series, figures }: AggregateColumns): Promise<AggregateRow[]> {
  const rows: AggregateRow[] = [];
  for (let at = 0; at < series.length; at++) {
    if (at > 0 && at % rowsAtOnce === 0) await breath();
    const place = at * figureNumbers;
    const given = (number: number): number | null => {
      const figure = figures[place + number] ?? NaN;
      return Number.isFinite(figure) ? figure : null;
    };
    rows.push({
      ...seriesOf(names[series[at] ?? 0]),
      fromMs: figures[place] ?? 0,
      count: figures[place + 1] ?? 0,
      min: given(2),
      mean: given(3),
      median: given(4),
      max: given(5),
      last: given(6),
    });
  }
  return rows;
}

const seriesOf = ({ device, metric, channel }: NamedSeries = { device: '', metric: '', channel: '' }) =>
  channel === '' ? { device, metric } : { device, metric, channel };

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
