/** Asks VictoriaMetrics for raw points (export) and puts the fields of an observation together again. */
import { unpackReason } from '../../../journal/observation-batch.ts';
import { Fault } from '../../../model/fault.ts';
import { validities, type Reason } from '../../../model/observation.ts';
import type { AggregateColumns, RowColumns } from '../historian-protocol.ts';
import type { SeriesSpan } from '../types.ts';
import { causeOf } from './answers.ts';
import { IntervalTable, Tally } from './figures.ts';
import { decodeLabel, encodeLabel } from './names.ts';
import { exportPath } from './paths.ts';
import { numberFields, unplacedMeasurement } from './points.ts';
import type { AggregateAsk, RangeAsk, Reader } from './server-protocol.ts';
import { comparePlaces, inOrder, pageOf, placeOf, readPlace, type ServerRow } from './rows.ts';
import type { ServerSettings } from './settings.ts';
import { mergedSpans, metricWords, wants } from './spans.ts';
import type { Transport } from './transport.ts';

const mostBytes = 32 * 1024 * 1024;
/** Windows of time: small at first, then as the data is dense. */
const firstWindowMs = 600_000;
const widestWindowMs = 32 * 86_400_000;
/** Observations a window is meant to hold. */
const windowRows = 20_000;

interface Exported {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (number | null)[];
  readonly timestamps: readonly number[];
}

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export class VictoriaReader implements Reader {
  private readonly settings: ServerSettings;
  private readonly transport: Transport;

  constructor(settings: ServerSettings, transport: Transport) {
    this.settings = settings;
    this.transport = transport;
  }

  async range({ spans, limit, after }: RangeAsk, untilMs: number): Promise<RowColumns> {
    const from = after === undefined ? undefined : readPlace(after);
    const rows: ServerRow[] = [];
    for await (const some of this.windows(spans, from?.takenAtMs ?? -Infinity, untilMs)) {
      for (const row of some) if (!from || comparePlaces(placeOf(row), from) > 0) rows.push(row);
      if (rows.length > limit) break;
    }
    return pageOf(rows, limit);
  }

  async aggregate({ spans, everyMs }: AggregateAsk, untilMs: number): Promise<AggregateColumns> {
    const table = new IntervalTable();
    const tally = new Tally(everyMs, table);
    for await (const some of this.windows(spans, -Infinity, untilMs)) for (const row of some) tally.add(row);
    tally.end();
    return table.columns();
  }

  /** The rows of the spans, window by window, oldest first. */
  private async *windows(
    spans: readonly SeriesSpan[],
    sinceMs: number,
    untilMs: number,
  ): AsyncGenerator<ServerRow[]> {
    const merged = mergedSpans(spans);
    let widthMs = firstWindowMs;
    let fromMs = Math.max(sinceMs, Math.min(...merged.map((span) => span.fromMs)));
    const endMs = Math.max(...merged.map((span) => span.toMs));
    while (fromMs < endMs) {
      const window = { fromMs, toMs: Math.min(endMs, fromMs + widthMs) };
      const inside = merged.filter((span) => span.fromMs < window.toMs && span.toMs > window.fromMs);
      if (inside.length === 0) {
        fromMs = Math.min(...merged.filter((span) => span.fromMs >= window.toMs).map((span) => span.fromMs));
        continue;
      }
      const rows = await this.window(inside, window, untilMs);
      if (rows === 'too-much') {
        if (widthMs <= 1_000) throw this.refuse('one second holds more than it may');
        widthMs /= 4;
        continue;
      }
      yield rows;
      fromMs = window.toMs;
      const wider = rows.length * 8 < windowRows ? 4 : rows.length * 2 < windowRows ? 2 : 1;
      widthMs = Math.min(widestWindowMs, widthMs * wider);
    }
  }

  private async window(
    spans: readonly SeriesSpan[],
    { fromMs, toMs }: Window,
    untilMs: number,
  ): Promise<ServerRow[] | 'too-much'> {
    const form = new URLSearchParams();
    for (const span of spans) form.append('match[]', this.selector(span));
    // Both ends belong to the answer there.
    form.append('start', seconds(fromMs));
    form.append('end', seconds(toMs - 1));
    const reply = await this.transport.send({
      method: 'POST',
      asking: true,
      path: exportPath,
      body: form.toString(),
      contentType: 'application/x-www-form-urlencoded',
      mostBytes,
      untilMs,
    });
    if ('none' in reply) {
      if (reply.tooLarge) return 'too-much';
      throw this.refuse(reply.none);
    }
    if (reply.status !== 200) throw this.refuse(causeOf(reply));
    return inOrder(this.joined(reply.body).filter((row) => wants(spans, row)));
  }

  private selector(span: SeriesSpan): string {
    const { measurement } = this.settings;
    const name = `(${measurement}|${unplacedMeasurement(measurement)})_(${numberFields.join('|')})`;
    const words = metricWords(span)?.map((word) => escapeRegex(encodeLabel(word)));
    const metrics = words === undefined ? '' : `,metric=~${literal(words.join('|') || '$^')}`;
    return `{__name__=~${literal(name)},device=${literal(encodeLabel(span.device))}${metrics}}`;
  }

  /** Fields of one series and instant are one observation. */
  private joined(body: string): ServerRow[] {
    const unplacedName = `${unplacedMeasurement(this.settings.measurement)}_`;
    const rows = new Map<string, Found>();
    for (const line of body.split('\n')) {
      if (line === '') continue;
      const { metric, values, timestamps } = this.parsed(line);
      const { __name__: name = '', device = '', metric: word = '', channel, boot } = metric;
      const unplaced = name.startsWith(unplacedName);
      const field = name.slice(name.lastIndexOf('_') + 1);
      timestamps.forEach((takenAtMs, at) => {
        const key = `${unplaced ? 1 : 0} ${takenAtMs} ${device} ${word} ${channel ?? ''}`;
        let found = rows.get(key);
        if (!found)
          rows.set(
            key,
            (found = { takenAtMs, device, metric: word, channel: channel ?? '', unplaced, boot: '' }),
          );
        const value = values[at];
        if (typeof value === 'number') found[field] = value;
        if (field === 'seq' && boot !== undefined) found.boot = boot;
      });
    }
    return [...rows.values()].map(rowOf);
  }

  private parsed(line: string): Exported {
    try {
      return JSON.parse(line) as Exported;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.refuse('its answer is no JSON');
    }
  }

  private refuse(cause: string): Fault {
    return new Fault('SINK_READ', { sink: this.settings.id, cause });
  }
}

