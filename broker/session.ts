import type { Duplex } from 'node:stream';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { isId } from '../model/ids.ts';
import type { AedesClient } from './aedes.ts';
import type { Place } from './crowd.ts';
import { Guard } from './guard.ts';
import type { CheckedPublish, Ending, Grant, GuardHouse } from './guard-house.ts';
import type { BrokerLimits } from './limits.ts';
import type { Flusher, OutboundStream } from './outbound.ts';
import { filterMatches, levelsOf, suback, type Connect, type Subscribe, type Will } from './packets.ts';
import type { Admission } from './admission.ts';
import type { Publication } from './publication.ts';
import { plainName, type Refusal } from './refusals.ts';
import type { Room } from './room.ts';
import { publishRight, rightStands, subscribeRight, type Identity } from './rights.ts';

/** What all sessions share. */
export interface SessionHouse {
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly flusher: Flusher;
  handle(stream: OutboundStream, clientId: string): AedesClient;
  admit(connect: Connect, session: Session): Admission;
  signedIn(identity: Identity, clientId: string): void;
  ended(session: Session): void;
  note(refusal: Refusal): void;
  readonly room: Room;
  take(publication: Publication, confirm: (outcome?: Fault) => void): void;
}

/** One publication that waits for its confirmation, in the order of arrival. */
interface Pending {
  readonly toAedes: (error?: Error | null) => void;
  readonly bytes: number;
  confirmed: boolean;
}

const refusedSuback = 0x80;
const nothing = Buffer.alloc(0);

/** One connection: its identity, its rights, and what it published that is not confirmed yet. */
export class Session implements GuardHouse {
  readonly limits: BrokerLimits;
  readonly clock: Clock;
  readonly flusher: Flusher;
  readonly guard: Guard;
  readonly address: string;
  identity: Identity | undefined;
  clientId = '';
  keepaliveS = 0;
  will: Will | undefined;
  /** Filters this client holds, with the QoS granted; the same over all connections of a persistent session. */
  filters = new Map<string, number>();
  private readonly shared: SessionHouse;
  private readonly place: Place;
  private client: AedesClient | undefined;
  private waiting: Pending[] = [];
  private head = 0;
  private pending = 0;
  private pendingBytes = 0;
  private over = false;

  constructor(shared: SessionHouse, transport: Duplex, place: Place) {
    this.shared = shared;
    this.limits = shared.limits;
    this.clock = shared.clock;
    this.flusher = shared.flusher;
    this.place = place;
    this.address = place.address;
    this.guard = new Guard(transport, this);
  }

  admit(connect: Connect): number | undefined {
    const admission = this.shared.admit(connect, this);
    if (admission.refused !== undefined) {
      const topic = admission.fault.code === 'DOOR_NOT_ALLOWED' ? connect.will?.topic : undefined;
      this.refuse(admission.fault, topic, connect.clientId);
      return admission.refused;
    }
    this.identity = admission.identity;
    this.clientId = connect.clientId;
    this.keepaliveS = connect.keepaliveS;
    this.will = connect.will;
    this.place.signedIn();
    this.shared.signedIn(admission.identity, this.clientId);
    return undefined;
  }

  start(stream: OutboundStream): void {
    this.client = this.shared.handle(stream, this.clientId);
  }

  /** aedes has sent its CONNACK and all that waited for a persistent session. */
  ready(): void {
    this.guard.open();
  }

  grant(name: string, bytes: Buffer): Grant | undefined {
    const { identity } = this;
    if (!identity || levelsOf(name) > this.limits.topicLevels) return undefined;
    const topic = publishRight(identity, name);
    return topic && { bytes, name, topic };
  }

  stillGranted(grant: Grant): boolean {
    return this.identity !== undefined && rightStands(this.identity, grant.topic);
  }

  mayTake(): boolean {
    const { limits, shared } = this;
    const room = this.pending < limits.pendingPerClient && this.pendingBytes < limits.pendingBytesPerClient;
    if (room && shared.room.hasRoomFor(this)) return true;
    // Its own bound has room again when one of its own is confirmed, the other when anybody's is.
    shared.room.heldBack(this, room);
    return false;
  }

  /** To aedes as if its own parser had read it; it comes back at once through `take`. */
  publish(packet: CheckedPublish): void {
    this.client?._parser.emit('packet', packet);
  }

  pass(packet: Buffer): void {
    this.client?._parser.parse(packet);
  }

  /** From aedes' authorizePublish: `toAedes()` makes it send the PUBACK. */
  take(packet: CheckedPublish, toAedes: (error?: Error | null) => void): void {
    const { identity } = this;
    if (!identity) return;
    const { grant, payload, qos, retain } = packet;
    const entry: Pending = { toAedes, bytes: payload.length, confirmed: false };
    this.pending++;
    this.pendingBytes += entry.bytes;
    this.shared.room.took(entry.bytes);
    if (qos === 1) this.waiting.push(entry);
    this.hand(
      { identity, clientId: this.clientId, topic: grant.topic, payload, qos, retain, will: false },
      entry,
    );
    // It was read in this tick; kept until the PUBACK it would hold the socket's whole chunk in memory.
    packet.payload = nothing;
    // Nobody waits for the answer to a QoS 0 message; aedes goes on, the bound still counts it.
    if (qos === 0) toAedes();
  }

