import type { Encounter, Patient, Profile } from '../../model/census.ts';
import type { BedId, EncounterId, PatientId, WardId } from '../../model/ids.ts';
import { keep, type Actor, type Desk } from './desk.ts';
import type { Places } from './places.ts';

export interface Stay {
  ward: WardId;
  bed?: BedId;
  patient: Partial<Omit<Patient, 'id' | 'temporary'>>;
  profile?: Profile;
  admittedAtMs?: number;
}

/** Transfers of one stay that are remembered; the oldest are forgotten. */
const keptMoves = 200;

export type MergeRefusal = 'absent' | 'same-patient' | 'merged-already';

/** Patients and their encounters, as the HIS and the nurses tell them. Discharge ends charting, never alarming. */
export class Stays {
  private readonly desk: Desk;
  private readonly places: Places;
  private readonly patients = new Map<PatientId, Patient>();
  private readonly byMrn = new Map<string, PatientId>();
  private readonly encountersById = new Map<EncounterId, Encounter>();

  constructor(desk: Desk, places: Places) {
    this.desk = desk;
    this.places = places;
  }

  async load(): Promise<void> {
    for (const patient of (await this.desk.rows.load('patients')) as readonly Patient[]) this.hold(patient);
    for (const encounter of (await this.desk.rows.load('encounters')) as readonly Encounter[]) {
      this.encountersById.set(encounter.id, encounter);
    }
  }

  /** Of a merged one: whom it turned out to be. */
  patient(id: PatientId): Patient | undefined {
    return this.patients.get(this.survivor(id));
  }

  /** With the patient it belongs to now, merges followed. */
  encounter(id: EncounterId): Encounter | undefined {
    const kept = this.encountersById.get(id);
    return kept && this.followed(kept);
  }

  encounters(filter: { ward?: WardId; patient?: PatientId; open?: boolean }): readonly Encounter[] {
    const patient = filter.patient === undefined ? undefined : this.survivor(filter.patient);
    return [...this.encountersById.values()]
      .filter(
        (one) =>
          (filter.ward === undefined || one.ward === filter.ward) &&
          (patient === undefined || this.survivor(one.patient) === patient) &&
          (filter.open === undefined || (one.dischargedAtMs === undefined) === filter.open),
      )
      .map((one) => this.followed(one));
  }

  /** The stay that occupies a bed in the books, if any. */
  occupant(bed: BedId): Encounter | undefined {
    for (const one of this.encountersById.values()) {
      if (one.bed === bed && one.dischargedAtMs === undefined) return this.followed(one);
    }
    return undefined;
  }

  async admit(by: Actor, stay: Stay): Promise<Encounter | 'absent' | 'bed-taken'> {
    const ward = this.places.ward(stay.ward);
    if (!ward) return 'absent';
    const refusal = this.refuseBed(stay.ward, stay.bed);
    if (refusal) return refusal;
    const nowMs = this.desk.clock.nowMs();
    const known = stay.patient.mrn === undefined ? undefined : this.byMrn.get(stay.patient.mrn);
    const patient = this.describe(known, stay.patient);
    const encounter: Encounter = {
      id: this.desk.chance.id('encounter'),
      patient: patient.id,
      ward: stay.ward,
      ...(stay.bed === undefined ? {} : { bed: stay.bed }),
      profile: stay.profile ?? proposeProfile(patient.birthDate, ward.profile, nowMs),
      admittedAtMs: stay.admittedAtMs ?? nowMs,
    };
    const before = this.patients.get(patient.id);
    await keep({
      put: async () => {
        await this.desk.rows.put('patients', patient);
        await this.desk.rows.put('encounters', encounter);
      },
      // The bed is taken in memory at once: two admissions racing for it cannot both have it.
      apply: () => {
        this.hold(patient);
        this.encountersById.set(encounter.id, encounter);
      },
      undo: () => {
        this.encountersById.delete(encounter.id);
        if (before) this.hold(before);
        else this.drop(patient);
      },
    });
    this.desk.record({
      by: by.id,
      act: 'encounter.admit',
      on: encounter.id,
      outcome: 'done',
      after: encounter,
    });
    this.desk.changed({ kind: 'encounter', encounter });
    return encounter;
  }

  async transfer(
    by: Actor,
    id: EncounterId,
    to: { ward: WardId; bed?: BedId },
  ): Promise<Encounter | 'absent' | 'bed-taken' | 'ended'> {
    const before = this.encountersById.get(id);
    if (!before || !this.places.ward(to.ward)) return 'absent';
    if (before.dischargedAtMs !== undefined) return 'ended';
    const refusal = to.bed === before.bed ? undefined : this.refuseBed(to.ward, to.bed);
    if (refusal) return refusal;
    const { bed: _, ...rest } = before;
    const left = { ward: before.ward, bed: before.bed, untilMs: this.desk.clock.nowMs() };
    const after: Encounter = {
      ...rest,
      ward: to.ward,
      ...(to.bed === undefined ? {} : { bed: to.bed }),
      moves: [...(before.moves ?? []), left].slice(-keptMoves),
    };
    return this.replace(by, 'encounter.transfer', before, after);
  }

  async setProfile(by: Actor, id: EncounterId, profile: Profile): Promise<Encounter | 'absent' | 'ended'> {
    const before = this.encountersById.get(id);
    if (!before) return 'absent';
    if (before.dischargedAtMs !== undefined) return 'ended';
    return this.replace(by, 'encounter.profile', before, { ...before, profile, profileConfirmedBy: by.id });
  }

