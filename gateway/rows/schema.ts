/** Versions of the rows database: step n leads from version n to n + 1. Steps are never changed, only added. */

/** SQL names of logs hold no hyphen. */
export const sqlName = (name: string): string => name.replace('-', '_');

const tableSql = (table: string): string =>
  `CREATE TABLE ${table} (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;`;

const logSql = (log: string): string => {
  const name = sqlName(log);
  return `CREATE TABLE ${name} (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, atMs REAL NOT NULL,
            alarm TEXT, bed TEXT, device TEXT, ward TEXT, who TEXT, body TEXT NOT NULL, hash TEXT);
          CREATE INDEX ${name}ByTime ON ${name} (atMs);
          CREATE INDEX ${name}ByAlarm ON ${name} (alarm) WHERE alarm IS NOT NULL;
          CREATE INDEX ${name}ByBed ON ${name} (bed) WHERE bed IS NOT NULL;
          CREATE INDEX ${name}ByDevice ON ${name} (device) WHERE device IS NOT NULL;
          CREATE INDEX ${name}ByWard ON ${name} (ward) WHERE ward IS NOT NULL;
          CREATE INDEX ${name}ByWho ON ${name} (who) WHERE who IS NOT NULL;`;
};

const firstTables =
  'wards beds devices hosts credentials patients encounters associations limits people settings monitoring';
const firstLogs = 'alarm-log audit losses';

export const migrations: readonly string[] = [
  [
    `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`,
    ...firstTables.split(' ').map(tableSql),
    ...firstLogs.split(' ').map(logSql),
  ].join('\n'),
  [...'shifts assignments covers chains'.split(' ').map(tableSql), logSql('deliveries')].join('\n'),
  // A page holds no checksum of its own: a flipped bit in a body would be read as it stands.
  [
    ...firstTables.split(' '),
    'shifts',
    'assignments',
    'covers',
    'chains',
    ...firstLogs.split(' '),
    'deliveries',
  ]
    .map((name) => `ALTER TABLE ${sqlName(name)} ADD COLUMN sum INTEGER;`)
    .join('\n'),
  [tableSql('maps'), 'ALTER TABLE maps ADD COLUMN sum INTEGER;'].join('\n'),
];
