import { priorities, type Direction, type Priority } from '../../model/alarm.ts';
import { LimitJudge, type JudgeRule } from './limit-judge.ts';

/** A backlog that has said nothing for this long has come to its end. */
const quietMs = 60_000;

export interface BacklogBand {
  readonly priority: Priority;
  readonly direction: Direction;
  readonly rule: JudgeRule;
}

/** One crossing of one direction that was over before anybody could know of it. */
export interface Crossing {
  readonly direction: Direction;
  readonly priority: Priority;
  readonly limit: number;
  readonly onsetAtMs: number;
  readonly endedAtMs: number;
  readonly peak: number;
  readonly endedBy: 'inside' | 'gap';
}

interface Judged extends BacklogBand {
  readonly judge: LimitJudge;
}
type Open = Pick<Crossing, 'priority' | 'limit' | 'onsetAtMs' | 'peak'>;

/**
 * Judges a backlog by itself, as it would have been judged live: it raises nothing and rings nothing, it only finds what
 * was crossed and ended there. One for a line of samples; the bands of a direction are one crossing.
 */
export class BacklogJudge {
  private readonly bands: readonly Judged[];
  private readonly found: (crossing: Crossing) => void;
  private readonly open = new Map<Direction, Open>();
  private newestMs = -Infinity;
  private heardAtMs = -Infinity;

  constructor(bands: readonly BacklogBand[], found: (crossing: Crossing) => void) {
    this.bands = bands.map((band) => ({ ...band, judge: new LimitJudge(band.rule) }));
    this.found = found;
  }

  sample(takenAtMs: number, value: number, questionable: boolean, receivedAtMs: number): void {
    this.heardAtMs = receivedAtMs;
    if (takenAtMs <= this.newestMs) return;
    const gapMs = takenAtMs - this.newestMs;
    if (this.bands.some(({ judge, rule }) => judge.presence === 'present' && gapMs > rule.maxGapMs))
      this.finish();
    this.newestMs = takenAtMs;
    for (const { judge } of this.bands) judge.sample(takenAtMs, value, questionable, false);
    for (const direction of ['low', 'high'] as const) this.look(direction, takenAtMs);
  }

  /** By the clock: a crossing at the very end of the backlog ended there as far as anybody knows. True when it is done. */
  sweep(nowMs: number): boolean {
    if (nowMs - this.heardAtMs < quietMs) return false;
    this.finish();
    return true;
  }

  private look(direction: Direction, takenAtMs: number): void {
    const present = this.bands.filter(
      (band) => band.direction === direction && band.judge.presence === 'present',
    );
    const open = this.open.get(direction);
    if (present.length > 0) {
      for (const { judge, priority, rule } of present) {
        const known = this.open.get(direction);
        const higher = !known || priorities.indexOf(priority) > priorities.indexOf(known.priority);
        this.open.set(direction, {
          priority: higher ? priority : known.priority,
          limit: higher ? rule.limit : known.limit,
          onsetAtMs: Math.min(judge.onsetMs, known?.onsetAtMs ?? Infinity),
          peak: extreme(direction, judge.peak, known?.peak),
        });
      }
    } else if (open) {
      this.open.delete(direction);
      this.found({ ...open, direction, endedAtMs: takenAtMs, endedBy: 'inside' });
    }
  }

  private finish(): void {
    for (const [direction, open] of this.open)
      this.found({ ...open, direction, endedAtMs: this.newestMs, endedBy: 'gap' });
    this.open.clear();
    for (const { judge } of this.bands) judge.measurementEnded();
  }
}

const extreme = (direction: Direction, one: number, other = one): number =>
  direction === 'high' ? Math.max(one, other) : Math.min(one, other);
