/** The columns of a recorded patient (`simulators/recordings/README.md`); blank = not measured. */
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
export const isColumn = (name: unknown): name is Column => columns.some((column) => column === name);

const pressure = [-50, 400] as const;
/** The instrument's full span (CLINICAL 2); FiO2 stands in these files as a fraction. */
export const spans: Readonly<Record<Column, readonly [number, number]>> = {
  hr: [0, 350],
  pr: [0, 350],
  spo2: [0, 100],
  rr: [0, 200],
  abp_sys: pressure,
  abp_dia: pressure,
  abp_mean: pressure,
  nbp_sys: pressure,
  nbp_dia: pressure,
  nbp_mean: pressure,
  temp: [0, 50],
  etco2: [0, 150],
  fio2: [0, 1],
};

export interface RecordedRow {
  /** `time_s` as it stands in the file. */
  readonly time: number;
  /** The same in ms, on a grid of a microsecond, so that 1.1 s and 10 s are 11.1 s. */
  readonly atMs: number;
  readonly values: Readonly<Partial<Record<Column, number>>>;
}

/** Something in a file that cannot be read: where, and what. */
export class RecordedFileError extends Error {}

/** Reads a CSV with the header `time_s,…`; columns may stand in any order or be absent. Throws RecordedFileError. */
export function readRecorded(text: string): RecordedRow[] {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? '')
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((name) => name.trim());
  const timeAt = header.indexOf('time_s');
  if (timeAt < 0) throw new RecordedFileError(`line 1: no column time_s in "${lines[0] ?? ''}"`);
  const named = header.map((name) => (isColumn(name) ? name : undefined));
  const rows: RecordedRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const cells = line.split(',');
    const time = cell(cells[timeAt], index);
    if (time === undefined) throw new RecordedFileError(`line ${index + 1}: no time_s`);
    const values: Partial<Record<Column, number>> = {};
    for (const [at, name] of named.entries()) {
      const value = name === undefined ? undefined : cell(cells[at], index);
      if (name !== undefined && value !== undefined) values[name] = value;
    }
    rows.push({ time, atMs: Math.round(time * 1e6) / 1e3, values });
  }
  return rows;
}

function cell(text: string | undefined, index: number): number | undefined {
  const trimmed = (text ?? '').trim();
  if (trimmed === '' || trimmed.toLowerCase() === 'nan') return undefined;
  const value = Number(trimmed);
  if (!Number.isFinite(value)) throw new RecordedFileError(`line ${index + 1}: "${trimmed}" is no number`);
  return value;
}

export const inSpan = (column: Column, value: number): boolean =>
  value >= spans[column][0] && value <= spans[column][1];
