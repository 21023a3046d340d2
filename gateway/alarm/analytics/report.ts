/** A ward's report: figures of the whole time, of each day and of each shift, the most frequent, and what to try. */
import type { Direction, Priority } from '../../../model/alarm.ts';
import { countedBy, figuresOf, isShort, type AlarmFigures, type AlarmStory } from './figures.ts';

export interface ReportSpan {
  readonly fromMs: number;
  readonly toMs: number;
  /** Beds of the ward. */
  readonly beds: number;
  /** Hours of the day at which a shift begins, ascending, in this machine's zone. */
  readonly shifts: readonly number[];
}

export interface ReportRow extends AlarmFigures {
  /** yyyy-mm-dd of its begin, in this machine's zone. */
  readonly day: string;
  /** Hour of the begin of the shift; absent: the whole day. */
  readonly shift?: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A longer delay that would have spared many alarms, by how long each lasted. */
export interface DelayProposal {
  readonly metric: string;
  readonly direction: Direction;
  readonly priority: Priority;
  readonly alarms: number;
  readonly short: number;
  readonly delayS: number;
  /** Alarms whose crossing was over before the delay would have been. */
  readonly spared: number;
}

export interface AlarmReport {
  readonly total: AlarmFigures;
  readonly days: readonly ReportRow[];
  readonly shifts: readonly ReportRow[];
  readonly topBeds: readonly { readonly bed: string; readonly alarms: number; readonly short: number }[];
  readonly topMetrics: readonly { readonly about: string; readonly alarms: number; readonly short: number }[];
  readonly proposals: readonly DelayProposal[];
}

const top = 10;
const hourMs = 3_600_000;
/** Delays worth proposing, and the longest on a high band (CLINICAL 3). */
const delaysS = [15, 19, 30, 45, 60] as const;
/** A proposal must spare this share at least, of this many alarms at least. */
const worthShare = 0.3;
const worthAlarms = 10;

export function reportOf(stories: readonly AlarmStory[], span: ReportSpan): AlarmReport {
  const { fromMs, toMs, beds } = span;
  const raised = stories.filter(({ raisedAtMs }) => raisedAtMs >= fromMs && raisedAtMs < toMs);
  const row = (part: Omit<ReportRow, keyof AlarmFigures>): ReportRow => ({
    ...part,
    ...figuresOf(raised, { fromMs: part.fromMs, toMs: part.toMs, beds }),
  });
  const most = (key: (story: AlarmStory) => string | undefined) =>
    countedBy(raised, (story) => key(story) ?? '')
      .filter(([name]) => name !== '')
      .slice(0, top)
      .map(([name, alarms]) => ({
        name,
        alarms,
        short: raised.filter((story) => key(story) === name && isShort(story)).length,
      }));
  return {
    total: figuresOf(raised, span),
    days: stretches(span, [0]).map(({ day, ...part }) => row({ day, ...part })),
    shifts: stretches(span, span.shifts).map((part) => row(part)),
    topBeds: most(({ bed }) => bed).map(({ name, ...rest }) => ({ bed: name, ...rest })),
    topMetrics: most(({ about }) => about).map(({ name, ...rest }) => ({ about: name, ...rest })),
    proposals: proposalsOf(raised),
  };
}

/** The time cut at these hours of each local day. */
function stretches(
  { fromMs, toMs }: ReportSpan,
  hours: readonly number[],
): { day: string; shift?: number; fromMs: number; toMs: number }[] {
  const cuts: { atMs: number; hour: number }[] = [];
  const first = new Date(fromMs - 24 * hourMs);
  first.setHours(0, 0, 0, 0);
  for (const at = first; at.getTime() < toMs; at.setDate(at.getDate() + 1)) {
    for (const hour of hours) {
      const cut = new Date(at);
      cut.setHours(hour);
      cuts.push({ atMs: cut.getTime(), hour });
    }
  }
  return cuts.flatMap(({ atMs, hour }, index) => {
    const begin = Math.max(atMs, fromMs);
    const end = Math.min(cuts[index + 1]?.atMs ?? toMs, toMs);
    if (end <= begin) return [];
    const whole = hours.length === 1 && hour === 0;
    return [{ day: dayOf(atMs), ...(whole ? {} : { shift: hour }), fromMs: begin, toMs: end }];
  });
}

function dayOf(atMs: number): string {
  const at = new Date(atMs);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** For the most frequent limits: the shortest delay that spares a good share. */
function proposalsOf(raised: readonly AlarmStory[]): DelayProposal[] {
  const limits = raised.filter(
    ({ condition, direction }) => condition === 'limit' && direction !== undefined,
  );
  const keyOf = ({ about, direction, priority }: AlarmStory): string =>
    JSON.stringify([about, direction, priority]);
  return countedBy(limits, keyOf)
    .slice(0, top)
    .flatMap(([key, alarms]) => {
      const [metric, direction, priority] = JSON.parse(key) as [string, Direction, Priority];
      const own = limits.filter((story) => keyOf(story) === key);
      const lasted = own.map(({ onsetAtMs, endedAtMs = Infinity }) => endedAtMs - onsetAtMs);
      if (alarms < worthAlarms) return [];
      for (const delayS of delaysS) {
        const spared = lasted.filter((lengthMs) => lengthMs < delayS * 1_000).length;
        if (spared >= worthShare * alarms)
          return [{ metric, direction, priority, alarms, short: own.filter(isShort).length, delayS, spared }];
      }
      return [];
    });
}
