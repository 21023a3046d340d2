/** The rows database: applies writes in one transaction, reads, and keeps the audit's chain. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { statSync } from 'node:fs';
import { Fault } from '../../model/fault.ts';
import { openDatabase, transaction } from '../store/sqlite.ts';
import { chainHash, chainStart } from './audit-chain.ts';
import type { AppendOp, AuditVerdict, NumberedBody, ReadPage, RowsOp } from './rows-protocol.ts';
import { readMark, writeMark } from './mark.ts';
import { isWhole, sumOf } from './row-sum.ts';
import { migrations, sqlName } from './schema.ts';
import { logNames, type LogName, type TableName } from './tables.ts';

const cacheKib = 2_048;
const checkUpToBytes = 512 * 1024 * 1024;
const verifyAtOnce = 2_000;
const marks = ['alarm', 'bed', 'device', 'ward', 'who'] as const;

export class RowsFile {
  readonly damage: Fault | undefined;
  private readonly path: string;
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  private readonly told: (fault: Fault) => void;
  /** Damaged rows told of, by table: each pass over them finds them again. */
  private readonly damaged = new Map<string, number>();
  private last: { numbers: Record<LogName, number>; hash: string };

  constructor(path: string, nowMs: number, told: (fault: Fault) => void) {
    this.path = path;
    this.told = told;
    const opened = openDatabase({
      path,
      what: 'registry and logs',
      migrations,
      cacheKib,
      checkUpToBytes,
      nowMs,
    });
    this.database = opened.database;
    this.damage = opened.damage;
    this.last = this.readLast();
    this.tellCutOff();
  }

  /** What the logs hold, for the mark beside the database. */
  get numbers(): Readonly<Record<LogName, number>> {
    return this.last.numbers;
  }

  /** Lays down beside the database how far its logs go; a log that is cut off shows by it. */
  mark(): void {
    writeMark(this.path, this.last.numbers);
  }

  /** A flipped bit in the write-ahead log takes every later commit with it, and nothing in the database says so. */
  private tellCutOff(): void {
    const marked = readMark(this.path);
    for (const log of logNames) {
      const count = (marked?.[log] ?? 0) - this.last.numbers[log];
      if (count > 0) this.told(new Fault('ROWS_CUT_OFF', { log, count }));
    }
  }

  private tellDamaged(what: string, count: number): void {
    if (count <= (this.damaged.get(what) ?? 0)) return;
    this.damaged.set(what, count);
    this.told(new Fault('ROWS_DAMAGED', { what, count }));
  }

  /** Counts this opening, on disk. */
  countOpening(): number {
    const opening = Number(this.meta('openings') ?? 0) + 1;
    transaction(this.database, () => this.setMeta('openings', String(opening)));
    return opening;
  }

  /** A row that is not as it was written is told and left out: whoever reads it would act on it. */
  load(table: TableName): string[] {
    const rows = this.sql(`SELECT id, body, sum FROM ${table} ORDER BY id`).all();
    const whole = rows.filter((row) => isWhole(row['sum'], [row['id'], row['body']]));
    this.tellDamaged(table, rows.length - whole.length);
    return whole.map((row) => row['body'] as string);
  }

  /**
   * Runs each group of operations by itself inside one transaction, so that one commit serves all. `settled` gets, for
   * each group, the number of its last entry or what it failed with; the whole throws when the disk refuses.
   */
  write(groups: readonly (readonly RowsOp[])[]): (number | Error)[] {
    const before = { numbers: { ...this.last.numbers }, hash: this.last.hash };
    try {
      return transaction(this.database, () => {
        const outcomes = groups.map((ops) => this.writeGroup(ops));
        if (this.last.numbers.audit !== before.numbers.audit)
          this.setMeta('audit-head', `${this.last.numbers.audit} ${this.last.hash}`);
        return outcomes;
      });
    } catch (error) {
      this.last = before;
      throw error;
    }
  }

  read(log: LogName, page: ReadPage): NumberedBody[] {
    const order = page.newestFirst ? 'DESC' : 'ASC';
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const add = (condition: string, value: SQLInputValue | undefined): void => {
      if (value === undefined) return;
      conditions.push(condition);
      values.push(value);
    };
    add(`number ${page.newestFirst ? '<' : '>'} ?`, page.after);
    add('atMs >= ?', page.fromMs);
    add('atMs < ?', page.toMs);
    for (const mark of marks) add(`${mark} = ?`, page.where?.[mark]);
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const found: NumberedBody[] = [];
    let damaged = 0;
    // A page is full in spite of entries left out: a short one says that the log has ended.
    for (const row of this.sql(
      `SELECT number, key, body, sum FROM ${sqlName(log)} ${where} ORDER BY number ${order}`,
    ).iterate(...values)) {
      if (found.length >= page.limit) break;
      if (isWhole(row['sum'], [row['key'], row['body']]))
        found.push({ number: row['number'] as number, body: row['body'] as string });
      else damaged++;
    }
    this.tellDamaged(log, damaged);
    return found;
  }

  /** Goes through the audit piece by piece, so that writes go between; stops at the first broken record. */
  async verifyAudit(breathe: () => Promise<void>): Promise<AuditVerdict> {
    const [headNumber, headHash] = (this.meta('audit-head') ?? `0 ${chainStart}`).split(' ');
    let hash = chainStart;
    let number = 0;
    let rows: Record<string, unknown>[];
    do {
      rows = this.sql('SELECT number, body, hash FROM audit WHERE number > ? ORDER BY number LIMIT ?').all(
        number,
        verifyAtOnce,
      );
      for (const row of rows) {
        if (row['number'] !== number + 1) return { intact: false, number: number + 1, cause: 'missing' };
        number++;
        hash = chainHash(hash, number, row['body'] as string);
        if (hash !== row['hash']) return { intact: false, number, cause: 'changed' };
        if (number === Number(headNumber) && hash !== headHash)
          return { intact: false, number, cause: 'changed' };
      }
      await breathe();
    } while (rows.length === verifyAtOnce);
    if (number < Number(headNumber)) return { intact: false, number: number + 1, cause: 'missing' };
    return { intact: true, records: number };
  }

  get audit(): { readonly number: number; readonly hash: string } {
    return { number: this.last.numbers.audit, hash: this.last.hash };
  }

  bytes(): number {
    let bytes = 0;
    for (const end of ['', '-wal']) bytes += statSync(this.path + end, { throwIfNoEntry: false })?.size ?? 0;
    return bytes;
  }

  close(): void {
    this.statements.clear();
    this.database.close();
  }

  /** One group, all or nothing. An error that is not the disk's stays with the group. */
  private writeGroup(ops: readonly RowsOp[]): number | Error {
    const before = { numbers: { ...this.last.numbers }, hash: this.last.hash };
    this.database.exec('SAVEPOINT one');
    try {
      let number = 0;
      for (const op of ops) number = this.apply(op) ?? number;
      this.database.exec('RELEASE one');
      return number;
    } catch (error) {
      if (!this.database.isTransaction || isDisk(error) || !(error instanceof Error)) throw error;
      this.database.exec('ROLLBACK TO one; RELEASE one');
      this.last = before;
      return error;
    }
  }

  private apply(op: RowsOp): number | undefined {
    switch (op.op) {
      case 'put':
        this.sql(
          `INSERT INTO ${op.table} VALUES (?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET body = excluded.body, sum = excluded.sum`,
        ).run(op.id, op.body, sumOf([op.id, op.body]));
        return undefined;
      case 'remove':
        this.sql(`DELETE FROM ${op.table} WHERE id = ?`).run(op.id);
        return undefined;
      case 'append':
        return this.append(op);
      default:
        return op satisfies never;
    }
  }

  private append({ log, key, atMs, mark, body }: AppendOp): number {
    const name = sqlName(log);
    const known = this.sql(`SELECT number FROM ${name} WHERE key = ?`).get(key);
    if (known) return known['number'] as number;
    const number = this.last.numbers[log] + 1;
    const hash = log === 'audit' ? chainHash(this.last.hash, number, body) : null;
    this.sql(`INSERT INTO ${name} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
      number,
      key,
      atMs,
      ...marks.map((word) => mark[word] ?? null),
      body,
      hash,
      sumOf([key, body]),
    );
    this.last.numbers[log] = number;
    if (hash !== null) this.last.hash = hash;
    return number;
  }

  private readLast(): { numbers: Record<LogName, number>; hash: string } {
    const numbers = Object.fromEntries(logNames.map((log) => [log, 0])) as Record<LogName, number>;
    for (const log of logNames)
      numbers[log] =
        (this.sql(`SELECT max(number) AS n FROM ${sqlName(log)}`).get()?.['n'] as number | null) ?? 0;
    const [headNumber = '0', headHash = chainStart] = (this.meta('audit-head') ?? '').split(' ');
    // When records were cut off at the end the chain goes on from what was said last, so that the gap shows.
    if (Number(headNumber) >= numbers.audit && headHash.length === 64) {
      numbers.audit = Number(headNumber);
      return { numbers, hash: headHash };
    }
    const row = this.sql('SELECT hash FROM audit WHERE number = ?').get(numbers.audit);
    return { numbers, hash: (row?.['hash'] as string | undefined) ?? chainStart };
  }

  private meta(name: string): string | undefined {
    return this.sql('SELECT value FROM meta WHERE name = ?').get(name)?.['value'] as string | undefined;
  }

  private setMeta(name: string, value: string): void {
    this.sql('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(name, value);
  }

  private sql(text: string): StatementSync {
    let statement = this.statements.get(text);
    if (!statement) this.statements.set(text, (statement = this.database.prepare(text)));
    return statement;
  }
}

/** SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY and damage: nothing of the group commit stands. */
const isDisk = (error: unknown): boolean => {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' && [8, 10, 11, 13, 14, 26].includes(code & 0xff);
};
