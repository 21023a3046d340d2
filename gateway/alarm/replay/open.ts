import type { AlarmLimit } from '../../../model/alarm.ts';
import type { Bed, Ward } from '../../../model/census.ts';
import type { Clock } from '../../../model/clock.ts';
import type { Device } from '../../../model/device.ts';
import { Fault } from '../../../model/fault.ts';
import type { Job } from '../../../model/job.ts';
import { metrics } from '../../../model/metric-table.ts';
import type { Person } from '../../../model/person.ts';
import type { Span } from '../../census/census.ts';
import { bandOf } from '../../census/limit-book.ts';
import { limitRefusals, type LimitRefusal, type LimitWish } from '../../census/limit-range.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import { runInWorker } from '../../jobs/worker-job.ts';
import { defaultDelayS, defaultHysteresis } from '../defaults.ts';
import { lineOf } from '../source-order.ts';
import type { Comparison } from './compare.ts';
import type { ReplayAnswer, ReplayAsked } from './replay-worker.ts';
import type { PlannedLimit } from './ward-line.ts';
import type { ReplayStay } from './ward-replay.ts';

/** A band to try; value null: the band is off. What is not said stays as it is today; a band that is off today stays off. */
export type TriedLimit = Omit<LimitWish, 'untilMs' | 'value'> & {
  readonly value?: number | null;
  readonly maxGapS?: number;
};

export interface ReplayCensus {
  ward(id: string): Ward | undefined;
  beds(ward: string): readonly Bed[];
  spansOf(whose: { bed: string }, fromMs: number, toMs: number): readonly Span[];
  limits(encounter: string): readonly AlarmLimit[] | undefined;
  wardLimits(ward: string): readonly AlarmLimit[];
}

export interface ReplayRoomOptions {
  readonly census: ReplayCensus;
  readonly device: (id: string) => Pick<Device, 'periodMs'> | undefined;
  /** Of the historian. */
  readonly folder: string;
  /** Brings what the historian holds in memory to its file. */
  readonly flush: () => Promise<void>;
  readonly clock: Clock;
  readonly jobs: Jobs;
}

export interface ReplayRoom {
  /** Tries the limits on the ward's last days as a job; its result is a ReplayResult. */
  start(
    by: Person,
    asked: { readonly ward: string; readonly days: number; readonly limits: readonly TriedLimit[] },
  ): Job | 'absent' | 'too-many-jobs' | { refused: readonly LimitRefusal[] };
  /** The same for several changes at once, each alone beside today's; for whoever proposes. */
  compareAll(
    asked: { readonly ward: string; readonly fromMs: number; readonly toMs: number },
    changes: readonly (readonly TriedLimit[])[],
    handle: Parameters<Parameters<Jobs['start']>[0]['run']>[0],
  ): Promise<ReplayAnswer>;
}

export interface ReplayResult extends Comparison {
  readonly ward: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Samples judged. */
  readonly observations: number;
  readonly tookMs: number;
  readonly damage: readonly string[];
}

const dayMs = 86_400_000;
const usualPeriodMs = 1_000;
const resourceLimits = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

export function openReplay(options: ReplayRoomOptions): ReplayRoom {
  const { census, device, folder, flush, clock, jobs } = options;
  const staysOf = (
    { ward, fromMs, toMs }: { ward: string; fromMs: number; toMs: number },
    changes: readonly (readonly TriedLimit[])[],
  ): ReplayStay[] =>
    census.beds(ward).flatMap(({ id: bed }) =>
      [...Map.groupBy(census.spansOf({ bed }, fromMs, toMs), ({ encounter }) => encounter)].map(
        ([encounter, spans]): ReplayStay => {
          const today =
            (encounter === undefined ? undefined : census.limits(encounter)) ?? census.wardLimits(ward);
          return {
            bed,
            ...(encounter === undefined ? {} : { encounter }),
            spans: spans.map((span) => ({
              device: span.device,
              fromMs: span.fromMs,
              toMs: span.toMs,
              periodMs: device(span.device)?.periodMs ?? usualPeriodMs,
            })),
            plans: [today, ...changes.map((wishes) => withChanges(today, wishes))].map((plan) =>
              plan.map(planned),
            ),
          };
        },
      ),
    );

  const compareAll: ReplayRoom['compareAll'] = async (asked, changes, handle) => {
    await flush().catch((error: unknown) => {
      // A full disk: what is on it is enough to try limits on.
      if (!(error instanceof Fault)) throw error;
    });
    const spec = {
      name: 'limits replay',
      program: new URL('./replay-worker.ts', import.meta.url),
      workerData: { folder, stays: staysOf(asked, changes) } satisfies ReplayAsked,
      resourceLimits,
      clock,
    };
    return runInWorker<ReplayAnswer>(spec, handle);
  };

  return {
    compareAll,
    start: (by, { ward, days, limits }) => {
      if (!census.ward(ward)) return 'absent';
      const nowMs = clock.nowMs();
      const wishes = limits.map((limit) => ({ ...limit, value: limit.value ?? null }));
      const after = withChanges(census.wardLimits(ward), limits);
      const refused = limitRefusals(wishes, after, { metrics, nowMs });
      if (refused.length > 0) return { refused };
      const span = { ward, fromMs: nowMs - days * dayMs, toMs: nowMs };
      return jobs.start({
        kind: 'limits-replay',
        by: by.id,
        run: async (handle): Promise<ReplayResult> => {
          const begunMs = clock.monotonicMs();
          const { comparisons, observations, damage } = await compareAll(span, [limits], handle);
          const tookMs = Math.round(clock.monotonicMs() - begunMs);
          return { ...span, observations, tookMs, damage, ...first(comparisons) };
        },
      });
    },
  };
}

/** Today's bands with the wishes over them: a limit on any source of a quantity is a limit on the quantity. */
export function withChanges(
  today: readonly AlarmLimit[],
  wishes: readonly TriedLimit[],
): readonly AlarmLimit[] {
  const bands = new Map(today.map((limit) => [bandOf(limit), limit]));
  for (const { value, delayS, hysteresis, maxGapS, ...wish } of wishes) {
    const known = bands.get(bandOf(wish));
    const gapS = maxGapS ?? known?.maxGapS;
    const tried = value === undefined ? known?.value : value;
    if (tried === null || tried === undefined) bands.delete(bandOf(wish));
    else
      bands.set(bandOf(wish), {
        ...wish,
        value: tried,
        delayS: delayS ?? known?.delayS ?? defaultDelayS,
        hysteresis: hysteresis ?? known?.hysteresis ?? defaultHysteresis(lineOf(wish.metric)),
        ...(gapS === undefined ? {} : { maxGapS: gapS }),
        origin: 'ward',
      });
  }
  return [...bands.values()];
}

const planned = ({
  metric,
  direction,
  priority,
  value,
  delayS,
  hysteresis,
  maxGapS,
}: AlarmLimit): PlannedLimit => ({
  metric,
  direction,
  priority,
  value,
  delayS,
  hysteresis,
  ...(maxGapS === undefined ? {} : { maxGapS }),
});

function first(comparisons: readonly Comparison[]): Comparison {
  const [one] = comparisons;
  if (one) return one;
  // A ward where nobody lay in that time.
  const none = { alarms: 0, perBedAndDay: 0, short: 0 };
  const nothing = { count: 0, list: [] };
  return {
    ...{ bedDays: 0, today: none, proposed: none, byBed: [], byMetric: [], byPriority: [], byHour: [] },
    ...{ counts: [], missed: nothing, added: nothing, laterS: { p50: 0, max: 0 } },
  };
}
