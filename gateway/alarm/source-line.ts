import type { Direction } from '../../model/alarm.ts';
import type { LiveSeries, SeriesWatch } from '../intake/types.ts';
import type { LimitJudge } from './limit-judge.ts';

/** A preferred source invalid or silent this long gives way; it judges again after as long of valid values. */
export const steadyMs = 10_000;
/** An episodic value is live this long after its measuring time (CLINICAL 9). */
export const episodicLiveMs = 15 * 60_000;
/** Two live sources apart by more than this share of the preferred … */
const disagreeShare = 0.2;
/** … for this long disagree (CLINICAL 2). */
export const disagreeMs = 60_000;

/** One limit's judge with what the alarm needs to know of it. */
export interface Band {
  readonly judge: LimitJudge;
  readonly direction: Direction;
  readonly metric: string;
}

/** Told when a judge of the line made a move, or when an alarm may have to change: once a sample, after all judges. */
export interface LineListener {
  lineMoved(line: SourceLine, receivedAtMs: number, takenAtMs: number): void;
  /** A historical sample of the source that judges, or would. */
  lateSample?(takenAtMs: number, value: number, questionable: boolean, receivedAtMs: number): void;
}

/**
 * The samples of all sources of one quantity of one patient, as one line (CLINICAL 2): one source judges at a time, a
 * switch keeps onset and state. All times named received are the gateway's.
 */
export class SourceLine {
  readonly name: string;
  /** Sorted by preference. */
  readonly sources: Source[] = [];
  private ownBands: readonly Band[] = [];
  /** Values all bands are inside of; while all are absent such a sample changes nothing but when it was. */
  private calmLow = Infinity;
  private calmHigh = -Infinity;
  private allAbsent = true;
  private newestMs = -Infinity;
  private switched = false;
  /** The newest calm sample the judges have not been told of; −Infinity when there is none. */
  private calmAtMs = -Infinity;
  judging: Source | undefined = undefined;
  /** When a sample was last judged; the gap by the clock counts from it. */
  judgedAtMs: number;
  /** The last judged sample was a single measurement: it has no gap. */
  episodic = false;
  /** Measuring time of the newest episodic measurement judged. */
  measuredAtMs = -Infinity;
  disagreeSinceMs: number | undefined = undefined;

  /** When the line's first sample was judged: sources that join within 10 s of it have not been lost. */
  private firstAtMs = NaN;
  private readonly listener: LineListener;

  constructor(line: { name: string; listener: LineListener; startedAtMs: number }) {
    this.name = line.name;
    this.listener = line.listener;
    this.judgedAtMs = line.startedAtMs;
  }

  get bands(): readonly Band[] {
    return this.ownBands;
  }

  /** Sets what judges the line from now on; again after each change of a rule. */
  setBands(bands: readonly Band[]): void {
    this.tellCalm();
    this.ownBands = bands;
    this.calmLow = -Infinity;
    this.calmHigh = Infinity;
    for (const { judge } of bands) {
      if (judge.rule.direction === 'high') this.calmHigh = Math.min(this.calmHigh, judge.rule.endAt);
      else this.calmLow = Math.max(this.calmLow, judge.rule.endAt);
    }
    this.look();
  }

  add(series: LiveSeries, rank: number): Source {
    const source = new Source(this, series, rank);
    this.sources.push(source);
    this.sources.sort((a, b) => a.rank - b.rank);
    return source;
  }

  remove(series: LiveSeries): void {
    const at = this.sources.findIndex((source) => source.series === series);
    const [source] = at < 0 ? [] : this.sources.splice(at, 1);
    if (source !== undefined && this.judging === source) this.judging = undefined;
  }

  /** Whether the source, which does not judge now, takes over with the sample it has just received. */
  takesOver(source: Source, receivedAtMs: number): boolean {
    const judging = this.judging;
    if (judging !== undefined && source.rank >= judging.rank) {
      if (receivedAtMs - judging.usableAtMs < steadyMs) return false;
      // Somebody between them who is alive takes it with the next sample.
      if (this.sources.some((other) => other.rank < source.rank && other.liveAt(receivedAtMs))) return false;
    } else if (judging !== undefined && receivedAtMs - this.firstAtMs >= steadyMs) {
      if (receivedAtMs - source.steadySinceMs < steadyMs) return false;
    }
    if (Number.isNaN(this.firstAtMs)) this.firstAtMs = receivedAtMs;
    this.judging = source;
    this.switched = true;
    return true;
  }

  judge(
    takenAtMs: number,
    value: number,
    questionable: boolean,
    historical: boolean,
    receivedAtMs: number,
  ): void {
    if (!historical) {
      this.judgedAtMs = receivedAtMs;
      this.episodic = false;
      // The calm ward: nothing is present or pending and the value is inside of everything.
      const calm = this.allAbsent && !questionable && takenAtMs >= this.newestMs;
      if (calm && value >= this.calmLow && value <= this.calmHigh) {
        this.newestMs = this.calmAtMs = takenAtMs;
        return;
      }
    }
    this.tellCalm();
    let moved = false;
    for (const { judge } of this.ownBands) {
      if (judge.sample(takenAtMs, value, questionable, historical) !== undefined) moved = true;
    }
    this.look();
    // A present alarm names its source.
    if (this.switched && !this.allAbsent) moved = true;
    this.switched = false;
    if (moved) this.listener.lineMoved(this, receivedAtMs, takenAtMs);
  }

