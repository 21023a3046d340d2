import type { PersonId, WardId } from '../../model/ids.ts';
import type { HandheldCheck, Shift } from '../../model/people.ts';
import type { PeopleDesk, PeopleRows } from './desk.ts';

/** Ended shifts that are still told by id and in lists. */
const endedBound = 500;

/** Who is on with which handheld. A person has one open shift at most, and so has a handheld. */
export class Shifts {
  private readonly desk: PeopleDesk;
  private readonly open = new Map<string, Shift>();
  private readonly ofPerson = new Map<PersonId, Shift>();
  /** Open ones of a ward: asked for with every alarm. */
  private readonly inWard = new Map<WardId, Set<Shift>>();
  private readonly ended = new Map<string, Shift>();

  constructor(desk: PeopleDesk) {
    this.desk = desk;
  }

  async load(rows: PeopleRows): Promise<void> {
    for (const shift of await rows.load('shifts')) this.hold(shift);
  }

  list(filter: { ward?: WardId; open?: boolean } = {}): readonly Shift[] {
    const pool = filter.open === true ? [] : [...this.ended.values()];
    return [...pool, ...this.open.values()].filter(
      (shift) => filter.ward === undefined || shift.wards.includes(filter.ward),
    );
  }

  shift(id: string): Shift | undefined {
    return this.open.get(id) ?? this.ended.get(id);
  }

  openOf(person: PersonId): Shift | undefined {
    return this.ofPerson.get(person);
  }

  openIn(ward: WardId): Iterable<Shift> {
    return this.inWard.get(ward) ?? [];
  }

  /** A second handheld of one person, or a second person on one handheld, is refused. */
  begin(
    by: { readonly id: PersonId },
    wanted: { readonly handheld: string; readonly wards: readonly WardId[]; readonly check?: HandheldCheck },
  ): Shift | 'already-on' | 'handheld-taken' {
    if (this.ofPerson.has(by.id)) return 'already-on';
    const taken = [...this.open.values()].some((shift) => shift.handheld === wanted.handheld);
    if (taken) return 'handheld-taken';
    const { check } = wanted;
    const shift: Shift = {
      id: this.desk.chance.id('shift'),
      person: by.id,
      handheld: wanted.handheld,
      wards: [...wanted.wards],
      beganAtMs: this.desk.clock.nowMs(),
      ...(check ? { check: { ...check, canRing: check.visible && check.wakeLock && check.audio } } : {}),
    };
    this.change(shift, by.id, 'begin-shift');
    return shift;
  }

  end(by: { readonly id: PersonId }, id: string): Shift | 'absent' | 'ended' {
    const shift = this.shift(id);
    if (!shift) return 'absent';
    if (shift.endedAtMs !== undefined) return 'ended';
    const over = { ...shift, endedAtMs: this.desk.clock.nowMs() };
    this.change(over, by.id, 'end-shift', shift);
    return over;
  }

  private change(shift: Shift, by: PersonId, act: string, before?: Shift): void {
    this.hold(shift);
    this.desk.keeper.keep('shifts', shift);
    this.desk.record({ by, act, on: shift.id, outcome: 'done', before, after: shift });
    this.desk.changed({ kind: 'shift', wards: shift.wards, person: shift.person });
  }

  private hold(shift: Shift): void {
    const before = this.open.get(shift.id);
    if (before) for (const ward of before.wards) this.inWard.get(ward)?.delete(before);
    if (shift.endedAtMs === undefined) {
      this.open.set(shift.id, shift);
      this.ofPerson.set(shift.person, shift);
      for (const ward of shift.wards) this.inWard.set(ward, (this.inWard.get(ward) ?? new Set()).add(shift));
      return;
    }
    this.open.delete(shift.id);
    if (this.ofPerson.get(shift.person)?.id === shift.id) this.ofPerson.delete(shift.person);
    this.ended.set(shift.id, shift);
    for (const oldest of this.ended.keys()) {
      if (this.ended.size <= endedBound) break;
      this.ended.delete(oldest);
    }
  }
}
