import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../model/fault.ts';

/** Numeric columns of a recording, in the order of its header (recordings/README.md). */
export const columns = [
  'hr',
  'pr',
  'spo2',
  'rr',
  'abp_sys',
  'abp_dia',
  'abp_mean',
  'nbp_sys',
  'nbp_dia',
  'nbp_mean',
  'temp',
  'etco2',
  'fio2',
] as const;
export type Column = (typeof columns)[number];

/** What stands in one row; a blank column is absent: not measured. */
export type Numerics = { readonly [name in Column]?: number };

export interface Row {
  readonly timeS: number;
  readonly seen: Numerics;
  /** Index of the newest row at or before this one with a cuff pressure; −1 for none yet. */
  readonly cuffRow: number;
  readonly tempRow: number;
}

export interface Recording {
  /** `icu_b21_1s`. */
  readonly name: string;
  readonly rows: readonly Row[];
  /** From one row to the next, ms of the recording's own time. */
  readonly periodMs: number;
  /** First row to the end of the last, ms: where it begins again. */
  readonly lengthMs: number;
  /** Columns that are measured at least once. */
  readonly measured: ReadonlySet<Column>;
}

/** A patient at an instant. Ages are in the ward's time, not the recording's. */
export interface Patient {
  readonly seen: Numerics;
  readonly measured: ReadonlySet<Column>;
  /** The last cuff measurement and how long ago it was; absent before the first. */
  readonly cuff?: {
    readonly sys?: number;
    readonly dia?: number;
    readonly mean?: number;
    readonly ageMs: number;
  };
  readonly temp?: { readonly celsius: number; readonly ageMs: number };
}

export const recordingsFolder = join(import.meta.dirname, 'recordings');

/** Names of all numeric recordings. */
export const recordingNames = (folder = recordingsFolder): readonly string[] =>
  readdirSync(join(folder, 'numerics'))
    .filter((file) => file.endsWith('.csv'))
    .map((file) => file.slice(0, -'.csv'.length))
    .sort();

/** Reads one recording. Throws SIM_NO_RECORDING, or SIM_RECORDING_BAD with the line. */
export function loadRecording(name: string, folder = recordingsFolder): Recording {
  if (!recordingNames(folder).includes(name)) {
    throw new Fault('SIM_NO_RECORDING', { name, known: recordingNames(folder).join(', ') });
  }
  return parseRecording(name, readFileSync(join(folder, 'numerics', `${name}.csv`), 'utf8'));
}

export function parseRecording(name: string, text: string): Recording {
  const [header, ...lines] = text.trimEnd().split(/\r?\n/);
  if (header !== ['time_s', ...columns].join(',')) {
    throw new Fault('SIM_RECORDING_BAD', { name, line: 1, cause: 'another header' });
  }
  const rows: Row[] = [];
  const measured = new Set<Column>();
  lines.forEach((line, index) => {
    const row = readRow(line, rows);
    if (!row)
      throw new Fault('SIM_RECORDING_BAD', {
        name,
        line: index + 2,
        cause: 'no row of numbers in time order',
      });
    rows.push(row);
    for (const column of columns) if (row.seen[column] !== undefined) measured.add(column);
  });
  const [first, second] = rows;
  const last = rows.at(-1);
  if (!first || !second || !last) {
    throw new Fault('SIM_RECORDING_BAD', { name, line: 2, cause: 'fewer than two rows' });
  }
  const periodMs = (second.timeS - first.timeS) * 1_000;
  return { name, rows, periodMs, lengthMs: (last.timeS - first.timeS) * 1_000 + periodMs, measured };
}

function readRow(line: string, before: readonly Row[]): Row | undefined {
  const cells = line.split(',');
  if (cells.length !== columns.length + 1) return undefined;
  const timeS = Number(cells[0]);
  const previous = before.at(-1);
  if (cells[0] === '' || !Number.isFinite(timeS) || (previous && timeS <= previous.timeS)) return undefined;
  const seen: { [name in Column]?: number } = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index + 1] ?? '';
    if (cell === '') continue;
    const value = Number(cell);
    if (!Number.isFinite(value)) return undefined;
    seen[column] = value;
  }
  const hasCuff = seen.nbp_sys !== undefined || seen.nbp_dia !== undefined || seen.nbp_mean !== undefined;
  return {
    timeS,
    seen,
    cuffRow: hasCuff ? before.length : (previous?.cuffRow ?? -1),
    tempRow: seen.temp !== undefined ? before.length : (previous?.tempRow ?? -1),
  };
}

export interface ReplayOptions {
  /** Recorded seconds a second of the ward's time; default 1. */
  readonly speed?: number;
  /** Where in the recording the ward's time 0 lies, ms from its first row. */
  readonly offsetMs?: number;
}

/** The patient `tMs` after the start. A recording that ends begins again; a row stands until the next one. */
export function patientAt(recording: Recording, tMs: number, options: ReplayOptions = {}): Patient {
  const speed = options.speed ?? 1;
  const positionMs = wrap(tMs * speed + (options.offsetMs ?? 0), recording.lengthMs);
  const first = recording.rows[0]?.timeS ?? 0;
  const row = recording.rows[lastRowAt(recording, first + positionMs / 1_000)];
  if (!row) return { seen: {}, measured: recording.measured };
  const ageMs = (of: Row): number => (positionMs - (of.timeS - first) * 1_000) / speed;
  const cuffRow = recording.rows[row.cuffRow];
  const tempRow = recording.rows[row.tempRow];
  const celsius = tempRow?.seen.temp;
  return {
    seen: row.seen,
    measured: recording.measured,
    cuff: cuffRow && {
      sys: cuffRow.seen.nbp_sys,
      dia: cuffRow.seen.nbp_dia,
      mean: cuffRow.seen.nbp_mean,
      ageMs: ageMs(cuffRow),
    },
    temp: tempRow && celsius !== undefined ? { celsius, ageMs: ageMs(tempRow) } : undefined,
  };
}

const wrap = (ms: number, lengthMs: number): number => ((ms % lengthMs) + lengthMs) % lengthMs;

/** Rows can have gaps, so the place is searched, not computed. */
function lastRowAt({ rows }: Recording, timeS: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.timeS ?? 0) <= timeS) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
