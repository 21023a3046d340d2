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
import { LineBytes, piece } from './line-bytes.ts';
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

/** Used page after page: a page's text is copied out of it. */
const out = new LineBytes();

/** The whole page as text; a CSV begins with its header line (RFC 4180) on the first page. */
export function linesOf(columns: RowColumns, ask: LineAsk): LinePage {
  const labels = new Labels(columns, ask);
  const texts = new Map(columns.texts);
  const corrected = new Map(columns.corrected);
  const plain = ask.format === 'ndjson' ? new PlainLines(columns, ask.demo) : undefined;
  if (ask.format === 'csv' && ask.after === undefined && !ask.headless) out.put(piece(csvHeader(ask.demo)));
  let rows = 0;
  for (let at = 0; at < columns.series.length; at++) {
    const label = labels.of(at);
    if (label === undefined) continue;
    rows++;
    const [text, said] = [texts.get(at), corrected.get(at)];
    if (plain && text === undefined && said === undefined) plain.write(label.bytes, at);
    else {
      const row = { columns, at, label: label.text, text, corrected: said };
      out.put(piece(plain ? ndjsonLine(row, ask.demo) : csvLine(row, ask.demo)));
    }
  }
  return {
    bytes: out.taken(),
    rows,
    ...(columns.next === undefined ? {} : { next: columns.next }),
  };
}

const takenName = piece(',"takenAtMs":');
const receivedName = piece(',"receivedAtMs":');
const valueName = piece(',"value":');
const noValue = piece('null');

/** Rows of a number or of nothing, as nearly all are: what does not change from row to row is made once. */
class PlainLines {
  private readonly columns: RowColumns;
  private readonly end: Uint8Array;
  private readonly marks = new Map<number, Uint8Array>();

  constructor(columns: RowColumns, demo: boolean) {
    this.columns = columns;
    this.end = piece(lineEnd(demo));
  }

  write(label: Uint8Array, at: number): void {
    const { columns } = this;
    out.put(label);
    out.put(takenName);
    out.number(columns.taken[at] ?? 0);
    out.put(receivedName);
    out.number(columns.received[at] ?? 0);
    out.put(valueName);
    if (flagsKind(columns.flags[at] ?? 0) === kinds.number) out.number(columns.value[at] ?? 0);
    else out.put(noValue);
    out.put(this.marksOf(at));
    out.number(columns.seq[at] ?? 0);
    out.put(this.end);
  }

  /** From the validity to the boot. */
  private marksOf(at: number): Uint8Array {
    const { flags, reason, boot } = this.columns;
    const key = ((boot[at] ?? 0) * 256 + (reason[at] ?? 0)) * 64 + (flags[at] ?? 0);
    let made = this.marks.get(key);
    if (!made) this.marks.set(key, (made = piece(marksText(this.columns, at))));
    return made;
  }
}

const lineEnd = (demo: boolean): string => (demo ? ',"demo":true}\n' : '}\n');

function marksText({ flags, reason, boot, boots }: RowColumns, at: number): string {
  const marks = flags[at] ?? 0;
  const why = unpackReason(reason[at] ?? 0);
  return (
    `,"validity":"${flagsValidity(marks)}"${why ? `,"reason":"${why}"` : ''}` +
    `,"historical":${flagsHistorical(marks)},"unplaced":${flagsUnplaced(marks)}` +
    `,"boot":${JSON.stringify(boots[boot[at] ?? 0] ?? '')},"seq":`
  );
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
  const value = flagsKind(columns.flags[at] ?? 0) === kinds.number ? String(columns.value[at] ?? 0) : 'null';
  const word =
    text === undefined
      ? ''
      : typeof text === 'string'
        ? `,"text":${JSON.stringify(text)}`
        : `,"code":${JSON.stringify(text[0])},"system":${JSON.stringify(text[1])}`;
  return (
    `${label},"takenAtMs":${columns.taken[at] ?? 0},"receivedAtMs":${columns.received[at] ?? 0}` +
    `,"value":${value}${word}${marksText(columns, at)}${columns.seq[at] ?? 0}` +
    `${corrected ? `,"corrected":${JSON.stringify(corrected)}` : ''}${lineEnd(demo)}`
  );
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

/** What all rows of a series in a span share, as it stands in the line. */
interface Label {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Whose a row is, worked out once for each series and span. */
class Labels {
  private readonly columns: RowColumns;
  private readonly format: LineFormat;
  /** By place of the series in `names`: the spans of its device, oldest first. */
  private readonly spans: readonly (readonly LabelledSpan[])[];
  private readonly made = new Map<LabelledSpan | undefined, (Label | undefined)[]>();

  constructor(columns: RowColumns, { spans, format }: LineAsk) {
    this.columns = columns;
    this.format = format;
    this.spans = columns.names.map((name) =>
      spans.filter((span) => isOf(span, name)).sort((a, b) => a.fromMs - b.fromMs),
    );
  }

  /** Undefined: the row is to be left out. */
  of(at: number): Label | undefined {
    const series = this.columns.series[at] ?? 0;
    const taken = this.columns.taken[at] ?? 0;
    const span = this.spans[series]?.find(({ fromMs, toMs }) => taken >= fromMs && taken < toMs);
    const unplaced = flagsUnplaced(this.columns.flags[at] ?? 0);
    if (unplaced && span?.unplaced === 'left-out') return undefined;
    const whose = unplaced ? undefined : span;
    let labels = this.made.get(whose);
    if (!labels) this.made.set(whose, (labels = []));
    return (labels[series] ??= this.labelOf(this.columns.names[series], whose));
  }

  private labelOf(name: NamedSeries | undefined, span: LabelledSpan | undefined): Label {
    const text = this.make(name, span);
    return { text, bytes: piece(text) };
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
