import type { Clock } from '../../model/clock.ts';
import type { Chance } from '../../model/ids.ts';
import type { Rows } from '../rows/rows.ts';

/** What the people's room needs of the rows. */
export type PeopleRows = Pick<Rows, 'load' | 'put'>;
type PeopleTable = 'shifts' | 'assignments' | 'covers';

/** One line of the audit; ids and values, never names. */
export interface PeopleAct {
  readonly by: string;
  readonly act: string;
  readonly on?: string;
  readonly outcome: string;
  readonly ward?: string;
  readonly bed?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What changed, for whoever routes alarms; told in the tick of the change. */
export type PeopleChange =
  | { readonly kind: 'shift'; readonly wards: readonly string[]; readonly person: string }
  | { readonly kind: 'assignment'; readonly ward: string; readonly bed: string }
  | { readonly kind: 'cover'; readonly ward: string; readonly person: string }
  | { readonly kind: 'chain'; readonly ward: string };

/** What all books of this room share. */
export interface PeopleDesk {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly keeper: RowKeeper;
  record(act: PeopleAct): void;
  changed(change: PeopleChange): void;
}

type Kept = { readonly id: string };

/**
 * Rows that count from memory at once: who has a bed must not depend on a disk that is full. What could not be written
 * is tried again until it is; one row an id at most waits.
 */
export class RowKeeper {
  private readonly rows: PeopleRows;
  private readonly waiting = new Map<string, () => Promise<void>>();

  constructor(rows: PeopleRows) {
    this.rows = rows;
  }

  keep(table: PeopleTable, row: Kept): void {
    this.write(`${table}/${row.id}`, () => this.rows.put(table, row as never));
  }

  /** How many rows wait for the disk. */
  get behind(): number {
    return this.waiting.size;
  }

  /** Tries again what the disk refused; about once a second. */
  retry(): void {
    const again = [...this.waiting];
    this.waiting.clear();
    for (const [key, put] of again) this.write(key, put);
  }

  private write(key: string, put: () => Promise<void>): void {
    this.waiting.delete(key);
    put().catch(() => {
      // The rows room has told its fault. A newer row of the same id makes this one needless.
      if (!this.waiting.has(key)) this.waiting.set(key, put);
    });
  }
}
