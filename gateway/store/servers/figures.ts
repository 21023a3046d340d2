/** Figures of aligned intervals, as the historian makes them: over valid numbers, an empty one where only others are. */
import { Fault } from '../../../model/fault.ts';
import type { AggregateColumns, NamedSeries } from '../historian-protocol.ts';
import { figureNumbers } from '../historian-protocol.ts';
import type { ServerRow } from './rows.ts';

/** Rows an aggregate gives at most. */
const mostRows = 100_000;

/** From, count, min, mean, median, max, last; NaN where there is none. */
export type Figures = readonly number[];

export const emptyFigures = (fromMs: number): Figures => [fromMs, 0, NaN, NaN, NaN, NaN, NaN];

/** Collects intervals of many series; one that comes twice is the later one's. */
export class IntervalTable {
  private readonly series = new Map<
    string,
    { readonly name: NamedSeries; readonly rows: Map<number, Figures> }
  >();
  private rows = 0;

  put(name: NamedSeries, figures: Figures): void {
    const key = `${name.device} ${name.metric} ${name.channel}`;
    let known = this.series.get(key);
    if (!known) this.series.set(key, (known = { name, rows: new Map() }));
    const [fromMs = NaN, count = 0] = figures;
    const before = known.rows.get(fromMs);
    if (before === undefined) this.rows++;
    else if (count === 0) return;
    if (this.rows > mostRows)
      throw new Fault('STORE_TOO_MUCH', { asked: `over ${mostRows}`, most: mostRows });
    known.rows.set(fromMs, figures);
  }

  columns(): AggregateColumns {
    const all = [...this.series.values()];
    const series = new Uint32Array(this.rows);
    const figures = new Float64Array(this.rows * figureNumbers);
    let at = 0;
    all.forEach(({ rows }, number) => {
      for (const [, one] of [...rows].sort(([a], [b]) => a - b)) {
        series[at] = number;
        figures.set(one, at * figureNumbers);
        at++;
      }
    });
    return { names: all.map(({ name }) => name), series, figures };
  }
}

/** Figures made here, from rows in order of time. */
export class Tally {
  private readonly everyMs: number;
  private readonly into: IntervalTable;
  private readonly open = new Map<string, { readonly name: NamedSeries; fromMs: number; values: number[] }>();

  constructor(everyMs: number, into: IntervalTable) {
    this.everyMs = everyMs;
    this.into = into;
  }

  /** An observation without a usable time has no interval. */
  add(row: ServerRow): void {
    if (row.unplaced) return;
    const key = `${row.device} ${row.metric} ${row.channel}`;
    const fromMs = Math.floor(row.takenAtMs / this.everyMs) * this.everyMs;
    let open = this.open.get(key);
    if (!open) {
      const { device, metric, channel } = row;
      this.open.set(key, (open = { name: { device, metric, channel }, fromMs, values: [] }));
    } else if (open.fromMs !== fromMs) {
      this.into.put(open.name, figuresOf(open.fromMs, open.values));
      open.fromMs = fromMs;
      open.values = [];
    }
    if (row.value !== null && row.validity === 'valid') open.values.push(row.value);
  }

  end(): void {
    for (const { name, fromMs, values } of this.open.values()) this.into.put(name, figuresOf(fromMs, values));
    this.open.clear();
  }
}

function figuresOf(fromMs: number, values: readonly number[]): Figures {
  if (values.length === 0) return emptyFigures(fromMs);
  const sorted = values.toSorted((a, b) => a - b);
  const sum = values.reduce((total, value) => total + value, 0);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  return [
    fromMs,
    values.length,
    sorted[0] ?? NaN,
    sum / values.length,
    median,
    sorted.at(-1) ?? NaN,
    values.at(-1) ?? NaN,
  ];
}
