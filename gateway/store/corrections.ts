/**
 * What people said of stored observations. A file of its own, by device and metric and not by number: it outlives a
 * historian that was damaged and filled again, and no expiry takes a person's act away.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { Fault } from '../../model/fault.ts';
import { seriesKey } from '../../model/observation.ts';
import type { Damaged } from './damage.ts';
import { openDatabase, type DatabaseSpec } from './sqlite.ts';
import type { Correction, KeptCorrection, SeriesSpan, StoredValue } from './types.ts';

const migrations = [
  `CREATE TABLE corrections (id INTEGER PRIMARY KEY, device TEXT NOT NULL, key TEXT NOT NULL, metric TEXT NOT NULL,
     channel TEXT NOT NULL, takenAtMs REAL NOT NULL, boot TEXT NOT NULL, seq REAL NOT NULL, by TEXT NOT NULL,
     atMs REAL NOT NULL, why TEXT NOT NULL, now TEXT, was TEXT NOT NULL);
   CREATE INDEX correctionsByTime ON corrections (device, key, takenAtMs);`,
  'ALTER TABLE corrections ADD COLUMN sum INTEGER;',
];

export class CorrectionBook {
  /** Of a file that was damaged and set aside. */
  readonly damage: Fault | undefined;
  /** Rows whose checksum does not fit: they are not used. */
  readonly broken: Damaged[] = [];
  private readonly database: DatabaseSync;
  private readonly most: number;
  private readonly between: StatementSync;
  /** Series with any: the others are never asked for on the way of a query. */
  private readonly touched = new Set<string>();
  private count: number;

  constructor(spec: Omit<DatabaseSpec, 'migrations' | 'what' | 'cacheKib'>, most: number) {
    const opened = openDatabase({ ...spec, what: 'the corrections', migrations, cacheKib: 256 });
    this.database = opened.database;
    this.damage = opened.damage;
    this.most = most;
    this.between = this.database.prepare(
      'SELECT * FROM corrections WHERE device = ? AND key = ? AND takenAtMs >= ? AND takenAtMs < ? ORDER BY id',
    );
    this.count = this.database.prepare('SELECT count(*) AS n FROM corrections').get()?.['n'] as number;
    for (const row of this.database.prepare('SELECT * FROM corrections').iterate()) {
      const [device, atMs] = [row['device'] as string, row['takenAtMs'] as number];
      if (isWhole(row)) this.touched.add(nameOf(device, row['key'] as string));
      else this.broken.push({ what: `correction ${row['id']}`, observations: 1, fromMs: atMs, toMs: atMs });
    }
  }

  has(device: string, key: string): boolean {
    return this.touched.has(nameOf(device, key));
  }

  /** On disk when it returns. Throws STORE_CORRECTIONS at the bound. */
  add(correction: Correction, was: StoredValue): void {
    if (this.count >= this.most) throw new Fault('STORE_CORRECTIONS', { most: this.most });
    const { device, metric, channel = '', takenAtMs, boot, seq, by, atMs, why, now } = correction;
    const key = seriesKey(metric, channel);
    const said = now === undefined ? null : JSON.stringify(now);
    const columns = [
      device,
      key,
      metric,
      channel,
      takenAtMs,
      boot,
      seq,
      by,
      atMs,
      why,
      said,
      JSON.stringify(was),
    ];
    this.database
      .prepare(
        `INSERT INTO corrections (device, key, metric, channel, takenAtMs, boot, seq, by, atMs, why, now, was, sum)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(...columns, crc32(JSON.stringify(columns)));
    this.count++;
    this.touched.add(nameOf(device, key));
  }

  /** Of one series, oldest correction first; of two of one observation the later one counts. */
  of(device: string, key: string, fromMs: number, toMs: number): KeptCorrection[] {
    if (!this.has(device, key)) return [];
    return this.between.all(device, key, fromMs, toMs).filter(isWhole).map(correctionOf);
  }

  all(spans: readonly SeriesSpan[]): KeptCorrection[] {
    const found = new Map<number, KeptCorrection>();
    const ofDevice = this.database.prepare(
      'SELECT * FROM corrections WHERE device = ? AND takenAtMs >= ? AND takenAtMs < ?',
    );
    for (const { device, metrics, fromMs, toMs } of spans)
      for (const row of ofDevice.iterate(device, fromMs, toMs))
        if (isWhole(row) && isAsked(row, metrics)) found.set(row['id'] as number, correctionOf(row));
    return [...found].sort(([a], [b]) => a - b).map(([, correction]) => correction);
  }

  close(): void {
    this.database.close();
  }
}

/** Rows of before there were checksums have none. */
function isWhole({ id, sum, ...columns }: Readonly<Record<string, unknown>>): boolean {
  return typeof id === 'number' && (sum === null || sum === crc32(JSON.stringify(Object.values(columns))));
}

const isAsked = (
  { metric, key }: Readonly<Record<string, unknown>>,
  metrics: readonly string[] | undefined,
): boolean => !metrics || metrics.includes(metric as string) || metrics.includes(key as string);

const nameOf = (device: string, key: string): string => `${device} ${key}`;

function correctionOf(row: Readonly<Record<string, unknown>>): KeptCorrection {
  const channel = row['channel'] as string;
  const now = row['now'] as string | null;
  return {
    device: row['device'] as string,
    metric: row['metric'] as string,
    ...(channel === '' ? {} : { channel }),
    takenAtMs: row['takenAtMs'] as number,
    boot: row['boot'] as string,
    seq: row['seq'] as number,
    by: row['by'] as string,
    atMs: row['atMs'] as number,
    why: row['why'] as string,
    ...(now === null ? {} : { now: JSON.parse(now) as NonNullable<Correction['now']> }),
    was: JSON.parse(row['was'] as string) as StoredValue,
  };
}
