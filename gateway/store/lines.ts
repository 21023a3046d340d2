/** Rows as lines of an export: made from columns in the store's thread, with no object a row. */
import {
  flagsHistorical,
  flagsKind,
  flagsUnplaced,
  flagsValidity,
  kinds,
  unpackReason,
} from '../../journal/observation-batch.ts';
import { metrics } from '../../model/metric-table.ts';
import { seriesKey } from '../../model/observation.ts';
import type { NamedSeries, RowColumns } from './historian-protocol.ts';
import { valueOf } from './correct-rows.ts';
import type { Corrected, LabelledSpan, LinePage, StoredValue } from './types.ts';

export const csvColumns = [
  'device',
  'metric',
  'channel',
  'unit',
  'patient',
  'encounter',
  'bed',
  'source',
  'takenAt',
  'receivedAt',
  'value',
  'text',
  'code',
  'system',
  'validity',
  'reason',
  'historical',
  'unplaced',
  'boot',
  'seq',
  'correctedBy',
  'correctedAt',
  'was',
] as const;

export type LineFormat = 'ndjson' | 'csv';

export interface LineAsk {
  readonly spans: readonly LabelledSpan[];
  readonly format: LineFormat;
  readonly after?: string;
  /** Lines that go on from others: without the header line. */
  readonly headless?: boolean;
  readonly demo: boolean;
}

const encoder = new TextEncoder();

/** The whole page as text; a CSV begins with its header line (RFC 4180) on the first page. */
export function linesOf(columns: RowColumns, ask: LineAsk): LinePage {
  const write = ask.format === 'csv' ? csvLine : ndjsonLine;
  const labels = new Labels(columns, ask);
  const texts = new Map(columns.texts);
  const corrected = new Map(columns.corrected);
  const parts: string[] = [];
  if (ask.format === 'csv' && ask.after === undefined && !ask.headless) parts.push(csvHeader(ask.demo));
  let rows = 0;
  for (let at = 0; at < columns.series.length; at++) {
    const label = labels.of(at);
    if (label === undefined) continue;
    rows++;
    parts.push(write({ columns, at, label, text: texts.get(at), corrected: corrected.get(at) }, ask.demo));
  }
  return {
    bytes: encoder.encode(parts.join('')),
    rows,
    ...(columns.next === undefined ? {} : { next: columns.next }),
  };
}

export const csvHeader = (demo: boolean): string =>
  `${[...csvColumns, ...(demo ? ['demo'] : [])].join(',')}\r\n`;

interface LineRow {
  readonly columns: RowColumns;
  readonly at: number;
  /** What all rows of a series in a span share, as it stands in the line. */
  readonly label: string;
  readonly text: RowColumns['texts'][number][1] | undefined;
  readonly corrected: Corrected | undefined;
}

function ndjsonLine({ columns, at, label, text, corrected }: LineRow, demo: boolean): string {
  const flags = columns.flags[at] ?? 0;
  const reason = unpackReason(columns.reason[at] ?? 0);
  let line =
    `${label},"takenAtMs":${columns.taken[at] ?? 0},"receivedAtMs":${columns.received[at] ?? 0},` +
    `"value":${flagsKind(flags) === kinds.number ? JSON.stringify(columns.value[at] ?? 0) : 'null'}`;
  if (text !== undefined)
    line +=
      typeof text === 'string'
        ? `,"text":${JSON.stringify(text)}`
        : `,"code":${JSON.stringify(text[0])},"system":${JSON.stringify(text[1])}`;
  line += `,"validity":"${flagsValidity(flags)}"`;
  if (reason) line += `,"reason":"${reason}"`;
  line += `,"historical":${flagsHistorical(flags)},"unplaced":${flagsUnplaced(flags)}`;
  line += `,"boot":${JSON.stringify(columns.boots[columns.boot[at] ?? 0] ?? '')},"seq":${columns.seq[at] ?? 0}`;
  if (corrected) line += `,"corrected":${JSON.stringify(corrected)}`;
  return demo ? `${line},"demo":true}\n` : `${line}}\n`;
}

function csvLine({ columns, at, label, text, corrected }: LineRow, demo: boolean): string {
  const flags = columns.flags[at] ?? 0;
  const said = valueOf(flags, columns.value[at] ?? 0, columns.reason[at] ?? 0, text);
  const cells = [
    iso(columns.taken[at]),
    iso(columns.received[at]),
    ...[said.value ?? '', said.text, said.code, said.system, said.validity, said.reason].map(cell),
    String(flagsHistorical(flags)),
    String(flagsUnplaced(flags)),
    cell(columns.boots[columns.boot[at] ?? 0]),
    String(columns.seq[at] ?? 0),
    cell(corrected?.by),
    corrected ? iso(corrected.atMs) : '',
    cell(corrected && shortly(corrected.was)),
  ];
  return `${label},${cells.join(',')}${demo ? ',true' : ''}\r\n`;
}

export const iso = (ms = 0): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
};

export const shortly = ({ value, text, code }: StoredValue): string => String(value ?? text ?? code ?? '');

export const cell = (value: string | number | undefined): string => {
  if (value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Whose a row is, worked out once for each series and span. */
class Labels {
  private readonly columns: RowColumns;
  private readonly format: LineFormat;
  /** By place of the series in `names`: the spans of its device, oldest first. */
  private readonly spans: readonly (readonly LabelledSpan[])[];
  private readonly made = new Map<LabelledSpan | undefined, (string | undefined)[]>();

  constructor(columns: RowColumns, { spans, format }: LineAsk) {
    this.columns = columns;
    this.format = format;
    this.spans = columns.names.map((name) =>
      spans.filter((span) => isOf(span, name)).sort((a, b) => a.fromMs - b.fromMs),
    );
  }

  /** Undefined: the row is to be left out. */
  of(at: number): string | undefined {
    const series = this.columns.series[at] ?? 0;
    const taken = this.columns.taken[at] ?? 0;
    const span = this.spans[series]?.find(({ fromMs, toMs }) => taken >= fromMs && taken < toMs);
    const unplaced = flagsUnplaced(this.columns.flags[at] ?? 0);
    if (unplaced && span?.unplaced === 'left-out') return undefined;
    const whose = unplaced ? undefined : span;
    let labels = this.made.get(whose);
    if (!labels) this.made.set(whose, (labels = []));
    return (labels[series] ??= this.make(this.columns.names[series], whose));
  }

  private make(name: NamedSeries | undefined, span: LabelledSpan | undefined): string {
    const { device = '', metric = '', channel = '' } = name ?? {};
    const { patient, encounter, bed, source } = span ?? {};
    const unit = metrics.get(metric)?.unit ?? '1';
    if (this.format === 'csv')
      return [device, metric, channel, unit, patient, encounter, bed, source].map(cell).join(',');
    const said = { device, metric, channel: channel || undefined, unit, patient, encounter, bed, source };
    return JSON.stringify(said).slice(0, -1);
  }
}

/** A span may be of some metrics only, each alone (every channel) or as `METRIC/channel`. */
const isOf = ({ device, metrics: asked }: LabelledSpan, name: NamedSeries): boolean =>
  device === name.device &&
  (!asked || asked.includes(name.metric) || asked.includes(seriesKey(name.metric, name.channel)));
