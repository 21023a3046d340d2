import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { SteppedClock } from '../../model/clock.ts';
import type { Fault, FaultReport } from '../../model/fault.ts';
import type { Job } from '../../model/job.ts';
import type { Person } from '../../model/person.ts';
import type { Config } from '../config/schema.ts';
import type { Jobs } from '../jobs/jobs.ts';
import { runInWorker } from '../jobs/worker-job.ts';
import type { BackupMade } from './backup.ts';
import { Copying } from './copying.ts';
import type { BackupSecret } from './sealed-file.ts';

export interface BackupRoomOptions {
  readonly config: Config['backup'];
  /** The data folder, and the file of the configuration where there is one. */
  readonly data: string;
  readonly configFile: string | undefined;
  readonly version: string;
  readonly clock: SteppedClock;
  readonly jobs: Jobs;
  readonly told: (fault: Fault) => void;
}

export interface BackupRoom {
  /** Of the second folder; undefined when none is named. */
  status(): { readonly ageMs: number; readonly fault?: FaultReport } | undefined;
  /** A backup into the folder of the configuration; sealed with the key given, or the key file's. */
  start(by: Person, passphrase: string | undefined): Job | 'no-folder' | 'no-key' | 'too-many-jobs';
  close(): Promise<void>;
}

const resourceLimits = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

/** Backups on demand, and the second folder when one is named. */
export function openBackup(options: BackupRoomOptions): BackupRoom {
  const { config, data, configFile, version, clock, jobs, told } = options;
  const { copyTo } = config;
  const copying =
    copyTo === undefined
      ? undefined
      : new Copying({
          data,
          to: copyTo,
          everyMs: config.copyEverySeconds * 1_000,
          storesEveryMs: config.storesEveryMinutes * 60_000,
          clock,
          told,
        });

  const secretOf = (passphrase: string | undefined): BackupSecret | undefined => {
    if (passphrase !== undefined) return { kind: 'passphrase', passphrase };
    const { keyFile } = config;
    return keyFile === undefined || !existsSync(keyFile)
      ? undefined
      : { kind: 'key-file', key: readFileSync(keyFile) };
  };

  return {
    status: () => {
      const status = copying?.status();
      return status && { ageMs: status.ageMs, ...(status.fault ? { fault: status.fault.toJSON() } : {}) };
    },
    start: (by, passphrase) => {
      const { folder } = config;
      if (folder === undefined || !existsSync(folder)) return 'no-folder';
      const secret = secretOf(passphrase);
      if (!secret) return 'no-key';
      const instant = new Date(clock.nowMs()).toISOString().replaceAll(':', '-').slice(0, 19);
      const to = join(folder, `vigil-${instant}Z.backup`);
      return jobs.start({
        kind: 'backup',
        by: by.id,
        run: async (handle) => {
          const made = await runInWorker<BackupMade>(
            {
              name: 'backup',
              program: new URL('./backup-worker.ts', import.meta.url),
              workerData: {
                data,
                to,
                secret,
                version,
                ...(configFile === undefined ? {} : { config: configFile }),
              },
              resourceLimits,
              clock,
            },
            handle,
          );
          return { ...made, file: basename(made.file) };
        },
      });
    },
    close: async () => void (await copying?.close()),
  };
}
