/** The program of a replay asked for over the API: reads the historian beside its owner. */
import { workerData } from 'node:worker_threads';
import { serveJob } from '../../jobs/worker-job.ts';
import { openToRead } from '../../store/open-to-read.ts';
import { compare, type Comparison } from './compare.ts';
import { replayWard, type ReplayStay } from './ward-replay.ts';

export interface ReplayAsked {
  readonly folder: string;
  readonly stays: readonly ReplayStay[];
}

/** One comparison a plan after the first. */
export interface ReplayAnswer {
  readonly observations: number;
  readonly comparisons: readonly Comparison[];
  /** Stretches that could not be read, in words. */
  readonly damage: readonly string[];
}

const asked = workerData as ReplayAsked;

serveJob(async ({ signal, progress }): Promise<ReplayAnswer> => {
  const damage = new Set<string>();
  const store = openToRead(asked.folder, (fault) => damage.add(fault.message));
  try {
    const { episodes, observations } = await replayWard({
      stays: asked.stays,
      book: store.book,
      scanner: store.scanner('values'),
      progress: async (share) => {
        progress(share, 'judging');
        // Between windows whoever calls it off is heard.
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      },
    });
    const plans = asked.stays[0]?.plans.length ?? 1;
    const comparisons = Array.from({ length: plans - 1 }, (_, plan) =>
      compare(asked.stays, episodes, plan + 1),
    );
    return { observations, comparisons, damage: [...damage] };
  } finally {
    store.close();
  }
});