  late(takenAtMs: number, value: number, questionable: boolean, receivedAtMs: number): void {
    this.listener.lateSample?.(takenAtMs, value, questionable, receivedAtMs);
  }

  /** One measurement of an episodic source; a continuous one that is preferred and alive comes before it. */
  measurement(
    source: Source,
    takenAtMs: number,
    value: number,
    questionable: boolean,
    receivedAtMs: number,
  ): void {
    // The same measuring time is the same measurement, however often it is sent.
    if (receivedAtMs - takenAtMs > episodicLiveMs || takenAtMs <= this.measuredAtMs) return;
    if (this.sources.some((other) => other.rank < source.rank && other.liveAt(receivedAtMs))) return;
    this.judging = source;
    this.measuredAtMs = takenAtMs;
    this.judgedAtMs = receivedAtMs;
    this.episodic = true;
    this.tellCalm();
    for (const { judge } of this.ownBands) judge.measurement(takenAtMs, value, questionable);
    this.look();
    this.listener.lineMoved(this, receivedAtMs, takenAtMs);
  }

  /**
   * By the clock: present alarms whose sources are all silent lose their source. Silence counts from `floorMs` on at
   * the earliest: while this process stood still nobody was silent that we know of.
   */
  checkGap(nowMs: number, floorMs: number): void {
    if (this.episodic) return;
    const silentMs = nowMs - Math.max(this.judgedAtMs, floorMs);
    let moved = false;
    for (const { judge } of this.ownBands) {
      if (judge.presence !== 'present' || silentMs <= judge.rule.maxGapMs) continue;
      if (judge.gap() !== undefined) moved = true;
    }
    if (moved) this.listener.lineMoved(this, nowMs, nowMs);
  }

  /** Ends the runs of one direction. */
  measurementEnded(direction: Direction): void {
    this.tellCalm();
    for (const band of this.ownBands) if (band.direction === direction) band.judge.measurementEnded();
    this.look();
  }

  private tellCalm(): void {
    if (this.calmAtMs === -Infinity) return;
    for (const { judge } of this.ownBands) judge.insideAt(this.calmAtMs);
    this.calmAtMs = -Infinity;
  }

  private look(): void {
    this.allAbsent = true;
    for (const { judge } of this.ownBands) {
      if (judge.presence !== 'absent') this.allAbsent = false;
      if (judge.newestMs > this.newestMs) this.newestMs = judge.newestMs;
    }
  }

  /** True once two live continuous sources have been apart by over 20 % of the preferred for 60 s. */
  disagrees(nowMs: number): boolean {
    const live = this.sources.filter((source) => !source.episodic && source.liveAt(nowMs));
    const [preferred] = live;
    const apart =
      preferred !== undefined &&
      live.some(
        (other) => Math.abs(other.value - preferred.value) > disagreeShare * Math.abs(preferred.value),
      );
    this.disagreeSinceMs = apart ? (this.disagreeSinceMs ?? nowMs) : undefined;
    return this.disagreeSinceMs !== undefined && nowMs - this.disagreeSinceMs >= disagreeMs;
  }
}

/** One series as a source of a line: what the intake hands samples to. The inside of a calm ward runs through here. */
export class Source implements SeriesWatch {
  readonly series: LiveSeries;
  readonly rank: number;
  readonly episodic: boolean;
  /** Received time of the newest live usable sample, and its value. */
  usableAtMs = -Infinity;
  value = NaN;
  /** Since when its values are valid without a break. */
  steadySinceMs = -Infinity;
  private interrupted = false;
  /** Begin of the association: what was taken before is another patient's, however late it comes. */
  sinceMs = -Infinity;
  private readonly line: SourceLine;

  constructor(line: SourceLine, series: LiveSeries, rank: number) {
    this.line = line;
    this.series = series;
    this.rank = rank;
    this.episodic = series.metric?.episodic ?? false;
  }

  sample(
    takenAtMs: number,
    value: number,
    questionable: boolean,
    historical: boolean,
    receivedAtMs: number,
  ): void {
    if (takenAtMs < this.sinceMs) return;
    if (this.episodic) {
      this.usableAtMs = receivedAtMs;
      this.line.measurement(this, takenAtMs, value, questionable, receivedAtMs);
      return;
    }
    if (!historical) {
      if (questionable || this.interrupted || receivedAtMs - this.usableAtMs >= steadyMs) {
        this.steadySinceMs = receivedAtMs;
        this.interrupted = false;
      }
      this.usableAtMs = receivedAtMs;
      this.value = value;
    }
    const line = this.line;
    if (historical && (line.judging ?? this) === this)
      line.late(takenAtMs, value, questionable, receivedAtMs);
    if (line.judging !== this && (historical || !line.takesOver(this, receivedAtMs))) return;
    line.judge(takenAtMs, value, questionable, historical, receivedAtMs);
  }

  /** A live sample was invalid or missing: ten seconds of valid values begin anew. */
  unusable(): void {
    this.interrupted = true;
  }

  liveAt(nowMs: number): boolean {
    return !this.episodic && nowMs - this.usableAtMs < steadyMs;
  }
}
