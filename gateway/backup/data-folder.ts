/** What stands in a data folder, and what of it a backup takes. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export const journalFolder = 'journal';
export const registryFile = 'registry/rows.db';
export const reserveFile = 'loss-reserve';
/** Of the driver host beside the gateway: what it holds is not confirmed yet, and a new host must begin a new boot. */
const hostFolder = 'host';
/** Files of a backup under way; taken away with it. */
export const stagingFolder = 'backup-staging';
/** Says which second folder this data folder is copied to. */
export const copyMark = 'copy.json';

/** The configuration, in a backup and in a folder restored from one. */
export const configFile = 'vigil.yaml';

const leftOut: ReadonlySet<string> = new Set([
  hostFolder,
  stagingFolder,
  journalFolder,
  'start-room',
  copyMark,
  configFile,
]);

const filledFromJournal: ReadonlySet<string> = new Set(['historian/historian.db', 'waveforms/waveforms.db']);

/** Companions of databases, files half-written, and what was set aside as damaged. */
const passing = /(-wal|-shm|-journal|\.new|\.part)$|\.damaged-\d+/;

export interface DataFiles {
  /** Large databases that are filled from the journal: what they lack it still has. */
  readonly stores: readonly string[];
  /** Small ones that hold what people did, beside the registry. */
  readonly books: readonly string[];
  /** Everything else that is kept, but the journal, the registry and the loss ledger's reserve. */
  readonly plain: readonly string[];
}

/** Paths within the folder, with `/`. */
export function dataFiles(folder: string): DataFiles {
  const all = filesIn(folder, '').filter((file) => file !== registryFile && file !== reserveFile);
  return {
    stores: all.filter((file) => filledFromJournal.has(file)),
    books: all.filter((file) => file.endsWith('.db') && !filledFromJournal.has(file)),
    plain: all.filter((file) => !file.endsWith('.db')),
  };
}

function filesIn(folder: string, under: string): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) => {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (under === '' && leftOut.has(entry.name)) return [];
    if (entry.isDirectory()) return filesIn(folder, path);
    return entry.isFile() && !passing.test(entry.name) ? [path] : [];
  });
}

/** Whether a gateway has kept something here. */
export const isDataFolder = (folder: string): boolean =>
  existsSync(join(folder, journalFolder)) && existsSync(join(folder, registryFile));

export const nameOf = (file: string): string =>
  file === registryFile ? 'registry and logs' : basename(file).replace(/\.db$/, '');
