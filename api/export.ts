import { Readable } from 'node:stream';
import type { Clock } from '../model/clock.ts';
import type { ObservationFigure } from './services.ts';

export type Format = 'json' | 'ndjson' | 'csv';
export type LineFormat = Exclude<Format, 'json'>;

/** By Accept; the first of ours it names, JSON otherwise. */
export function formatOf(accept = ''): Format {
  for (const one of accept.toLowerCase().split(',')) {
    const type = one.split(';', 1)[0]?.trim();
    if (type === 'text/csv') return 'csv';
    if (type === 'application/x-ndjson' || type === 'application/ndjson') return 'ndjson';
    if (type === 'application/json' || type === '*/*') return 'json';
  }
  return 'json';
}

export const typeOf = (format: LineFormat): string =>
  format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson';

/** A reader that has taken nothing for so long is cut off: its place is another's. */
const stalledMs = 120_000;

/**
 * Pieces on their way to a reader: one is being written and one is ready, never more, however slow the reader is. The
 * first is made before anything is answered, so that a refusal is still a problem document.
 */
export async function streamOf(pieces: AsyncGenerator<Uint8Array | string>, clock: Clock): Promise<Readable> {
  const first = await pieces.next();
  const stream: Readable = Readable.from(paced(), { objectMode: false, highWaterMark: 1 });
  return stream;

  async function* paced(): AsyncGenerator<Uint8Array | string> {
    try {
      for (let piece = first; !piece.done; piece = await pieces.next()) {
        const give = clock.after(stalledMs, () => stream.destroy());
        yield piece.value;
        give();
      }
    } finally {
      await pieces.return(undefined);
    }
  }
}

const figureColumns = [
  'device',
  'metric',
  'channel',
  'unit',
  'patient',
  'encounter',
  'bed',
  'source',
  'from',
  'count',
  'value',
  'takenAt',
  'missing',
  'reason',
] as const;
const linesAtOnce = 1_000;

/** Figures one a line; CSV by RFC 4180 with a header line, times RFC 3339 in UTC, a missing figure an empty cell. */
export async function* figureLines(
  figures: readonly ObservationFigure[],
  as: { readonly format: LineFormat; readonly demo: boolean },
): AsyncGenerator<string> {
  const { format, demo } = as;
  if (format === 'csv') yield `${[...figureColumns, ...(demo ? ['demo'] : [])].join(',')}\r\n`;
  for (let at = 0; at < figures.length; at += linesAtOnce) {
    const some = figures.slice(at, at + linesAtOnce);
    yield some.map((figure) => (format === 'csv' ? csvLine(figure, demo) : jsonLine(figure, demo))).join('');
  }
}

const jsonLine = (figure: ObservationFigure, demo: boolean): string =>
  `${JSON.stringify(demo ? { ...figure, demo } : figure)}\n`;

function csvLine(figure: ObservationFigure, demo: boolean): string {
  const cells = figureColumns.map((column) => {
    if (column === 'from') return new Date(figure.fromMs).toISOString();
    if (column !== 'takenAt') return cell(figure[column]);
    return figure.takenAtMs === undefined ? '' : new Date(figure.takenAtMs).toISOString();
  });
  return `${(demo ? [...cells, 'true'] : cells).join(',')}\r\n`;
}

const cell = (value: string | number | null | undefined): string => {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
