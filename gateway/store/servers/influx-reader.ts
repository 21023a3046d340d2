/** Asks InfluxDB 1.x, 2.x (by its DBRP mapping) or 3.x in InfluxQL, the one language all three speak. */
import { Fault } from '../../../model/fault.ts';
import { reasons, validities, type Reason, type Validity } from '../../../model/observation.ts';
import type { AggregateColumns, RowColumns } from '../historian-protocol.ts';
import type { SeriesSpan } from '../types.ts';
import { emptyFigures, IntervalTable, Tally } from './figures.ts';
import { decodeLabel, decodeText, encodeLabel } from './names.ts';
import { askPath } from './paths.ts';
import { bootSlot, slotOf } from './place-in-time.ts';
import { unplacedMeasurement } from './points.ts';
import type { AggregateAsk, RangeAsk, Reader } from './server-protocol.ts';
import { comparePlaces, inOrder, pageOf, placeOf, readPlace, type Place, type ServerRow } from './rows.ts';
import type { ServerSettings } from './settings.ts';
import { clustersOf, mergedSpans, metricWords, wants } from './spans.ts';
import { causeOf } from './answers.ts';
import type { Transport } from './transport.ts';

/** Statements in one request, rows of one statement, and bytes of one answer, at most. */
const mostStatements = 32;
const mostRows = 100_000;
const mostBytes = 64 * 1024 * 1024;
/** More than the page, so that an instant is seldom cut in two. */
const spareRows = 512;

const fields = [
  'value',
  'text',
  'code',
  'system',
  'validity',
  'reason',
  'boot',
  'seq',
  'receivedAtMs',
  'historical',
  'device',
  'metric',
  'channel',
];

interface Series {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

export class InfluxReader implements Reader {
  private readonly settings: ServerSettings;
  private readonly transport: Transport;

  constructor(settings: ServerSettings, transport: Transport) {
    this.settings = settings;
    this.transport = transport;
  }

  async range({ spans, limit, after }: RangeAsk, untilMs: number): Promise<RowColumns> {
    const from = after === undefined ? undefined : readPlace(after);
    const rows: ServerRow[] = [];
    for (const cluster of clustersOf(mergedSpans(spans))) {
      const left = cluster.filter(({ toMs }) => !from || toMs > from.takenAtMs);
      // One row more than the page tells whether there is a next one.
      if (left.length > 0) rows.push(...(await this.rows(left, from, limit + 1 - rows.length, untilMs)));
      if (rows.length > limit) break;
    }
    return pageOf(rows, limit);
  }

  async aggregate({ spans, everyMs }: AggregateAsk, untilMs: number): Promise<AggregateColumns> {
    const table = new IntervalTable();
    const merged = mergedSpans(spans);
    for (let at = 0; at < merged.length; at += mostStatements / 2) {
      const some = merged.slice(at, at + mostStatements / 2);
      const answers = await this.ask(
        some.flatMap((span) => this.figureStatements(span, everyMs)),
        untilMs,
      );
      answers.forEach((series, place) => {
        const span = some[place >> 1];
        if (span) for (const one of series) this.putFigures(table, span, one);
      });
    }
    for (const span of sharedIntervals(merged, everyMs)) await this.tally(table, span, everyMs, untilMs);
    return table.columns();
  }

  /** The next `count` rows of these spans behind `from`. */
  private async rows(
    spans: readonly SeriesSpan[],
    from: Place | undefined,
    count: number,
    untilMs: number,
  ): Promise<ServerRow[]> {
    for (let most = count + spareRows; most <= mostRows; most *= 4) {
      const found: ServerRow[] = [];
      // A statement that was cut is complete only before its last instant.
      let complete: Pick<Place, 'takenAtMs' | 'slot'> | undefined;
      for (let at = 0; at < spans.length; at += mostStatements) {
        const some = spans.slice(at, at + mostStatements);
        const answers = await this.ask(
          some.map((span) => this.rowStatement(span, from, most)),
          untilMs,
        );
        for (const series of answers.flat()) {
          const rows = this.rowsOf(series).filter((row) => wants(spans, row));
          found.push(...rows);
          const last = series.values.length >= most ? rows.at(-1) : undefined;
          if (last && (!complete || isBefore(last, complete))) complete = last;
        }
      }
      const whole = inOrder(found).filter(
        (row) => (!complete || isBefore(row, complete)) && (!from || comparePlaces(placeOf(row), from) > 0),
      );
      if (!complete || whole.length >= count) return whole.slice(0, count);
    }
    throw new Fault('STORE_TOO_MUCH', { asked: `over ${mostRows}`, most: mostRows });
  }

  private rowStatement(span: SeriesSpan, from: Place | undefined, most: number): string {
    const { measurement } = this.settings;
    const fromMs = Math.max(span.fromMs, from?.takenAtMs ?? -Infinity);
    return (
      `SELECT ${fields.map((field) => `"${field}"`).join(', ')} ` +
      `FROM "${measurement}", "${unplacedMeasurement(measurement)}" ` +
      `WHERE ${condition({ ...span, fromMs })} ORDER BY time LIMIT ${most}`
    );
  }

  private figureStatements(span: SeriesSpan, everyMs: number): string[] {
    const where = condition(span);
    const from = `FROM "${this.settings.measurement}" WHERE ${where}`;
    const by = `GROUP BY time(${everyMs}ms), "metric", "channel" fill(none)`;
    const figures = ['count', 'min', 'mean', 'median', 'max', 'last']
      .map((one) => `${one}("value")`)
      .join(', ');
    return [`SELECT count("seq") ${from} ${by}`, `SELECT ${figures} ${from} AND "validity" = 'valid' ${by}`];
  }

