// npm run backup -- --to FILE [--key-file F] [--config vigil.yaml]
import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBackup } from '../gateway/backup/backup.ts';
import { formatErrors, readConfig } from '../gateway/config/config.ts';
import { systemClock } from '../model/clock.ts';
import { systemChance } from '../model/ids.ts';
import { refusedWith, secretFrom, tellProgress, vigilVersion } from './backup-shared.ts';

const usage = `Usage: npm run backup -- --to FILE [--key-file KEY] [--config vigil.yaml]
       npm run backup -- --make-key KEY

Makes one encrypted file of everything Vigil keeps, while the gateway runs. Without --key-file the passphrase comes
from VIGIL_BACKUP_PASSPHRASE, or is asked for. Keep key and backup apart: without the key nobody can restore it.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      to: { type: 'string' },
      'key-file': { type: 'string' },
      'make-key': { type: 'string' },
      config: { type: 'string' },
    },
  });
  const chance = systemChance();
  const { 'make-key': newKey, 'key-file': keyFile, to } = values;
  if (newKey !== undefined) {
    writeFileSync(newKey, `${chance.hex(256)}\n`, { flag: 'wx', mode: 0o600 });
    process.stderr.write(`a new key stands in ${newKey}\n`);
    return 0;
  }
  if (to === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const file = values.config ?? 'vigil.yaml';
  const outcome = readConfig(file, values.config === undefined ? 'default' : 'asked');
  if ('errors' in outcome) {
    process.stderr.write(`${formatErrors(file, outcome.errors)}\n`);
    return 2;
  }
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  const progress = tellProgress();
  const made = await makeBackup({
    data: resolve(outcome.config.data),
    ...(existsSync(file) ? { config: file } : {}),
    to: resolve(to),
    secret: await secretFrom(keyFile, 'twice'),
    version: vigilVersion(),
    clock: systemClock(),
    chance,
    signal: abort.signal,
    progress,
  });
  process.stderr.write(`${made.file}: ${made.bytes} bytes, ${made.entries} files, sealed\n`);
  return 0;
}

process.exit(await main().catch(refusedWith(usage)));
