/** What a replay found, counted: today's limits beside the proposed ones. */
import type { Direction, Priority } from '../../../model/alarm.ts';
import type { ReplayStay, StayEpisode } from './ward-replay.ts';

export interface BothCounts {
  readonly today: number;
  readonly proposed: number;
}

export interface EpisodeShown {
  readonly bed: string;
  readonly encounter?: string;
  readonly metric: string;
  readonly direction: Direction;
  readonly priority: Priority;
  readonly onsetAtMs: number;
  readonly raisedAtMs: number;
  readonly endedAtMs?: number;
  readonly peak: number;
}

export interface PlanTotals {
  readonly alarms: number;
  readonly perBedAndDay: number;
  /** Ended within 15 s of being raised. */
  readonly short: number;
}

export interface Comparison {
  readonly bedDays: number;
  readonly today: PlanTotals;
  readonly proposed: PlanTotals;
  readonly byBed: readonly (BothCounts & { readonly bed: string })[];
  readonly byMetric: readonly (BothCounts & { readonly metric: string })[];
  readonly byPriority: readonly (BothCounts & { readonly priority: Priority })[];
  /** Hour of the day, 0 to 23, in this machine's zone. */
  readonly byHour: readonly (BothCounts & { readonly hour: number })[];
  readonly counts: readonly (BothCounts & {
    readonly bed: string;
    readonly metric: string;
    readonly priority: Priority;
    readonly hour: number;
  })[];
  /** Alarms of today's limits without any of the proposed ones while they are present. */
  readonly missed: { readonly count: number; readonly list: readonly EpisodeShown[] };
  /** Alarms of the proposed limits without any of today's while they are present. */
  readonly added: { readonly count: number; readonly list: readonly EpisodeShown[] };
  /** How much later the proposed ones ring, of alarms that both have. */
  readonly laterS: { readonly p50: number; readonly max: number };
}

/** Alarms listed one by one at most: the highest priority first, then the longest. */
const mostListed = 500;
const dayMs = 86_400_000;
export const shortMs = 15_000;

/** Compares plan `proposed` with plan 0. */
export function compare(
  stays: readonly ReplayStay[],
  episodes: readonly StayEpisode[],
  proposed = 1,
): Comparison {
  const today = episodes.filter(({ plan }) => plan === 0);
  const then = episodes.filter(({ plan }) => plan === proposed);
  const bedMs = stays.reduce((sum, { spans }) => sum + coveredMs(spans), 0);
  const bedOf = ({ stay }: StayEpisode): string => stays[stay]?.bed ?? '';
  const both = { today, proposed: then };
  const missed = today.filter((one) => !meetsAny(one, then));
  const added = then.filter((one) => !meetsAny(one, today));
  const list = (some: readonly StayEpisode[]) => ({
    count: some.length,
    list: some
      .toSorted(byWeight)
      .slice(0, mostListed)
      .map((one) => shown(one, stays)),
  });
  return {
    bedDays: bedMs / dayMs,
    today: totals(today, bedMs),
    proposed: totals(then, bedMs),
    byBed: counted(both, (one) => ({ bed: bedOf(one) })),
    byMetric: counted(both, ({ metric }) => ({ metric })),
    byPriority: counted(both, ({ priority }) => ({ priority })),
    byHour: counted(both, ({ raisedAtMs }) => ({ hour: hourOf(raisedAtMs) })),
    counts: counted(both, (one) => ({
      bed: bedOf(one),
      metric: one.metric,
      priority: one.priority,
      hour: hourOf(one.raisedAtMs),
    })),
    missed: list(missed),
    added: list(added),
    laterS: later(today, then),
  };
}

export const hourOf = (atMs: number): number => new Date(atMs).getHours();

const totals = (episodes: readonly StayEpisode[], bedMs: number): PlanTotals => ({
  alarms: episodes.length,
  perBedAndDay: bedMs > 0 ? (episodes.length * dayMs) / bedMs : 0,
  short: episodes.filter(({ raisedAtMs, endedAtMs = Infinity }) => endedAtMs - raisedAtMs < shortMs).length,
});

