import type { Alarm } from '../../../model/alarm.ts';
import type { Chance } from '../../../model/ids.ts';
import type { Chain } from '../../../model/people.ts';
import type { Person } from '../../../model/person.ts';
import { openWard, type AlarmHouse } from '../alarm-house.ts';
import { chain, memoryLog, nursing, personOf, type NursingHouse } from '../nursing-house.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { Screen, type OpenScreen } from './screen.ts';

/** Beds of one nurse; two beds of the ward are nobody's. */
const bedsANurse = 6;
const nobodysBeds = 2;
/** Undefined: the chain a ward has that sets none. */
const chains: readonly (Chain['levels'] | undefined)[] = [
  undefined,
  [[{ assigned: true }], [{ board: true }], [{ role: 'charge-nurse' }]],
  [
    [{ assigned: true }],
    [{ person: 'nurse-1' }],
    [{ role: 'charge-nurse' }, { board: true }],
    [{ role: 'nurse' }],
  ],
  [[{ role: 'charge-nurse' }, { assigned: true }]],
];

/** A staffed ward that outlives its gateway: people and screens stay, the process may be killed. */
export class Ward {
  readonly beds: number;
  readonly screens = new Map<string, Screen>();
  readonly nurses: readonly Person[];
  readonly charge = personOf('cleo', ['charge-nurse']);
  private readonly board: Person = { ...personOf('wall', ['display']), wards: ['icu'] };
  private house: NursingHouse;
  diskFull = false;

  private constructor(house: NursingHouse, beds: number) {
    this.house = house;
    this.beds = beds;
    const nurses = Math.max(2, Math.ceil(beds / bedsANurse));
    this.nurses = Array.from({ length: nurses }, (_, at) => personOf(`nurse-${at + 1}`));
  }

  /** `seed` chooses the chain. */
  static async open(beds: number, seed: number): Promise<Ward> {
    const house = await openHouse(await openWard(beds), new Map());
    const ward = new Ward(house, beds);
    for (const person of [...ward.nurses, ward.charge]) {
      house.persons.set(person.id, person);
      ward.signOn(person);
    }
    for (let bed = 1; bed <= beds - (beds > 10 ? nobodysBeds : 0); bed++) {
      const nurse = ward.nurses[bed % ward.nurses.length];
      if (nurse) house.people.assignments.take(nurse, { id: `bed-${bed}`, ward: 'icu' });
    }
    const levels = chains[seed % chains.length];
    if (levels)
      await chain(house, levels, { quietHours: { from: '22:00', to: '06:00', zone: 'Asia/Shanghai' } });
    ward.screens.set('wall', new Screen({ person: 'wall', kind: 'board' }, ward.clock, ward.boardOpener()));
    return ward;
  }

  get clock(): VirtualClock {
    return this.house.clock;
  }
  get alarms(): AlarmHouse['alarms'] {
    return this.house.ward.alarms;
  }
  get speaking(): AlarmHouse {
    return this.house.ward;
  }
  get people(): NursingHouse['people'] {
    return this.house.people;
  }
  get deliveries(): NursingHouse['deliveries'] {
    return this.house.deliveries;
  }

  signOn(person: Person): void {
    const { people } = this.house;
    const shift =
      people.shifts.openOf(person.id) ??
      people.shifts.begin(person, { handheld: `H-${person.id}`, wards: ['icu'] });
    if (typeof shift === 'string') throw new Error(shift);
    this.screens.get(person.id)?.retire();
    this.screens.set(
      person.id,
      new Screen({ person: person.id, kind: 'handheld' }, this.clock, this.opener(person)),
    );
  }

  signOff(person: Person): void {
    const shift = this.house.people.shifts.openOf(person.id);
    if (shift) this.house.people.shifts.end(person, shift.id);
    this.screens.get(person.id)?.retire();
    this.screens.delete(person.id);
  }

  setDiskFull(full: boolean): void {
    this.diskFull = full;
    this.house.ward.rows.refuse(full);
  }

  /** Killed, away for `downMs`, and started on what is on disk; screens come back one after the other. */
  async restart(downMs: number, chance: Chance): Promise<void> {
    const { house } = this;
    house.close();
    for (const screen of this.screens.values()) screen.orphan();
    this.house = await openHouse(await house.ward.restart(downMs), house.persons);
    this.diskFull = false;
    for (const [id, screen] of this.screens) {
      const comesMs = 200 + Math.floor(chance.fraction() * 1_800);
      this.clock.after(comesMs, () => this.comeBack(id, screen));
    }
  }

  /** In whose charge an alarm of a bed may be: who has it or covers, whom a chain names, or whom it was handed to. */
  inCharge(bed: string, alarm: Alarm | undefined): readonly string[] {
    const { assignments, covers } = this.house.people;
    const assigned = assignments.of(bed).map((one) => one.person);
    const covering = assigned.flatMap((person) => covers.coveredBy(person)?.to ?? []);
    return [...assigned, ...covering, this.charge.id, 'nurse-1', 'wall', ...(alarm?.route?.to ?? [])];
  }

  close(): void {
    for (const screen of this.screens.values()) screen.retire();
    this.house.close();
    this.house.ward.alarms.close();
  }

  private comeBack(id: string, screen: Screen): void {
    if (this.screens.get(id) !== screen || !screen.powered) return;
    const person = this.house.persons.get(id);
    if (!person) return screen.connect(this.boardOpener());
    // Its shift was not on disk: the nurse signs on again.
    if (!this.house.people.shifts.openOf(id)) this.signOn(person);
    else screen.connect(this.opener(person));
  }

  /** The house of now, whenever the screen dials. */
  opener(person: Person): OpenScreen {
    return (send, from) => {
      const shift = this.house.people.shifts.openOf(person.id);
      if (!shift) return undefined;
      const connection = this.house.deliveries.connectHandheld(person, shift.id, send, from);
      return typeof connection === 'string' ? undefined : connection;
    };
  }

  private boardOpener(): OpenScreen {
    return (send, from) => this.house.deliveries.connectBoard(this.board, send, from);
  }
}

const openHouse = (ward: AlarmHouse, persons: Map<string, Person>): Promise<NursingHouse> =>
  nursing(ward, { persons, outlets: new Map(), log: memoryLog() });