  private hand(publication: Publication, entry: Pending): void {
    try {
      this.shared.take(publication, (outcome) => this.confirm(entry, outcome));
    } catch (error) {
      // An assumption of ours broke: this session ends unconfirmed, and the sender will send it again.
      this.guard.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private confirm(entry: Pending, outcome: Fault | undefined): void {
    if (entry.confirmed) return;
    entry.confirmed = true;
    this.pending--;
    this.pendingBytes -= entry.bytes;
    this.shared.room.released(this, entry.bytes);
    if (this.over) return;
    if (outcome) return this.guard.close(outcome);
    this.answer();
  }

  /** PUBACKs leave in the order the PUBLISHes came [MQTT-4.6.0-2]. */
  private answer(): void {
    const { waiting } = this;
    while (this.head < waiting.length) {
      const first = waiting[this.head] as Pending;
      if (!first.confirmed || this.over) break;
      this.head++;
      first.toAedes();
    }
    if (this.head === waiting.length) {
      waiting.length = 0;
      this.head = 0;
    } else if (this.head >= this.limits.pendingPerClient) {
      waiting.splice(0, this.head);
      this.head = 0;
    }
  }

  subscribe(packet: Subscribe): void {
    const { identity, client } = this;
    if (!identity || !client) return;
    const wanted = new Map<string, number>();
    const codes = packet.filters.map(({ filter, qos }) => {
      if (!this.maySubscribe(identity, filter)) {
        this.refuse(new Fault('DOOR_NOT_ALLOWED', this.named({ topic: plainName(filter) })), filter);
        return refusedSuback;
      }
      // QoS 2 is granted as 1, openly [MQTT-3.8.4-6].
      const granted = Math.min(qos, 1);
      this.filters.set(filter, granted);
      wanted.set(filter, granted);
      return granted;
    });
    const answer = (error?: Error): void => {
      if (error) this.guard.close(error);
      else this.guard.stream.write(suback(packet.packetId, codes));
    };
    const subscriptions = [...wanted].map(([topic, qos]) => ({ topic, qos: qos as 0 | 1 }));
    if (subscriptions.length === 0) answer();
    else client.subscribe(subscriptions, answer);
  }

  private maySubscribe(identity: Identity, filter: string): boolean {
    const room = this.filters.has(filter) || this.filters.size < this.limits.subscriptionsPerClient;
    return room && levelsOf(filter) <= this.limits.topicLevels && subscribeRight(identity, filter);
  }

  unsubscribe(read: Subscribe, packet: Buffer): void {
    for (const { filter } of read.filters) this.filters.delete(filter);
    this.pass(packet);
  }

  /** The highest QoS granted for `topic`: aedes knows it for filters without wildcards only [MQTT-3.8.4-6]. */
  grantedQos(topic: string): number {
    let highest = 0;
    for (const [filter, qos] of this.filters)
      if (qos > highest && filterMatches(filter, topic)) highest = qos;
    return highest;
  }

  broke(cause: string): void {
    this.refuse(new Fault('DOOR_PROTOCOL', this.named({ cause })));
  }

  notAllowed(topic: string): void {
    this.refuse(new Fault('DOOR_NOT_ALLOWED', this.named({ topic: plainName(topic) })), topic);
    this.guard.close();
  }

  ended(ending: Ending): void {
    if (this.over) return;
    this.over = true;
    this.place.done();
    this.waiting = [];
    this.head = 0;
    if (ending.error?.message === 'drain timeout') this.refuse(new Fault('DOOR_SLOW', this.named({})));
    if (ending.clean) this.will = undefined;
    this.shared.ended(this);
  }

  /** The will goes the way of every publication, after the last of them and before `disconnected`. */
  publishWill(): void {
    const { will, identity } = this;
    const topic = will && identity && publishRight(identity, will.topic);
    this.will = undefined;
    if (!will || !identity || !topic) return;
    const entry: Pending = { toAedes: () => undefined, bytes: will.payload.length, confirmed: false };
    this.pending++;
    this.pendingBytes += entry.bytes;
    this.shared.room.took(entry.bytes);
    const { payload, retain } = will;
    const qos = will.qos > 0 ? 1 : 0;
    this.hand({ identity, clientId: this.clientId, topic, payload, qos, retain, will: true }, entry);
  }

  private refuse(fault: Fault, topic?: string, client = this.clientId): void {
    this.shared.note({
      fault,
      address: this.address,
      ...(isId(client) ? { client } : {}),
      ...(topic === undefined ? {} : { topic: plainName(topic) }),
    });
  }

  private named(details: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return { client: this.clientId || this.address, ...details };
  }
}
