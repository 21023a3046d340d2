import type { Alarm } from '../../model/alarm.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { AlarmId } from '../../model/ids.ts';
import type { Delivery } from '../../model/alarm.ts';
import { delivery, type DeliveryEvent } from '../alarm/delivery.ts';
import { step } from '../alarm/presence.ts';
import type { Rows } from '../rows/rows.ts';
import type { AlarmWay, DeliveryRecord } from './way.ts';

/** Alarms whose way is in memory; older ones are read from the log. */
const mostWays = 2_000;
/** Deliveries of one alarm that are kept one by one. */
const mostRecords = 200;
const writeEveryMs = 1_000;
/** Ways written at once, and on their way to a disk that does not answer. */
const mostAtOnce = 200;

export type WayRows = Pick<Rows, 'append' | 'read'>;

interface OpenRecord {
  to: string;
  kind: DeliveryRecord['kind'];
  person?: string;
  delivery: Delivery;
  queuedAtMs: number;
  sentAtMs?: number;
  receivedAtMs?: number;
  shownAtMs?: number;
  failedAtMs?: number;
  why?: string;
}
interface OpenWay {
  readonly head: Omit<AlarmWay, 'deliveries' | 'more'>;
  readonly records: OpenRecord[];
  readonly newest: Map<string, OpenRecord>;
  more: number;
}

/** Told at each first word about a delivery, with how long it is since the sample came, ms. */
export interface WayFigures {
  hop(hop: 'judged' | 'sent' | 'received' | 'shown', ms: number, way: Pick<AlarmWay, 'ward'>): void;
}

/**
 * Every alarm's way with its times, kept with the alarm. In memory at once; on disk about a second later, the whole way
 * of an alarm in one entry.
 */
export class Ways {
  private readonly clock: Clock;
  private readonly rows: WayRows;
  private readonly figures: WayFigures;
  private readonly ways = new Map<AlarmId, OpenWay>();
  private readonly dirty = new Set<AlarmId>();
  private writing = 0;
  private readonly stop: Cancel;

  constructor(parts: { clock: Clock; rows: WayRows; figures: WayFigures }) {
    this.clock = parts.clock;
    this.rows = parts.rows;
    this.figures = parts.figures;
    this.stop = parts.clock.every(writeEveryMs, () => this.write());
  }

  /** Writes what is not yet on its way to the disk. */
  close(): void {
    this.stop();
    this.write();
  }

  begin(alarm: Alarm): void {
    if (!this.ways.has(alarm.id)) this.open(alarm);
  }

  /** The sample that raised it came then. */
  sampled(alarm: Alarm, receivedAtMs: number): void {
    const way = this.ways.get(alarm.id) ?? this.open(alarm);
    if (way.head.sampleReceivedAtMs !== undefined) return;
    Object.assign(way.head, { sampleReceivedAtMs: receivedAtMs });
    this.figures.hop('judged', this.clock.nowMs() - receivedAtMs, way.head);
    for (const record of way.records) {
      if (record.sentAtMs !== undefined) this.figures.hop('sent', record.sentAtMs - receivedAtMs, way.head);
    }
  }

  /** It rings anew at this recipient. */
  queued(alarm: Alarm, to: Pick<DeliveryRecord, 'to' | 'kind' | 'person'>): void {
    const way = this.ways.get(alarm.id) ?? this.open(alarm);
    const record: OpenRecord = { ...to, delivery: 'queued', queuedAtMs: this.clock.nowMs() };
    way.newest.set(to.to, record);
    if (way.records.length < mostRecords) way.records.push(record);
    else way.more += 1;
    this.touch(alarm.id, way);
  }

  /** What became of the newest delivery to this recipient; late words are still believed. */
  happened(alarm: AlarmId, to: string, event: DeliveryEvent, why?: string): void {
    const way = this.ways.get(alarm);
    const record = way?.newest.get(to);
    if (!way || !record) return;
    const [next, ...effects] = step(delivery, record.delivery, event);
    if (next === record.delivery && effects.length === 0) return;
    const nowMs = this.clock.nowMs();
    record.delivery = next;
    if (next === 'failed')
      Object.assign(record, { failedAtMs: nowMs, ...(why === undefined ? {} : { why }) });
    for (const effect of effects) {
      if (effect === 'markSent') this.mark(way, record, 'sent', nowMs);
      if (effect === 'markReceived') this.mark(way, record, 'received', nowMs);
      if (effect === 'markShown') this.mark(way, record, 'shown', nowMs);
    }
    this.touch(alarm, way);
  }

  /** Where the newest delivery to this recipient stands. */
  delivery(alarm: AlarmId, to: string): Delivery | undefined {
    return this.ways.get(alarm)?.newest.get(to)?.delivery;
  }

  /** The alarm's way, from memory or the log. Rejects with a Fault when the log cannot be read. */
  async way(alarm: AlarmId): Promise<AlarmWay | undefined> {
    const open = this.ways.get(alarm);
    if (open) return told(open);
    const [newest] = await this.rows.read('deliveries', { where: { alarm }, newestFirst: true, limit: 1 });
    return newest?.entry.way;
  }

  private mark(way: OpenWay, record: OpenRecord, hop: 'sent' | 'received' | 'shown', nowMs: number): void {
    const key = `${hop}AtMs` as const;
    if (record[key] !== undefined) return;
    record[key] = nowMs;
    const since = way.head.sampleReceivedAtMs;
    // Only the first ring is the way of the sample: a later one waited for people.
    if (since !== undefined && record === way.records[0]) this.figures.hop(hop, nowMs - since, way.head);
  }

  private open(alarm: Alarm): OpenWay {
    const { id, ward, bed, priority } = alarm;
    const way: OpenWay = {
      head: {
        alarm: id,
        ...(ward === undefined ? {} : { ward }),
        ...(bed === undefined ? {} : { bed }),
        priority,
        judgedAtMs: alarm.raisedAtMs,
      },
      records: [],
      newest: new Map(),
      more: 0,
    };
    this.ways.set(id, way);
    if (this.ways.size > mostWays) this.forgetOldest();
    return way;
  }

  private forgetOldest(): void {
    for (const [id, way] of this.ways) {
      if (this.dirty.delete(id)) this.append(id, way);
      this.ways.delete(id);
      return;
    }
  }

  private touch(alarm: AlarmId, way: OpenWay): void {
    if (way.records.length > 0) this.dirty.add(alarm);
  }

  private write(): void {
    for (const id of this.dirty) {
      if (this.writing >= mostAtOnce) return;
      this.dirty.delete(id);
      const way = this.ways.get(id);
      if (way) this.append(id, way);
    }
  }

  private append(id: AlarmId, way: OpenWay): void {
    this.writing += 1;
    this.rows.append('deliveries', { atMs: this.clock.nowMs(), way: told(way) }).then(
      () => {
        this.writing -= 1;
      },
      () => {
        // The rows room has told its fault; while the alarm is in memory its way is tried again.
        this.writing -= 1;
        if (this.ways.has(id)) this.dirty.add(id);
      },
    );
  }
}

const told = ({ head, records, more }: OpenWay): AlarmWay => ({
  ...head,
  deliveries: records.map((record) => ({ ...record })),
  more,
});
