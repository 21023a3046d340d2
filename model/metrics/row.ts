import type { Metric, Quantity } from '../metric.ts';

/** What the rows of one family share. */
export interface Family {
  /** UCUM. */
  readonly unit: string;
  readonly span?: readonly [number, number];
  readonly decimals: number;
  readonly periodMs?: number;
  readonly episodic?: true;
  readonly quantity: Quantity;
  readonly value?: Metric['value'];
}

/**
 * One row: reference id, MDC code (null: none known), LOINC codes parted by blanks, label, English, Chinese, and what
 * of it is in doubt. A row with an empty doubt is confirmed by two or more independent public sources.
 */
export type Row = readonly [
  refId: string,
  mdc: number | null,
  loinc: string,
  label: string,
  en: string,
  zh: string,
  doubt?: string,
];

/** The metrics of one family. */
export const family = (shared: Family, rows: readonly Row[]): readonly Metric[] =>
  rows.map(([refId, mdc, loinc, label, en, zh, doubt]) => ({
    refId,
    ...(mdc === null ? {} : { mdc }),
    ...(loinc === '' ? {} : { loinc: loinc.split(' ') }),
    unit: shared.unit,
    name: { en, zh },
    label,
    ...(shared.span ? { span: shared.span } : {}),
    decimals: shared.decimals,
    ...(shared.periodMs ? { periodMs: shared.periodMs } : {}),
    episodic: shared.episodic ?? false,
    quantity: shared.quantity,
    value: shared.value ?? 'number',
    confirmed: doubt === undefined,
    ...(doubt === undefined ? {} : { doubt }),
  }));

// Doubts many rows share.
export const noMdc = 'no MDC code found; the word is Vigil’s own';
export const oneSource = 'MDC code from one source';
export const derived = 'MDC code derived from the 16-bit term code';
export const loincOneSource = 'LOINC from one source';
export const noLoinc = 'no LOINC code found';
