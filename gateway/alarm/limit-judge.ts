import type { AlarmLimit, Direction, Presence } from '../../model/alarm.ts';
import { presence, type PresenceEvent, type PresenceMove } from './presence.ts';
import { SampleTrail } from './sample-trail.ts';

/** One limit, made ready for judging. Times are ms of sample time. */
export interface JudgeRule {
  readonly direction: Direction;
  readonly limit: number;
  /** A valid sample at or beyond this one, on the inner side, ends the run: limit ∓ hysteresis, kept in the span. */
  readonly endAt: number;
  readonly delayMs: number;
  /** Infinity: no gap ends a run (replay without `maxGapS`). */
  readonly maxGapMs: number;
}

export interface RuleBounds {
  /** The metric's span: hysteresis shrinks where limit ± h would leave it. */
  readonly span?: readonly [number, number];
  /** Used when the limit names none. */
  readonly maxGapMs: number;
}

/** Makes a limit ready (CLINICAL 3). */
export function judgeRule(
  limit: Pick<AlarmLimit, 'direction' | 'value' | 'delayS' | 'hysteresis' | 'maxGapS'>,
  bounds: RuleBounds,
): JudgeRule {
  const [lowest, highest] = bounds.span ?? [-Infinity, Infinity];
  const { direction, value, hysteresis } = limit;
  const endAt =
    direction === 'high'
      ? Math.min(value, Math.max(decimal(value - hysteresis), lowest))
      : Math.max(value, Math.min(decimal(value + hysteresis), highest));
  return {
    direction,
    limit: value,
    endAt,
    delayMs: limit.delayS * 1_000,
    maxGapMs: limit.maxGapS === undefined ? bounds.maxGapMs : limit.maxGapS * 1_000,
  };
}

/** 35.1 + 0.2 is 35.3, as the nurse reckons, not 35.300000000000004. */
const decimal = (value: number): number => Math.round(value * 1e9) / 1e9;

/** What a judge must keep over a restart. */
export interface JudgeState {
  readonly presence: Presence;
  readonly onsetMs: number | null;
  readonly newestMs: number | null;
  readonly value: number | null;
  readonly peak: number | null;
  readonly questionable: boolean;
}

/**
 * Judges one limit by its samples (CLINICAL 3 and 9). It has no clock: every time is the samples' own, so live and
 * replay are the same. Each call answers the move it made in the presence table, or undefined when nothing changed.
 */
export class LimitJudge {
  rule: JudgeRule;
  presence: Presence = 'absent';
  /** Instant of the first violating sample of this run, or of the last one when absent; NaN before the first. */
  onsetMs = NaN;
  /** Newest sample judged; −Infinity before the first. */
  newestMs = -Infinity;
  /** The newest judged value of that run, and its most extreme violating one; NaN before the first. */
  value = NaN;
  peak = NaN;
  /** The sample that raised was questionable. */
  questionable = false;

  private high: boolean;
  private readonly trail = new SampleTrail();

  constructor(rule: JudgeRule) {
    this.rule = rule;
    this.high = rule.direction === 'high';
  }

  /**
   * One sample of a continuous metric. `historical`: flagged so or too old on arrival; like every sample older than
   * the newest judged it may only move the onset back.
   */
  sample(
    takenAtMs: number,
    value: number,
    questionable: boolean,
    historical: boolean,
  ): PresenceMove | undefined {
    if (historical || takenAtMs < this.newestMs) return this.late(takenAtMs, value, questionable);
    const inside = this.high ? value <= this.rule.endAt : value >= this.rule.endAt;
    if (inside && !questionable && this.presence === 'absent') {
      this.insideAt(takenAtMs);
      return undefined;
    }
    if (this.presence === 'pending' && takenAtMs - this.newestMs > this.rule.maxGapMs) this.apply('gap');
    return this.judge(takenAtMs, value, questionable, this.rule.delayMs);
  }

  /** The same as a valid sample inside at that instant, for a caller who knows that the limit is absent. */
  insideAt(takenAtMs: number): void {
    this.newestMs = takenAtMs;
    this.trail.endedAtMs = takenAtMs;
    this.trail.clear();
  }

