/** Shapes of the books: who sent how much in which hour, and what became of it. */
import type { JournalClass } from '../../journal/types.ts';
import type { LossCounts } from '../intake/ledger.ts';

/** In observations. received = kept + ledgered + quarantined + duplicate. */
export interface BooksCell {
  readonly device: string;
  /** Hours since 1970, by receipt. */
  readonly hour: number;
  readonly received: number;
  readonly kept: number;
  /** Of the kept those that the historian stores: neither alerts nor waveforms. */
  readonly stowed: number;
  readonly ledgered: number;
  readonly quarantined: number;
  readonly duplicate: number;
  readonly historicalKept: number;
  readonly historicalDuplicate: number;
}

export interface BooksPage {
  readonly fromHour: number;
  readonly toHour: number;
  readonly device?: string | undefined;
  /** The last cell of the page before. */
  readonly after?: readonly [hour: number, device: string] | undefined;
  readonly limit: number;
}

/** A line of the loss ledger as the books copy it. */
export interface LedgerLine {
  readonly number: number;
  /** `*`: it is not known whose. */
  readonly device: string;
  readonly hour: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly observations: number;
  readonly why: string;
  readonly klass: JournalClass;
  readonly sinks: readonly string[];
  readonly counted?: LossCounts;
}

export type BooksAsk =
  | { readonly what: 'page'; readonly page: BooksPage }
  | { readonly what: 'copy'; readonly lines: readonly LedgerLine[] }
  | { readonly what: 'flush' };

export interface BooksSettings {
  readonly folder: string;
  readonly epoch: string;
  readonly keepDays: number;
}
export interface BooksOpened {
  readonly delivered: Readonly<Record<JournalClass, readonly (readonly [number, number])[]>>;
  readonly copiedLines: number;
}
export interface BooksAlive {
  readonly writing: boolean;
}
