import type { ScreenBeat } from '../../model/stream.ts';

/** Two beats of 2 s missed, and a moment for the way: known within 5 s (CLINICAL 7). */
export const silentAfterMs = 4_500;
const lowBattery = 0.15;
/** A screen whose clock is apart by more shows wrong times; it only warns. */
const clockOffMs = 10_000;

export interface RingVerdict {
  readonly canRing: boolean;
  /** Why not, then what only warns. */
  readonly why: readonly string[];
}

/** What the newest beat and its age say of a handheld; a wall board holds no wake lock. */
export function ringVerdict(
  kind: 'handheld' | 'board',
  seen: { readonly beat?: ScreenBeat; readonly ageMs: number; readonly clockOffsetMs: number },
): RingVerdict {
  const { beat, ageMs, clockOffsetMs } = seen;
  if (!beat || ageMs > silentAfterMs) return { canRing: false, why: ['silent'] };
  const failing = [
    ...(beat.visible ? [] : ['hidden']),
    ...(beat.wakeLock || kind === 'board' ? [] : ['wake-lock-off']),
    ...(beat.audio ? [] : ['audio-off']),
  ];
  const warning = [
    ...((beat.battery ?? 1) < lowBattery ? ['battery-low'] : []),
    ...(Math.abs(clockOffsetMs) > clockOffMs ? ['clock-off'] : []),
  ];
  return { canRing: failing.length === 0, why: [...failing, ...warning] };
}
