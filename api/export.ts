import { Compile } from 'typebox/compile';
import { Fault } from '../model/fault.ts';
import type { ObservationRow } from './services.ts';
import { ObservationRowShape } from './shapes/observation.ts';

export type Format = 'json' | 'ndjson' | 'csv';

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

type Pages = AsyncIterable<readonly ObservationRow[]>;

/** One observation a line. In the demo each says so. */
export async function* ndjsonLines(pages: Pages, demo: boolean): AsyncGenerator<string> {
  for await (const rows of pages)
    yield rows.map((row) => `${JSON.stringify(demo ? { ...held(row), demo } : held(row))}\n`).join('');
}

const columns = [
  'device',
  'metric',
  'channel',
  'takenAt',
  'receivedAt',
  'value',
  'text',
  'code',
  'system',
  'unit',
  'validity',
  'reason',
  'historical',
  'unplaced',
  'boot',
  'seq',
  'patient',
  'encounter',
  'bed',
] as const;

/** RFC 4180 with a header line; times RFC 3339 in UTC; a missing value is an empty cell. */
export async function* csvLines(pages: Pages, demo: boolean): AsyncGenerator<string> {
  const header: readonly string[] = demo ? [...columns, 'demo'] : columns;
  yield `${header.join(',')}\r\n`;
  for await (const rows of pages) yield rows.map((row) => `${csvRow(held(row), demo)}\r\n`).join('');
}

function csvRow(row: ObservationRow, demo: boolean): string {
  const cells = columns.map((column) => {
    if (column === 'takenAt') return new Date(row.takenAtMs).toISOString();
    if (column === 'receivedAt') return new Date(row.receivedAtMs).toISOString();
    return cell(row[column]);
  });
  return (demo ? [...cells, 'true'] : cells).join(',');
}

const cell = (value: string | number | boolean | null | undefined): string => {
  if (value === null || value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const isRow = Compile(ObservationRowShape);

/** An export is held to the same description as a JSON answer: no NaN, no text where a number belongs. */
function held(row: ObservationRow): ObservationRow {
  if (isRow.Check(row)) return row;
  const at = isRow.Errors(row)[0]?.instancePath ?? '/';
  throw new Fault('API_RESPONSE_INVALID', { route: 'GET /api/v1/observations', at });
}
