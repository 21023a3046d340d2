/** Whether a server may be spoken to now: open, or closed until an instant, for both lanes alike. */
import type { Cancel, Clock } from '../../../model/clock.ts';
import { Fault } from '../../../model/fault.ts';
import type { Chance } from '../../../model/ids.ts';
import type { Verdict } from './answers.ts';

/** `waiting`: it is away or overloaded. `paused`: a person must act; it is tried now and then all the same. */
export type GateState = 'delivering' | 'waiting' | 'paused';
export type Interruption = Extract<Verdict, { kind: 'later' | 'pause' }>;

export interface GateOptions {
  readonly sink: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly retryMaxMs: number;
  readonly probeMs: number;
  /** State or fault have changed. */
  readonly changed: () => void;
}

const firstRetryMs = 250;

export class Gate {
  state: GateState = 'delivering';
  fault: Fault | undefined;
  /** Wall clock. */
  sinceMs: number | undefined;
  private readonly options: GateOptions;
  private attempts = 0;
  private untilMs = -Infinity;
  private closed = false;
  private readonly sleepers = new Map<() => void, Cancel>();

  constructor(options: GateOptions) {
    this.options = options;
  }

  get nextTryAtMs(): number | undefined {
    const leftMs = this.untilMs - this.options.clock.monotonicMs();
    return this.state === 'delivering' ? undefined : this.options.clock.nowMs() + Math.max(0, leftMs);
  }

  /** Resolves when it is time to try (again). */
  async open(): Promise<void> {
    for (;;) {
      const leftMs = this.untilMs - this.options.clock.monotonicMs();
      if (leftMs <= 0 || this.closed) return;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.sleepers.get(wake)?.();
          this.sleepers.delete(wake);
          resolve();
        };
        this.sleepers.set(wake, this.options.clock.after(leftMs, wake));
      });
    }
  }

  passed(): void {
    this.attempts = 0;
    this.untilMs = -Infinity;
    if (this.state === 'delivering') return;
    this.state = 'delivering';
    this.fault = undefined;
    this.sinceMs = undefined;
    this.options.changed();
    this.wakeAll();
  }

  /** A try failed. The two lanes' failures of one moment count as one. */
  shut(why: Interruption): void {
    const { clock, sink } = this.options;
    const now = clock.monotonicMs();
    if (this.untilMs <= now) this.attempts++;
    this.untilMs = Math.max(this.untilMs, now + this.waitMs(why));
    this.state = why.kind === 'pause' ? 'paused' : 'waiting';
    this.fault = new Fault(why.kind === 'pause' ? why.code : 'SINK_AWAY', { sink, cause: why.cause });
    this.sinceMs ??= clock.nowMs();
    this.options.changed();
  }

  /** Lets everybody go; nobody waits from then on. */
  close(): void {
    this.closed = true;
    this.wakeAll();
  }

  private wakeAll(): void {
    for (const wake of [...this.sleepers.keys()]) wake();
  }

  /** Doubles from try to try, half of it by chance, so that many gateways do not come back in step. */
  private waitMs(why: Interruption): number {
    const { chance, retryMaxMs, probeMs } = this.options;
    const spread = 0.5 + chance.fraction() / 2;
    if (why.kind === 'pause') return probeMs * spread;
    const grown = firstRetryMs * 2 ** Math.min(30, this.attempts);
    return Math.max(Math.min(retryMaxMs, grown) * spread, why.afterMs ?? 0);
  }
}
