/** What is said between the main thread and the thread that keeps the second folder. */
export interface CopyWorkerData {
  readonly data: string;
  readonly to: string;
  readonly storesEveryMs: number;
}
export interface CopyAsk {
  readonly what: 'pass';
}
/** Everything on disk at this moment is in the copy. */
export interface CopyPassed {
  readonly atMs: number;
}
export type CopyOpened = Readonly<Record<string, never>>;
export type CopyAlive = Readonly<Record<string, never>>;
