import type { AlarmRows } from '../../gateway/alarm/alarm-log.ts';
import type { CensusRows } from '../../gateway/census/desk.ts';

/** A disk in memory, for tests on a virtual clock: what was put or appended is there for the next opening. */
export interface MemoryRows extends CensusRows {
  readonly alarmRows: AlarmRows;
  /** While false nothing is answered: entries wait as they do for a hung disk. */
  answer(answering: boolean): void;
  /** While true every write is refused. */
  refuse(refusing: boolean): void;
  /** What is on disk now, as after a kill: entries that wait are lost. */
  killed(): MemoryRows;
  readonly logged: readonly { readonly number: number; readonly entry: unknown }[];
}

/** Made once: a full disk refuses thousands of writes a second. */
const full = new Error('the disk is full');

interface Kept {
  readonly tables: Map<string, Map<string, string>>;
  readonly log: { number: number; body: string }[];
}

export function memoryRows(kept: Kept = { tables: new Map(), log: [] }): MemoryRows {
  let answering = true;
  let refusing = false;
  let waiting: (() => void)[] = [];
  const write = <T>(apply: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      const run = (): void => (refusing ? reject(full) : resolve(apply()));
      if (answering) run();
      else waiting.push(run);
    });
  const put = (table: string, row: { readonly id: string }): Promise<void> =>
    write(() => {
      const rows = kept.tables.get(table) ?? new Map<string, string>();
      kept.tables.set(table, rows.set(row.id, JSON.stringify(row)));
    });
  const load = async (table: string): Promise<never[]> =>
    [...(kept.tables.get(table)?.values() ?? [])].map((body) => JSON.parse(body) as never);

  return {
    load,
    put,
    alarmRows: {
      load,
      put: (table, row) => put(table, row as { id: string }),
      append: (_log, entry) =>
        write(() => {
          const number = kept.log.length + 1;
          kept.log.push({ number, body: JSON.stringify(entry) });
          return number;
        }),
      read: async (_log, { after = 0, limit }) =>
        kept.log
          .filter(({ number }) => number > after)
          .slice(0, limit)
          .map(({ number, body }) => ({ number, entry: JSON.parse(body) as never })),
    },
    answer: (now) => {
      answering = now;
      if (!now) return;
      const runs = waiting;
      waiting = [];
      for (const run of runs) run();
    },
    refuse: (now) => {
      refusing = now;
    },
    killed: () =>
      memoryRows({
        tables: new Map([...kept.tables].map(([table, rows]) => [table, new Map(rows)])),
        log: [...kept.log],
      }),
    get logged() {
      return kept.log.map(({ number, body }) => ({ number, entry: JSON.parse(body) as unknown }));
    },
  };
}