  private putFigures(table: IntervalTable, span: SeriesSpan, { tags, values }: Series): void {
    const name = {
      device: span.device,
      metric: decodeLabel(tags?.['metric'] ?? '%'),
      channel: channelOf(tags?.['channel']),
    };
    for (const [fromMs, ...figures] of values) {
      const at = Number(fromMs);
      if (!wants([{ ...span, fromMs: -Infinity, toMs: Infinity }], { ...name, takenAtMs: at })) continue;
      table.put(name, figures.length === 1 ? emptyFigures(at) : [at, ...figures.map(numberOrNaN)]);
    }
  }

  /** An interval of which two spans hold a part each: its median is found from all its values. */
  private async tally(
    table: IntervalTable,
    spans: readonly SeriesSpan[],
    everyMs: number,
    untilMs: number,
  ): Promise<void> {
    const tally = new Tally(everyMs, table);
    for (const row of await this.rows(spans, undefined, mostRows / 4 - spareRows, untilMs)) tally.add(row);
    tally.end();
  }

  private rowsOf({ name, columns, values }: Series): ServerRow[] {
    const at = Object.fromEntries(columns.map((column, place) => [column, place]));
    const unplaced = name === unplacedMeasurement(this.settings.measurement);
    return values.map((row) => {
      const get = (column: string): unknown => row[at[column] ?? -1] ?? undefined;
      const word = (column: string): string => String(get(column) ?? '');
      const boot = decodeText(word('boot'));
      const seq = Number(get('seq') ?? 0);
      const value = get('value');
      const takenAtMs = Number(get('time'));
      return {
        device: decodeLabel(word('device')),
        metric: decodeLabel(word('metric')),
        channel: channelOf(get('channel')),
        takenAtMs,
        slot: slotOf(bootSlot(boot), seq),
        receivedAtMs: Number(get('receivedAtMs') ?? takenAtMs),
        value: typeof value === 'number' ? value : null,
        ...(get('text') === undefined ? {} : { text: decodeText(word('text')) }),
        ...(get('code') === undefined
          ? {}
          : { code: [decodeText(word('code')), decodeText(word('system'))] as const }),
        validity: validityOf(word('validity')),
        ...(isReason(word('reason')) ? { reason: word('reason') as Reason } : {}),
        boot,
        seq,
        historical: get('historical') === true,
        unplaced,
      };
    });
  }

  /** One answer a statement. */
  private async ask(statements: readonly string[], untilMs: number): Promise<Series[][]> {
    const refuse = (cause: string): Fault => new Fault('SINK_READ', { sink: this.settings.id, cause });
    const reply = await this.transport.send({
      method: 'POST',
      asking: true,
      path: askPath(this.settings),
      body: `q=${encodeURIComponent(statements.join(';'))}`,
      contentType: 'application/x-www-form-urlencoded',
      mostBytes,
      untilMs,
    });
    if ('none' in reply || reply.status !== 200) throw refuse(causeOf(reply));
    let answer: { results?: readonly { statement_id?: number; series?: Series[]; error?: string }[] };
    try {
      answer = JSON.parse(reply.body) as typeof answer;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw refuse('its answer is no JSON');
    }
    const results = answer.results ?? [];
    return statements.map((_, at) => {
      const result = results.find(({ statement_id: id }, place) => (id ?? place) === at);
      if (result?.error !== undefined) throw refuse(result.error.slice(0, 200));
      return result?.series ?? [];
    });
  }
}

const isBefore = (a: Pick<Place, 'takenAtMs' | 'slot'>, b: Pick<Place, 'takenAtMs' | 'slot'>): boolean =>
  a.takenAtMs < b.takenAtMs || (a.takenAtMs === b.takenAtMs && a.slot < b.slot);

const numberOrNaN = (value: unknown): number => (typeof value === 'number' ? value : NaN);
const channelOf = (label: unknown): string =>
  label === undefined || label === '' ? '' : decodeLabel(String(label));
const validityOf = (word: string): Validity => validities.find((one) => one === word) ?? 'invalid';
const isReason = (word: string): boolean => (reasons as readonly string[]).includes(word);

const quoted = (word: string): string => `'${encodeLabel(word).replace(/['\\]/g, '\\$&')}'`;

/** Device, metrics and time; InfluxQL of 1.x knows no OR between times, so a span is a statement. */
function condition(span: SeriesSpan): string {
  const metrics = metricWords(span);
  const named = metrics?.map((word) => `"metric" = ${quoted(word)}`).join(' OR ');
  return [
    `"device" = ${quoted(span.device)}`,
    ...(named === undefined ? [] : [`(${named || '"metric" = \'\''})`]),
    `time >= '${instant(span.fromMs)}'`,
    `time < '${instant(span.toMs)}'`,
  ].join(' AND ');
}

/** Inside what InfluxDB takes for a time. */
const instant = (atMs: number): string =>
  new Date(Math.max(-9.2e12, Math.min(9.2e12, Math.ceil(atMs)))).toISOString();

/** Per device, the intervals in which more than one of its spans has a part, as spans of their own. */
function sharedIntervals(spans: readonly SeriesSpan[], everyMs: number): SeriesSpan[][] {
  const shared: SeriesSpan[][] = [];
  for (const group of Map.groupBy(spans, ({ device, metrics }) =>
    JSON.stringify([device, metrics]),
  ).values()) {
    for (const [at, span] of group.entries()) {
      const before = group[at - 1];
      const fromMs = Math.floor(span.fromMs / everyMs) * everyMs;
      if (!before || before.toMs <= fromMs) continue;
      const parts = group.map((one) => ({
        ...one,
        fromMs: Math.max(one.fromMs, fromMs),
        toMs: Math.min(one.toMs, fromMs + everyMs),
      }));
      shared.push(parts.filter((one) => one.toMs > one.fromMs));
    }
  }
  return shared;
}
