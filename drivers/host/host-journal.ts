import { join } from 'node:path';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { Chance, HostId } from '../../model/ids.ts';
import { openJournal } from '../../journal/journal.ts';
import type { Journal } from '../../journal/types.ts';

export interface HostJournalOptions {
  readonly folder: string;
  readonly host: HostId;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: (fault: Fault) => void;
}

const segmentBytes = 4_000_000;

/**
 * The host's journal, or undefined under a logged fault: then the devices go on from memory. A folder that another
 * host holds is refused instead: two hosts of one name would fight for the gateway.
 */
export async function openHostJournal(options: HostJournalOptions): Promise<Journal | undefined> {
  const { folder, host, maxBytes, clock, chance, log } = options;
  try {
    return await openJournal({
      folder: join(folder, 'journal'),
      segmentBytes,
      maxBytes,
      // Duplicates are recognised by the gateway; nothing has to be carried from segment to segment here.
      snapshot: () => undefined,
      lost: ({ messages, why }) => log(new Fault('HOST_DROPPED', { host, count: messages, cause: why })),
      faulty: log,
      clock,
      chance,
    });
  } catch (error) {
    if (error instanceof Fault && (error.code === 'JOURNAL_LOCKED' || error.code === 'FORMAT_TOO_NEW'))
      throw error;
    const cause = error instanceof Error ? error.message : String(error);
    log(new Fault('HOST_JOURNAL', { host, cause }, { cause: error }));
    return undefined;
  }
}
