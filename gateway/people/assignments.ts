import type { BedId, PersonId, WardId } from '../../model/ids.ts';
import type { Assignment } from '../../model/people.ts';
import type { PeopleDesk, PeopleRows } from './desk.ts';

/** Ended ones that are still told in lists. */
const endedBound = 2_000;

/**
 * Who has which bed. Nurses take beds themselves; from then on the one before and the next both hear its alarms, until
 * one of the two ends the overlap. The last one of a bed cannot leave it: no clock and no sign-off ends an assignment.
 */
export class Assignments {
  private readonly desk: PeopleDesk;
  private readonly byBed = new Map<BedId, Assignment[]>();
  private readonly byPerson = new Map<PersonId, Map<string, Assignment>>();
  private readonly byId = new Map<string, Assignment>();
  private readonly ended = new Map<string, Assignment>();

  constructor(desk: PeopleDesk) {
    this.desk = desk;
  }

  async load(rows: PeopleRows): Promise<void> {
    for (const row of await rows.load('assignments')) this.hold(row);
    for (const held of this.byBed.values()) held.sort((a, b) => a.beganAtMs - b.beganAtMs);
  }

  list(
    filter: { ward?: WardId; bed?: BedId; person?: PersonId; open?: boolean } = {},
  ): readonly Assignment[] {
    const pool = filter.open === true ? this.byId.values() : [...this.ended.values(), ...this.byId.values()];
    return [...pool].filter(
      (one) =>
        (filter.ward === undefined || one.ward === filter.ward) &&
        (filter.bed === undefined || one.bed === filter.bed) &&
        (filter.person === undefined || one.person === filter.person),
    );
  }

  assignment(id: string): Assignment | undefined {
    return this.byId.get(id) ?? this.ended.get(id);
  }

  /** Open ones of a bed, the longest first. */
  of(bed: BedId): readonly Assignment[] {
    return this.byBed.get(bed) ?? [];
  }

  bedsOf(person: PersonId): readonly BedId[] {
    return [...(this.byPerson.get(person)?.values() ?? [])].map((one) => one.bed);
  }

  /** Both ring in the overlap; `relieve` ends the one before at once. Taking what one has already changes nothing. */
  take(
    by: { readonly id: PersonId },
    bed: { readonly id: BedId; readonly ward: WardId },
    { relieve = false }: { readonly relieve?: boolean } = {},
  ): Assignment {
    const held = [...this.of(bed.id)];
    let mine = held.find((one) => one.person === by.id);
    if (!mine) {
      mine = {
        id: this.desk.chance.id('assignment'),
        bed: bed.id,
        ward: bed.ward,
        person: by.id,
        beganAtMs: this.desk.clock.nowMs(),
      };
      this.change(mine, by.id, 'take-bed');
    }
    if (relieve) for (const other of held) if (other.person !== by.id) this.finish(other, by.id);
    return mine;
  }

  /** By whoever leaves or whoever took over; refused while nobody else has the bed. */
  end(by: { readonly id: PersonId }, id: string): Assignment | 'absent' | 'ended' | 'nobody-else' {
    const one = this.assignment(id);
    if (!one) return 'absent';
    if (one.endedAtMs !== undefined) return 'ended';
    if (this.of(one.bed).length < 2) return 'nobody-else';
    return this.finish(one, by.id);
  }

  private finish(one: Assignment, by: PersonId): Assignment {
    const over = { ...one, endedAtMs: this.desk.clock.nowMs(), endedBy: by };
    this.change(over, by, 'leave-bed', one);
    return over;
  }

  private change(one: Assignment, by: PersonId, act: string, before?: Assignment): void {
    this.hold(one);
    this.desk.keeper.keep('assignments', one);
    const { bed, ward } = one;
    this.desk.record({ by, act, on: one.id, outcome: 'done', ward, bed, before, after: one });
    this.desk.changed({ kind: 'assignment', ward, bed });
  }

  private hold(one: Assignment): void {
    const others = this.of(one.bed).filter((each) => each.id !== one.id);
    const mine = this.byPerson.get(one.person) ?? new Map<string, Assignment>();
    if (one.endedAtMs === undefined) {
      this.byId.set(one.id, one);
      this.byBed.set(one.bed, [...others, one]);
      this.byPerson.set(one.person, mine.set(one.id, one));
      return;
    }
    this.byId.delete(one.id);
    this.byBed.set(one.bed, others);
    mine.delete(one.id);
    this.ended.set(one.id, one);
    for (const oldest of this.ended.keys()) {
      if (this.ended.size <= endedBound) break;
      this.ended.delete(oldest);
    }
  }
}
