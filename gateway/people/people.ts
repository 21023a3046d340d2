import type { Alarm } from '../../model/alarm.ts';
import type { Bed } from '../../model/census.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { BedId, Chance, PersonId, WardId } from '../../model/ids.ts';
import type { Chain, ChainTarget } from '../../model/people.ts';
import type { Person, Role } from '../../model/person.ts';
import { Assignments } from './assignments.ts';
import { Chains } from './chains.ts';
import { Covers } from './covers.ts';
import { RowKeeper, type PeopleAct, type PeopleChange, type PeopleDesk, type PeopleRows } from './desk.ts';
import { Shifts } from './shifts.ts';

export type { PeopleAct, PeopleChange, PeopleRows } from './desk.ts';

const sweepMs = 1_000;

export interface PeopleOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly rows: PeopleRows;
  readonly audit: (act: PeopleAct) => void;
  readonly person: (id: PersonId) => Person | undefined;
  readonly bed: (id: BedId) => Bed | undefined;
}

/** Who is on one level of an alarm's chain now. */
export interface Level {
  readonly persons: readonly PersonId[];
  readonly board: boolean;
  readonly outlets: readonly string[];
}

/** To whom one alarm may ring: level by level, and everybody of its wards. */
export interface Reach {
  readonly wards: readonly WardId[];
  readonly levels: readonly Level[];
  readonly everybody: readonly PersonId[];
  readonly chain: Chain;
}

/** A ward's own alarms (nobody assigned, a handheld that cannot ring) go to the charge nurse first. */
const wardLevels: Chain['levels'] = [[{ role: 'charge-nurse' }], [{ role: 'nurse' }]];

/** Opens the room: everything in memory, so that the alarm never waits for the disk. */
export async function openPeople(options: PeopleOptions): Promise<People> {
  const people = new People(options);
  await people.load();
  return people;
}

/** Shifts, who has which bed, who covers whom, and each ward's chain. */
export class People {
  readonly shifts: Shifts;
  readonly assignments: Assignments;
  readonly covers: Covers;
  readonly chains: Chains;
  private readonly options: PeopleOptions;
  private readonly keeper: RowKeeper;
  private readonly listeners = new Set<(change: PeopleChange) => void>();
  /** Who is on shift, by wards and role: asked for with every alarm. Found anew after a change, and each second. */
  private readonly onShiftNow = new Map<string, readonly PersonId[]>();
  private stop: Cancel = () => undefined;

  constructor(options: PeopleOptions) {
    this.options = options;
    this.keeper = new RowKeeper(options.rows);
    const desk: PeopleDesk = {
      clock: options.clock,
      chance: options.chance,
      keeper: this.keeper,
      record: options.audit,
      changed: (change) => {
        this.onShiftNow.clear();
        this.listeners.forEach((listener) => listener(change));
      },
    };
    this.shifts = new Shifts(desk);
    this.assignments = new Assignments(desk);
    this.covers = new Covers(desk);
    this.chains = new Chains(desk, options.rows);
  }

  async load(): Promise<void> {
    const { rows } = this.options;
    await this.shifts.load(rows);
    await this.assignments.load(rows);
    await this.covers.load(rows);
    await this.chains.load();
    this.stop = this.options.clock.every(sweepMs, () => {
      this.onShiftNow.clear();
      this.covers.sweep();
      this.keeper.retry();
    });
  }

  close(): void {
    this.stop();
    this.listeners.clear();
  }

  /** Told in the tick of each change; answers how to stop. */
  onChange(listener: (change: PeopleChange) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Rows that wait for the disk: they count already. */
  get behind(): number {
    return this.keeper.behind;
  }

  /** Whether the person has the bed now, by an own assignment or by cover. */
  hasBed(person: PersonId, bed: BedId): boolean {
    return this.assignments
      .of(bed)
      .some((one) => one.person === person || this.covers.coveredBy(one.person)?.to === person);
  }

  /** To whom this alarm may ring now. */
  reach(alarm: Pick<Alarm, 'bed' | 'ward' | 'details'>): Reach {
    const beds = bedsOf(alarm);
    const wards = this.wardsOf(alarm.ward, beds);
    const chain = this.chains.of(wards[0] ?? '');
    const wanted = beds.length > 0 ? chain.levels : wardLevels;
    const levels = wanted.flatMap((targets) => this.resolve(targets, beds, wards));
    return { wards, levels, everybody: this.onShift(wards), chain };
  }

  private wardsOf(ward: WardId | undefined, beds: readonly BedId[]): readonly WardId[] {
    if (ward !== undefined) return [ward];
    return [...new Set(beds.flatMap((bed) => this.options.bed(bed)?.ward ?? []))];
  }

  /** One level; and behind the assigned ones who are covered for, a second one with themselves. */
  private resolve(
    targets: readonly ChainTarget[],
    beds: readonly BedId[],
    wards: readonly WardId[],
  ): readonly Level[] {
    const persons = new Set<PersonId>();
    const covered = new Set<PersonId>();
    const outlets: string[] = [];
    let board = false;
    for (const target of targets) {
      if ('assigned' in target) this.addAssigned(beds, persons, covered);
      else if ('person' in target) persons.add(target.person);
      else if ('role' in target) for (const person of this.onShift(wards, target.role)) persons.add(person);
      else if ('outlet' in target) outlets.push(target.outlet);
      else board = true;
    }
    for (const person of persons) covered.delete(person);
    const level = { persons: [...persons], board, outlets };
    return covered.size === 0 ? [level] : [level, { persons: [...covered], board: false, outlets: [] }];
  }

  private addAssigned(beds: readonly BedId[], persons: Set<PersonId>, covered: Set<PersonId>): void {
    for (const bed of beds) {
      for (const { person } of this.assignments.of(bed)) {
        const cover = this.covers.coveredBy(person);
        persons.add(cover?.to ?? person);
        if (cover) covered.add(person);
      }
    }
  }

  private onShift(wards: readonly WardId[], role?: Role): readonly PersonId[] {
    const key = `${wards.join()} ${role ?? ''}`;
    const known = this.onShiftNow.get(key);
    if (known) return known;
    const persons = new Set<PersonId>();
    for (const ward of wards) {
      for (const { person } of this.shifts.openIn(ward)) {
        if (role === undefined || this.options.person(person)?.roles.includes(role)) persons.add(person);
      }
    }
    const found = [...persons];
    this.onShiftNow.set(key, found);
    return found;
  }
}

/** One bed, or those that a cut cable or host silenced together. */
export const bedsOf = ({ bed, details }: Pick<Alarm, 'bed' | 'details'>): readonly BedId[] => {
  if (bed !== undefined) return [bed];
  const listed = String(details?.['bedIds'] ?? '');
  return listed === '' ? [] : listed.split(' ');
};
