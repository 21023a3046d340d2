/** The alarm log of a ward, read beside the rows' own worker. */
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../../model/fault.ts';
import { isWhole } from '../../rows/row-sum.ts';
import type { AlarmLogEntry } from '../../rows/tables.ts';
import { causeOf } from '../../store/sqlite.ts';

/** Entries of a ward in [fromMs, toMs), oldest first, of one moment. Throws ROWS_READ. */
export function* readAlarmLog(
  path: string,
  { ward, fromMs, toMs }: { readonly ward: string; readonly fromMs: number; readonly toMs: number },
): Generator<AlarmLogEntry> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.exec('PRAGMA busy_timeout = 2000; BEGIN');
    const rows = database
      .prepare(
        'SELECT key, body, sum FROM alarm_log WHERE ward = ? AND atMs >= ? AND atMs < ? ORDER BY number',
      )
      .iterate(ward, fromMs, toMs);
    for (const row of rows)
      if (isWhole(row['sum'], [row['key'], row['body']]))
        yield JSON.parse(row['body'] as string) as AlarmLogEntry;
  } catch (error) {
    throw new Fault('ROWS_READ', { cause: causeOf(error) }, { cause: error });
  } finally {
    database?.close();
  }
}
