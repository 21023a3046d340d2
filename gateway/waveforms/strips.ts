import type { Alarm } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import { Fault } from '../../model/fault.ts';
import type { AttributedSpan, Whose } from '../query/types.ts';
import type { StripOrder } from './protocol.ts';
import type { Waveforms } from './waveforms.ts';

export interface StripsOptions {
  readonly clock: Clock;
  readonly waveforms: Pick<Waveforms, 'keepStrip'>;
  readonly spansOf: (whose: Whose, fromMs: number, toMs: number) => readonly AttributedSpan[];
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Orders that wait for the store at most; the oldest go. Alarms whose order was lost have a strip for the usual time only. */
const waitingAtMost = 1_000;
const retryMs = 1_000;
const rememberedAtMost = 4_000;

/**
 * Orders the strip of each physiological alarm in the tick it is raised: the waves of its bed before and after. The
 * store keeps them, and cuts them out when it deletes what is around them; so late blocks are in them too.
 */
export function keepStrips(options: StripsOptions) {
  const { clock, waveforms, spansOf, beforeMs, afterMs } = options;
  const waiting = new Map<string, StripOrder>();
  const ordered = new Set<string>();
  let sending = false;

  const send = async (): Promise<void> => {
    if (sending) return;
    sending = true;
    try {
      for (const [alarm, strip] of waiting) {
        await waveforms.keepStrip(strip);
        waiting.delete(alarm);
      }
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      clock.after(retryMs, () => void send());
    } finally {
      sending = false;
    }
  };

  const remember = (alarm: string): void => {
    ordered.add(alarm);
    const [oldest] = ordered;
    if (ordered.size > rememberedAtMost && oldest !== undefined) ordered.delete(oldest);
  };

  return {
    /** Each change of an alarm; the first that shows it raised orders its strip. Told again after a restart, it is the same order. */
    alarmChanged({ id, kind, ward, bed, encounter, raisedAtMs, presence }: Alarm): void {
      if (kind !== 'physiological' || ward === undefined || bed === undefined || presence === 'absent')
        return;
      if (ordered.has(id) || beforeMs + afterMs === 0) return;
      remember(id);
      const [fromMs, toMs] = [raisedAtMs - beforeMs, raisedAtMs + afterMs];
      const devices = [...new Set(spansOf({ bed }, fromMs, toMs).map(({ device }) => device))];
      if (devices.length === 0) return;
      waiting.set(id, { alarm: id, ward, bed, encounter, raisedAtMs, fromMs, toMs, devices });
      const [oldest] = waiting.keys();
      if (waiting.size > waitingAtMost && oldest !== undefined) waiting.delete(oldest);
      void send();
    },
  };
}
