import { metrics as metricTable } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import type { LatestValue } from '../../model/stream.ts';
import type { Historian, StoredRow } from '../store/types.ts';
import { readCursor, writeCursor, type Cursor } from './cursor.ts';
import { Figures } from './figures.ts';
import { lookBackMs } from './choose-source.ts';
import { attributed, devicesOf, unitOf, Windows, type ReadWindow } from './read.ts';
import { rivalsAmong } from './rivals.ts';
import { rowLines } from './row-lines.ts';
import type {
  AttributedRow,
  AttributedSpan,
  FigureQuery,
  FigureRow,
  ObservationQuery,
  ObservationsOptions,
  Whose,
} from './types.ts';
import type { ReadPlan } from './windows.ts';

/** Windows that one page looks into at most; then it ends early, with a cursor. */
const windowsAPage = 50;
/** Rows of a stream that are in memory at a time: about 1.5 MB of text. */
const linesAtOnce = 5_000;

interface Lines {
  readonly format: 'ndjson' | 'csv';
  readonly demo: boolean;
}

/**
 * Queries by person or place: the historian knows devices only; whose they were comes from the association history at
 * the moment of asking, so a correction counts at once and rewrites no series.
 */
export class Observations {
  private readonly options: ObservationsOptions;
  private readonly figures: Figures;

  constructor(options: ObservationsOptions) {
    this.options = options;
    this.figures = new Figures({
      ...options,
      plan: (query) => this.plan(query),
      storeOf: (own) => this.storeOf(own),
      ownMs: (fromMs) => this.ownMs(fromMs),
    });
  }

