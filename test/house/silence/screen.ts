import type { Cancel } from '../../../model/clock.ts';
import type { AlarmId } from '../../../model/ids.ts';
import type { AlarmDelivery, DeliveryMessage, DeliveryPlace } from '../../../model/stream.ts';
import type { Connection } from '../../../gateway/delivery/delivery.ts';
import type { VirtualClock } from '../virtual-clock.ts';

export type OpenScreen = (send: (text: string) => void, from?: DeliveryPlace) => Connection | undefined;

/** A handheld or a wall board as a thing that can be dropped: what it really sounds, whatever the gateway believes. */
export class Screen {
  readonly person: string;
  readonly kind: 'handheld' | 'board';
  /** Off, or frozen: nothing runs on it, and it says nothing. */
  powered = true;
  visible = true;
  audio = true;
  /** Packets get through; else both ends believe in a connection that carries nothing. */
  reachable = true;
  /** What rings there now. */
  readonly ringing = new Map<AlarmId, AlarmDelivery>();
  private readonly clock: VirtualClock;
  private readonly stop: Cancel;
  private open: OpenScreen;
  private connection: Connection | undefined;
  private place: DeliveryPlace | undefined;
  private epoch = '';
  private inbox: string[] = [];
  private retired = false;

  constructor(who: { person: string; kind: 'handheld' | 'board' }, clock: VirtualClock, open: OpenScreen) {
    this.person = who.person;
    this.kind = who.kind;
    this.clock = clock;
    this.open = open;
    this.stop = clock.every(2_000, () => this.beat());
    this.connect();
  }

  /** It could ring now: everything on it works and the gateway can reach it. */
  get able(): boolean {
    return this.powered && this.visible && this.audio && this.reachable && this.connection !== undefined;
  }

  sounds(alarm: AlarmId | undefined): boolean {
    return alarm !== undefined && this.powered && this.visible && this.audio && this.ringing.has(alarm);
  }

  connect(open = this.open): void {
    this.connection?.close();
    this.connection = undefined;
    this.open = open;
    this.reachable = true;
    if (!this.powered || this.retired) return;
    this.inbox = [];
    this.connection = open((text) => this.arrives(text), this.place);
    this.beat();
  }

  /** The socket is closed, as far as both ends are concerned. */
  cut(): void {
    this.connection?.close();
    this.connection = undefined;
  }

  /** The gateway was killed: nobody closes anything. */
  orphan(): void {
    this.connection = undefined;
  }

  freeze(): void {
    this.powered = false;
  }

  thaw(): void {
    this.powered = true;
    const waiting = this.inbox;
    this.inbox = [];
    for (const text of waiting) this.arrives(text);
    this.beat();
  }

  /** The battery is empty: its socket dies with it, unnoticed for now. */
  die(): void {
    this.powered = false;
    this.reachable = false;
    this.ringing.clear();
    this.place = undefined;
  }

  /** The page is new: it knows nothing, and sounds nothing until it is touched. */
  reload(): void {
    this.cut();
    this.ringing.clear();
    this.place = undefined;
    this.audio = false;
  }

  beat(): void {
    if (!this.powered || !this.reachable) return;
    const { visible, audio } = this;
    this.connection?.beat({ visible, wakeLock: visible, audio, nowMs: this.clock.nowMs() });
  }

  /** The shift is over: what is done to it from now on changes nothing. */
  retire(): void {
    this.stop();
    this.cut();
    this.ringing.clear();
    this.retired = true;
  }

  private arrives(text: string): void {
    if (!this.reachable) return;
    if (!this.powered) {
      if (this.inbox.length < 10_000) this.inbox.push(text);
      return;
    }
    const message = JSON.parse(text) as DeliveryMessage;
    if ('recipient' in message) this.meets(message.recipient.epoch);
    if (!('deliveries' in message)) return;
    this.meets(message.epoch);
    for (const delivery of message.deliveries) this.take(delivery);
    const numbers = message.deliveries.map((delivery) => delivery.number);
    const { connection } = this;
    // As over a wire: not in the tick in which it was sent.
    void Promise.resolve().then(() => {
      if (!this.powered || !this.reachable) return;
      const to = connection ?? this.connection;
      to?.received(numbers);
      to?.shown(numbers);
    });
  }

  private take(delivery: AlarmDelivery): void {
    const { alarm, number, sound, group } = delivery;
    for (const id of group ?? []) this.ringing.delete(id);
    if (sound === 'alarm' || sound === 'soft') this.ringing.set(alarm.id, delivery);
    else this.ringing.delete(alarm.id);
    this.place = { epoch: this.epoch, number: Math.max(this.place?.number ?? 0, number) };
  }

  /** Another gateway process: what the one before had said is said anew. */
  private meets(epoch: string): void {
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    this.place = undefined;
    this.ringing.clear();
  }
}
