import type { Alarm } from '../../model/alarm.ts';
import type { BedId, EncounterId, WardId } from '../../model/ids.ts';
import type { Rows } from '../rows/rows.ts';

/** One transition of one alarm, with the alarm as it stood after it. */
export interface AlarmTransition {
  /** Its number in the log. */
  readonly number: number;
  readonly atMs: number;
  /** Past participle: `raised`, `acknowledged`, `ended` … */
  readonly event: string;
  readonly by?: string;
  readonly reason?: string;
  readonly alarm: Alarm;
}

export interface HistoryAsk {
  readonly ward?: WardId;
  readonly bed?: BedId;
  /** Of these stays only. */
  readonly encounters?: ReadonlySet<EncounterId>;
  /** By the transition's own time; from inclusive, to exclusive. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly limit: number;
  /** The number of the last transition of the page before. */
  readonly before?: number;
  readonly mayHear: (alarm: Alarm) => boolean;
}

const entriesAtOnce = 500;
/** Log entries that one page looks through at most; then it ends early, with a cursor. */
const entriesAPage = 10_000;

/** What happened to alarms, newest first. A page may hold fewer than asked for; the one without `next` is the last. */
export async function alarmHistory(
  rows: Pick<Rows, 'read'>,
  ask: HistoryAsk,
): Promise<{ readonly items: readonly AlarmTransition[]; readonly next?: number }> {
  const { ward, bed, fromMs, toMs, encounters } = ask;
  const where = { ...(ward === undefined ? {} : { ward }), ...(bed === undefined ? {} : { bed }) };
  const items: AlarmTransition[] = [];
  let after = ask.before;
  for (let seen = 0; seen < entriesAPage; seen += entriesAtOnce) {
    const page = { limit: entriesAtOnce, newestFirst: true, where, fromMs, toMs };
    const entries = await rows.read('alarm-log', after === undefined ? page : { ...page, after });
    for (const { number, entry } of entries) {
      const { atMs, event, alarm, by, reason } = entry;
      const wanted = !encounters || (alarm.encounter !== undefined && encounters.has(alarm.encounter));
      if (wanted && ask.mayHear(alarm)) {
        if (items.length === ask.limit) return { items, next: after ?? number + 1 };
        const said = { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
        items.push({ number, atMs, event, ...said, alarm });
      }
      after = number;
    }
    if (entries.length < entriesAtOnce) return { items };
  }
  return after === undefined ? { items } : { items, next: after };
}
