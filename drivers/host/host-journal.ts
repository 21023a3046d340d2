import type { Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';
import type { HostId } from '../../model/ids.ts';
import type { Journal } from '../../journal/types.ts';

export interface HostJournalOptions {
  readonly folder: string;
  readonly host: HostId;
  readonly clock: Clock;
  readonly log: (fault: Fault) => void;
}

/** The host's journal, or undefined under a logged fault: the devices go on from memory. */
export async function openHostJournal(_: HostJournalOptions): Promise<Journal | undefined> {
  return undefined;
}