/** Time in which at least one device measured. */
function coveredMs(spans: ReplayStay['spans']): number {
  let covered = 0;
  let untilMs = -Infinity;
  for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    covered += Math.max(0, toMs - Math.max(fromMs, untilMs));
    untilMs = Math.max(untilMs, toMs);
  }
  return covered;
}

/** Rows of both counts by what `of` says, most of today's first. */
function counted<Key extends object>(
  { today, proposed }: { today: readonly StayEpisode[]; proposed: readonly StayEpisode[] },
  of: (episode: StayEpisode) => Key,
): (Key & BothCounts)[] {
  const rows = new Map<string, { key: Key; today: number; proposed: number }>();
  const count = (episodes: readonly StayEpisode[], side: 'today' | 'proposed'): void => {
    for (const episode of episodes) {
      const key = of(episode);
      const name = JSON.stringify(key);
      const row = rows.get(name) ?? { key, today: 0, proposed: 0 };
      row[side]++;
      rows.set(name, row);
    }
  };
  count(today, 'today');
  count(proposed, 'proposed');
  return [...rows.values()]
    .map((row) => ({ ...row.key, today: row.today, proposed: row.proposed }))
    .toSorted((a, b) => b.today - a.today || b.proposed - a.proposed);
}

/** Alarms about the same thing, in order of raising, and apart: found by halving. */
class Present {
  private readonly byThing: Map<string, StayEpisode[]>;

  constructor(episodes: readonly StayEpisode[]) {
    this.byThing = Map.groupBy(episodes, thingOf);
  }

  /** The first that is present while the other is. */
  during(other: StayEpisode): StayEpisode | undefined {
    const all = this.byThing.get(thingOf(other)) ?? [];
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((all[middle]?.endedAtMs ?? Infinity) < other.raisedAtMs) low = middle + 1;
      else high = middle;
    }
    const found = all[low];
    return found && found.raisedAtMs <= (other.endedAtMs ?? Infinity) ? found : undefined;
  }
}

const thingOf = ({ stay, line, direction }: StayEpisode): string => `${stay} ${line} ${direction}`;

const indexes = new WeakMap<readonly StayEpisode[], Present>();
function indexOf(episodes: readonly StayEpisode[]): Present {
  const known = indexes.get(episodes) ?? new Present(episodes);
  indexes.set(episodes, known);
  return known;
}

const meetsAny = (one: StayEpisode, others: readonly StayEpisode[]): boolean =>
  indexOf(others).during(one) !== undefined;

function later(today: readonly StayEpisode[], then: readonly StayEpisode[]): { p50: number; max: number } {
  const index = indexOf(then);
  const seconds = today
    .flatMap((one) => {
      const match = index.during(one);
      return match ? [(match.raisedAtMs - one.raisedAtMs) / 1_000] : [];
    })
    .toSorted((a, b) => a - b);
  return { p50: seconds[seconds.length >> 1] ?? 0, max: seconds.at(-1) ?? 0 };
}

const weight: Readonly<Record<Priority, number>> = { high: 2, medium: 1, low: 0 };
const lengthOf = ({ raisedAtMs, endedAtMs = Infinity }: StayEpisode): number => endedAtMs - raisedAtMs;

const byWeight = (a: StayEpisode, b: StayEpisode): number =>
  weight[b.priority] - weight[a.priority] ||
  (lengthOf(b) > lengthOf(a) ? 1 : lengthOf(b) < lengthOf(a) ? -1 : 0);

function shown(episode: StayEpisode, stays: readonly ReplayStay[]): EpisodeShown {
  const { stay, metric, direction, priority, onsetAtMs, raisedAtMs, endedAtMs, peak } = episode;
  const { bed = '', encounter } = stays[stay] ?? {};
  return {
    bed,
    ...(encounter === undefined ? {} : { encounter }),
    metric,
    direction,
    priority,
    onsetAtMs,
    raisedAtMs,
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    peak,
  };
}
