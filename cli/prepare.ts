import { mkdtempSync, rmSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger } from '../gateway/intake/ledger.ts';
import { openRows } from '../gateway/rows/rows.ts';
import { openHistorian } from '../gateway/store/historian.ts';
import { openJournal } from '../journal/journal.ts';
import { systemClock } from '../model/clock.ts';

/**
 * What `npm ci` does after installing: builds the screens, and opens each worker thread once in a temporary folder, so
 * that the first start finds everything compiled. Nothing listens.
 */
await import('./build-web.ts');
await import('../gateway/compose.ts');

const folder = mkdtempSync(join(tmpdir(), 'vigil-prepare-'));
try {
  const clock = systemClock();
  const told = (): void => undefined;
  const rows = await openRows({ folder: join(folder, 'registry'), clock, told });
  const ledger = new Ledger({
    file: join(folder, 'reserve'),
    bytes: 128 * 1024,
    settle: async () => undefined,
  });
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 1 << 20,
    maxBytes: 64 << 20,
    snapshot: () => undefined,
    lost: told,
    faulty: told,
    clock,
  });
  const historian = await openHistorian({ folder: join(folder, 'historian'), journal, clock, told });
  ledger.enter([]);
  await historian.close();
  await journal.close();
  await ledger.close();
  await rows.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
flushCompileCache();
process.exit(0);
