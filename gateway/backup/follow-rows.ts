/** A small database's copy follows it by what has changed, so that a copy a minute costs what a minute brought. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Fault } from '../../model/fault.ts';
import { transaction } from '../store/sqlite.ts';

export type Followed = 'followed' | 'another-schema';

interface Table {
  readonly name: string;
  /** Columns of its primary key, as a row. */
  readonly key: string;
  /** A log: its entries are numbered and never changed. */
  readonly numbered: boolean;
}

/**
 * Brings the copy to the state of the source, in one transaction. `another-schema`: it must be copied anew. Throws
 * BACKUP_COPY_FOREIGN when the source has fewer entries than the copy: then the copy is the better one.
 */
export function followRows(source: string, copy: string): Followed {
  if (!existsSync(copy)) return 'another-schema';
  const database = new DatabaseSync(copy);
  try {
    database.exec('PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000');
    database.prepare('ATTACH ? AS source').run(`${pathToFileURL(source).href}?mode=ro`);
    if (schemaOf(database, 'main') !== schemaOf(database, 'source')) return 'another-schema';
    const tables = tablesOf(database);
    transaction(database, () => {
      for (const table of tables) follow(database, table);
    });
    return 'followed';
  } finally {
    database.close();
  }
}

function schemaOf(database: DatabaseSync, of: 'main' | 'source'): string {
  const rows = database
    .prepare(`SELECT sql FROM ${of}.sqlite_master WHERE sql IS NOT NULL ORDER BY name`)
    .all();
  const version = database.prepare(`PRAGMA ${of}.user_version`).get();
  return JSON.stringify([rows, version]);
}

const tablesOf = (database: DatabaseSync): Table[] =>
  database
    .prepare("SELECT name, sql FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map((row) => ({
      name: `"${String(row['name'])}"`,
      key: keyOf(database, String(row['name'])),
      numbered: /\(\s*number INTEGER PRIMARY KEY/.test(String(row['sql'])),
    }));

function keyOf(database: DatabaseSync, table: string): string {
  const columns = database
    .prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk')
    .all(table);
  return columns.length === 0 ? 'rowid' : columns.map((row) => `"${String(row['name'])}"`).join(', ');
}

function follow(database: DatabaseSync, { name, key, numbered }: Table): void {
  if (!numbered) {
    // Only what differs is written: most passes find nothing.
    database.exec(`DELETE FROM main.${name} WHERE (${key}) NOT IN (SELECT ${key} FROM source.${name});
      INSERT OR REPLACE INTO main.${name} SELECT * FROM source.${name} EXCEPT SELECT * FROM main.${name}`);
    return;
  }
  const edge = (of: string, which: 'min' | 'max'): number =>
    Number(Object.values(database.prepare(`SELECT ${which}(number) FROM ${of}.${name}`).get() ?? {})[0] ?? 0);
  const copied = edge('main', 'max');
  if (edge('source', 'max') < copied)
    throw new Fault('BACKUP_COPY_FOREIGN', { cause: `log ${name} holds less than its copy` });
  database.prepare(`INSERT INTO main.${name} SELECT * FROM source.${name} WHERE number > ?`).run(copied);
  database.prepare(`DELETE FROM main.${name} WHERE number < ?`).run(edge('source', 'min'));
}
