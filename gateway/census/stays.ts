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

  patient(id: PatientId): Patient | undefined {
    return this.patients.get(id);
  }

  encounter(id: EncounterId): Encounter | undefined {
    return this.encountersById.get(id);
  }

  encounters(filter: { ward?: WardId; patient?: PatientId; open?: boolean }): readonly Encounter[] {
    return [...this.encountersById.values()].filter(
      (one) =>
        (filter.ward === undefined || one.ward === filter.ward) &&
        (filter.patient === undefined || one.patient === filter.patient) &&
        (filter.open === undefined || (one.dischargedAtMs === undefined) === filter.open),
    );
  }

  /** The stay that occupies a bed in the books, if any. */
  occupant(bed: BedId): Encounter | undefined {
    for (const one of this.encountersById.values()) {
      if (one.bed === bed && one.dischargedAtMs === undefined) return one;
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
    const after: Encounter = { ...rest, ward: to.ward, ...(to.bed === undefined ? {} : { bed: to.bed }) };
    return this.replace(by, 'encounter.transfer', before, after);
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

  private async replace(by: Actor, act: string, before: Encounter, after: Encounter): Promise<Encounter> {
    const put = (encounter: Encounter): void => {
      this.encountersById.set(encounter.id, encounter);
      this.desk.changed({ kind: 'encounter', encounter });
    };
    await keep({
      put: () => this.desk.rows.put('encounters', after),
      apply: () => put(after),
      undo: () => put(before),
    });
    this.desk.record({ by: by.id, act, on: after.id, outcome: 'done', before, after });
    return after;
  }

  private refuseBed(ward: WardId, id: BedId | undefined): 'absent' | 'bed-taken' | undefined {
    if (id === undefined) return undefined;
    if (this.places.bed(id)?.ward !== ward) return 'absent';
    return this.occupant(id) ? 'bed-taken' : undefined;
  }

  private describe(known: PatientId | undefined, told: Stay['patient']): Patient {
    const before = known === undefined ? undefined : this.patients.get(known);
    const named = told.mrn !== undefined || told.name !== undefined;
    return {
      ...before,
      ...told,
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
 * confirm: neonate to 28 days, infant to 1 year, child to 16 years.
 */
export function proposeProfile(birthDate: string | undefined, ward: Profile, nowMs: number): Profile {
  const bornMs = birthDate === undefined ? NaN : Date.parse(birthDate);
  if (Number.isNaN(bornMs) || bornMs > nowMs) return ward;
  const ageMs = nowMs - bornMs;
  if (ageMs < 28 * 86_400_000) return 'neonate';
  if (ageMs < yearMs) return 'infant';
  if (ageMs < 16 * yearMs) return 'child';
  return ward === 'obstetric' ? 'obstetric' : 'adult';
}
