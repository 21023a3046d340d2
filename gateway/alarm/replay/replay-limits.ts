import { priorities, type Direction, type Priority } from '../../../model/alarm.ts';
import { judgeRule, LimitJudge } from '../limit-judge.ts';
import { columns, inSpan, isColumn, spans, type Column, type RecordedRow } from './recorded.ts';

/** One limit to try on a recording; each is judged alone. */
export interface ReplayLimit {
  readonly metric: Column;
  readonly priority: Priority;
  readonly direction: Direction;
  readonly value: number;
  readonly delayS: number;
  readonly hysteresis: number;
  /** Absent: no gap ends a run. */
  readonly maxGapS?: number;
}

/** One alarm the limit would have raised; times are the file's `time_s`. */
export interface Episode {
  readonly metric: Column;
  readonly priority: Priority;
  readonly direction: Direction;
  readonly onset: number;
  readonly raisedAt: number;
  /** The sample that ended it; null at the end of the file. */
  readonly clearedAt: number | null;
  /** The most extreme violating value from onset to clear. */
  readonly peak: number;
}

/** Checks a limits file (JSON, parsed); every wrong field is named. */
export function readLimits(parsed: unknown): { limits: ReplayLimit[] } | { errors: string[] } {
  if (!Array.isArray(parsed)) return { errors: ['the limits file must be a JSON array'] };
  const errors: string[] = [];
  const limits = parsed.flatMap((row: unknown, at) => {
    const wrong = (text: string): void => void errors.push(`limit ${at + 1}: ${text}`);
    const limit = (typeof row === 'object' && row !== null ? row : {}) as Record<string, unknown>;
    const { metric, priority, high, low, delayS = 0, hysteresis = 0, maxGapS } = limit;
    const before = errors.length;
    if (!isColumn(metric)) wrong(`metric must be one of ${columns.join(', ')}`);
    if (!priorities.some((known) => known === priority))
      wrong(`priority must be one of ${priorities.join(', ')}`);
    if ((typeof high === 'number') === (typeof low === 'number'))
      wrong('exactly one of high and low must be a number');
    for (const [name, value] of Object.entries({ delayS, hysteresis, maxGapS: maxGapS ?? 0 }))
      if (typeof value !== 'number' || !(value >= 0)) wrong(`${name} must be a number from 0 on`);
    if (errors.length > before || !isColumn(metric)) return [];
    const direction: Direction = typeof high === 'number' ? 'high' : 'low';
    return [
      {
        metric,
        priority: priority as Priority,
        direction,
        value: (direction === 'high' ? high : low) as number,
        delayS: delayS as number,
        hysteresis: hysteresis as number,
        ...(typeof maxGapS === 'number' ? { maxGapS } : {}),
      },
    ];
  });
  return errors.length > 0 ? { errors } : { limits };
}

/** All raised alarms, by `raisedAt`, then by row of the limits file: the same judge as live, on the file's time. */
export function replayLimits(rows: readonly RecordedRow[], limits: readonly ReplayLimit[]): Episode[] {
  return limits
    .flatMap((limit, row) => episodesOf(rows, limit).map((episode) => ({ row, episode })))
    .toSorted((a, b) => a.episode.raisedAt - b.episode.raisedAt || a.row - b.row)
    .map(({ episode }) => episode);
}

function episodesOf(rows: readonly RecordedRow[], limit: ReplayLimit): Episode[] {
  const { metric, priority, direction } = limit;
  const judge = new LimitJudge(judgeRule(limit, { span: spans[metric], maxGapMs: Infinity }));
  const timeOf = new Map<number, number>();
  const episodes: Episode[] = [];
  let open: Omit<Episode, 'clearedAt'> | undefined;
  for (const { time, atMs, values } of rows) {
    const value = values[metric];
    if (value === undefined || !inSpan(metric, value)) continue;
    timeOf.set(atMs, time);
    const peakBefore = judge.peak;
    const move = judge.sample(atMs, value, false, false);
    const onset = timeOf.get(judge.onsetMs) ?? judge.onsetMs / 1_000;
    if (move?.includes('raise'))
      open = { metric, priority, direction, onset, raisedAt: time, peak: judge.peak };
    else if (open) open = { ...open, peak: judge.presence === 'absent' ? peakBefore : judge.peak };
    if (open && move?.includes('end')) {
      episodes.push(shown({ ...open, clearedAt: time }));
      open = undefined;
    }
  }
  if (open) episodes.push(shown({ ...open, clearedAt: null }));
  return episodes;
}

/** In the order of keys that is documented. */
const shown = ({ metric, priority, direction, onset, raisedAt, clearedAt, peak }: Episode): Episode => ({
  metric,
  priority,
  direction,
  onset,
  raisedAt,
  clearedAt,
  peak,
});

export interface ReplaySummary {
  readonly rows: number;
  readonly seconds: number;
  readonly alarms: number;
  readonly limits: readonly {
    metric: Column;
    priority: Priority;
    direction: Direction;
    value: number;
    alarms: number;
  }[];
}

export function summarise(rows: readonly RecordedRow[], limits: readonly ReplayLimit[]): ReplaySummary {
  const counted = limits.map((limit) => ({
    metric: limit.metric,
    priority: limit.priority,
    direction: limit.direction,
    value: limit.value,
    alarms: episodesOf(rows, limit).length,
  }));
  const seconds = (rows.at(-1)?.time ?? 0) - (rows[0]?.time ?? 0);
  return {
    rows: rows.length,
    seconds,
    alarms: counted.reduce((sum, one) => sum + one.alarms, 0),
    limits: counted,
  };
}