interface Found {
  readonly takenAtMs: number;
  readonly device: string;
  readonly metric: string;
  readonly channel: string;
  readonly unplaced: boolean;
  boot: string;
  [field: string]: unknown;
}

function rowOf(found: Found): ServerRow {
  const number = (field: string): number | undefined => {
    const value = found[field];
    return typeof value === 'number' ? value : undefined;
  };
  const reason: Reason | undefined = unpackReason(number('reason') ?? 0);
  return {
    device: decodeLabel(found.device),
    metric: decodeLabel(found.metric),
    channel: found.channel === '' ? '' : decodeLabel(found.channel),
    takenAtMs: found.takenAtMs,
    slot: 0,
    receivedAtMs: number('receivedAtMs') ?? found.takenAtMs,
    value: number('value') ?? null,
    validity: validities[number('validity') ?? 0] ?? 'invalid',
    ...(reason ? { reason } : {}),
    boot: decodeLabel(found.boot),
    seq: number('seq') ?? 0,
    historical: number('historical') === 1,
    unplaced: found.unplaced,
  };
}

const seconds = (atMs: number): string => (Math.ceil(atMs) / 1_000).toFixed(3);
const escapeRegex = (word: string): string => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
/** A string of the query language: as in Go. */
const literal = (word: string): string => JSON.stringify(word);
