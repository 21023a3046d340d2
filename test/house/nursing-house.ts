import type { Alarm } from '../../model/alarm.ts';
import type { Person, Role } from '../../model/person.ts';
import type { AlarmDelivery, DeliveryMessage, DeliverySound } from '../../model/stream.ts';
import { Deliveries, type Connection } from '../../gateway/delivery/delivery.ts';
import type { WayRows } from '../../gateway/delivery/ways.ts';
import { openPeople, type People, type PeopleRows } from '../../gateway/people/people.ts';
import { watchAssigned } from '../../gateway/people/watch-assigned.ts';
import { countedChance, nameOf, type AlarmHouse } from './alarm-house.ts';
import type { VirtualClock } from './virtual-clock.ts';

export const personOf = (id: string, roles: readonly Role[] = ['nurse']): Person => ({
  id,
  user: id,
  name: id,
  roles,
  wards: ['icu'],
});

/** A phone in a nurse's pocket: takes deliveries in, confirms them, and beats, until it is hidden, frozen or dead. */
export class Handheld {
  readonly id: string;
  visible = true;
  wakeLock = true;
  audio = true;
  /** Frozen: it neither beats nor confirms, and its socket stays open. */
  frozen = false;
  /** It beats, and takes in nothing. */
  hung = false;
  /** All that came, in order. */
  readonly came: AlarmDelivery[] = [];
  readonly latest = new Map<string, AlarmDelivery>();
  canRing: boolean | undefined;
  private readonly clock: VirtualClock;
  private readonly open: (
    send: (text: string) => void,
    from?: { epoch: string; number: number },
  ) => Connection;
  private connection: Connection | undefined;
  private place: { epoch: string; number: number } | undefined;

  constructor(id: string, clock: VirtualClock, open: Handheld['open']) {
    this.id = id;
    this.clock = clock;
    this.open = open;
    clock.every(2_000, () => this.beat());
    this.connect();
  }

  connect(): void {
    this.connection = this.open((text) => this.take(text), this.place);
    this.beat();
  }

  disconnect(): void {
    this.connection?.close();
    this.connection = undefined;
  }

  /** Connected and awake. */
  get isOn(): boolean {
    return this.connection !== undefined && !this.frozen;
  }

  /** Gone without a word. */
  die(): void {
    this.frozen = true;
    this.disconnect();
  }

  beat(): void {
    if (this.frozen) return;
    const { visible, wakeLock, audio } = this;
    this.connection?.beat({ visible, wakeLock, audio, nowMs: this.clock.nowMs() });
  }

  hide(): void {
    this.visible = false;
    this.beat();
  }

  /** What it sounds for now, most urgent first. */
  sounds(): string[] {
    return this.with('alarm', 'soft');
  }

  with(...sounds: readonly DeliverySound[]): string[] {
    return [...this.latest.values()]
      .filter((one) => sounds.includes(one.sound))
      .map(({ alarm }) => nameOf(alarm));
  }

  private take(text: string): void {
    const message = JSON.parse(text) as DeliveryMessage;
    if ('recipient' in message) {
      this.canRing = message.recipient.canRing;
      return;
    }
    if (this.frozen || this.hung || !('deliveries' in message)) return;
    for (const delivery of message.deliveries) {
      this.came.push(delivery);
      this.latest.set(delivery.alarm.id, delivery);
      for (const id of delivery.group ?? []) if (id !== delivery.alarm.id) this.latest.delete(id);
      this.place = { epoch: message.epoch, number: Math.max(this.place?.number ?? 0, delivery.number) };
    }
    const numbers = message.deliveries.map((delivery) => delivery.number);
    // As over a wire: not in the tick in which it was sent.
    void Promise.resolve().then(() => {
      this.connection?.received(numbers);
      this.connection?.shown(numbers);
    });
  }
}

/** Census, alarms, people and deliveries of one ward on a virtual clock. */
export interface NursingHouse {
  readonly ward: AlarmHouse;
  readonly clock: VirtualClock;
  readonly people: People;
  readonly deliveries: Deliveries;
  readonly persons: Map<string, Person>;
  readonly handhelds: Map<string, Handheld>;
  readonly outlets: Map<string, Alarm[]>;
  /** Begins a shift with a handheld that can ring, and takes these beds. */
  on(id: string, beds?: readonly string[], roles?: readonly Role[]): Handheld;
  board(id?: string): Handheld;
  handheld(id: string): Handheld;
  /** Stops what runs on the clock, as a kill does. */
  close(): void;
  /** Killed and started again; handhelds come back a second later. */
  restart(downMs?: number): Promise<NursingHouse>;
}

