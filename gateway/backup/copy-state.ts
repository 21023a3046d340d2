/** `copy.json`: in the second folder what its copy holds, in the data folder which copy is its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Fault } from '../../model/fault.ts';
import { replaceFile } from '../../journal/files.ts';
import type { JournalClass, Ranges } from '../../journal/types.ts';
import { copyMark } from './data-folder.ts';

const version = 1;

export interface CopiedSegment {
  /** From the begin of the segment, all of it whole batches. */
  readonly bytes: number;
  readonly present: Ranges;
}

export interface CopyState {
  /** Made when the copy was begun; the data folder has the same. */
  readonly id: string;
  /** Of the journal. */
  readonly epoch: string | undefined;
  /** All that was on disk at this moment is in the copy. */
  readonly atMs: number;
  /** When the stores were copied last; 0: never. */
  readonly storesAtMs: number;
  /** Batches below these numbers are in the stores' copies, or in segments. */
  readonly base: Readonly<Record<JournalClass, number>>;
  readonly segments: Readonly<Record<string, CopiedSegment>>;
  /** SHA-256 of the stores' copies. */
  readonly stores: Readonly<Record<string, string>>;
  /** Of those that are about to take their places. */
  readonly coming: Readonly<Record<string, string>>;
  /** Size and time of the other files when they were copied. */
  readonly plain: Readonly<Record<string, string>>;
}

export interface CopyMark {
  readonly id: string;
  readonly to: string;
}

const write = (folder: string, content: object): void => {
  const text = JSON.stringify({ version, ...content });
  replaceFile(folder, copyMark, `${crc32(text).toString(16).padStart(8, '0')}\n${text}\n`);
};

export const writeCopyState = (folder: string, state: CopyState): void => write(folder, state);
export const writeMark = (data: string, mark: CopyMark): void => write(data, mark);

/** Undefined when there is none. Throws BACKUP_CHANGED when it is damaged, FORMAT_TOO_NEW for a later version. */
export const readCopyState = (folder: string): CopyState | undefined => read(folder) as CopyState | undefined;
export const readMark = (data: string): CopyMark | undefined => read(data) as CopyMark | undefined;

function read(folder: string): unknown {
  let content: string;
  try {
    content = readFileSync(join(folder, copyMark), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const [crc, text = ''] = content.split('\n');
  if (crc !== crc32(text).toString(16).padStart(8, '0'))
    throw new Fault('BACKUP_CHANGED', { cause: `${copyMark} in ${folder} is damaged` });
  const found = JSON.parse(text) as { version: number };
  if (found.version > version)
    throw new Fault('FORMAT_TOO_NEW', { what: copyMark, found: found.version, known: version });
  return found;
}
