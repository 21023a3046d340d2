/**
 * The one place where this program reads time, waits and draws chance. Everything else is handed a Clock, so a
 * test can hand in a virtual one (test/house/virtual-clock.ts).
 */
export interface Cancel {
  (): void;
}

export interface Clock {
  /** Wall-clock time in ms since 1970, slewed: it never goes backwards and never jumps within this process. */
  nowMs(): number;
  /** Monotonic ms since some fixed instant of this process; delays and patience are measured with it. */
  monotonicMs(): number;
  /** Runs `run` once, `delayMs` from now. */
  after(delayMs: number, run: () => void): Cancel;
  /** Runs `run` every `periodMs`; the first time one period from now. */
  every(periodMs: number, run: () => void): Cancel;
}

export interface SteppedClock extends Clock {
  /** The machine's own wall clock minus ours, ms: a step of the machine's clock shows here at once. */
  machineOffsetMs(): number;
  /**
   * Goes on from this instant if it is behind it. For a start on a machine whose clock was set back, or was lost, since
   * the instants on disk were taken: nothing may be stamped earlier than what is kept already.
   */
  notBefore(atMs: number): void;
}

/** Follows the machine's clock by at most 500 ppm, as NTP slewing does, so ordering survives a step of it. */
const slewMsPerMs = 0.0005;

export function systemClock(): SteppedClock {
  let anchorWall = Date.now();
  let anchorMono = performance.now();

  const nowMs = (): number => {
    const mono = performance.now();
    const elapsed = mono - anchorMono;
    let wall = anchorWall + elapsed;
    if (elapsed >= 1_000) {
      const error = Date.now() - wall;
      const most = elapsed * slewMsPerMs;
      wall += Math.max(-most, Math.min(most, error));
      anchorWall = wall;
      anchorMono = mono;
    }
    return wall;
  };

  return {
    nowMs: () => Math.floor(nowMs()),
    monotonicMs: () => performance.now(),
    machineOffsetMs: () => Date.now() - nowMs(),
    notBefore: (atMs) => {
      const now = nowMs();
      if (atMs > now) anchorWall += atMs - now;
    },
    after: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    every: (periodMs, run) => {
      const timer = setInterval(run, periodMs);
      return () => clearInterval(timer);
    },
  };
}

/** Waits `delayMs` on the given clock. */
export const pause = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => void clock.after(delayMs, resolve));
