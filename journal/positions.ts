/** The small file of the lanes: what each sink has, and which numbers are gone on purpose. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Fault } from '../model/fault.ts';
import { causeOf, replaceFile } from './files.ts';
import { formatVersion } from './format.ts';
import { none, parseRanges } from './ranges.ts';
import { journalClasses, type JournalClass, type Ranges } from './types.ts';

export const positionsFile = 'positions';

export interface KnownSink {
  readonly id: string;
  readonly classes: readonly JournalClass[];
  /** It holds its position itself and says it when it joins. */
  readonly own: boolean;
  readonly delivered: Partial<Record<JournalClass, Ranges>>;
}

export interface Positions {
  /** Deleted, or found missing and told. */
  readonly gone: Partial<Record<JournalClass, Ranges>>;
  /** Files that were about to be taken away. */
  readonly deleting: readonly string[];
  /** Files of which only what is not gone counts. */
  readonly thinned: readonly string[];
  readonly sinks: readonly KnownSink[];
}

/** Throws the system's error. */
export function writePositions(folder: string, positions: Positions): void {
  const text = JSON.stringify({ version: formatVersion, ...positions });
  replaceFile(folder, positionsFile, `${crc32(text).toString(16).padStart(8, '0')}\n${text}\n`);
}

export interface ReadPositions extends Positions {
  /** Why it could not be read: everything on disk is then delivered again, and what is gone is not known. */
  readonly fault: Fault | undefined;
}

/** Throws Fault FORMAT_TOO_NEW. */
export function readPositions(folder: string): ReadPositions {
  const empty: Positions = { gone: {}, deleting: [], thinned: [], sinks: [] };
  let content: string;
  try {
    content = readFileSync(join(folder, positionsFile), 'utf8');
  } catch (error) {
    return { ...empty, fault: damaged(causeOf(error)) };
  }
  const [crc, text = ''] = content.split('\n');
  if (crc !== crc32(text).toString(16).padStart(8, '0')) return { ...empty, fault: damaged('checksum') };
  const read = JSON.parse(text) as { version: number } & Omit<Positions, 'thinned'> & Partial<Positions>;
  if (read.version > formatVersion) {
    throw new Fault('FORMAT_TOO_NEW', { what: positionsFile, found: read.version, known: formatVersion });
  }
  return {
    gone: eachParsed(read.gone),
    deleting: read.deleting,
    thinned: read.thinned ?? [],
    sinks: read.sinks.map((sink) => ({ ...sink, delivered: eachParsed(sink.delivered) })),
    fault: undefined,
  };
}

const eachParsed = (ranges: Partial<Record<JournalClass, unknown>>): Partial<Record<JournalClass, Ranges>> =>
  Object.fromEntries(journalClasses.map((klass) => [klass, parseRanges(ranges[klass]) ?? none]));

const damaged = (cause: string): Fault =>
  new Fault('JOURNAL_CORRUPT', { segment: positionsFile, offset: 0, cause });
