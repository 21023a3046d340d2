/** The journal's bounds as the house sees them: what goes undelivered is ledgered by device, and people are told in time. */
import type { Journal, JournalLoss } from '../../journal/types.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { Technical } from '../alarm/technical.ts';
import type { Loss } from './ledger.ts';

const watchEveryMs = 2_000;
const calmMs = 600_000;

/** Batches that a sink will never get: a line a device and hour, or one for all when the bodies cannot be read. */
export function lossLines(loss: JournalLoss): Loss[] {
  const { klass, sinks, why, devices = [] } = loss;
  if (sinks.length === 0) return [];
  const line = (device: string, observations: number, fromMs: number, toMs: number): Loss => ({
    device,
    metric: '*',
    fromMs,
    toMs,
    observations,
    why: `journal-${why}`,
    klass,
    sinks,
  });
  if (devices.length === 0) return [line('*', loss.observations, loss.firstAtMs, loss.lastAtMs)];
  return devices.map((one) => line(one.device, one.observations, one.firstAtMs, one.lastAtMs));
}

export interface RoomWatchOptions {
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'stat' | 'closed'>;
  readonly technical: Pick<Technical, 'raise' | 'end'>;
  readonly alarmAtPercent: number;
}

/** Watches how full the journal is; `lost` is told of what went. */
export class RoomWatch {
  private readonly options: RoomWatchOptions;
  private lostAtMs = -Infinity;
  private asking = false;
  private readonly stop: Cancel;

  constructor(options: RoomWatchOptions) {
    this.options = options;
    this.stop = options.clock.every(watchEveryMs, () => void this.look());
  }

  lost({ why, klass, sinks }: JournalLoss): void {
    if (sinks.length === 0 || (why !== 'bound' && why !== 'thinned')) return;
    this.lostAtMs = this.options.clock.monotonicMs();
    const details = { class: klass, sinks: sinks.join(', ') };
    this.options.technical.raise('journal-losing', { owner: 'biomed', priority: 'medium', details });
  }

  close(): void {
    this.stop();
  }

  private async look(): Promise<void> {
    const { clock, journal, technical, alarmAtPercent } = this.options;
    if (clock.monotonicMs() - this.lostAtMs > calmMs) technical.end('journal-losing');
    if (this.asking || journal.closed) return;
    this.asking = true;
    const { fullest } = await journal.stat();
    this.asking = false;
    const percent = Math.round(fullest.share * 100);
    if (percent < alarmAtPercent) return technical.end('journal-filling');
    const details = { percent, class: fullest.of };
    technical.raise('journal-filling', { owner: 'biomed', priority: 'low', details });
  }
}
