import { localTime, type LocalTime } from '../../model/local-time.ts';

/** One column: the number, null for `---`, and whether a `*` says that it is outside the device's limits. */
export interface Column {
  readonly number: number | null;
  readonly outside: boolean;
}
export interface Line {
  readonly clock: LocalTime;
  readonly saturation: Column;
  readonly pulse: Column;
  readonly amplitude: Column;
  readonly words: readonly string[];
}
export interface Header {
  readonly model: string;
}
/** Titles of a page and its second header line: known, and nothing to tell. */
export type Read = Line | Header | 'title' | { readonly cause: string };

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const whole = '(0|[1-9]\\d{0,2}|---)(\\*?)';
const form = new RegExp(
  `^(\\d\\d)-([A-Za-z]{3})-(\\d\\d) (\\d\\d):(\\d\\d):(\\d\\d) +${whole} +${whole} +${whole}((?: +[A-Z]{2})*) *$`,
);
const header = /^(N-\d{2,4}[A-Z]*) +VERSION +[\d.]+ /;
const title = /%SpO2 +BPM +PA|SAT-S|^ *(ADULT|NEONATE|PEDIATRIC|NEONATAL)\b/;

/** One line of the text output: its form is the only check it has. */
export function readLine(text: string): Read {
  const model = header.exec(text)?.[1];
  if (model !== undefined) return { model };
  if (title.test(text)) return 'title';
  const found = form.exec(text);
  if (!found) return { cause: 'no line of date, time, %SpO2, BPM, PA and status' };
  const [, day, month = '', year, hour, minute, second, ...columns] = found;
  const clock = localTime({
    year: 2000 + Number(year),
    month: months.indexOf(month.toUpperCase()) + 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  });
  if (!clock) return { cause: 'a date or time that does not exist' };
  const column = (at: number): Column => ({
    number: columns[at] === '---' ? null : Number(columns[at]),
    outside: columns[at + 1] === '*',
  });
  const words = (columns[6] ?? '').split(' ').filter((word) => word !== '');
  return { clock, saturation: column(0), pulse: column(2), amplitude: column(4), words };
}