  /** One measurement of an episodic metric (cuff pressure): it stands alone, so neither delay nor gap apply. */
  measurement(takenAtMs: number, value: number, questionable: boolean): PresenceMove | undefined {
    if (takenAtMs <= this.newestMs) return undefined; // the same measuring time is the same measurement
    return this.judge(takenAtMs, value, questionable, -Infinity);
  }

  /** By the clock: none of the limit's sources has given a sample for longer than `maxGapMs`. */
  gap(): PresenceMove | undefined {
    return this.presence === 'present' ? this.apply('gap') : undefined;
  }

  /** A person says the measurement ended, or the association ended. */
  measurementEnded(): PresenceMove | undefined {
    this.trail.endedAtMs = this.newestMs;
    this.trail.clear();
    return this.apply('measurementEnded');
  }

  /** Another value, delay or hysteresis from now on; a run that no longer violates is forgotten, an alarm is not. */
  retune(rule: JudgeRule): void {
    this.rule = rule;
    this.high = rule.direction === 'high';
    if (this.presence === 'pending' && !this.violates(this.peak)) this.apply('measurementEnded');
  }

  state(): JudgeState {
    const figure = (value: number): number | null => (Number.isFinite(value) ? value : null);
    return {
      presence: this.presence,
      onsetMs: figure(this.onsetMs),
      newestMs: figure(this.newestMs),
      value: figure(this.value),
      peak: figure(this.peak),
      questionable: this.questionable,
    };
  }

  /** Puts back what was present before a restart; pending runs start anew. */
  restore(state: JudgeState): void {
    if (state.presence !== 'present' && state.presence !== 'sourceLost') return;
    this.presence = state.presence;
    this.onsetMs = state.onsetMs ?? NaN;
    this.newestMs = state.newestMs ?? -Infinity;
    this.value = state.value ?? NaN;
    this.peak = state.peak ?? NaN;
    this.questionable = state.questionable;
  }

  private violates(value: number): boolean {
    return this.high ? value > this.rule.limit : value < this.rule.limit;
  }

  private inside(value: number): boolean {
    return this.high ? value <= this.rule.endAt : value >= this.rule.endAt;
  }

  private judge(
    takenAtMs: number,
    value: number,
    questionable: boolean,
    delayMs: number,
  ): PresenceMove | undefined {
    const violating = this.violates(value);
    const ending = !questionable && this.inside(value);
    this.newestMs = takenAtMs;
    if (ending) {
      this.trail.endedAtMs = takenAtMs;
      this.trail.clear();
    } else if (this.presence === 'absent' || this.presence === 'pending') {
      this.trail.add(takenAtMs, violating ? 'violating' : 'between');
    }
    if (!violating) {
      if (this.presence !== 'absent') this.value = value;
      return this.apply(ending ? 'inside' : 'between');
    }
    const onsetMs = this.presence === 'absent' ? takenAtMs : this.onsetMs;
    if (this.presence === 'absent') this.peak = value;
    else if (this.high ? value > this.peak : value < this.peak) this.peak = value;
    this.value = value;
    const raising = this.presence === 'absent' || this.presence === 'pending';
    this.onsetMs = onsetMs;
    if (takenAtMs < onsetMs + delayMs) return this.apply('violated');
    if (raising) this.questionable = questionable;
    return this.apply('violatedPastDelay');
  }

  /** CLINICAL 9: never raises, ends or rings; may move the onset of a run back. */
  private late(takenAtMs: number, value: number, questionable: boolean): PresenceMove | undefined {
    if (takenAtMs <= this.trail.endedAtMs) return undefined;
    const ending = !questionable && this.inside(value);
    this.trail.add(takenAtMs, ending ? 'ending' : this.violates(value) ? 'violating' : 'between');
    if (this.presence === 'absent') return undefined;
    const onsetMs = this.trail.onsetBefore(this.onsetMs, this.rule.maxGapMs);
    if (onsetMs === this.onsetMs) return undefined;
    this.onsetMs = onsetMs;
    return [this.presence];
  }

  private apply(event: PresenceEvent): PresenceMove | undefined {
    const move = presence[this.presence][event];
    if (move === undefined) return undefined;
    this.presence = move[0];
    return move;
  }
}
