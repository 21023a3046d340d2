import type { Alarm } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { AlarmId } from '../../model/ids.ts';
import type { DeliverySound } from '../../model/stream.ts';
import type { Recipient } from './recipients.ts';
import type { Ways } from './ways.ts';

/** What a recipient was last told of one alarm. */
interface Told {
  readonly recipient: Recipient;
  /** Which ring it was. */
  ring: number;
  sound: DeliverySound;
  /** When, monotonic ms. */
  atMs: number;
  /** Confirmed by one that can ring. */
  shown: boolean;
}

export interface SoundingHouse {
  readonly clock: Clock;
  readonly ways: Ways;
  readonly tellOutlet: (outlet: string, alarm: Alarm) => boolean;
}

/** Where one alarm sounds, and what each recipient was told of it. */
export class Sounding {
  private readonly house: SoundingHouse;
  private readonly alarm: AlarmId;
  private readonly recipients = new Map<string, Told>();
  private readonly outlets = new Map<string, number>();
  private ring = 1;

  constructor(house: SoundingHouse, alarm: AlarmId) {
    this.house = house;
    this.alarm = alarm;
  }

  /** From now on it rings anew: everybody is told again. */
  again(): void {
    this.ring += 1;
  }

  told(recipient: string): Pick<Told, 'shown' | 'atMs'> | undefined {
    const told = this.recipients.get(recipient);
    return told && isSounding(told) ? told : undefined;
  }

  shownBy(recipient: string): void {
    const told = this.recipients.get(recipient);
    if (told) told.shown = true;
  }

  /** A delivery without a word in time, or at a screen that cannot ring: told in its way, once. */
  giveUp(withinMs: number): void {
    const nowMs = this.house.clock.monotonicMs();
    for (const told of this.recipients.values()) {
      const { recipient, shown, atMs } = told;
      if (!isSounding(told) || shown) continue;
      const { canRing, why } = recipient.verdict;
      if (canRing && nowMs - atMs < withinMs) continue;
      const cause = canRing ? 'unconfirmed' : (why[0] ?? 'silent');
      this.house.ways.happened(this.alarm, recipient.id, 'timeOver', cause);
    }
  }

  /** Recipients it sounds at. */
  at(): readonly string[] {
    return [...this.recipients.values()].filter(isSounding).map(({ recipient }) => recipient.id);
  }

  persons(): readonly string[] {
    return [...this.recipients.values()]
      .filter((told) => isSounding(told) && told.recipient.kind === 'handheld')
      .map(({ recipient }) => recipient.person);
  }

  /** It sounds there and nowhere else; who was told the same already is not told again. */
  set(
    alarm: Alarm,
    { at, sound, cause }: { at: readonly Recipient[]; sound: DeliverySound; cause: string },
  ): void {
    const wanted = new Set(at.map((one) => one.id));
    for (const told of this.recipients.values()) {
      if (!wanted.has(told.recipient.id) && isSounding(told)) this.tell(alarm, told, 'none', cause);
    }
    for (const recipient of at) {
      const told = this.recipients.get(recipient.id);
      if (told?.recipient === recipient && told.ring === this.ring && told.sound === sound) continue;
      this.deliver(alarm, recipient, sound, cause);
    }
  }

  /** It rests: whoever heard it is told so. */
  quiet(alarm: Alarm, cause: string): void {
    for (const told of this.recipients.values()) if (isSounding(told)) this.tell(alarm, told, 'none', cause);
  }

  /** A latched one whose condition is gone reminds where it was heard. */
  remind(alarm: Alarm, cause: string): void {
    for (const told of this.recipients.values())
      if (isSounding(told) && told.sound !== 'reminder') this.tell(alarm, told, 'reminder', cause);
  }

  /** Once each ring. */
  outlet(alarm: Alarm, outlet: string): void {
    if (this.outlets.get(outlet) === this.ring) return;
    this.outlets.set(outlet, this.ring);
    const { ways, tellOutlet } = this.house;
    ways.queued(alarm, { to: outlet, kind: 'outlet' });
    if (tellOutlet(outlet, alarm)) ways.happened(this.alarm, outlet, 'sent');
    else ways.happened(this.alarm, outlet, 'timeOver', 'absent');
  }

  private deliver(alarm: Alarm, recipient: Recipient, sound: DeliverySound, cause: string): void {
    const { id, kind, person } = recipient;
    const atMs = this.house.clock.monotonicMs();
    this.recipients.set(id, { recipient, ring: this.ring, sound, atMs, shown: false });
    this.house.ways.queued(alarm, { to: id, kind, person });
    recipient.queue.put({ alarm, sound, cause, also: this.persons().filter((one) => one !== person) });
  }

  private tell(alarm: Alarm, told: Told, sound: DeliverySound, cause: string): void {
    told.sound = sound;
    told.recipient.queue.put({ alarm, sound, cause, also: this.persons() });
  }
}

const isSounding = ({ sound }: Told): boolean => sound !== 'none';
