/** Lays what people said over stored rows, as they are read; what was stored stays stored. */
import {
  flagsHistorical,
  flagsKind,
  flagsUnplaced,
  flagsValidity,
  kinds,
  packFlags,
  unpackReason,
} from '../../journal/observation-batch.ts';
import type { Columns, TextValue } from './columns.ts';
import type { LatestRow } from './series-book.ts';
import type { Corrected, Correction, KeptCorrection, ObservationName, StoredValue } from './types.ts';

/** The value columns of a row. */
interface Said {
  readonly value: number;
  readonly flags: number;
  readonly reason: number;
  readonly text: TextValue | undefined;
}

/** The rows of one series, in order. Of two corrections of one observation the later in the list counts. */
export function correctRows(rows: Columns, corrections: readonly KeptCorrection[]): void {
  for (const correction of corrections) {
    const row = rowOf(rows, correction);
    if (row < 0) continue;
    const said = saidBy(correction, rows.flags[row] ?? 0);
    rows.value[row] = said.value;
    rows.flags[row] = said.flags;
    rows.reason[row] = said.reason;
    if (said.text !== undefined) rows.textAt[row] = rows.texts.push(said.text) - 1;
    rows.corrected.set(row, correctedOf(correction));
  }
}

/** The newest row of a series, under the last correction that names it. */
export function correctLatest(
  row: LatestRow,
  corrections: readonly KeptCorrection[],
): LatestRow & { readonly corrected?: Corrected } {
  const correction = corrections.findLast(({ boot, seq }) => boot === row.boot && seq === row.seq);
  if (!correction) return row;
  return { ...row, ...saidBy(correction, row.flags), corrected: correctedOf(correction) };
}

/** The place of the named observation among rows in order; −1 where it is not. */
export function rowOf(rows: Columns, { takenAtMs, boot, seq }: Omit<ObservationName, 'metric'>): number {
  for (let row = rows.firstAt(takenAtMs); row < rows.length && rows.taken[row] === takenAtMs; row++)
    if (rows.seq[row] === seq && rows.bootOf(row) === boot) return row;
  return -1;
}

/** What a row says now, for the correction that will be kept. */
export function valueOf(flags: number, value: number, reason: number, text?: TextValue): StoredValue {
  const why = unpackReason(reason);
  return {
    value: flagsKind(flags) === kinds.number ? value : null,
    ...(text === undefined ? {} : typeof text === 'string' ? { text } : { code: text[0], system: text[1] }),
    validity: flagsValidity(flags),
    ...(why ? { reason: why } : {}),
  };
}

function saidBy({ now }: Correction, flags: number): Said {
  const marked = (kind: number): number =>
    packFlags(now ? 'valid' : 'invalid', kind, flagsHistorical(flags), flagsUnplaced(flags));
  if (!now) return { value: NaN, flags: marked(kinds.none), reason: 0, text: undefined };
  if ('value' in now) return { value: now.value, flags: marked(kinds.number), reason: 0, text: undefined };
  if ('text' in now) return { value: NaN, flags: marked(kinds.text), reason: 0, text: now.text };
  return { value: NaN, flags: marked(kinds.code), reason: 0, text: [now.code, now.system] };
}

const correctedOf = ({ by, atMs, why, now, was }: KeptCorrection): Corrected => ({
  by,
  atMs,
  why,
  retracted: now === undefined,
  was,
});