  async discharge(
    by: Actor,
    id: EncounterId,
    at: { dischargedAtMs?: number },
  ): Promise<Encounter | 'absent' | 'ended'> {
    const before = this.encountersById.get(id);
    if (!before) return 'absent';
    if (before.dischargedAtMs !== undefined) return 'ended';
    const dischargedAtMs = Math.max(before.admittedAtMs, at.dischargedAtMs ?? this.desk.clock.nowMs());
    return this.replace(by, 'encounter.discharge', before, { ...before, dischargedAtMs });
  }

  /**
   * One row changes: the stays keep the patient they were admitted with, and who that is now is followed when they are
   * asked for. So a merge is whole or not at all, and can be taken back.
   */
  async merge(by: Actor, id: PatientId, into: PatientId, reason: string): Promise<Patient | MergeRefusal> {
    const before = this.patients.get(id);
    const target = this.patient(into);
    if (!before || !target) return 'absent';
    if (before.mergedInto !== undefined) return 'merged-already';
    if (target.id === id) return 'same-patient';
    await this.remember(by, { before, after: { ...before, mergedInto: target.id }, reason });
    return target;
  }

  async unmerge(by: Actor, id: PatientId, reason: string): Promise<Patient | 'absent' | 'not-merged'> {
    const before = this.patients.get(id);
    if (!before) return 'absent';
    const { mergedInto, ...after } = before;
    if (mergedInto === undefined) return 'not-merged';
    await this.remember(by, { before, after, reason });
    return after;
  }

  private async remember(
    by: Actor,
    change: { readonly before: Patient; readonly after: Patient; readonly reason: string },
  ): Promise<void> {
    const { before, after, reason } = change;
    const undone = after.mergedInto === undefined;
    const into = after.mergedInto ?? before.mergedInto ?? '';
    const encounters = this.encounters({ patient: before.id }).map(({ id }) => id);
    await keep({
      put: () => this.desk.rows.put('patients', after),
      apply: () => this.hold(after),
      undo: () => this.hold(before),
    });
    const moved = undone ? this.encounters({ patient: after.id }).map(({ id }) => id) : encounters;
    const act = undone ? 'patient.unmerge' : 'patient.merge';
    this.desk.record({ by: by.id, act, on: after.id, outcome: reason, after: { into } });
    this.desk.changed({
      kind: 'merged',
      patient: after.id,
      into,
      undone,
      encounters: moved,
      by: by.id,
      reason,
    });
  }

  /** Whom a patient turned out to be, over any number of merges. */
  private survivor(id: PatientId): PatientId {
    let at = id;
    // A ring cannot be made: a merge into oneself is refused.
    for (let next = this.patients.get(at)?.mergedInto; next !== undefined;)
      [at, next] = [next, this.patients.get(next)?.mergedInto];
    return at;
  }

  private followed(encounter: Encounter): Encounter {
    const patient = this.survivor(encounter.patient);
    return patient === encounter.patient ? encounter : { ...encounter, patient };
  }

  private async replace(by: Actor, act: string, before: Encounter, after: Encounter): Promise<Encounter> {
    const put = (encounter: Encounter): void => {
      this.encountersById.set(encounter.id, encounter);
      this.desk.changed({ kind: 'encounter', encounter: this.followed(encounter) });
    };
    await keep({
      put: () => this.desk.rows.put('encounters', after),
      apply: () => put(after),
      undo: () => put(before),
    });
    this.desk.record({ by: by.id, act, on: after.id, outcome: 'done', before, after });
    return this.followed(after);
  }

  private refuseBed(ward: WardId, id: BedId | undefined): 'absent' | 'bed-taken' | undefined {
    if (id === undefined) return undefined;
    if (this.places.bed(id)?.ward !== ward) return 'absent';
    return this.occupant(id) ? 'bed-taken' : undefined;
  }

  private describe(known: PatientId | undefined, told: Stay['patient']): Patient {
    const before = known === undefined ? undefined : this.patient(known);
    const named = told.mrn !== undefined || told.name !== undefined;
    return {
      ...before,
      ...told,
      // Of a merged one the old number is told: the other's stays.
      ...(before?.mrn === undefined ? {} : { mrn: before.mrn }),
      id: before?.id ?? this.desk.chance.id('patient'),
      temporary: before ? before.temporary && !named : !named,
    };
  }

  private hold(patient: Patient): void {
    this.patients.set(patient.id, patient);
    if (patient.mrn !== undefined) this.byMrn.set(patient.mrn, patient.id);
  }

  private drop(patient: Patient): void {
    this.patients.delete(patient.id);
    if (patient.mrn !== undefined) this.byMrn.delete(patient.mrn);
  }
}

const yearMs = 365.25 * 86_400_000;

/**
 * The limit profile a birth date proposes; a person confirms it at association. The ages are for a clinician to
 * confirm: neonate to 28 days, infant to 1 year, child to 5, schoolchild to 12, adolescent to 16 years.
 */
export function proposeProfile(birthDate: string | undefined, ward: Profile, nowMs: number): Profile {
  const bornMs = birthDate === undefined ? NaN : Date.parse(birthDate);
  if (Number.isNaN(bornMs) || bornMs > nowMs) return ward;
  const ageMs = nowMs - bornMs;
  if (ageMs < 28 * 86_400_000) return 'neonate';
  if (ageMs < yearMs) return 'infant';
  if (ageMs < 5 * yearMs) return 'child';
  if (ageMs < 12 * yearMs) return 'schoolchild';
  if (ageMs < 16 * yearMs) return 'adolescent';
  return ward === 'obstetric' ? 'obstetric' : 'adult';
}
