import type { Alarm, Priority } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { AlarmBook, AlarmPatch } from './alarm-book.ts';

/** Patient-side low technical alarms are medium after this on a critical metric (CLINICAL 6). */
export const criticalRiseMs = 60_000;
/** After a start, infrastructure alarms of before that nobody raises again within this have ended meanwhile. */
const restoredGraceMs = 30_000;

export interface TechnicalRequest {
  /** Who must act: patient side the nurse, infrastructure biomed or admin. */
  readonly owner: NonNullable<Alarm['owner']>;
  readonly priority: Priority;
  /** What tells two of one condition apart (a host, a worker); absent: there is one at most. */
  readonly about?: string;
  readonly details?: Alarm['details'];
  readonly ward?: string;
  readonly bed?: string;
  readonly device?: string;
  readonly encounter?: string;
  /** A low one about a critical metric is medium after 60 s by itself. */
  readonly metric?: string;
  /** When it began, if known to have begun earlier. */
  readonly sinceMs?: number;
}

/**
 * Technical alarms: raised and ended by whoever watches the thing, one a condition and `about` at a time. Raising again
 * what is present changes its priority and details only.
 */
export class Technical {
  private readonly clock: Clock;
  private readonly book: AlarmBook;
  private readonly critical: ReadonlySet<string>;
  /** Present low ones that become medium, by the clock's monotonic time. */
  private readonly rises = new Map<string, number>();
  /** Restored infrastructure alarms not yet raised again. */
  private doubtful = new Set<string>();

  constructor(with_: { clock: Clock; book: AlarmBook; critical: ReadonlySet<string> }) {
    this.clock = with_.clock;
    this.book = with_.book;
    this.critical = with_.critical;
  }

  raise(condition: string, request: TechnicalRequest): Alarm['id'] {
    const key = technicalKey(condition, request.about);
    this.doubtful.delete(key);
    const present = this.book.at(key);
    if (!present) {
      const { owner, priority, details, ward, bed, device, encounter, metric, sinceMs } = request;
      if (this.rising(request)) {
        this.rises.set(key, this.clock.monotonicMs() + criticalRiseMs - this.pastMs(sinceMs));
      }
      return this.book.raise(key, {
        kind: 'technical',
        condition,
        priority,
        owner,
        ...given({ ward, bed, device, encounter, metric, details }),
        presence: 'present',
        onsetAtMs: sinceMs ?? this.clock.nowMs(),
        questionable: false,
      }).id;
    }
    this.update(key, present, request);
    return present.id;
  }

  end(condition: string, about?: string, reason?: string): void {
    const key = technicalKey(condition, about);
    this.rises.delete(key);
    this.doubtful.delete(key);
    this.book.end(key, reason === undefined ? {} : { reason });
  }

  present(condition: string, about?: string): Alarm | undefined {
    return this.book.at(technicalKey(condition, about));
  }

  /** The `about` of all that are present of a condition. */
  presentOf(condition: string): readonly string[] {
    const prefix = technicalKey(condition, '');
    return this.book.keysUnder(prefix).map((key) => key.slice(prefix.length));
  }

  /** About twice a second. */
  sweep(): void {
    const monoMs = this.clock.monotonicMs();
    for (const [key, dueMs] of this.rises) {
      if (dueMs > monoMs) continue;
      this.rises.delete(key);
      if (this.book.at(key)?.priority === 'low') this.book.reprioritise(key, { priority: 'medium' });
    }
  }

  /** After a restart: patient-side ones are looked at again by their watchers, the others must be raised again. */
  restored(): void {
    for (const key of this.book.keysUnder('technical:')) {
      const alarm = this.book.at(key);
      if (alarm?.owner !== 'nurse') this.doubtful.add(key);
      else if (this.rising(alarm)) {
        this.rises.set(key, this.clock.monotonicMs() + criticalRiseMs - this.pastMs(alarm.onsetAtMs));
      }
    }
    this.clock.after(restoredGraceMs, () => {
      for (const key of this.doubtful) this.book.end(key, { reason: 'not found again after the restart' });
      this.doubtful = new Set();
    });
  }

  private update(key: string, present: Alarm, request: TechnicalRequest): void {
    const { details, ward, bed, device, priority } = request;
    const patch: AlarmPatch = { details, ward, bed, device };
    if (priority !== present.priority && !this.rising(request)) {
      this.rises.delete(key);
      this.book.reprioritise(key, { ...patch, priority });
    } else if (JSON.stringify(details) !== JSON.stringify(present.details) || bed !== present.bed) {
      this.book.change(key, patch, 'updated');
    }
  }

  private rising(one: { readonly priority: Priority; readonly metric?: string }): boolean {
    return one.priority === 'low' && one.metric !== undefined && this.critical.has(one.metric);
  }

  private pastMs(sinceMs: number | undefined): number {
    return sinceMs === undefined ? 0 : Math.min(criticalRiseMs, Math.max(0, this.clock.nowMs() - sinceMs));
  }
}

export const technicalKey = (condition: string, about = ''): string => `technical:${condition}:${about}`;

/** Leaves out what is undefined, so that an alarm has no empty fields. */
const given = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
