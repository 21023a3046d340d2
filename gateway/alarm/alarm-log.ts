import type { Alarm, Priority } from '../../model/alarm.ts';
import type { AlarmLogEntry, Rows } from '../rows/rows.ts';
import type { JudgeState } from './limit-judge.ts';

/** Why an alarm was told again. `recorded`: nothing changed but that the newest transition is now on disk. */
export const alarmCauses = [
  'raised',
  'escalated',
  'deescalated',
  'onsetMoved',
  'sourceLost',
  'sourceBack',
  'updated',
  'acknowledged',
  'accepted',
  'rejected',
  'acceptanceExpired',
  'audioPaused',
  'audioOff',
  'alarmPaused',
  'alarmOff',
  'resumed',
  'realarmed',
  'reminded',
  'routed',
  'redirected',
  'passedOn',
  'wholeWard',
  'latched',
  'ended',
  'cleared',
  'restored',
  'recorded',
] as const;
export type AlarmCause = (typeof alarmCauses)[number];

/**
 * What the router says of a redirection: `routed` to the first level, `redirected` by hand, `passedOn` by patience or
 * rejection, to the `wholeWard` after the last level.
 */
export type RouteCause = Extract<AlarmCause, 'routed' | 'redirected' | 'passedOn' | 'wholeWard'>;

/** Where one band of a limit alarm stands. */
export interface BandState {
  readonly priority: Priority;
  readonly state: JudgeState;
}

/** One transition of one alarm, as kept. The whole alarm stands in it: the newest entry of an alarm is its state. */
export interface AlarmEntry {
  readonly version: 1;
  readonly atMs: number;
  readonly cause: AlarmCause;
  /** What the alarm is about: one present alarm a key at most. */
  readonly key: string;
  readonly alarm: Alarm;
  readonly bands?: readonly BandState[];
  /** Raised by a single measurement: once acknowledged it is quiet until the next one. */
  readonly episodic?: boolean;
  /** Who acted, by id, and why. */
  readonly by?: string;
  readonly reason?: string;
}

/** All alarms present at an instant; the log need only be read after `number`. */
export interface AlarmCheckpoint {
  readonly version: 1;
  readonly number: number;
  readonly standing: readonly AlarmEntry[];
}

/** `append` resolves with the entry's number when it is on disk. */
export interface AlarmLog {
  append(entry: AlarmEntry): Promise<number>;
  checkpoint(checkpoint: AlarmCheckpoint): Promise<void>;
  /** The newest checkpoint's alarms, then every entry after it, oldest first, with its number in the log. */
  entries(): AsyncIterable<{ readonly number: number; readonly entry: AlarmEntry }>;
}

/** The newest state of every alarm that had not ended, oldest alarm first; `number` is the last entry read. */
export async function standingAlarms(log: AlarmLog): Promise<AlarmCheckpoint> {
  const newest = new Map<string, AlarmEntry>();
  let reached = 0;
  for await (const { number, entry } of log.entries()) {
    reached = Math.max(reached, number);
    const known = newest.get(entry.alarm.id);
    if (!known || known.alarm.version <= entry.alarm.version) newest.set(entry.alarm.id, entry);
  }
  const standing = [...newest.values()]
    .filter((entry) => entry.alarm.endedAtMs === undefined)
    .sort((a, b) => a.alarm.raisedAtMs - b.alarm.raisedAtMs);
  return { version: 1, number: reached, standing };
}

/** What the alarm log needs of the rows. */
export type AlarmRows = Pick<Rows, 'append' | 'read' | 'load' | 'put'>;

const checkpointId = 'alarms-standing';
const pageEntries = 1_000;

/** The alarm log in the rows: transitions in `alarm-log`, the checkpoint as a setting. */
export function alarmLog(rows: AlarmRows): AlarmLog {
  return {
    append: (entry) => rows.append('alarm-log', logged(entry)),
    checkpoint: (checkpoint) => rows.put('settings', { id: checkpointId, value: checkpoint }),
    async *entries() {
      const settings = await rows.load('settings');
      const kept = settings.find((row) => row.id === checkpointId)?.value as AlarmCheckpoint | undefined;
      let after = kept?.number ?? 0;
      for (const entry of kept?.standing ?? []) yield { number: after, entry };
      for (;;) {
        const page = await rows.read('alarm-log', { after, limit: pageEntries });
        for (const { number, entry } of page) {
          const read = unlogged(entry);
          if (read) yield { number, entry: read };
        }
        const last = page.at(-1);
        if (!last || page.length < pageEntries) return;
        after = last.number;
      }
    },
  };
}

function logged(entry: AlarmEntry): AlarmLogEntry {
  const { atMs, cause, alarm, by, reason, key, bands, episodic } = entry;
  return {
    atMs,
    event: cause,
    alarm,
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
    details: { key, ...(bands ? { bands } : {}), ...(episodic ? { episodic } : {}) },
  };
}

function unlogged(entry: AlarmLogEntry): AlarmEntry | undefined {
  const { atMs, event, alarm, by, reason } = entry;
  const details = entry.details as Pick<AlarmEntry, 'key' | 'bands' | 'episodic'> | undefined;
  if (details?.key === undefined) return undefined;
  return { ...details, version: 1, atMs, cause: event as AlarmCause, alarm, by, reason };
}
