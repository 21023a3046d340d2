import { cell, csvHeader, iso, shortly } from '../store/lines.ts';
import type { AttributedRow } from './types.ts';

/** Rows of a time-series server as lines, in the same form as the historian writes its own. */
export function rowLines(
  rows: readonly AttributedRow[],
  as: { readonly format: 'ndjson' | 'csv'; readonly demo: boolean; readonly headless: boolean },
): Uint8Array {
  const { format, demo, headless } = as;
  const write = format === 'csv' ? csvLine : ndjsonLine;
  const head = format === 'csv' && !headless ? csvHeader(demo) : '';
  return Buffer.from(head + rows.map((row) => write(row, demo)).join(''));
}

const ndjsonLine = (row: AttributedRow, demo: boolean): string =>
  `${JSON.stringify(demo ? { ...row, demo } : row)}\n`;

function csvLine(row: AttributedRow, demo: boolean): string {
  const { device, metric, channel, unit, patient, encounter, bed, source, corrected } = row;
  const { value, text, code, system, validity, reason } = row;
  const cells = [
    ...[device, metric, channel, unit, patient, encounter, bed, source].map(cell),
    iso(row.takenAtMs),
    iso(row.receivedAtMs),
    ...[value ?? undefined, text, code, system, validity, reason].map(cell),
    String(row.historical),
    String(row.unplaced),
    cell(row.boot),
    String(row.seq),
    cell(corrected?.by),
    corrected ? iso(corrected.atMs) : '',
    cell(corrected && shortly(corrected.was)),
  ];
  return `${cells.join(',')}${demo ? ',true' : ''}\r\n`;
}
