/** Technical alarms of the time-series servers: stopped, lagging, refusing. */
import type { Clock } from '../../../model/clock.ts';
import type { TechnicalRequest } from '../../alarm/technical.ts';
import type { SinkView } from './server-sink.ts';

export interface TechnicalAlarms {
  raise(condition: string, request: TechnicalRequest): unknown;
  end(condition: string, about?: string): void;
}

/** A server that is away for less than this is a matter of course. */
const awayAlarmMs = 10_000;
/** Told until so long after the last refusal. */
const refusingMs = 600_000;

export class SinkWatch {
  private readonly clock: Clock;
  /** By sink: how many were refused, and when the count last grew (monotonic). */
  private readonly refused = new Map<string, { readonly count: number; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  look(alarms: TechnicalAlarms, view: SinkView, lagAlarmMs: number): void {
    this.stopped(alarms, view);
    this.refusing(alarms, view);
    const { id, lagMs } = view;
    if (lagMs > lagAlarmMs)
      alarms.raise('sink-lagging', { owner: 'biomed', priority: 'low', about: id, details: { sink: id } });
    else if (lagMs < lagAlarmMs / 2) alarms.end('sink-lagging', id);
  }

  private stopped(alarms: TechnicalAlarms, { id, state, sinceMs, fault }: SinkView): void {
    const forMs = sinceMs === undefined ? 0 : this.clock.nowMs() - sinceMs;
    if (state === 'delivering') alarms.end('sink-stopped', id);
    else if (state === 'paused' || forMs >= awayAlarmMs) {
      const details = { sink: id, code: fault?.code ?? 'SINK_AWAY' };
      const priority = state === 'paused' ? 'medium' : 'low';
      alarms.raise('sink-stopped', { owner: 'biomed', priority, about: id, details });
    }
  }

  private refusing(alarms: TechnicalAlarms, { id, refused }: SinkView): void {
    const known = this.refused.get(id) ?? { count: 0, atMs: -Infinity };
    const atMs = refused > known.count ? this.clock.monotonicMs() : known.atMs;
    this.refused.set(id, { count: refused, atMs });
    if (this.clock.monotonicMs() - atMs > refusingMs) alarms.end('sink-refusing', id);
    else
      alarms.raise('sink-refusing', {
        owner: 'biomed',
        priority: 'low',
        about: id,
        details: { sink: id, observations: refused },
      });
  }
}
