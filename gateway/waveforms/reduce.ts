import { noSample } from '../../model/observation.ts';
import type { Run } from './codec.ts';

/** Lowest and highest sample of each whole second that has any: from it a day is drawn without reading its samples. */
export interface Seconds {
  /** Seconds since 1970, ascending. */
  readonly at: Float64Array;
  readonly min: Int16Array;
  readonly max: Int16Array;
}

export const secondMs = 1_000;

export function secondsOf(runs: readonly Run[], periodUs: number): Seconds {
  const lows = new Map<number, number>();
  const highs = new Map<number, number>();
  const period = periodUs / 1_000;
  for (const { fromMs, samples } of runs) {
    let at = 0;
    while (at < samples.length) {
      const second = Math.floor((fromMs + at * period) / secondMs);
      let low = lows.get(second) ?? Infinity;
      let high = highs.get(second) ?? -Infinity;
      for (; at < samples.length && fromMs + at * period < (second + 1) * secondMs; at++) {
        const sample = samples[at] ?? noSample;
        if (sample === noSample) continue;
        if (sample < low) low = sample;
        if (sample > high) high = sample;
      }
      if (low > high) continue;
      lows.set(second, low);
      highs.set(second, high);
    }
  }
  const at = Float64Array.from(lows.keys()).sort();
  const look = (of: ReadonlyMap<number, number>): Int16Array =>
    Int16Array.from(at, (second) => of.get(second) ?? noSample);
  return { at, min: look(lows), max: look(highs) };
}

const entryBytes = 6;

/** f64 first second, then for each u16 seconds since it, i16 min, i16 max. Spans of more than 18 h do not fit. */
export function packSeconds({ at, min, max }: Seconds): Uint8Array {
  const bytes = new Uint8Array(8 + at.length * entryBytes);
  const view = new DataView(bytes.buffer);
  const first = at[0] ?? 0;
  view.setFloat64(0, first, true);
  for (let index = 0; index < at.length; index++) {
    const place = 8 + index * entryBytes;
    view.setUint16(place, (at[index] ?? 0) - first, true);
    view.setInt16(place + 2, min[index] ?? noSample, true);
    view.setInt16(place + 4, max[index] ?? noSample, true);
  }
  return bytes;
}

/** Which columns an answer has: the first begins at `fromMs`, each is `columnMs` wide. */
export interface Grid {
  readonly fromMs: number;
  readonly columnMs: number;
  readonly columns: number;
}

/** Wide columns stand on whole seconds, so that no second belongs to two of them. */
const wholeFromMs = 4_000;
export const onSeconds = ({ columnMs }: Grid): boolean => columnMs >= wholeFromMs;

/** At most `width` columns over the span. */
export function gridOf(fromMs: number, toMs: number, width: number): Grid {
  const exactMs = (toMs - fromMs) / width;
  if (exactMs < wholeFromMs) return { fromMs, columnMs: exactMs, columns: width };
  const begin = Math.floor(fromMs / secondMs) * secondMs;
  const columnMs = Math.ceil((toMs - begin) / width / secondMs) * secondMs;
  return { fromMs: begin, columnMs, columns: Math.ceil((toMs - begin) / columnMs) };
}

/** Lowest and highest sample of each column; Infinity and −Infinity where there is none. */
export class Columns {
  readonly grid: Grid;
  readonly min: Float64Array;
  readonly max: Float64Array;

  constructor(grid: Grid) {
    this.grid = grid;
    this.min = new Float64Array(grid.columns).fill(Infinity);
    this.max = new Float64Array(grid.columns).fill(-Infinity);
  }

  get empty(): boolean {
    return this.max.every((value) => value === -Infinity);
  }

  add({ fromMs, samples }: Run, periodUs: number): void {
    const { grid } = this;
    const period = periodUs / 1_000;
    let at = 0;
    while (at < samples.length) {
      const column = this.columnAt(fromMs + at * period);
      const untilMs = grid.fromMs + (column + 1) * grid.columnMs;
      let low = Infinity;
      let high = -Infinity;
      // The first one belongs here whatever rounding says, so that each turn takes at least one.
      do {
        const sample = samples[at] ?? noSample;
        if (sample !== noSample && sample < low) low = sample;
        if (sample !== noSample && sample > high) high = sample;
        at++;
      } while (at < samples.length && fromMs + at * period < untilMs);
      this.widen(column, low, high);
    }
  }

  /** Seconds as packSeconds wrote them; only for a grid that stands on seconds. */
  addSeconds(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const first = view.getFloat64(0, true);
    for (let place = 8; place + entryBytes <= bytes.length; place += entryBytes) {
      const column = this.columnAt((first + view.getUint16(place, true)) * secondMs);
      this.widen(column, view.getInt16(place + 2, true), view.getInt16(place + 4, true));
    }
  }

  private columnAt(ms: number): number {
    return Math.floor((ms - this.grid.fromMs) / this.grid.columnMs);
  }

  private widen(column: number, low: number, high: number): void {
    if (low < (this.min[column] ?? -Infinity)) this.min[column] = low;
    if (high > (this.max[column] ?? Infinity)) this.max[column] = high;
  }
}
