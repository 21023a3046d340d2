import type { Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';

export interface Deadline {
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits for `start`, at most `deadlineMs` and no longer than `signal` allows. `start` is told to give up by `expired`;
 * what it may still bring afterwards is handed to `late`, so that nothing is left open.
 */
export function withDeadline<T>(
  { clock, deadlineMs, signal }: Deadline,
  fault: () => Fault,
  start: () => Promise<T>,
  late: (value: T) => void = () => {},
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let settled = false;
    const finish = (act: () => void): void => {
      if (settled) return;
      settled = true;
      cancel();
      signal?.removeEventListener('abort', aborted);
      act();
    };
    const aborted = (): void => finish(() => reject(signal?.reason ?? fault()));
    const cancel = clock.after(deadlineMs, () => finish(() => reject(fault())));
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    start().then(
      (value) => (settled ? late(value) : finish(() => resolve(value))),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
