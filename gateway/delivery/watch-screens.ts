import type { Alarm } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { WardId } from '../../model/ids.ts';
import type { TechnicalRequest } from '../alarm/technical.ts';
import type { People } from '../people/people.ts';
import type { Recipient, Recipients } from './recipients.ts';
import { unreachedCondition } from './router.ts';

/** With nothing ringing there the charge nurse is told after this (CLINICAL 7). */
const handheldMuteMs = 30_000;
const boardMuteMs = 5_000;
const handheldCondition = 'handheld-cannot-ring';
const boardCondition = 'board-cannot-sound';
export const overflowCondition = 'delivery-overflow';

export interface ScreenWatchHouse {
  readonly clock: Clock;
  readonly people: Pick<People, 'shifts'>;
  readonly recipients: Recipients;
  readonly technical: {
    raise(condition: string, request: TechnicalRequest): void;
    end(condition: string, about?: string): void;
    presentOf(condition: string): readonly string[];
  };
}

/** Handhelds that cannot ring, boards that lost their sound, and alarms that reached nobody: technical alarms of their ward. */
export class ScreenWatch {
  private readonly house: ScreenWatchHouse;
  private readonly unreachedTold = new Map<WardId, string>();

  constructor(house: ScreenWatchHouse) {
    this.house = house;
  }

  /** About once a second. */
  look(): void {
    const mute = new Set<string>();
    for (const recipient of this.house.recipients.all()) {
      if (!this.isMute(recipient)) continue;
      mute.add(recipient.id);
      this.raise(recipient);
    }
    for (const condition of [handheldCondition, boardCondition]) {
      for (const about of this.house.technical.presentOf(condition))
        if (!mute.has(about) && !this.isAwaited(about)) this.house.technical.end(condition, about);
    }
    this.lookAtOverflow();
  }

  /** What was given up for want of room is told until the queue is empty again. */
  private lookAtOverflow(): void {
    const { technical, recipients } = this.house;
    for (const about of technical.presentOf(overflowCondition))
      if ((recipients.get(about)?.queue.depth ?? 0) === 0) technical.end(overflowCondition, about);
  }

  /** All alarms that ring nowhere now: one technical alarm a ward. */
  unreached(alarms: readonly Alarm[]): void {
    const byWard = new Map<WardId, Alarm[]>();
    for (const alarm of alarms) {
      const ward = alarm.ward ?? '';
      byWard.set(ward, [...(byWard.get(ward) ?? []), alarm]);
    }
    for (const [ward, lost] of byWard) this.raiseUnreached(ward, lost);
    for (const ward of this.house.technical.presentOf(unreachedCondition)) {
      if (byWard.has(ward)) continue;
      this.unreachedTold.delete(ward);
      this.house.technical.end(unreachedCondition, ward);
    }
  }

  private raiseUnreached(ward: WardId, lost: readonly Alarm[]): void {
    const most = lost.some((alarm) => alarm.priority === 'high') ? 'high' : 'medium';
    const text = `${lost.length} ${most}`;
    if (this.unreachedTold.get(ward) === text) return;
    this.unreachedTold.set(ward, text);
    this.house.technical.raise(unreachedCondition, {
      about: ward,
      owner: 'nurse',
      priority: most,
      ...(ward === '' ? {} : { ward }),
      details: { alarms: lost.length },
    });
  }

  private isMute({ kind, cannotRingSinceMs }: Recipient): boolean {
    if (cannotRingSinceMs === undefined) return false;
    const since = this.house.clock.monotonicMs() - cannotRingSinceMs;
    return since >= (kind === 'board' ? boardMuteMs : handheldMuteMs);
  }

  /** Told before a restart, and its screen has not had the time to come back. */
  private isAwaited(about: string): boolean {
    const known = this.house.recipients.get(about);
    return known !== undefined && known.cannotRingSinceMs !== undefined;
  }

  private raise({ id, kind, wards, verdict }: Recipient): void {
    const ward = wards === 'all' ? undefined : wards[0];
    const why = verdict.why[0] ?? 'silent';
    const handheld = this.house.people.shifts.shift(id)?.handheld;
    this.house.technical.raise(kind === 'board' ? boardCondition : handheldCondition, {
      about: id,
      owner: 'nurse',
      priority: kind === 'board' ? 'medium' : 'low',
      ...(ward === undefined ? {} : { ward }),
      details: { why, ...(handheld === undefined ? {} : { handheld }) },
    });
  }
}
