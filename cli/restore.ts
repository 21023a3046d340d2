// npm run restore -- --from FILE|FOLDER --to FOLDER [--key-file F]
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { configFile } from '../gateway/backup/data-folder.ts';
import { restoreBackup } from '../gateway/backup/restore.ts';
import type { Restored } from '../gateway/backup/restored.ts';
import { restoreCopy } from '../gateway/backup/restore-copy.ts';
import { refusedWith, secretFrom, tellProgress } from './backup-shared.ts';

const usage = `Usage: npm run restore -- --from FILE --to FOLDER [--key-file KEY]
       npm run restore -- --from FOLDER --to FOLDER

Restores a backup, or the folder that backup.copyTo kept, into a new data folder. The whole is checked first; a changed
file is refused. Without --key-file the passphrase comes from VIGIL_BACKUP_PASSPHRASE, or is asked for.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { from: { type: 'string' }, to: { type: 'string' }, 'key-file': { type: 'string' } },
  });
  const { from, to, 'key-file': keyFile } = values;
  if (from === undefined || to === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const progress = tellProgress();
  const restored = statSync(from, { throwIfNoEntry: false })?.isDirectory()
    ? await restoreCopy({ from, to, progress })
    : await restoreBackup({ from, to, secret: await secretFrom(keyFile, 'once'), progress });
  tell(restored);
  return restored.damage.length > 0 ? 1 : 0;
}

function tell({ folder, madeAtMs, madeBy, observations, alarms, audited, lastAtMs, damage }: Restored): void {
  const instant = (ms: number): string => (ms > 0 ? new Date(ms).toISOString() : 'none');
  const by = madeBy === undefined ? '' : ` by Vigil ${madeBy}`;
  process.stdout.write(
    `restored into ${folder}\n` +
      `  taken            ${instant(madeAtMs)}${by}\n` +
      `  newest entry     ${instant(lastAtMs)}\n` +
      `  observations     ${observations}\n` +
      `  alarms           ${alarms}\n` +
      `  audit records    ${audited}\n` +
      `What came after the newest entry is missing; the loss ledger names each device and span once it speaks again.\n`,
  );
  for (const line of damage) process.stdout.write(`  damaged before   ${line}\n`);
  const config = join(folder, configFile);
  process.stdout.write(
    existsSync(config)
      ? `Start it with: npm start -- --config ${config}\n  Certificates and keys named there are not part of a backup: put them in their places first.\n`
      : `Set data: ${folder} in vigil.yaml, then: npm start\n`,
  );
}

process.exit(await main().catch(refusedWith(usage)));
