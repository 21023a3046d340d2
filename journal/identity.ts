/** `journal.json`: the epoch, made once with the folder, and the format. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Fault } from '../model/fault.ts';
import { causeOf, replaceFile } from './files.ts';
import { formatVersion } from './format.ts';

const identityFile = 'journal.json';

/** A damaged file is told; the names of the segments hold the epoch too. Throws Fault FORMAT_TOO_NEW. */
export function readIdentity(folder: string): { epoch: string | undefined; faults: Fault[] } {
  let content: string;
  try {
    content = readFileSync(join(folder, identityFile), 'utf8');
  } catch (error) {
    if (causeOf(error) === 'ENOENT') return { epoch: undefined, faults: [] };
    throw error;
  }
  let read: { format?: unknown; epoch?: unknown; crc32?: unknown };
  try {
    read = JSON.parse(content) as typeof read;
  } catch {
    return damaged();
  }
  if (typeof read.format === 'number' && read.format > formatVersion) {
    throw new Fault('FORMAT_TOO_NEW', { what: identityFile, found: read.format, known: formatVersion });
  }
  const { epoch } = read;
  // Byte for byte what was written: its checksum is of the epoch alone.
  const whole = typeof epoch === 'string' && /^[0-9a-f]{16}$/.test(epoch) && content === contentOf(epoch);
  return whole ? { epoch, faults: [] } : damaged();
}

export const writeIdentity = (folder: string, epoch: string): void =>
  replaceFile(folder, identityFile, contentOf(epoch));

const contentOf = (epoch: string): string =>
  `${JSON.stringify({ format: formatVersion, epoch, crc32: crc32(epoch) })}\n`;

const damaged = (): { epoch: undefined; faults: Fault[] } => ({
  epoch: undefined,
  faults: [new Fault('JOURNAL_CORRUPT', { segment: identityFile, offset: 0, cause: 'not readable' })],
});