export const memoryLog = (): WayRows => {
  const entries: { number: number; entry: { way: { alarm: string } } }[] = [];
  return {
    append: async (_log, entry) => {
      entries.push({ number: entries.length + 1, entry: entry as never });
      return entries.length;
    },
    read: async (_log, { where, limit }) =>
      entries
        .filter(({ entry }) => where?.alarm === undefined || entry.way.alarm === where.alarm)
        .toReversed()
        .slice(0, limit) as never,
  };
};

export async function nursing(
  ward: AlarmHouse,
  before?: { persons: Map<string, Person>; outlets: Map<string, Alarm[]>; log: WayRows },
): Promise<NursingHouse> {
  const { clock } = ward;
  const counted = countedChance();
  // Of another process each time: neither ids nor epochs may come again after a restart.
  const startedAt = clock.nowMs().toString(16).padStart(12, '0');
  const chance = {
    ...counted,
    id: (prefix: string) => `${counted.id(prefix)}-${clock.nowMs()}`,
    hex: (bits: number) => `${counted.hex(bits - 48)}${startedAt}`,
  };
  const persons = before?.persons ?? new Map<string, Person>();
  const outlets = before?.outlets ?? new Map<string, Alarm[]>();
  const log = before?.log ?? memoryLog();
  const audit = (): void => undefined;
  const people = await openPeople({
    clock,
    chance,
    rows: ward.rows as unknown as PeopleRows,
    audit,
    person: (id) => persons.get(id),
    bed: (id) => ward.census.bed(id),
  });
  const deliveries = new Deliveries({
    clock,
    chance,
    alarms: ward.alarms,
    people,
    rows: log,
    bed: (id) => ward.census.bed(id),
    audit,
    took: () => undefined,
    outlets: new Map([['pagers', (alarm: Alarm) => tell(outlets, 'pagers', alarm)]]),
  });
  deliveries.start();
  const stopWatching = watchAssigned({
    clock,
    people,
    technical: ward.alarms.technical,
    bed: (id) => ward.census.bed(id),
    watchedBeds: () => ward.census.associations({ open: true }).map((one) => one.bed),
  });
  const handhelds = new Map<string, Handheld>();
  const connect = (person: Person, shift: string): Handheld => {
    const made = new Handheld(person.id, clock, (send, from) => {
      const connection = deliveries.connectHandheld(person, shift, send, from);
      if (typeof connection === 'string') throw new Error(connection);
      return connection;
    });
    handhelds.set(person.id, made);
    return made;
  };
  const house: NursingHouse = {
    ward,
    clock,
    people,
    deliveries,
    persons,
    handhelds,
    outlets,
    on: (id, beds = [], roles = ['nurse']) => {
      const person = personOf(id, roles);
      persons.set(id, person);
      const shift = people.shifts.begin(person, { handheld: `H-${id}`, wards: ['icu'] });
      if (typeof shift === 'string') throw new Error(shift);
      for (const bed of beds) people.assignments.take(person, { id: bed, ward: 'icu' });
      return connect(person, shift.id);
    },
    board: (id = 'wall') => {
      const person = personOf(id, ['display']);
      const made = new Handheld(id, clock, (send, from) => deliveries.connectBoard(person, send, from));
      made.wakeLock = false;
      made.beat();
      handhelds.set(id, made);
      return made;
    },
    handheld: (id) => {
      const found = handhelds.get(id);
      if (!found) throw new Error(`nobody is ${id}`);
      return found;
    },
    close: () => {
      stopWatching();
      deliveries.close();
      people.close();
    },
    restart: async (downMs = 3_000) => {
      house.close();
      for (const one of handhelds.values()) one.die();
      const again = await nursing(await ward.restart(downMs), { persons, outlets, log });
      await clock.pass(1_000);
      for (const shift of again.people.shifts.list({ open: true })) {
        const person = persons.get(shift.person);
        const was = handhelds.get(shift.person);
        if (!person || !was) continue;
        const made = new Handheld(person.id, clock, (send, from) => {
          const connection = again.deliveries.connectHandheld(person, shift.id, send, from);
          if (typeof connection === 'string') throw new Error(connection);
          return connection;
        });
        again.handhelds.set(person.id, made);
      }
      return again;
    },
  };
  return house;
}

function tell(outlets: Map<string, Alarm[]>, outlet: string, alarm: Alarm): void {
  outlets.set(outlet, [...(outlets.get(outlet) ?? []), alarm]);
}

/** The chain of the ward: each level a list of persons, or roles, boards and outlets as targets. */
export async function chain(
  house: NursingHouse,
  levels: Parameters<People['chains']['set']>[2]['levels'],
  more: Partial<Parameters<People['chains']['set']>[2]> = {},
): Promise<void> {
  const wish = { levels, patienceS: { high: 60, medium: 120, low: 300 }, ...more };
  const set = await house.people.chains.set(personOf('charge', ['charge-nurse']), 'icu', wish, () => true);
  if ('refused' in set) throw new Error(JSON.stringify(set));
}
