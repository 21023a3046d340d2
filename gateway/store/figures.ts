/** Figures over valid numbers, interval by interval. */
import { Fault } from '../../model/fault.ts';
import { kinds, packFlags, packReason } from '../../journal/observation-batch.ts';
import type { Columns } from './columns.ts';
import { figureNumbers, type AggregateColumns, type NamedSeries } from './historian-protocol.ts';
import { Scanner, wantedSeries, type Sources } from './scan.ts';
import { nameOf, windowRows, type Breathe } from './queries.ts';
import type { Aggregate, SeriesSpan } from './types.ts';

export interface AggregateAsk {
  readonly spans: readonly SeriesSpan[];
  readonly everyMs: number;
  readonly of?: readonly Aggregate[];
}

/** Throws STORE_TOO_MUCH beyond `bounds.rows` intervals. */
export async function aggregate(
  sources: Sources,
  { spans, everyMs, of }: AggregateAsk,
  bounds: { readonly rows: number; readonly breathe: Breathe },
): Promise<AggregateColumns> {
  const wanted = wantedSeries(sources.book, spans);
  const sums = new Map<number, Figures>();
  const sorting = !of || of.includes('median');
  let rows = 0;
  for (const stretch of new Scanner(sources, 'values').stretches(wanted, windowRows)) {
    if (stretch === 'breath') {
      await bounds.breathe();
      continue;
    }
    let figures = sums.get(stretch.series);
    if (!figures) sums.set(stretch.series, (figures = new Figures(everyMs, sorting)));
    rows += figures.add(stretch.rows);
    if (rows > bounds.rows)
      throw new Fault('STORE_TOO_MUCH', { asked: `over ${bounds.rows}`, most: bounds.rows });
  }
  return columnsOf(sources, sums);
}

function columnsOf(sources: Sources, sums: ReadonlyMap<number, Figures>): AggregateColumns {
  const names: NamedSeries[] = [];
  const parts = [...sums]
    .sort(([a], [b]) => a - b)
    .map(([series, figures]) => {
      names.push(nameOf(sources, series));
      return figures.end();
    });
  const count = parts.reduce((sum, part) => sum + part.length / figureNumbers, 0);
  const series = new Uint32Array(count);
  const figures = new Float64Array(count * figureNumbers);
  let at = 0;
  parts.forEach((part, index) => {
    series.fill(index, at, at + part.length / figureNumbers);
    figures.set(part, at * figureNumbers);
    at += part.length / figureNumbers;
  });
  return { names, series, figures };
}

const unplacedBit = packFlags('valid', 0, false, true);
/** Validity and kind: both nothing but bits of 0 for a valid number. */
const judgedBits =
  packFlags('invalid', kinds.text, false, false) | packFlags('questionable', 0, false, false);

const demo = packReason('demo');
const test = packReason('test');

/** The figures of one series, interval by interval, in order of time. */
class Figures {
  private readonly everyMs: number;
  /** Numbers are kept for the median alone. */
  private readonly sorting: boolean;
  private readonly out: number[] = [];
  private values: Float64Array<ArrayBuffer>;
  private fromMs = NaN;
  private count = 0;
  private sum = 0;
  private least = Infinity;
  private most = -Infinity;
  private last = NaN;

  constructor(everyMs: number, sorting: boolean) {
    this.everyMs = everyMs;
    this.sorting = sorting;
    this.values = new Float64Array(sorting ? 256 : 0);
  }

  /** Adds rows in order; returns how many intervals it began. An unplaced observation has no interval. */
  add({ length, flags, reason, taken, value }: Columns): number {
    const { everyMs, sorting } = this;
    let begun = 0;
    let untilMs = this.fromMs + everyMs;
    for (let row = 0; row < length; row++) {
      const marks = flags[row] ?? 0;
      if ((marks & unplacedBit) !== 0) continue;
      const takenAtMs = taken[row] ?? 0;
      if (!(takenAtMs < untilMs)) {
        this.close();
        this.fromMs = Math.floor(takenAtMs / everyMs) * everyMs;
        untilMs = this.fromMs + everyMs;
        begun++;
      }
      if ((marks & judgedBits) !== 0) continue;
      // Demo and test data are no measurement of anybody (CLINICAL 1).
      if (reason[row] !== 0 && (reason[row] === demo || reason[row] === test)) continue;
      const number = value[row] ?? 0;
      if (sorting) this.keep(number);
      this.count++;
      this.sum += number;
      if (number < this.least) this.least = number;
      if (number > this.most) this.most = number;
      this.last = number;
    }
    return begun;
  }

  end(): readonly number[] {
    this.close();
    return this.out;
  }

  private keep(number: number): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.count] = number;
  }

  private close(): void {
    if (Number.isNaN(this.fromMs)) return;
    const { count } = this;
    const mean = count === 0 ? NaN : this.sum / count;
    this.out.push(this.fromMs, count, this.least, mean, this.median(), this.most, this.last);
    this.fromMs = NaN;
    this.count = 0;
    this.sum = 0;
    this.least = Infinity;
    this.most = -Infinity;
    this.last = NaN;
  }

  private median(): number {
    if (!this.sorting || this.count === 0) return NaN;
    const sorted = this.values.subarray(0, this.count).sort();
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1
      ? (sorted[middle] ?? 0)
      : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  }
}
