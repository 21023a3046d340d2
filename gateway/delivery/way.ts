import type { Delivery, Priority } from '../../model/alarm.ts';
import type { AlarmId, BedId, PersonId, WardId } from '../../model/ids.ts';

/** One recipient's part in an alarm's way: each time it had to ring anew is one of these. */
export interface DeliveryRecord {
  /** A shift's handheld, a board, or an outlet. */
  readonly to: string;
  readonly kind: 'handheld' | 'board' | 'outlet';
  readonly person?: PersonId;
  readonly delivery: Delivery;
  readonly queuedAtMs: number;
  readonly sentAtMs?: number;
  readonly receivedAtMs?: number;
  readonly shownAtMs?: number;
  readonly failedAtMs?: number;
  /** Why it failed: `hidden`, `audio-off`, `silent`, `unconfirmed` … */
  readonly why?: string;
}

/** The way of one alarm, from the sample to every handheld (DESIGN promise 9). */
export interface AlarmWay {
  readonly alarm: AlarmId;
  readonly ward?: WardId;
  readonly bed?: BedId;
  readonly priority: Priority;
  /** Receipt of the sample that raised it; absent when no sample did. */
  readonly sampleReceivedAtMs?: number;
  readonly judgedAtMs: number;
  readonly deliveries: readonly DeliveryRecord[];
  /** Deliveries beyond the bound, of which only the number is kept. */
  readonly more: number;
}
