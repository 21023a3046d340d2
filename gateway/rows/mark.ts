/** A small file beside the rows database: how far its logs went a second ago. Not synced: it need not outlive a power cut. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { LogName } from './tables.ts';

export type LogNumbers = Readonly<Partial<Record<LogName, number>>>;

const markOf = (database: string): string => `${database}.mark`;

/** A disk that refuses costs a warning at the next start at most. */
export function writeMark(database: string, numbers: LogNumbers): void {
  const text = JSON.stringify(numbers);
  try {
    writeFileSync(`${markOf(database)}.new`, `${crc32(text)} ${text}`, { mode: 0o600 });
    renameSync(`${markOf(database)}.new`, markOf(database));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}

/** Undefined when there is none, or it is damaged itself. */
export function readMark(database: string): LogNumbers | undefined {
  let content: string;
  try {
    content = readFileSync(markOf(database), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    return undefined;
  }
  const at = content.indexOf(' ');
  const text = content.slice(at + 1);
  return content.slice(0, at) === String(crc32(text)) ? (JSON.parse(text) as LogNumbers) : undefined;
}
