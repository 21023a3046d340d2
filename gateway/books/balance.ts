/** Puts the figures of the audit side by side and says what does not agree, and where. Pure. */
import type { Contents } from '../../journal/content.ts';
import { hourMs } from '../../journal/tally.ts';
import type { JournalLoss } from '../../journal/types.ts';
import { sinkId } from '../store/historian.ts';
import type { RowCounts } from '../store/count-rows.ts';
import { booksSink } from './books.ts';
import type { BooksCell, LedgerLine } from './types.ts';

export interface Gathered extends RowCounts {
  readonly cells: readonly BooksCell[];
  /** Lines of the ledger, and the books' copy of them. */
  readonly ledger: readonly LedgerLine[];
  readonly copied: readonly LedgerLine[];
  /** In the books, and not yet stored. */
  readonly waiting: Contents;
  /** Stored, and not yet in the books. */
  readonly unentered: Contents;
  /** Batches the journal should hold and does not. */
  readonly missing: readonly Omit<JournalLoss, 'sinks'>[];
}

export interface BalanceAsk {
  readonly fromMs: number;
  readonly toMs: number;
  readonly device?: string | undefined;
  readonly nowMs: number;
  readonly retentionMs: number;
}

/** One device and hour. received = kept + ledgered + quarantined + duplicate; stowed = stored + waiting + givenUp. */
export interface BalanceRow {
  readonly device: string;
  /** Begin of the hour, by receipt. */
  readonly fromMs: number;
  readonly received: number;
  readonly kept: number;
  /** Of the kept those that the historian stores: neither alerts nor waveforms. */
  readonly stowed: number;
  /** Really there, counted; null: older than the historian keeps. */
  readonly stored: number | null;
  /** Kept in the journal, on its way to the historian. */
  readonly waiting: number;
  readonly ledgered: number;
  /** Ledgered when the journal gave it up before the historian had it. */
  readonly givenUp: number;
  readonly quarantined: number;
  readonly duplicate: number;
  readonly historical: { readonly kept: number; readonly duplicate: number };
  /** What is missing in the first sum and in the second, after lines of the ledger that name no device. */
  readonly unexplained: { readonly received: number; readonly stored: number };
  readonly balanced: boolean;
}

export interface Balance {
  readonly rows: readonly BalanceRow[];
  /** What else is wrong, in words: lines of the ledger, batches of the journal, bodies of the historian. */
  readonly problems: readonly string[];
  readonly totals: Readonly<
    Record<
      | 'received'
      | 'kept'
      | 'stowed'
      | 'stored'
      | 'waiting'
      | 'ledgered'
      | 'givenUp'
      | 'quarantined'
      | 'duplicate',
      number
    >
  >;
  readonly balanced: boolean;
}

export function balance(gathered: Gathered, ask: BalanceAsk): Balance {
  const lines = allLines(gathered);
  const sums = new Sums(gathered, lines);
  const pool = new Pool(lines.filter(({ device }) => device === '*'));
  const keptFromMs = ask.nowMs - ask.retentionMs;
  const rows = sums.keys(ask).map((key): BalanceRow => {
    const [device = '', hourText = '0'] = key.split(' ');
    const fromMs = Number(hourText) * hourMs;
    const cell = sums.cells.get(key) ?? emptyCell;
    const unseen = sums.unentered.get(key) ?? 0;
    const early = sums.givenBeforeBooks.get(key) ?? { all: 0, stowed: 0 };
    const kept = cell.kept + unseen + early.all;
    const stowed = cell.stowed + unseen + early.stowed;
    const ledgered = sums.ledgered.get(key) ?? 0;
    const waiting = sums.waiting.get(key) ?? 0;
    const givenUp = sums.givenUp.get(key) ?? 0;
    const stored = fromMs < keptFromMs ? null : (gathered.stored.get(key) ?? 0);
    const { quarantined, duplicate } = cell;
    // What is stored and not yet in the books is not yet counted as received there either.
    const received = cell.received + unseen;
    const accounted = kept + ledgered + quarantined + duplicate;
    const unexplained = {
      received: pool.explain(fromMs, received - accounted, booksSink),
      stored: stored === null ? 0 : pool.explain(fromMs, stowed - stored - waiting - givenUp, sinkId),
    };
    return {
      device,
      fromMs,
      received,
      kept,
      stowed,
      stored,
      waiting,
      ledgered,
      givenUp,
      quarantined,
      duplicate,
      historical: { kept: cell.historicalKept, duplicate: cell.historicalDuplicate },
      unexplained,
      balanced: unexplained.received === 0 && unexplained.stored === 0,
    };
  });
  const problems = problemsOf(gathered, ask);
  return {
    rows,
    problems,
    totals: totalsOf(rows),
    balanced: problems.length === 0 && rows.every((row) => row.balanced),
  };
}

const emptyCell = {
  received: 0,
  kept: 0,
  stowed: 0,
  quarantined: 0,
  duplicate: 0,
  historicalKept: 0,
  historicalDuplicate: 0,
};

/** The ledger's lines, and those that only the copy has any more. */
function allLines({ ledger, copied }: Gathered): LedgerLine[] {
  const known = new Set(ledger.map(({ number }) => number));
  return [...ledger, ...copied.filter(({ number }) => !known.has(number))];
}

const keyOf = ({ device, hour }: { readonly device: string; readonly hour: number }): string =>
  `${device} ${hour}`;

