import { priorities, type Alarm, type AlarmLimit, type Direction, type Priority } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { BedId, EncounterId, WardId } from '../../model/ids.ts';
import type { Metric } from '../../model/metric.ts';
import type { LiveSeries } from '../intake/types.ts';
import type { AlarmBook, AlarmPatch, LiveFigures } from './alarm-book.ts';
import type { BandState } from './alarm-log.ts';
import { judgeRule, LimitJudge, type JudgeRule } from './limit-judge.ts';
import { SourceLine, type Band, type Source } from './source-line.ts';
import { defaultGapMs, labelOf, sourcesOf } from './source-order.ts';
import type { Technical } from './technical.ts';

/** Of one raised or escalated alarm: the way of the sample that did it. */
export interface AlarmLatency {
  readonly alarm: Alarm;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly raisedAtMs: number;
}

/** Whose limits they are. Without an encounter: somebody on a bed who is not yet known. */
export interface Place {
  /** One alarm a key, quantity and direction. */
  readonly key: string;
  readonly ward?: WardId;
  readonly bed?: BedId;
  readonly encounter?: EncounterId;
}

export interface LineTools {
  readonly clock: Clock;
  readonly book: AlarmBook;
  readonly technical: Technical;
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly latency: (measured: AlarmLatency) => void;
}

interface LimitBand extends Band {
  readonly priority: Priority;
}

/** Sources of one quantity apart over 15 s at least (CLINICAL 2). */
const manySourcesGapS = 15;

/**
 * All limits on one quantity of one patient. Bands of one direction are one alarm: it is present while any of them is,
 * and its priority is the highest present one's (CLINICAL 3 and 4).
 */
export class LimitLine {
  private readonly name: string;
  private readonly place: Place;
  private readonly tools: LineTools;
  private readonly line: SourceLine;
  private readonly periodsMs = new Map<LiveSeries, number>();
  private limits: readonly AlarmLimit[] = [];
  private bands: readonly LimitBand[] = [];
  private measuredAtMs = -Infinity;

  constructor(name: string, place: Place, tools: LineTools) {
    this.name = name;
    this.place = place;
    this.tools = tools;
    this.line = new SourceLine({ name, listener: this, startedAtMs: tools.clock.nowMs() });
  }

  get hasLimits(): boolean {
    return this.bands.length > 0;
  }

  reads(series: LiveSeries): boolean {
    return this.periodsMs.has(series);
  }

  get sources(): readonly Source[] {
    return this.line.sources;
  }

  setLimits(limits: readonly AlarmLimit[]): void {
    this.limits = limits;
    const before = this.bands;
    this.bands = limits.map((limit) => this.bandFor(limit, before));
    for (const gone of before) {
      if (!this.bands.some((band) => band.judge === gone.judge)) gone.judge.measurementEnded();
    }
    this.line.setBands(this.bands);
    const nowMs = this.tools.clock.nowMs();
    this.lineMoved(this.line, nowMs, nowMs);
  }

  attach(series: LiveSeries, rank: number, periodMs: number): Source {
    this.periodsMs.set(series, Math.max(periodMs, series.metric?.periodMs ?? 0));
    this.retune();
    return this.line.add(series, rank);
  }

  detach(series: LiveSeries): void {
    if (!this.periodsMs.delete(series)) return;
    this.line.remove(series);
    this.retune();
  }

  sweep(nowMs: number, floorMs: number): void {
    this.line.checkGap(nowMs, floorMs);
    if (this.line.sources.length < 2 && this.line.disagreeSinceMs === undefined) return;
    const { technical, metrics } = this.tools;
    const { ward, bed, encounter } = this.place;
    const about = `${this.place.key}:${this.name}`;
    if (!this.line.disagrees(nowMs)) {
      if (technical.present('sources-disagree', about)) technical.end('sources-disagree', about);
    } else if (!technical.present('sources-disagree', about)) {
      const labels = this.line.sources.map((source) => labelOf(metrics, source.series.metricId));
      technical.raise('sources-disagree', {
        about,
        owner: 'nurse',
        priority: 'low',
        ward,
        bed,
        encounter,
        details: { metrics: [...new Set(labels)].join(', ') },
        ...(this.line.disagreeSinceMs === undefined ? {} : { sinceMs: this.line.disagreeSinceMs }),
      });
    }
  }

