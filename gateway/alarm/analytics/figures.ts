/** Figures of a ward's alarms, from its alarm log alone. Pure: entries in, figures out. */
import { priorities, type Direction, type Priority } from '../../../model/alarm.ts';
import type { AlarmLogEntry } from '../../rows/tables.ts';

/** What became of one alarm, put together from its transitions. */
export interface AlarmStory {
  readonly id: string;
  readonly bed: string | undefined;
  /** The metric of a limit or of a device's own alarm, else the condition. */
  readonly about: string;
  readonly kind: 'physiological' | 'technical';
  readonly condition: string;
  readonly direction: Direction | undefined;
  /** The highest it came to. */
  priority: Priority;
  readonly onsetAtMs: number;
  readonly raisedAtMs: number;
  endedAtMs: number | undefined;
  /** A person first took note: acknowledged, accepted, rejected, paused or cleared it. */
  respondedAtMs: number | undefined;
  acknowledgedMs: number;
  acknowledgedSinceMs: number | undefined;
  pauses: number;
}

const responses: ReadonlySet<string> = new Set([
  'acknowledged',
  'accepted',
  'rejected',
  'redirected',
  'audioPaused',
  'audioOff',
  'alarmPaused',
  'alarmOff',
  'cleared',
]);
const pauses: ReadonlySet<string> = new Set(['audioPaused', 'audioOff', 'alarmPaused', 'alarmOff']);

/** Collects transitions, oldest first; alarms raised before the first entry are left out. */
export class AlarmStories {
  private readonly stories = new Map<string, AlarmStory>();

  add({ atMs, event, alarm }: AlarmLogEntry): void {
    const known = this.stories.get(alarm.id);
    if (!known) {
      if (event !== 'raised') return;
      const { id, bed, kind, condition, metric, direction, priority, onsetAtMs, raisedAtMs } = alarm;
      this.stories.set(id, {
        id,
        bed,
        about: metric ?? condition,
        kind,
        condition,
        direction,
        priority,
        onsetAtMs,
        raisedAtMs,
        endedAtMs: undefined,
        respondedAtMs: undefined,
        acknowledgedMs: 0,
        acknowledgedSinceMs: undefined,
        pauses: 0,
      });
      return;
    }
    if (priorities.indexOf(alarm.priority) > priorities.indexOf(known.priority))
      known.priority = alarm.priority;
    if (responses.has(event)) known.respondedAtMs ??= atMs;
    if (pauses.has(event)) known.pauses++;
    const acknowledged = alarm.inactivation === 'acknowledged' && alarm.endedAtMs === undefined;
    if (acknowledged) known.acknowledgedSinceMs ??= atMs;
    else if (known.acknowledgedSinceMs !== undefined) {
      known.acknowledgedMs += atMs - known.acknowledgedSinceMs;
      known.acknowledgedSinceMs = undefined;
    }
    if (alarm.endedAtMs !== undefined) known.endedAtMs ??= alarm.endedAtMs;
  }

  /** All of them; what is still acknowledged counts until `nowMs`. */
  all(nowMs: number): AlarmStory[] {
    return [...this.stories.values()].map((story) => {
      const since = story.acknowledgedSinceMs;
      return since === undefined ? story : { ...story, acknowledgedMs: story.acknowledgedMs + nowMs - since };
    });
  }
}

export interface AboutCount {
  readonly about: string;
  readonly priority: Priority;
  readonly alarms: number;
  readonly perBedAndDay: number;
}

export interface AlarmFigures {
  readonly alarms: number;
  readonly physiological: number;
  readonly technical: number;
  readonly perBedAndDay: number;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
  readonly byAbout: readonly AboutCount[];
  /** Share of ten-minute stretches in which more than ten alarms were raised. */
  readonly floodShare: number;
  /** From raising to the first act of a person; of alarms that had one. */
  readonly responseP50S: number;
  readonly responseP90S: number;
  readonly responded: number;
  readonly acknowledgedS: number;
  readonly pauses: number;
  /** Ended within 15 s of being raised. */
  readonly short: number;
}

const dayMs = 86_400_000;
const floodMs = 600_000;
const floodAlarms = 10;
export const shortMs = 15_000;

/** Figures of the alarms raised in [fromMs, toMs), among those given. */
export function figuresOf(
  stories: readonly AlarmStory[],
  { fromMs, toMs, beds }: { readonly fromMs: number; readonly toMs: number; readonly beds: number },
): AlarmFigures {
  const raised = stories.filter(({ raisedAtMs }) => raisedAtMs >= fromMs && raisedAtMs < toMs);
  const bedDays = (beds * (toMs - fromMs)) / dayMs;
  const per = (alarms: number): number => (bedDays > 0 ? alarms / bedDays : 0);
  const count = (is: (story: AlarmStory) => boolean): number => raised.filter(is).length;
  const waits = raised
    .flatMap(({ raisedAtMs, respondedAtMs }) =>
      respondedAtMs === undefined ? [] : [respondedAtMs - raisedAtMs],
    )
    .toSorted((a, b) => a - b);
  const sum = (of: (story: AlarmStory) => number): number =>
    raised.reduce((all, story) => all + of(story), 0);
  return {
    alarms: raised.length,
    physiological: count(({ kind }) => kind === 'physiological'),
    technical: count(({ kind }) => kind === 'technical'),
    perBedAndDay: per(raised.length),
    high: count(({ priority }) => priority === 'high'),
    medium: count(({ priority }) => priority === 'medium'),
    low: count(({ priority }) => priority === 'low'),
    byAbout: countedBy(raised, ({ about, priority }) => JSON.stringify([about, priority])).map(
      ([key, alarms]) => {
        const [about, priority] = JSON.parse(key) as [string, Priority];
        return { about, priority, alarms, perBedAndDay: per(alarms) };
      },
    ),
    floodShare: floodShare(raised, fromMs, toMs),
    responseP50S: quantile(waits, 0.5) / 1_000,
    responseP90S: quantile(waits, 0.9) / 1_000,
    responded: waits.length,
    acknowledgedS: sum(({ acknowledgedMs }) => acknowledgedMs) / 1_000,
    pauses: sum((story) => story.pauses),
    short: count(isShort),
  };
}

export const isShort = ({ raisedAtMs, endedAtMs = Infinity }: AlarmStory): boolean =>
  endedAtMs - raisedAtMs < shortMs;

/** The nearest rank (the smallest value that so many are not above); 0 of none. */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;

/** Most first. */
export function countedBy<T>(all: readonly T[], key: (one: T) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(key(one), (counts.get(key(one)) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

function floodShare(raised: readonly AlarmStory[], fromMs: number, toMs: number): number {
  const stretches = Math.ceil((toMs - fromMs) / floodMs);
  const counts = new Uint32Array(Math.max(0, stretches));
  for (const { raisedAtMs } of raised) {
    const at = Math.floor((raisedAtMs - fromMs) / floodMs);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return stretches > 0 ? counts.filter((alarms) => alarms > floodAlarms).length / stretches : 0;
}
