import type { Cancel, Clock } from '../../model/clock.ts';

interface Timer {
  dueMs: number;
  readonly order: number;
  readonly periodMs: number | undefined;
  readonly run: () => void;
  cancelled: boolean;
}

export interface VirtualClock extends Clock {
  /** Lets `ms` pass: runs every timer due in it, in order of time and then of making, and the promises they settle. */
  pass(ms: number): Promise<void>;
  /** The same without waiting for promises. */
  passSync(ms: number): void;
}

/** A clock that stands still until a test lets time pass. Wall and monotonic time start together. */
export function virtualClock(startAtMs = Date.UTC(2026, 0, 5, 2, 0, 0)): VirtualClock {
  let elapsed = 0;
  let order = 0;
  let timers: Timer[] = [];

  const add = (delayMs: number, periodMs: number | undefined, run: () => void): Cancel => {
    const timer: Timer = {
      dueMs: elapsed + Math.max(0, delayMs),
      order: order++,
      periodMs,
      run,
      cancelled: false,
    };
    timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  };

  const next = (untilMs: number): Timer | undefined => {
    timers = timers.filter((timer) => !timer.cancelled);
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueMs > untilMs) continue;
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order))
        first = timer;
    }
    return first;
  };

  const fire = (timer: Timer): void => {
    elapsed = timer.dueMs;
    if (timer.periodMs === undefined) timer.cancelled = true;
    else timer.dueMs += timer.periodMs;
    timer.run();
  };

  return {
    nowMs: () => startAtMs + Math.floor(elapsed),
    monotonicMs: () => elapsed,
    after: (delayMs, run) => add(delayMs, undefined, run),
    every: (periodMs, run) => add(periodMs, periodMs, run),
    passSync: (ms) => {
      const until = elapsed + ms;
      for (let timer = next(until); timer; timer = next(until)) fire(timer);
      elapsed = until;
    },
    pass: async (ms) => {
      const until = elapsed + ms;
      await settled();
      for (let timer = next(until); timer; timer = next(until)) {
        fire(timer);
        await settled();
      }
      elapsed = until;
      await settled();
    },
  };
}

/** Lets promise reactions run, those they cause too. */
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
};