  /** Of the whole line, or of the direction of one alarm. */
  measurementEnded(said: { by?: string; reason?: string }, alarm?: Alarm): boolean {
    const { book, technical } = this.tools;
    let ended = false;
    for (const direction of ['low', 'high'] as const) {
      const key = this.keyOf(direction);
      if (alarm !== undefined && book.at(key)?.id !== alarm.id) continue;
      ended = true;
      this.line.measurementEnded(direction);
      technical.end('source-lost', key);
      book.measurementEnded(key, said);
    }
    if (alarm === undefined) technical.end('sources-disagree', `${this.place.key}:${this.name}`);
    return ended;
  }

  /** After all judges have judged a sample, so that two bands crossed at once are one raise. */
  lineMoved(line: SourceLine, receivedAtMs: number, takenAtMs: number): void {
    const again = line.measuredAtMs > this.measuredAtMs;
    this.measuredAtMs = line.measuredAtMs;
    for (const direction of ['low', 'high'] as const) {
      this.settle(direction, { receivedAtMs, takenAtMs, again });
    }
  }

  private settle(
    direction: Direction,
    by: { receivedAtMs: number; takenAtMs: number; again: boolean },
  ): void {
    const { book } = this.tools;
    const key = this.keyOf(direction);
    const present = this.presentBands(direction);
    const top = present.at(-1);
    const alarm = book.at(key);
    if (top === undefined) {
      if (alarm === undefined) return;
      this.tools.technical.end('source-lost', key);
      book.end(key);
      return;
    }
    const lost = present.some((band) => band.judge.presence === 'sourceLost');
    const onsetAtMs = Math.min(...present.map((band) => band.judge.onsetMs));
    const bands = this.states(direction);
    const live = this.live(present);
    if (alarm === undefined) {
      const raised = book.raise(key, { ...this.describe(direction, top), onsetAtMs }, { bands, live });
      this.measure(raised, by);
      return;
    }
    book.attach(key, live);
    const patch: AlarmPatch = { onsetAtMs, presence: lost ? 'sourceLost' : 'present' };
    if (top.priority !== alarm.priority) {
      const { limit, questionable, device, metric, channel, details } = this.describe(direction, top);
      const rises = priorities.indexOf(top.priority) > priorities.indexOf(alarm.priority);
      const marks = { limit, questionable, device, metric, channel, details };
      book.reprioritise(key, { ...patch, ...marks, priority: top.priority }, bands);
      const now = book.at(key);
      if (rises && now) this.measure(now, by);
    } else if (lost !== (alarm.presence === 'sourceLost')) {
      book.change(key, patch, lost ? 'sourceLost' : 'sourceBack', { bands });
    } else if (onsetAtMs !== alarm.onsetAtMs) {
      book.change(key, patch, 'onsetMoved', { bands });
    } else if (this.line.judging !== undefined) {
      const { device, metric, channel, details } = this.describe(direction, top);
      const switched = device !== alarm.device || metric !== alarm.metric || channel !== alarm.channel;
      if (switched) book.change(key, { device, metric, channel, details }, 'updated', { bands });
    }
    this.tellSource(key, direction, lost);
    if (by.again && this.line.episodic) book.measuredAgain(key);
  }

  /** CLINICAL 4: the alarm is kept and a technical one added, until a value comes or a person ends it. */
  private tellSource(key: string, direction: Direction, lost: boolean): void {
    const { technical, clock } = this.tools;
    if (!lost) {
      if (technical.present('source-lost', key)) technical.end('source-lost', key);
      return;
    }
    if (technical.present('source-lost', key)) return;
    const { ward, bed, encounter } = this.place;
    const metric = this.limits[0]?.metric ?? this.name;
    technical.raise('source-lost', {
      about: key,
      owner: 'nurse',
      priority: 'low',
      ward,
      bed,
      encounter,
      metric,
      details: { direction },
      sinceMs: Math.min(clock.nowMs(), this.line.judgedAtMs),
    });
  }

