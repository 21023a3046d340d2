import type { Clock } from '../../model/clock.ts';
import type { AlarmId, PersonId, WardId } from '../../model/ids.ts';
import type { Shift } from '../../model/people.ts';
import type { DeliveryPlace, ScreenBeat } from '../../model/stream.ts';
import { DeliveryQueue } from './queue.ts';
import { ringVerdict, type RingVerdict } from './ring-check.ts';

/** A sweep this late means this process stood still. */
const stalledMs = 1_000;
/** Said to be shown while it could not ring; beyond it a screen says so again. */
const mostClaimed = 1_000;

/** One screen that alarms are delivered to: the handheld of an open shift, or a wall board. */
export interface Recipient {
  /** The shift's id, or `board-` and the display's person. */
  readonly id: string;
  readonly kind: 'handheld' | 'board';
  readonly person: PersonId;
  readonly wards: readonly WardId[] | 'all';
  readonly queue: DeliveryQueue;
  verdict: RingVerdict;
  /** Since when it cannot ring, monotonic ms. */
  cannotRingSinceMs: number | undefined;
  beat: ScreenBeat | undefined;
  beatAtMs: number;
  clockOffsetMs: number;
  send: ((text: string) => void) | undefined;
  /** Numbers it said to show while it could not ring: they count when it can. */
  readonly claimed: Set<number>;
}

/** What a stream holds after it has named itself. */
export interface Connection {
  beat(beat: ScreenBeat): void;
  received(numbers: readonly number[]): void;
  shown(numbers: readonly number[]): void;
  close(): void;
}

export interface RecipientsHouse {
  readonly clock: Clock;
  readonly epoch: string;
  readonly shift: (id: string) => Shift | undefined;
  /** An alarm's delivery there: it left, arrived, is shown, or was given up. */
  readonly told: (
    recipient: Recipient,
    alarm: AlarmId,
    what: 'sent' | 'received' | 'shown' | 'overflow',
  ) => void;
  /** Whether it can ring has changed, or it has just come. */
  readonly changed: (recipient: Recipient) => void;
}

/** Recipients by id; those of ended shifts are gone. A board stays known until the restart: its silence is told. */
export class Recipients {
  private readonly house: RecipientsHouse;
  private readonly byId = new Map<string, Recipient>();
  private readonly byPerson = new Map<PersonId, Recipient>();
  private sweptAtMs: number;
  /** Silence counts from here on at the earliest: the end of a standstill of our own, in which nobody was heard. */
  floorMs = -Infinity;

  constructor(house: RecipientsHouse) {
    this.house = house;
    this.sweptAtMs = house.clock.monotonicMs();
  }

  all(): Iterable<Recipient> {
    return this.byId.values();
  }

  get(id: string): Recipient | undefined {
    return this.byId.get(id);
  }

  /** The handheld of a person's open shift. */
  handheldOf(person: PersonId): Recipient | undefined {
    return this.byPerson.get(person);
  }

  boardsOf(wards: readonly WardId[]): readonly Recipient[] {
    return [...this.byId.values()].filter(
      (one) => one.kind === 'board' && wards.some((ward) => one.wards === 'all' || one.wards.includes(ward)),
    );
  }

  /** An open shift has a queue from its beginning, so that what rings before its stream opens is sent then. */
  ofShift({ id, person, wards }: Shift): Recipient {
    const known = this.byId.get(id);
    if (known) return known;
    const made = this.make({ id, kind: 'handheld', person, wards });
    this.byPerson.set(person, made);
    return made;
  }

  ofBoard(person: PersonId, wards: readonly WardId[] | 'all'): Recipient {
    const id = `board-${person}`;
    return this.byId.get(id) ?? this.make({ id, kind: 'board', person, wards });
  }

  /** The shift is over: what still waits there rings elsewhere. */
  forget(id: string): void {
    const gone = this.byId.get(id);
    if (!gone) return;
    this.byId.delete(id);
    if (this.byPerson.get(gone.person) === gone) this.byPerson.delete(gone.person);
    gone.queue.disconnect();
  }

  connect(recipient: Recipient, send: (text: string) => void, from?: DeliveryPlace): Connection {
    recipient.send = send;
    this.look(recipient);
    this.tellVerdict(recipient);
    recipient.queue.connect(send, from);
    const mine = (): boolean => recipient.send === send;
    return {
      beat: (beat) => {
        if (!mine()) return;
        recipient.beat = beat;
        recipient.beatAtMs = this.house.clock.monotonicMs();
        recipient.clockOffsetMs = this.house.clock.nowMs() - beat.nowMs;
        this.look(recipient);
      },
      received: (numbers) => {
        if (mine()) recipient.queue.received(numbers);
      },
      shown: (numbers) => {
        if (mine()) this.shown(recipient, numbers);
      },
      close: () => {
        if (!mine()) return;
        recipient.send = undefined;
        recipient.claimed.clear();
        recipient.queue.disconnect();
      },
    };
  }

  /** Several times a second: beats that stay out change what a screen can do. */
  sweep(): void {
    const nowMs = this.house.clock.monotonicMs();
    if (nowMs - this.sweptAtMs > stalledMs) this.floorMs = nowMs;
    this.sweptAtMs = nowMs;
    for (const recipient of this.byId.values()) this.look(recipient);
  }

  /** Only one that can ring can say that it shows an alarm; from another it means received, until it can. */
  private shown(recipient: Recipient, numbers: readonly number[]): void {
    for (const number of numbers) {
      const alarms = recipient.queue.alarmsOf(number);
      recipient.queue.received([number]);
      if (recipient.verdict.canRing) for (const alarm of alarms) this.house.told(recipient, alarm, 'shown');
      else if (alarms.length > 0 && recipient.claimed.size < mostClaimed) recipient.claimed.add(number);
    }
  }

  private make(one: Pick<Recipient, 'id' | 'kind' | 'person' | 'wards'>): Recipient {
    const queue = new DeliveryQueue({
      epoch: this.house.epoch,
      told: (what, alarm) => this.house.told(made, alarm, what),
    });
    const made: Recipient = {
      ...one,
      queue,
      verdict: { canRing: false, why: ['silent'] },
      cannotRingSinceMs: this.house.clock.monotonicMs(),
      beat: undefined,
      beatAtMs: -Infinity,
      clockOffsetMs: 0,
      send: undefined,
      claimed: new Set(),
    };
    this.byId.set(one.id, made);
    return made;
  }

  private look(recipient: Recipient): void {
    const nowMs = this.house.clock.monotonicMs();
    const { kind, beat, beatAtMs, clockOffsetMs, verdict: before } = recipient;
    const ageMs = nowMs - Math.max(beatAtMs, beat ? this.floorMs : -Infinity);
    const verdict = ringVerdict(kind, { beat, ageMs, clockOffsetMs });
    if (verdict.canRing === before.canRing && verdict.why.join() === before.why.join()) return;
    recipient.verdict = verdict;
    recipient.cannotRingSinceMs = verdict.canRing ? undefined : (recipient.cannotRingSinceMs ?? nowMs);
    this.tellVerdict(recipient);
    if (verdict.canRing && recipient.claimed.size > 0) {
      const claimed = [...recipient.claimed];
      recipient.claimed.clear();
      this.shown(recipient, claimed);
    }
    this.house.changed(recipient);
  }

  private tellVerdict({ id, verdict, send }: Recipient): void {
    const { epoch, clock } = this.house;
    const recipient = { id, epoch, canRing: verdict.canRing, why: verdict.why, nowMs: clock.nowMs() };
    send?.(JSON.stringify({ recipient }));
  }
}
