/** Range and latest over the scanned windows, and corrections. They give the thread away between windows. */
import { Fault } from '../../model/fault.ts';
import { seriesKey } from '../../model/observation.ts';
import { compareWords, hasText, type Columns, type TextValue } from './columns.ts';
import { correctLatest, rowOf, valueOf } from './correct-rows.ts';
import type { HistorianBounds, NamedSeries, RowColumns } from './historian-protocol.ts';
import { inDatabase, notSeen, type LatestRow } from './series-book.ts';
import { Scanner, wantedSeries, type Sources, type Window } from './scan.ts';
import type { Corrected, Correction, SeriesSpan } from './types.ts';

/** Rows decoded at a stretch: some tens of milliseconds. */
export const windowRows = 200_000;
/** A page decodes at least this many at once. */
const leastWindowRows = 4_000;

/** Called between windows; throws when the query is past its deadline. */
export type Breathe = () => Promise<void>;

/** Where a page ended: the order of rows is time, series, boot, seq. */
interface Place {
  readonly takenAtMs: number;
  readonly series: number;
  readonly boot: string;
  readonly seq: number;
}

export async function range(
  sources: Sources,
  ask: { readonly spans: readonly SeriesSpan[]; readonly limit: number; readonly after?: string },
  breathe: Breathe,
): Promise<RowColumns> {
  const wanted = wantedSeries(sources.book, ask.spans);
  const after = ask.after === undefined ? undefined : readPlace(ask.after);
  const page = new Page(sources, ask.limit);
  const fromMs = after ? Math.max(wanted.fromMs, after.takenAtMs) : wanted.fromMs;
  // One row more than the page tells whether there is a next one.
  const mostRows = Math.max(leastWindowRows, ask.limit);
  for (const window of new Scanner(sources, 'rows').windows(wanted, fromMs, mostRows)) {
    mergeInto(page, window, after);
    if (page.more) break;
    await breathe();
  }
  return page.columns();
}

/** The newest placed observation of every series of the devices. */
export function latest(sources: Sources, devices: readonly string[]): RowColumns {
  const { book, head, corrections } = sources;
  const ids = [...new Set(devices)].flatMap((device) => book.known(device)?.ids ?? []);
  const page = new Page(sources, ids.length);
  for (const id of ids) {
    const at = book.newestAt[id] ?? 0;
    const row = at === notSeen ? undefined : at === inDatabase ? book.latest[id] : head.latestRow(at);
    if (!row) continue;
    const { device = '', metric = '', channel } = book.all[id] ?? {};
    const said = corrections.of(device, seriesKey(metric, channel), row.takenAtMs, justAfter(row.takenAtMs));
    page.addRow(id, correctLatest(row, said));
  }
  return page.columns();
}

/** Keeps what a person says of one observation, with what it said until then. */
export function correct(sources: Sources, correction: Correction): 'corrected' | 'absent' {
  const { device, metric, channel, takenAtMs } = correction;
  const span = {
    device,
    metrics: [seriesKey(metric, channel)],
    fromMs: takenAtMs,
    toMs: justAfter(takenAtMs),
  };
  const wanted = wantedSeries(sources.book, [span]);
  for (const window of new Scanner(sources, 'rows').windows(wanted, takenAtMs, leastWindowRows))
    for (const [series, rows] of window.rows) {
      const row = rowOf(rows, correction);
      if ((sources.book.all[series]?.channel ?? '') !== (channel ?? '') || row < 0) continue;
      const flags = rows.flags[row] ?? 0;
      const text = hasText(flags) ? rows.textOf(row) : undefined;
      sources.corrections.add(correction, valueOf(flags, rows.value[row] ?? 0, rows.reason[row] ?? 0, text));
      return 'corrected';
    }
  return 'absent';
}

/** The next instant a double can tell. */
const justAfter = (atMs: number): number => atMs + Math.max(0.001, Math.abs(atMs) * 2 * Number.EPSILON);

export const nameOf = (sources: Sources, id: number): NamedSeries => {
  const { device, metric, channel } = sources.book.all[id] ?? { device: '', metric: '', channel: '' };
  return { device, metric, channel };
};

/** Takes rows from several series in order of time until the page is full. */
function mergeInto(page: Page, window: Window, after: Place | undefined): void {
  // In order of series, which decides between rows of the same instant.
  const lanes = [...window.rows]
    .map(([series, rows]) => ({ series, rows, at: 0 }))
    .sort((a, b) => a.series - b.series);
  for (const lane of lanes) if (after) while (lane.at < lane.rows.length && !isPast(lane, after)) lane.at++;
  for (;;) {
    let first: (typeof lanes)[number] | undefined;
    let instant = Infinity;
    for (const lane of lanes) {
      if (lane.at >= lane.rows.length) continue;
      const taken = lane.rows.taken[lane.at] ?? 0;
      if (first && taken >= instant) continue;
      instant = taken;
      first = lane;
    }
    if (!first || !page.add(first.series, first.rows, first.at)) return;
    first.at++;
  }
}

function isPast({ series, rows, at }: { series: number; rows: Columns; at: number }, place: Place): boolean {
  const order =
    (rows.taken[at] ?? 0) - place.takenAtMs ||
    series - place.series ||
    compareWords(rows.bootOf(at), place.boot) ||
    (rows.seq[at] ?? 0) - place.seq;
  return order > 0;
}

