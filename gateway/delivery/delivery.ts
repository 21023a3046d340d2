import type { Alarm } from '../../model/alarm.ts';
import type { Bed } from '../../model/census.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { AlarmId, BedId, Chance, PersonId, WardId } from '../../model/ids.ts';
import type { Person } from '../../model/person.ts';
import type { DeliveryPlace } from '../../model/stream.ts';
import type { Alarms } from '../alarm/engine.ts';
import type { PeopleAct } from '../people/desk.ts';
import type { People } from '../people/people.ts';
import { DeliveryFigures, type WardFigures } from './figures.ts';
import { Recipients, type Connection, type Recipient } from './recipients.ts';
import { Router } from './router.ts';
import { TestMode } from './test-mode.ts';
import { overflowCondition, ScreenWatch } from './watch-screens.ts';
import type { AlarmWay } from './way.ts';
import { Ways, type WayRows } from './ways.ts';

export type { Connection } from './recipients.ts';
export type { AlarmWay, DeliveryRecord } from './way.ts';
export type { WardFigures } from './figures.ts';

const watchEveryMs = 1_000;

export interface DeliveryHouse {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly alarms: Pick<Alarms, 'active' | 'onChange' | 'route' | 'technical'>;
  readonly people: People;
  readonly rows: WayRows;
  readonly bed: (id: BedId) => Bed | undefined;
  readonly audit: (act: PeopleAct) => void;
  /** How long since the sample, ms, for the figures of the house. */
  readonly took: (hop: string, ms: number) => void;
  /** Outlets a chain may name; an outlet that takes alarms enters itself. */
  readonly outlets?: ReadonlyMap<string, (alarm: Alarm) => void>;
}

/** How the gateway sees one screen: for the charge nurse and the board. */
export interface ScreenStatus {
  readonly id: string;
  readonly kind: 'handheld' | 'board';
  readonly person: PersonId;
  readonly wards: readonly WardId[] | 'all';
  readonly handheld?: string;
  readonly connected: boolean;
  readonly canRing: boolean;
  readonly why: readonly string[];
  readonly battery?: number;
  readonly clockOffsetMs: number;
  /** Deliveries that wait to be sent. */
  readonly waiting: number;
}

/** Deliveries of alarms to handhelds, boards and outlets, and where each stands. */
export class Deliveries {
  readonly router: Router;
  readonly test: TestMode;
  private readonly house: DeliveryHouse;
  private readonly ways: Ways;
  private readonly figures: DeliveryFigures;
  private readonly recipients: Recipients;
  private readonly screens: ScreenWatch;
  private stop: Cancel = () => undefined;
  private overflowed = 0;

  constructor(house: DeliveryHouse) {
    const { clock, people, alarms } = house;
    this.house = house;
    this.figures = new DeliveryFigures({ nowMs: () => clock.nowMs(), took: house.took });
    this.ways = new Ways({ clock, rows: house.rows, figures: this.figures });
    this.recipients = new Recipients({
      clock,
      epoch: house.chance.hex(64),
      shift: (id) => people.shifts.shift(id),
      told: (recipient, alarm, what) => this.told(recipient, alarm, what),
      changed: () => this.router.recipientChanged(),
    });
    this.screens = new ScreenWatch({
      clock,
      people,
      recipients: this.recipients,
      technical: alarms.technical,
    });
    this.router = new Router({
      clock,
      alarms,
      people,
      recipients: this.recipients,
      ways: this.ways,
      tellOutlet: (outlet, alarm) => {
        const tell = house.outlets?.get(outlet);
        tell?.(alarm);
        return tell !== undefined;
      },
      unreached: (lost) => this.screens.unreached(lost),
    });
    this.test = new TestMode({
      clock,
      bed: house.bed,
      shift: (id) => people.shifts.shift(id),
      technical: alarms.technical,
      record: house.audit,
    });
  }

  start(): void {
    this.router.start();
    this.stop = this.house.clock.every(watchEveryMs, () => this.screens.look());
  }

  close(): void {
    this.stop();
    this.test.close();
    this.router.close();
    this.ways.close();
  }

  /** The stream of a handheld: only of the person's own open shift. */
  connectHandheld(
    person: Person,
    shiftId: string,
    send: (text: string) => void,
    from?: DeliveryPlace,
  ): Connection | 'absent' | 'ended' {
    const shift = this.house.people.shifts.shift(shiftId);
    if (!shift || shift.person !== person.id) return 'absent';
    if (shift.endedAtMs !== undefined) return 'ended';
    return this.recipients.connect(this.recipients.ofShift(shift), send, from);
  }

  connectBoard(person: Person, send: (text: string) => void, from?: DeliveryPlace): Connection {
    return this.recipients.connect(this.recipients.ofBoard(person.id, person.wards), send, from);
  }

  /** The sample that raised an alarm came then. */
  sampled(alarm: Alarm, receivedAtMs: number): void {
    this.ways.sampled(alarm, receivedAtMs);
  }

  way(alarm: AlarmId): Promise<AlarmWay | undefined> {
    return this.ways.way(alarm);
  }

  ringsAt(alarm: AlarmId): readonly string[] {
    return this.router.ringsAt(alarm);
  }

  redirect(
    by: { readonly id: PersonId },
    alarm: AlarmId,
    to: PersonId,
  ): 'done' | 'gone' | 'not-allowed' | 'cannot-ring' {
    const outcome = this.router.redirect(alarm, by.id, to);
    this.house.audit({ by: by.id, act: 'redirect-alarm', on: alarm, outcome, after: { to } });
    return outcome;
  }

  /** Every handheld of an open shift and every board that came since the start. */
  status(ward?: WardId): readonly ScreenStatus[] {
    const all = [...this.recipients.all()].filter(
      ({ wards }) => ward === undefined || wards === 'all' || wards.includes(ward),
    );
    return all.map((one) => this.statusOf(one));
  }

  wardFigures(): readonly WardFigures[] {
    return this.figures.wardFigures();
  }

  private statusOf(one: Recipient): ScreenStatus {
    const { id, kind, person, wards, queue, verdict, beat, clockOffsetMs } = one;
    const handheld = this.house.people.shifts.shift(id)?.handheld;
    return {
      id,
      kind,
      person,
      wards,
      ...(handheld === undefined ? {} : { handheld }),
      connected: queue.connected,
      ...verdict,
      ...(beat?.battery === undefined ? {} : { battery: beat.battery }),
      clockOffsetMs: Math.round(clockOffsetMs),
      waiting: queue.depth,
    };
  }

  private told(recipient: Recipient, alarm: AlarmId, what: 'sent' | 'received' | 'shown' | 'overflow'): void {
    if (what !== 'overflow') {
      this.ways.happened(alarm, recipient.id, what);
      if (what === 'shown') this.router.shown(alarm, recipient.id);
      return;
    }
    this.ways.happened(alarm, recipient.id, 'timeOver', 'overflow');
    this.overflowed += 1;
    this.house.alarms.technical.raise(overflowCondition, {
      owner: 'biomed',
      priority: 'low',
      about: recipient.id,
      // In steps, so that a flood is not a flood of changes.
      details: { atLeast: 10 ** Math.floor(Math.log10(this.overflowed)) },
    });
  }
}