/** Everything by `device hour`. */
class Sums {
  readonly cells: ReadonlyMap<string, BooksCell>;
  readonly waiting: ReadonlyMap<string, number>;
  readonly unentered: ReadonlyMap<string, number>;
  readonly ledgered = new Map<string, number>();
  readonly givenUp = new Map<string, number>();
  /** Went before the books had read it; `stowed`: of it what the historian would have stored. */
  readonly givenBeforeBooks = new Map<string, { all: number; stowed: number }>();
  private readonly stored: ReadonlyMap<string, number>;

  constructor({ cells, waiting, unentered, stored }: Gathered, lines: readonly LedgerLine[]) {
    this.cells = new Map(cells.map((cell) => [keyOf(cell), cell]));
    this.waiting = new Map(waiting.all.map((one) => [keyOf(one), one.observations]));
    this.unentered = new Map(unentered.all.map((one) => [keyOf(one), one.observations]));
    this.stored = stored;
    for (const line of lines) if (line.device !== '*') this.enter(line);
  }

  keys({ fromMs, toMs, device }: BalanceAsk): string[] {
    const sources = [this.cells, this.stored, this.waiting, this.unentered, this.ledgered, this.givenUp];
    const all = new Set(sources.flatMap((source) => [...source.keys()]));
    const hour = (key: string): number => Number(key.split(' ')[1]);
    return [...all]
      .filter((key) => (hour(key) + 1) * hourMs > fromMs && hour(key) * hourMs < toMs)
      .filter((key) => device === undefined || key.startsWith(`${device} `))
      .toSorted((a, b) => hour(a) - hour(b) || (a < b ? -1 : 1));
  }

  private enter(line: LedgerLine): void {
    const key = keyOf(line);
    const { observations, why, sinks, klass } = line;
    const addTo = (sums: Map<string, number>): void =>
      void sums.set(key, (sums.get(key) ?? 0) + observations);
    if (why === 'unrecorded') addTo(this.ledgered);
    if (klass === 'numerics' && sinks.includes(sinkId)) addTo(this.givenUp);
    if (!sinks.includes(booksSink)) return;
    const early = this.givenBeforeBooks.get(key) ?? { all: 0, stowed: 0 };
    early.all += observations;
    if (klass === 'numerics') early.stowed += observations;
    this.givenBeforeBooks.set(key, early);
  }
}

/** Lines that name no device explain what is missing in their time, up to their count. */
class Pool {
  private readonly lines: { readonly line: LedgerLine; readonly left: Map<string, number> }[];

  constructor(lines: readonly LedgerLine[]) {
    this.lines = lines.map((line) => ({ line, left: new Map() }));
  }

  /** How many stay unexplained. `sink`: whose lack it is; a loss on arrival is everybody's. */
  explain(hourFromMs: number, missing: number, sink: string): number {
    let rest = missing;
    for (const { line, left } of this.lines) {
      if (rest <= 0) break;
      if (line.fromMs >= hourFromMs + hourMs || line.toMs < hourFromMs) continue;
      const concerns = whoLacks(line).includes(sink);
      if (!concerns) continue;
      const has = left.get(sink) ?? line.observations;
      const used = Math.min(has, rest);
      left.set(sink, has - used);
      rest -= used;
    }
    return rest;
  }
}

/** Whom a line concerns: what was lost on arrival is in no book, what a damaged store lost only that lacks. */
function whoLacks({ why, sinks }: LedgerLine): readonly string[] {
  if (why === 'unrecorded') return [booksSink];
  if (why === 'store-corrupt') return [sinkId];
  return why.startsWith('journal-') ? sinks : [];
}

function problemsOf({ ledger, copied, missing, damaged }: Gathered, ask: BalanceAsk): string[] {
  const there = new Map(ledger.map((line) => [line.number, line]));
  const problems: string[] = [];
  const known = new Map(copied.map((line) => [line.number, line]));
  const last = Math.max(0, ...there.keys(), ...known.keys());
  for (let number = 1; number <= last; number++) {
    const line = there.get(number);
    const copy = known.get(number);
    const where = copy
      ? `: ${copy.device}, ${copy.observations} observations, ${copy.why}, received ${span(copy.fromMs, copy.toMs)}`
      : '';
    if (!line) problems.push(`line ${number} of the loss ledger is missing${where}`);
    else if (copy && (copy.observations !== line.observations || copy.device !== line.device))
      problems.push(`line ${number} of the loss ledger is not what it was${where}`);
  }
  for (const { klass, fromNumber, toNumber, messages, observations, firstAtMs, lastAtMs } of missing)
    problems.push(
      `the journal lacks batches ${fromNumber} to ${toNumber - 1} of class ${klass}: ${messages} messages, ` +
        `${observations} observations, received ${span(firstAtMs, lastAtMs)}`,
    );
  for (const { device, fromMs, observations } of damaged)
    problems.push(
      `${observations} stored observations of ${device} from ${new Date(fromMs).toISOString()} cannot be read`,
    );
  return ask.device === undefined
    ? problems
    : problems.filter((problem) => problem.includes(ask.device ?? ''));
}

const span = (fromMs: number, toMs: number): string =>
  `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;

function totalsOf(rows: readonly BalanceRow[]): Balance['totals'] {
  const sum = (of: (row: BalanceRow) => number | null): number =>
    rows.reduce((total, row) => total + (of(row) ?? 0), 0);
  return {
    received: sum((row) => row.received),
    kept: sum((row) => row.kept),
    stowed: sum((row) => row.stowed),
    stored: sum((row) => row.stored),
    waiting: sum((row) => row.waiting),
    ledgered: sum((row) => row.ledgered),
    givenUp: sum((row) => row.givenUp),
    quarantined: sum((row) => row.quarantined),
    duplicate: sum((row) => row.duplicate),
  };
}