const writePlace = ({ takenAtMs, series, boot, seq }: Place): string =>
  Buffer.from(JSON.stringify([takenAtMs, series, boot, seq])).toString('base64url');

function readPlace(text: string): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const [takenAtMs, series, boot, seq] = place as [unknown, unknown, unknown, unknown];
    if (
      typeof takenAtMs === 'number' &&
      typeof series === 'number' &&
      typeof boot === 'string' &&
      typeof seq === 'number'
    )
      return { takenAtMs, series, boot, seq };
  } catch (error) {
    throw new Fault('STORE_CURSOR', {}, { cause: error });
  }
  throw new Fault('STORE_CURSOR');
}

/** Rows of an answer, collected. */
class Page {
  more = false;
  private length = 0;
  private lastSeries = -1;
  private lastSeriesNumber = 0;
  private lastBoot = '';
  private lastBootNumber = 0;
  private readonly limit: number;
  private readonly sources: Sources;
  private readonly names: NamedSeries[] = [];
  private readonly nameNumbers = new Map<number, number>();
  private readonly boots: string[] = [];
  private readonly bootNumbers = new Map<string, number>();
  private readonly texts: [number, TextValue][] = [];
  private readonly corrected: [number, Corrected][] = [];
  private readonly series: Uint32Array;
  private readonly numbers: Record<'taken' | 'received' | 'value' | 'seq', Float64Array>;
  private readonly boot: Uint32Array;
  private readonly flags: Uint8Array;
  private readonly reason: Uint8Array;

  constructor(sources: Sources, limit: number) {
    const column = (): Float64Array => new Float64Array(limit);
    this.limit = limit;
    this.sources = sources;
    this.series = new Uint32Array(limit);
    this.numbers = { taken: column(), received: column(), value: column(), seq: column() };
    this.boot = new Uint32Array(limit);
    this.flags = new Uint8Array(limit);
    this.reason = new Uint8Array(limit);
  }

  /** False when the page was full already. */
  add(series: number, rows: Columns, row: number): boolean {
    if (this.length === this.limit) return !(this.more = true);
    const at = this.length++;
    const flags = rows.flags[row] ?? 0;
    this.series[at] = this.seriesNumber(series);
    this.numbers.taken[at] = rows.taken[row] ?? 0;
    this.numbers.received[at] = rows.received[row] ?? 0;
    this.numbers.value[at] = rows.value[row] ?? 0;
    this.numbers.seq[at] = rows.seq[row] ?? 0;
    this.boot[at] = this.bootNumber(rows.bootOf(row));
    this.flags[at] = flags;
    this.reason[at] = rows.reason[row] ?? 0;
    if (hasText(flags)) this.texts.push([at, rows.textOf(row)]);
    const said = rows.corrected.size > 0 ? rows.corrected.get(row) : undefined;
    if (said) this.corrected.push([at, said]);
    return true;
  }

  addRow(series: number, row: LatestRow & { readonly corrected?: Corrected }): void {
    const at = this.length++;
    this.series[at] = this.seriesNumber(series);
    this.numbers.taken[at] = row.takenAtMs;
    this.numbers.received[at] = row.receivedAtMs;
    this.numbers.value[at] = row.value;
    this.numbers.seq[at] = row.seq;
    this.boot[at] = this.bootNumber(row.boot);
    this.flags[at] = row.flags;
    this.reason[at] = row.reason;
    if (row.text !== undefined) this.texts.push([at, row.text]);
    if (row.corrected) this.corrected.push([at, row.corrected]);
  }

  columns(): RowColumns {
    const { length, numbers, names, boots, texts } = this;
    return {
      names,
      boots,
      series: this.series.slice(0, length),
      taken: numbers.taken.slice(0, length),
      received: numbers.received.slice(0, length),
      value: numbers.value.slice(0, length),
      seq: numbers.seq.slice(0, length),
      boot: this.boot.slice(0, length),
      flags: this.flags.slice(0, length),
      reason: this.reason.slice(0, length),
      texts,
      corrected: this.corrected,
      ...(this.more ? { next: writePlace(this.last()) } : {}),
    };
  }

  private last(): Place {
    const { numbers, lastSeries, lastBoot } = this;
    const at = this.length - 1;
    return {
      takenAtMs: numbers.taken[at] ?? 0,
      series: lastSeries,
      boot: lastBoot,
      seq: numbers.seq[at] ?? 0,
    };
  }

  /** Rows of one series and boot mostly follow each other. */
  private seriesNumber(series: number): number {
    if (series === this.lastSeries) return this.lastSeriesNumber;
    const add = (): number => this.names.push(nameOf(this.sources, series));
    this.lastSeries = series;
    this.lastSeriesNumber = this.numberOf(this.nameNumbers, series, add);
    return this.lastSeriesNumber;
  }

  private bootNumber(boot: string): number {
    if (boot === this.lastBoot && this.boots.length > 0) return this.lastBootNumber;
    this.lastBoot = boot;
    this.lastBootNumber = this.numberOf(this.bootNumbers, boot, () => this.boots.push(boot));
    return this.lastBootNumber;
  }

  private numberOf<K>(known: Map<K, number>, key: K, make: () => number): number {
    let number = known.get(key);
    if (number === undefined) known.set(key, (number = make() - 1));
    return number;
  }
}

export const clampLimit = (limit: number, bounds: HistorianBounds): number =>
  Math.max(1, Math.min(bounds.pageRows, Math.floor(limit) || 1));
