import { priorities, type AlarmLimit, type Direction, type Priority } from '../../../model/alarm.ts';
import type { Metric } from '../../../model/metric.ts';
import type { LiveSeries } from '../../intake/types.ts';
import { judgeRule, LimitJudge } from '../limit-judge.ts';
import { SourceLine, type Band, type Source } from '../source-line.ts';
import { defaultGapMs } from '../source-order.ts';

/** One band of a plan. */
export type PlannedLimit = Pick<
  AlarmLimit,
  'metric' | 'direction' | 'priority' | 'value' | 'delayS' | 'hysteresis' | 'maxGapS'
>;

/** One alarm as the ward would have had it: the bands of one direction are one alarm (CLINICAL 3). */
export interface WardEpisode {
  readonly line: string;
  /** Of the band that raised it. */
  readonly metric: string;
  readonly direction: Direction;
  /** The highest it came to. */
  readonly priority: Priority;
  readonly onsetAtMs: number;
  readonly raisedAtMs: number;
  /** Undefined: still present at the end of the data. */
  readonly endedAtMs: number | undefined;
  readonly peak: number;
}

interface PlannedBand extends Band {
  readonly priority: Priority;
}

interface Open {
  readonly metric: string;
  priority: Priority;
  readonly onsetAtMs: number;
  readonly raisedAtMs: number;
  peak: number;
}

/** A series as the line sees it: only its metric matters here. */
export interface ReplaySeries {
  readonly device: string;
  readonly metric: string;
  readonly channel: string | undefined;
  readonly known: Metric | undefined;
  readonly periodMs: number;
  readonly rank: number;
}

/** One quantity of one stay under one plan, judged by the same line and judges as live, on the samples' own time. */
export class ReplayLine {
  private readonly name: string;
  private readonly line: SourceLine;
  private readonly bands: readonly PlannedBand[];
  private readonly open = new Map<Direction, Open>();
  private readonly found: WardEpisode[] = [];

  constructor(name: string, limits: readonly PlannedLimit[], of: readonly ReplaySeries[]) {
    this.name = name;
    this.line = new SourceLine({ name, listener: this, startedAtMs: -Infinity });
    const maxGapMs = defaultGapMs(
      name,
      of.map(({ periodMs }) => periodMs),
    );
    this.bands = limits.map((limit) => {
      const span = of.find(({ known, metric }) => metric === limit.metric && known)?.known?.span;
      const rule = judgeRule(limit, { ...(span ? { span } : {}), maxGapMs });
      return {
        judge: new LimitJudge(rule),
        direction: limit.direction,
        priority: limit.priority,
        metric: limit.metric,
      };
    });
    this.line.setBands(this.bands);
  }

  source(series: ReplaySeries): Source {
    const { device, metric, channel, known, rank } = series;
    const live: LiveSeries = {
      device,
      key: metric,
      metricId: metric,
      channel,
      metric: known,
      latest: undefined,
      watch: undefined,
    };
    return this.line.add(live, rank);
  }

  /** After all judges have judged a sample. */
  lineMoved(_line: SourceLine, _receivedAtMs: number, takenAtMs: number): void {
    this.settle('high', takenAtMs);
    this.settle('low', takenAtMs);
  }

  /** All alarms, in order of raising; those still present are left open. */
  episodes(): readonly WardEpisode[] {
    for (const direction of this.open.keys()) this.end(direction, undefined);
    return this.found.toSorted((a, b) => a.raisedAtMs - b.raisedAtMs);
  }

  private settle(direction: Direction, takenAtMs: number): void {
    let top: PlannedBand | undefined;
    for (const band of this.bands) {
      const { presence } = band.judge;
      if (band.direction !== direction || (presence !== 'present' && presence !== 'sourceLost')) continue;
      if (!top || priorities.indexOf(band.priority) > priorities.indexOf(top.priority)) top = band;
    }
    const open = this.open.get(direction);
    if (!top) return open && this.end(direction, takenAtMs);
    const { onsetMs, peak } = top.judge;
    if (!open) {
      const { metric, priority } = top;
      this.open.set(direction, { metric, priority, onsetAtMs: onsetMs, raisedAtMs: takenAtMs, peak });
      return;
    }
    if (priorities.indexOf(top.priority) > priorities.indexOf(open.priority)) open.priority = top.priority;
    open.peak = direction === 'high' ? Math.max(open.peak, peak) : Math.min(open.peak, peak);
  }

  private end(direction: Direction, endedAtMs: number | undefined): void {
    const open = this.open.get(direction);
    if (!open) return;
    this.open.delete(direction);
    // Samples that only deepen an alarm move nothing: the widest band knows the most extreme of them.
    const peaks = this.bands
      .filter((band) => band.direction === direction && band.judge.onsetMs >= open.onsetAtMs)
      .map(({ judge }) => judge.peak);
    const peak = direction === 'high' ? Math.max(open.peak, ...peaks) : Math.min(open.peak, ...peaks);
    const { metric, priority, onsetAtMs, raisedAtMs } = open;
    this.found.push({
      line: this.name,
      metric,
      direction,
      priority,
      onsetAtMs,
      raisedAtMs,
      endedAtMs,
      peak,
    });
  }
}
