import type { Alarm, Priority } from '../../model/alarm.ts';
import type { AlarmId } from '../../model/ids.ts';
import type { AlarmDelivery, DeliveryPlace, DeliverySound } from '../../model/stream.ts';

/** Medium and low ones on the way that are not yet received; beyond it they wait and are grouped. High ones never wait. */
const mostOnTheWay = 32;
/** Waiting low ones a recipient; beyond it the oldest is given up and told as failed. */
const mostWaiting = 5_000;
/** Newest sendings whose confirmation is still understood. */
const mostRemembered = 5_000;
/** Alarms in one group of a bed. */
const mostInGroup = 200;
/** The number of what has not left: above all that have. */
const notYet = Infinity;
const urgentFirst = ['high', 'medium', 'low'] as const satisfies readonly Priority[];

export interface Queued {
  readonly alarm: Alarm;
  readonly sound: DeliverySound;
  readonly cause: string;
  readonly also: readonly string[];
}
interface Item extends Queued {
  number: number;
  sent: boolean;
  received: boolean;
}

export interface QueueOptions {
  readonly epoch: string;
  /** An alarm's delivery left, arrived, or was given up for want of room. */
  readonly told: (what: 'sent' | 'received' | 'overflow', alarm: AlarmId) => void;
}

/**
 * What one handheld or board is to know: the newest word about each alarm, high first, sent again from where it was when
 * it comes back. In a flood the low and medium ones of a bed travel as one; nothing drops a high one.
 */
export class DeliveryQueue {
  private readonly options: QueueOptions;
  /** The newest word about each alarm, until it is received and says that nothing is left to show. */
  private readonly held = new Map<AlarmId, Item>();
  private readonly waiting: Readonly<Record<Priority, Map<AlarmId, Item>>> = {
    high: new Map(),
    medium: new Map(),
    low: new Map(),
  };
  /** Sent and not received, by number; a group holds several. */
  private readonly onTheWay = new Map<number, readonly Item[]>();
  /** What was sent under a number, for `shown`. */
  private readonly byNumber = new Map<number, readonly Item[]>();
  private numbers = 0;
  private send: ((text: string) => void) | undefined;

  constructor(options: QueueOptions) {
    this.options = options;
  }

  get connected(): boolean {
    return this.send !== undefined;
  }

  /** How many wait to be sent. */
  get depth(): number {
    return urgentFirst.reduce((sum, priority) => sum + this.waiting[priority].size, 0);
  }

  put(queued: Queued): void {
    const { alarm, sound } = queued;
    const before = this.held.get(alarm.id);
    for (const priority of urgentFirst) this.waiting[priority].delete(alarm.id);
    if (sound === 'none' && !before?.sent) {
      this.held.delete(alarm.id);
      return;
    }
    const item: Item = { ...queued, number: notYet, sent: before?.sent ?? false, received: false };
    this.held.set(alarm.id, item);
    this.waiting[alarm.priority].set(alarm.id, item);
    if (this.waiting.low.size > mostWaiting) this.giveUpOldest();
    this.pump();
  }

  /** Sends what this recipient does not have: all of it, or what came after the place it names. */
  connect(send: (text: string) => void, from?: DeliveryPlace): void {
    this.send = send;
    this.onTheWay.clear();
    for (const priority of urgentFirst) this.waiting[priority].clear();
    const known = from?.epoch === this.options.epoch ? from.number : -1;
    for (const item of this.held.values()) {
      if (item.received && item.number <= known) continue;
      if (item.number <= known && item.sent) {
        this.take(item);
        continue;
      }
      this.waiting[item.alarm.priority].set(item.alarm.id, item);
    }
    this.pump();
  }

  disconnect(): void {
    this.send = undefined;
    this.onTheWay.clear();
  }

  /** Alarms of the numbers that are new to us. */
  received(numbers: readonly number[]): readonly AlarmId[] {
    const arrived: AlarmId[] = [];
    for (const number of numbers) {
      for (const item of this.onTheWay.get(number) ?? []) {
        arrived.push(item.alarm.id);
        this.take(item);
      }
      this.onTheWay.delete(number);
    }
    this.pump();
    return arrived;
  }

  /** The alarms a number stands for, but those that ring anew since: what has ended meanwhile was shown all the same. */
  alarmsOf(number: number): readonly AlarmId[] {
    const found: AlarmId[] = [];
    for (const item of this.byNumber.get(number) ?? []) {
      const newest = this.held.get(item.alarm.id);
      if (!newest || newest === item || newest.sound === 'none') found.push(item.alarm.id);
    }
    return found;
  }

  private take(item: Item): void {
    if (!item.received) this.options.told('received', item.alarm.id);
    item.received = true;
    if (item.sound === 'none' && this.held.get(item.alarm.id) === item) this.held.delete(item.alarm.id);
  }

  private giveUpOldest(): void {
    for (const [id] of this.waiting.low) {
      this.waiting.low.delete(id);
      this.held.delete(id);
      this.options.told('overflow', id);
      return;
    }
  }

  private pump(): void {
    if (!this.send) return;
    const out: AlarmDelivery[] = [];
    for (const item of this.waiting.high.values()) out.push(this.leave([item]));
    this.waiting.high.clear();
    for (const priority of ['medium', 'low'] as const) {
      const waiting = this.waiting[priority];
      while (waiting.size > 0 && this.onTheWay.size < mostOnTheWay) {
        const items = next(waiting);
        for (const { alarm } of items) waiting.delete(alarm.id);
        out.push(this.leave(items));
      }
    }
    if (out.length > 0) this.send(JSON.stringify({ deliveries: out, epoch: this.options.epoch }));
  }

  private leave(items: readonly [Item, ...Item[]]): AlarmDelivery {
    const [first] = items;
    // In the order of sending, so that the highest number that arrived vouches for all below it.
    first.number = ++this.numbers;
    this.onTheWay.set(first.number, items);
    this.remember(first.number, items);
    for (const item of items) {
      item.sent = true;
      if (item !== first) item.number = first.number;
      this.options.told('sent', item.alarm.id);
    }
    const { number, sound, alarm, cause, also } = first;
    const group = items.length > 1 ? { group: items.map((item) => item.alarm.id) } : {};
    return { number, sound, alarm, cause, also, ...group };
  }

  private remember(number: number, items: readonly Item[]): void {
    this.byNumber.set(number, items);
    if (this.byNumber.size <= mostRemembered) return;
    for (const oldest of this.byNumber.keys()) {
      this.byNumber.delete(oldest);
      return;
    }
  }
}

/** One; or, when more wait than may travel, all of its bed with the same sound. */
function next(waiting: ReadonlyMap<AlarmId, Item>): readonly [Item, ...Item[]] {
  const [first, ...rest] = waiting.values();
  if (!first) throw new Error('nothing waits');
  if (waiting.size <= mostOnTheWay || first.sound === 'none') return [first];
  const bedMates = rest.filter((item) => item.alarm.bed === first.alarm.bed && item.sound === first.sound);
  return [first, ...bedMates.slice(0, mostInGroup - 1)];
}