  /** Oldest first. A page may hold fewer rows than asked for; the one without `next` is the last. */
  async range(
    asked: ObservationQuery,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<{ rows: readonly AttributedRow[]; next?: string } | 'absent'> {
    if (!this.options.known(asked)) return 'absent';
    let cursor = page.after === undefined ? this.begin(asked) : readCursor(page.after);
    const query = { ...asked, fromMs: cursor.fromMs, toMs: cursor.toMs };
    const windows = await this.windows(query, cursor.ownMs);
    const rows: AttributedRow[] = [];
    for (let opened = 0; opened < windowsAPage && rows.length < page.limit; opened++) {
      const [begin, end] = cursor.window;
      const window = await windows.open(begin, end > begin ? end : undefined);
      if (!window) break;
      const read = await this.page(window, cursor.place, page.limit - rows.length);
      rows.push(...attributed(read.rows, window.spans, unplacedIn(query)));
      windows.found(read.rows.length);
      cursor = movedTo(cursor, window, read.next);
    }
    return cursor.window[0] >= cursor.toMs ? { rows } : { rows, next: writeCursor(cursor) };
  }

  /** The whole span as lines of text, some thousand rows at a time and only when the reader wants more. */
  async lines(query: ObservationQuery, as: Lines): Promise<AsyncGenerator<Uint8Array> | 'absent'> {
    if (!this.options.known(query)) return 'absent';
    const ownMs = this.ownMs(query.fromMs);
    return this.pieces(query, await this.windows(query, ownMs), as);
  }

  async aggregate(query: FigureQuery): Promise<readonly FigureRow[] | 'absent'> {
    return this.options.known(query) ? this.figures.rows(query) : 'absent';
  }

  /** Every metric that these devices are known to have said, in the metric table or not; with channels and without. */
  async metricsSaid(query: ObservationQuery): Promise<ReadonlySet<string>> {
    const newest = await this.options.historian.latest(devicesOf(this.spans(query)));
    return new Set(newest.flatMap((row) => [row.metric, seriesKey(row.metric, row.channel)]));
  }

  async latest(of: Whose): Promise<readonly LatestValue[] | 'absent'> {
    if (!this.options.known(of)) return 'absent';
    const now = this.options.nowMs();
    const devices = devicesOf(this.options.spansOf(of, now, now + 1));
    const stored = await this.options.historian.latest(devices);
    const values = new Map(stored.map((row) => [keyOf(row), shownOf(row)]));
    const corrected = new Set(stored.filter((row) => row.corrected).map(keyOf));
    for (const device of devices) {
      for (const value of this.options.latest(device)) {
        const known = values.get(keyOf(value));
        const newer = !known || known.takenAtMs < value.takenAtMs;
        // What a person corrected counts more than what the device said of the same instant.
        if (newer || (known.takenAtMs === value.takenAtMs && !corrected.has(keyOf(value))))
          values.set(keyOf(value), value);
      }
    }
    if (of.device !== undefined) return [...values.values()];
    // A person's or a bed's: what was taken before the association is another patient's.
    return [...values.values()].filter(
      (value) => value.takenAtMs >= (this.options.sinceMs(value.device) ?? -Infinity),
    );
  }

  private async *pieces(query: ObservationQuery, windows: Windows, as: Lines): AsyncGenerator<Uint8Array> {
    const unplaced = unplacedIn(query);
    let headless = false;
    for (let atMs = query.fromMs; ;) {
      const window = await windows.open(atMs);
      if (!window) break;
      let place: string | undefined;
      let rows = 0;
      do {
        const piece = await this.piece(window, { ...as, unplaced, headless, after: place });
        headless = true;
        yield piece.bytes;
        rows += piece.rows;
        place = piece.next;
      } while (place !== undefined);
      windows.found(rows);
      atMs = window.toMs;
    }
    if (!headless) yield rowLines([], { ...as, headless });
  }

  private async piece(
    window: ReadWindow,
    as: Lines & { unplaced: 'given' | 'left-out'; headless: boolean; after: string | undefined },
  ): Promise<{ bytes: Uint8Array; rows: number; next?: string }> {
    const { format, demo, unplaced, headless, after: place } = as;
    const next = place === undefined ? {} : { after: place };
    if (window.own) {
      const spans = window.spans.map((span) => ({ ...span, unplaced }));
      return this.options.historian.lines(spans, { format, demo, headless, limit: linesAtOnce, ...next });
    }
    const page = await this.page(window, place, linesAtOnce);
    const rows = attributed(page.rows, window.spans, unplaced);
    return { ...page, bytes: rowLines(rows, { format, demo, headless }), rows: rows.length };
  }

  private page(window: ReadWindow, place: string | undefined, limit: number) {
    const next = place === undefined ? {} : { after: place };
    return this.storeOf(window.own).range(window.spans, { limit, ...next });
  }

  private async windows(query: ObservationQuery, ownMs: number): Promise<Windows> {
    const plan = await this.plan(query);
    return new Windows(plan, { toMs: query.toMs, ownMs }, (own) => this.storeOf(own));
  }

  private spans(query: ObservationQuery): readonly AttributedSpan[] {
    const { maySee } = query;
    const spans = this.options.spansOf(query, query.fromMs, query.toMs);
    if (!maySee) return spans;
    return spans.filter(({ encounter }) => encounter === undefined || maySee(encounter));
  }

  /**
   * All stretches of those who are asked about, with their true begins and wherever they were: which source is
   * preferred must not depend on the span or the bed that is asked for.
   */
  private subjects(query: ObservationQuery, spans: readonly AttributedSpan[]): readonly AttributedSpan[] {
    const { bed, toMs } = query;
    const whole = this.spans({ ...query, fromMs: -Infinity });
    if (bed === undefined) return whole;
    const stays = new Set(spans.flatMap(({ encounter }) => encounter ?? []));
    return [
      ...whole.filter(({ encounter }) => encounter === undefined),
      ...[...stays].flatMap((encounter) => this.options.spansOf({ encounter }, -Infinity, toMs)),
    ];
  }

  private async plan(query: ObservationQuery): Promise<ReadPlan> {
    const { metrics } = query;
    const everything = { spans: this.spans(query), metrics, rivals: [], metricsOf: () => [] };
    if ((query.source ?? (query.device === undefined ? 'preferred' : 'all')) === 'all') return everything;
    const whole = this.subjects(query, everything.spans);
    const newest = await this.options.historian.latest(devicesOf(whole));
    const { isCharted } = this.options;
    const fromMs = query.fromMs - lookBackMs;
    const rivals = rivalsAmong(whole, newest, { fromMs, metrics, isCharted });
    if (rivals.length === 0) return everything;
    const metricsOf = (device: string): string[] =>
      newest.flatMap((row) => (row.device === device ? [row.metric] : []));
    return { ...everything, rivals, metricsOf };
  }

  private storeOf(own: boolean): Pick<Historian, 'range' | 'aggregate'> {
    return own ? this.options.historian : (this.options.long?.()?.store ?? this.options.historian);
  }

  private ownMs(fromMs: number): number {
    return Math.max(fromMs, this.options.long?.()?.ownMs ?? fromMs);
  }

  private begin({ fromMs, toMs }: ObservationQuery): Cursor {
    return { fromMs, toMs, ownMs: this.ownMs(fromMs), window: [fromMs, fromMs] };
  }
}

function movedTo(cursor: Cursor, { fromMs, toMs }: ReadWindow, place: string | undefined): Cursor {
  const { place: _, ...rest } = cursor;
  return place === undefined ? { ...rest, window: [toMs, toMs] } : { ...rest, window: [fromMs, toMs], place };
}

const unplacedIn = (query: ObservationQuery): 'given' | 'left-out' =>
  query.device === undefined ? 'left-out' : 'given';

const keyOf = (of: { device: string; metric: string; channel?: string }): string =>
  `${of.device} ${of.metric} ${of.channel ?? ''}`;

function shownOf(row: StoredRow): LatestValue {
  const metric = metricTable.get(row.metric);
  return {
    device: row.device,
    metric: row.metric,
    channel: row.channel,
    label: metric?.label ?? row.metric,
    unit: unitOf(row.metric),
    decimals: metric?.decimals ?? 0,
    episodic: metric?.episodic ?? false,
    value: row.value,
    text: row.text,
    code: row.code,
    reason: row.reason,
    validity: row.validity,
    takenAtMs: row.takenAtMs,
    receivedAtMs: row.receivedAtMs,
    staleAfterMs: metric?.episodic ? undefined : Math.max(10_000, 3 * (metric?.periodMs ?? 0)),
  };
}
