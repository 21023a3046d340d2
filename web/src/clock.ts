/** The one place of the screens that reads time and waits. */
export const now = (): number => Date.now();
/** Monotonic ms: silence and ages of the connection are measured with it. */
export const monotonic = (): number => performance.now();

export function every(periodMs: number, run: () => void): () => void {
  const timer = setInterval(run, periodMs);
  return () => clearInterval(timer);
}

export function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** Between 0.5 and 1.5: so that a ward's screens do not come back in one blow. */
export const jitter = (): number => 0.5 + Math.random();