  private describe(direction: Direction, top: LimitBand) {
    const { metrics } = this.tools;
    const { ward, bed, encounter } = this.place;
    const source = this.line.judging;
    const metric = source?.series.metricId ?? top.metric;
    const preferred = this.line.sources[0];
    // Marked while another than the preferred source judges (CLINICAL 2).
    const insteadOf =
      preferred !== undefined && source !== undefined && preferred !== source
        ? labelOf(metrics, preferred.series.metricId)
        : undefined;
    const { judge } = top;
    return {
      kind: 'physiological' as const,
      condition: 'limit',
      priority: top.priority,
      ...(ward === undefined ? {} : { ward }),
      ...(bed === undefined ? {} : { bed }),
      ...(encounter === undefined ? {} : { encounter }),
      ...(source === undefined ? {} : { device: source.series.device }),
      ...(source?.series.channel === undefined ? {} : { channel: source.series.channel }),
      metric,
      direction,
      limit: judge.rule.limit,
      unit: metrics.get(metric)?.unit ?? '1',
      presence: judge.presence,
      sources: [{ by: 'limit' as const, priority: top.priority }],
      questionable: judge.questionable,
      ...(insteadOf === undefined ? {} : { details: { insteadOf } }),
    };
  }

  private measure(alarm: Alarm, by: { receivedAtMs: number; takenAtMs: number }): void {
    const { receivedAtMs, takenAtMs } = by;
    this.tools.latency({ alarm, receivedAtMs, takenAtMs, raisedAtMs: this.tools.clock.nowMs() });
  }

  /** Lowest priority first. */
  private presentBands(direction: Direction): LimitBand[] {
    return this.bands
      .filter(
        ({ direction: own, judge }) =>
          own === direction && (judge.presence === 'present' || judge.presence === 'sourceLost'),
      )
      .sort((a, b) => priorities.indexOf(a.priority) - priorities.indexOf(b.priority));
  }

  private live(present: readonly LimitBand[]): LiveFigures {
    const [widest] = present;
    return {
      figures: () => {
        const { value = NaN, peak = NaN } = widest?.judge ?? {};
        return { ...(Number.isNaN(value) ? {} : { value }), ...(Number.isNaN(peak) ? {} : { peak }) };
      },
      episodic: () => this.line.episodic,
    };
  }

  private states(direction: Direction): readonly BandState[] {
    return this.bands
      .filter((band) => band.direction === direction)
      .map((band) => ({ priority: band.priority, state: band.judge.state() }));
  }

  private keyOf(direction: Direction): string {
    return `limit:${this.place.key}:${this.name}:${direction}`;
  }

  private bandFor(limit: AlarmLimit, before: readonly LimitBand[]): LimitBand {
    const { metric, direction, priority } = limit;
    const rule = this.ruleFor(limit);
    const known = before.find((band) => band.direction === direction && band.priority === priority);
    if (known) {
      known.judge.retune(rule);
      return { ...known, metric };
    }
    const judge = new LimitJudge(rule);
    const kept = this.tools.book.bandsAt(this.keyOf(direction)).find((band) => band.priority === priority);
    if (kept) this.restore(judge, kept);
    return { judge, direction, priority, metric };
  }

  /** As it was before a restart; a single measurement is not judged again when it is sent again. */
  private restore(judge: LimitJudge, kept: BandState): void {
    judge.restore(kept.state);
    const { newestMs } = kept.state;
    if (newestMs === null || !this.tools.book.episodicAt(this.keyOf(judge.rule.direction))) return;
    this.line.episodic = true;
    this.line.measuredAtMs = this.measuredAtMs = Math.max(this.line.measuredAtMs, newestMs);
  }

  /** The gap follows the slowest source's period. */
  private retune(): void {
    this.limits.forEach((limit, index) => this.bands[index]?.judge.retune(this.ruleFor(limit)));
    this.line.setBands(this.bands);
  }

  private ruleFor(limit: AlarmLimit): JudgeRule {
    const span = this.tools.metrics.get(limit.metric)?.span;
    const rule = judgeRule(limit, {
      ...(span ? { span } : {}),
      maxGapMs: defaultGapMs(this.name, [...this.periodsMs.values()]),
    });
    if (sourcesOf(this.name).length < 2) return rule;
    return { ...rule, maxGapMs: Math.max(rule.maxGapMs, manySourcesGapS * 1_000) };
  }
}
