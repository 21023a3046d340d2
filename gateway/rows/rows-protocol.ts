/** What is said between the main thread and the rows worker. Rows travel as JSON text, made where they are known. */
import type { LogMark, LogName, TableName } from './tables.ts';

export interface PutOp {
  readonly op: 'put';
  readonly table: TableName;
  readonly id: string;
  readonly body: string;
}
export interface RemoveOp {
  readonly op: 'remove';
  readonly table: TableName;
  readonly id: string;
}
export interface AppendOp {
  readonly op: 'append';
  readonly log: LogName;
  /** Once only: an entry sent again after a restart of the worker is recognised by it. */
  readonly key: string;
  readonly atMs: number;
  readonly mark: LogMark;
  readonly body: string;
}
export type RowsOp = PutOp | RemoveOp | AppendOp;

export interface ReadPage {
  readonly after?: number;
  readonly limit: number;
  readonly newestFirst?: boolean;
  readonly where?: LogMark;
  /** From inclusive, to exclusive, by the entry's own time. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

export type RowsAsk =
  | { readonly what: 'load'; readonly table: TableName }
  /** All or nothing; answers the number of the last appended entry. */
  | { readonly what: 'write'; readonly ops: readonly RowsOp[] }
  /** One log entry; waits in order while the disk refuses. */
  | { readonly what: 'append'; readonly op: AppendOp }
  | { readonly what: 'read'; readonly log: LogName; readonly page: ReadPage }
  | { readonly what: 'verify' };

export interface NumberedBody {
  readonly number: number;
  readonly body: string;
}

export interface RowsOpened {
  /** Counts openings; part of the keys of entries. */
  readonly opening: number;
}

export interface RowsAlive {
  readonly bytes: number;
  /** Log entries that wait for the disk. */
  readonly waiting: number;
  readonly writing: boolean;
  readonly auditNumber: number;
  /** SHA-256 of the newest audit record and all before it, hex: to be anchored elsewhere. */
  readonly auditHash: string;
}

/** Of the audit's chain. `number` is the first record that is changed, missing or out of order. */
export type AuditVerdict =
  | { readonly intact: true; readonly records: number }
  | { readonly intact: false; readonly number: number; readonly cause: string };
