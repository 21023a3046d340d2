import type { AlarmLimit } from '../../model/alarm.ts';
import type { AlarmRule } from '../../model/alarm-rule.ts';
import type {
  Association,
  Bed,
  Encounter,
  MonitoringState,
  Patient,
  Profile,
  Ward,
} from '../../model/census.ts';
import { beforeAdmissionMs, chartedFor, chartedSource } from '../../model/charted.ts';
import type { Clock } from '../../model/clock.ts';
import type { BedId, Chance, DeviceId, EncounterId, PatientId, WardId } from '../../model/ids.ts';
import { metrics as metricTable } from '../../model/metric-table.ts';
import type { Metric } from '../../model/metric.ts';
import type { BedView, DeviceAtBed, LatestValue } from '../../model/stream.ts';
import { Associations, type AssociatedSpan, type AssociationRequest } from './associations.ts';
import { chartedSpans } from './charted.ts';
import type { Correction, CorrectionRefusal } from './corrections.ts';
import type { Actor, CensusAct, CensusChange, CensusRows, Desk } from './desk.ts';
import { LimitBook } from './limit-book.ts';
import type { LimitRefusal, LimitWish } from './limit-range.ts';
import { Places, type Monitoring } from './places.ts';
import { Stays, type MergeRefusal, type Stay } from './stays.ts';
import { WardBook, type WardSettings, type WardWish } from './ward-book.ts';

export type {
  Actor,
  AssociationCorrected,
  CensusAct,
  CensusChange,
  CensusRows,
  PatientMerged,
} from './desk.ts';
export { correctedSpans, type Correction } from './corrections.ts';
export type { LimitWish } from './limit-range.ts';
export type { Monitoring } from './places.ts';

export interface CensusOptions {
  readonly rows: CensusRows;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Every change and every refused limit, one line each. */
  readonly audit: (act: CensusAct) => void;
  readonly metrics?: ReadonlyMap<string, Metric>;
  /** Whether a device is registered; absent: every id is. */
  readonly knowsDevice?: (device: DeviceId) => boolean;
  /** Devices that stand at a bed by their registration: shown there while nobody is associated with them. */
  readonly fixedAt?: (bed: BedId) => readonly DeviceId[];
  /** How many crossings of a backlog wait to be seen at a bed. */
  readonly toReview?: (bed: BedId) => number;
  /** What a bed's tile shows of a device now; absent: beds are shown without devices and values. */
  readonly glance?: (device: DeviceId) => { device: DeviceAtBed; values: readonly LatestValue[] } | undefined;
}

/** A stretch of one device with whom it belonged to then; joined at query time, so a correction counts at once. */
export interface Span extends AssociatedSpan {
  readonly patient?: PatientId;
}

/** Opens the census: everything in memory, each act on disk before it is answered. */
export async function openCensus(options: CensusOptions): Promise<Census> {
  const census = new Census(options);
  await census.load();
  return census;
}

/** Wards, beds, patients, encounters and which device stands with whom. Refusals are words; faults are thrown. */
export class Census {
  private readonly options: CensusOptions;
  private readonly listeners = new Set<(change: CensusChange) => void>();
  private readonly places: Places;
  private readonly stays: Stays;
  private readonly associationBook: Associations;
  private readonly wardBook: WardBook;
  private readonly limitBook: LimitBook;

  constructor(options: CensusOptions) {
    this.options = options;
    const desk: Desk = {
      clock: options.clock,
      chance: options.chance,
      rows: options.rows,
      record: options.audit,
      changed: (change) => this.listeners.forEach((listener) => listener(change)),
    };
    this.places = new Places(desk);
    this.stays = new Stays(desk, this.places);
    this.associationBook = new Associations(desk);
    const metrics = options.metrics ?? metricTable;
    this.wardBook = new WardBook(desk, metrics);
    this.limitBook = new LimitBook(desk, metrics, this.wardBook);
  }

  async load(): Promise<void> {
    await this.places.load();
    await this.stays.load();
    await this.associationBook.load();
    await this.wardBook.load();
    await this.limitBook.load();
  }

  /** Told in the tick of each change; answers how to stop. */
  onChange(listener: (change: CensusChange) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    this.limitBook.close();
    this.listeners.clear();
  }

  wards(): readonly Ward[] {
    return this.places.wards();
  }
  ward(id: WardId): Ward | undefined {
    return this.places.ward(id);
  }
  addWard(by: Actor, ward: { id?: WardId; name: string; profile: Profile }): Promise<Ward | 'id-taken'> {
    return this.places.addWard(by, ward);
  }
  beds(ward?: WardId): readonly Bed[] {
    return this.places.beds(ward);
  }
  bed(id: BedId): Bed | undefined {
    return this.places.bed(id);
  }
  addBed(by: Actor, bed: { id?: BedId; ward: WardId; label: string }): Promise<Bed | 'absent' | 'id-taken'> {
    return this.places.addBed(by, bed);
  }

  monitoring(bed: BedId): Monitoring {
    return this.places.monitoring(bed);
  }
  watchedAs(bed: BedId): ReturnType<Places['watchedAs']> {
    return this.places.watchedAs(bed);
  }
  setMonitoring(
    by: Actor,
    bed: BedId,
    state: { state: MonitoringState; reason?: string; expectedReturnAtMs?: number },
  ): Promise<'done' | 'absent'> {
    return this.places.setMonitoring(by, bed, state);
  }

  patient(id: PatientId): Patient | undefined {
    return this.stays.patient(id);
  }
  encounter(id: EncounterId): Encounter | undefined {
    return this.stays.encounter(id);
  }
  encounters(filter: { ward?: WardId; patient?: PatientId; open?: boolean }): readonly Encounter[] {
    return this.stays.encounters(filter);
  }
  admit(by: Actor, stay: Stay): Promise<Encounter | 'absent' | 'bed-taken'> {
    return this.stays.admit(by, stay);
  }
  transfer(
    by: Actor,
    encounter: EncounterId,
    to: { ward: WardId; bed?: BedId },
  ): Promise<Encounter | 'absent' | 'bed-taken' | 'ended'> {
    return this.stays.transfer(by, encounter, to);
  }
  /** A person confirms, or corrects, the profile that birth date or ward proposed. */
  setProfile(by: Actor, encounter: EncounterId, profile: Profile): Promise<Encounter | 'absent' | 'ended'> {
    return this.stays.setProfile(by, encounter, profile);
  }
  discharge(
    by: Actor,
    encounter: EncounterId,
    at: { dischargedAtMs?: number },
  ): Promise<Encounter | 'absent' | 'ended'> {
    return this.stays.discharge(by, encounter, at);
  }

  /**
   * The patient turned out to be another one (a temporary one is known now, HL7 A40): its stays and all their values
   * are found under that other from now on, and under its own id too. `unmerge` takes it back.
   */
  merge(by: Actor, patient: PatientId, into: PatientId, reason: string): Promise<Patient | MergeRefusal> {
    return this.stays.merge(by, patient, into, reason);
  }
  unmerge(by: Actor, patient: PatientId, reason: string): Promise<Patient | 'absent' | 'not-merged'> {
    return this.stays.unmerge(by, patient, reason);
  }

  association(id: string): Association | undefined {
    return this.associationBook.get(id);
  }
  associations(filter: {
    bed?: BedId;
    device?: DeviceId;
    encounter?: EncounterId;
    open?: boolean;
  }): readonly Association[] {
    return this.associationBook.list(filter);
  }
  /** The open association of a device: whose its values are now. */
  current(device: DeviceId): Association | undefined {
    return this.associationBook.current(device);
  }
  /** Whose a value taken at that instant is, however late it arrives. */
  whoWasOn(device: DeviceId, atMs: number): Span | undefined {
    const stay = chartedFor(device);
    if (stay !== undefined) return this.chartedOf({ encounter: stay }, atMs, atMs + 1)[0];
    const association = this.associationBook.at(device, atMs);
    const [span] = association ? this.associationBook.spans([association], -Infinity, Infinity) : [];
    return span && this.named(span);
  }

  async associate(
    by: Actor,
    wanted: AssociationRequest,
  ): Promise<Association | 'absent' | 'device-taken' | 'encounter-ended' | 'overlap' | 'end-before-begin'> {
    if (!this.places.bed(wanted.bed) || this.options.knowsDevice?.(wanted.device) === false) return 'absent';
    if (wanted.encounter !== undefined) {
      const encounter = this.stays.encounter(wanted.encounter);
      if (!encounter) return 'absent';
      // What is over already may be entered for a stay that is over too.
      if (encounter.dischargedAtMs !== undefined && wanted.endAtMs === undefined) return 'encounter-ended';
    }
    return this.associationBook.begin(by, wanted);
  }
  endAssociation(
    by: Actor,
    id: string,
    at: { endAtMs?: number; reason?: string },
  ): Promise<Association | 'absent' | 'ended'> {
    return this.associationBook.end(by, id, at);
  }

  /** Sets begin or end right afterwards, with a reason (CLINICAL 11). */
  correctAssociation(
    by: Actor,
    id: string,
    correction: Correction,
  ): Promise<Association | CorrectionRefusal> {
    return this.associationBook.correct(by, id, correction);
  }

  /**
   * Which stretches of which devices answer a query, [fromMs, toMs). A device's own query holds its unattributed
   * stretches too; the others only what was associated.
   */
  spansOf(
    whose: { patient?: PatientId; encounter?: EncounterId; bed?: BedId; device?: DeviceId },
    fromMs: number,
    toMs: number,
  ): readonly Span[] {
    const book = this.associationBook;
    if (whose.device !== undefined) {
      return book.deviceSpans(whose.device, fromMs, toMs).map((span) => this.named(span));
    }
    const spans = (filter: { bed?: BedId; encounter?: EncounterId }): readonly Span[] =>
      book.spans(book.list(filter), fromMs, toMs).map((span) => this.named(span));
    if (whose.bed !== undefined) return spans({ bed: whose.bed });
    if (whose.encounter !== undefined) return spans({ encounter: whose.encounter });
    if (whose.patient === undefined) return [];
    return this.stays
      .encounters({ patient: whose.patient })
      .flatMap((encounter) => spans({ encounter: encounter.id }));
  }

  /** The stretches in which people may have charted for the asked: each stay's own source, wherever it was. */
  chartedOf(
    whose: { patient?: PatientId; encounter?: EncounterId; bed?: BedId; device?: DeviceId },
    fromMs: number,
    toMs: number,
  ): readonly Span[] {
    const { patient, bed } = whose;
    const named = whose.encounter ?? (whose.device === undefined ? undefined : chartedFor(whose.device));
    const one = named === undefined ? undefined : this.stays.encounter(named);
    if (one) return chartedSpans(one, [fromMs, toMs]);
    if (patient !== undefined)
      return this.stays.encounters({ patient }).flatMap((stay) => chartedSpans(stay, [fromMs, toMs]));
    if (bed === undefined) return [];
    return this.stays.encounters({}).flatMap((stay) => {
      // A bed has had many stays: those of the asked time alone.
      const begin = Math.max(fromMs, stay.admittedAtMs - beforeAdmissionMs);
      return chartedSpans(stay, [begin, Math.min(toMs, (stay.dischargedAtMs ?? Infinity) + 1)], bed);
    });
  }

  /** Limits in force for an encounter: its profile's defaults with its own over them. */
  limits(encounter: EncounterId): readonly AlarmLimit[] | undefined {
    const stay = this.stays.encounter(encounter);
    return stay && this.limitBook.inForce({ ward: stay.ward, profile: stay.profile, encounter });
  }
  /** Limits of a ward for somebody not yet known. */
  wardLimits(ward: WardId): readonly AlarmLimit[] {
    return this.limitBook.inForce({ ward, profile: this.places.ward(ward)?.profile ?? 'adult' });
  }
  /** What a ward set for one profile (its own unless named), its rules, and what it leaves to its devices. */
  wardSettings(ward: WardId, profile?: Profile): WardSettings | undefined {
    const known = this.places.ward(ward);
    return known && this.wardBook.settings(ward, profile ?? known.profile);
  }
  async setWardSettings(
    by: Actor,
    ward: WardId,
    wish: Omit<WardWish, 'profile'> & { readonly profile?: Profile },
    reason: string,
  ): Promise<WardSettings | 'absent' | { refused: readonly LimitRefusal[] }> {
    const known = this.places.ward(ward);
    if (!known) return 'absent';
    return this.wardBook.set(by, ward, { ...wish, profile: wish.profile ?? known.profile }, reason);
  }
  /** Conditions beyond limits that judge in a ward. */
  rules(ward: WardId): readonly AlarmRule[] {
    return this.wardBook.rules(ward);
  }
  async setLimits(
    by: Actor,
    encounter: EncounterId,
    limits: readonly LimitWish[],
    reason: string,
  ): Promise<readonly AlarmLimit[] | 'absent' | { refused: readonly LimitRefusal[] }> {
    const stay = this.stays.encounter(encounter);
    if (!stay) return 'absent';
    return this.limitBook.set(by, { ward: stay.ward, profile: stay.profile, encounter }, limits, reason);
  }

  /**
   * Everything a tile or the bed page shows now. The patient is the associated one: after a discharge in the HIS the
   * bed is "discharged in HIS, still monitored" until a nurse ends the association, whoever was admitted since.
   */
  view(id: BedId): BedView | undefined {
    const bed = this.places.bed(id);
    if (!bed) return undefined;
    const open = this.associationBook.list({ bed: id, open: true });
    const encounter = this.watchedAt(id, open);
    const patient = encounter && this.stays.patient(encounter.patient);
    const seen = this.seenAt(id, open);
    const limits = encounter
      ? this.limitBook.inForce({ ...encounter, encounter: encounter.id })
      : this.wardLimits(bed.ward);
    const toReview = this.options.toReview?.(id) ?? 0;
    return {
      bed: id,
      ward: bed.ward,
      label: bed.label,
      monitoring: this.places.monitoring(id).state,
      ...(patient ? { patient } : {}),
      ...(encounter ? { encounter } : {}),
      ...(encounter ? { profileAsked: this.profileAsked(encounter, patient) } : {}),
      ...deviceJudgedAt(this.wardBook, bed.ward),
      ...(toReview > 0 ? { toReview } : {}),
      devices: seen.map((one) => one.device),
      values: [...seen.flatMap((one) => one.values), ...this.chartedNow(encounter)],
      limits: limits.map(({ metric, direction, priority, value }) => ({
        metric,
        direction,
        priority,
        value,
      })),
    };
  }

  /** The values of a tile alone: asked for each second, so nothing else is put together. */
  values(id: BedId): Pick<BedView, 'bed' | 'ward' | 'values'> | undefined {
    const bed = this.places.bed(id);
    if (!bed) return undefined;
    const open = this.associationBook.list({ bed: id, open: true });
    const seen = this.seenAt(id, open);
    const charted = this.chartedNow(this.watchedAt(id, open));
    return { bed: id, ward: bed.ward, values: [...seen.flatMap((one) => one.values), ...charted] };
  }

  /** Whoever is associated; with nobody associated, whoever is there in the books. */
  private watchedAt(id: BedId, open: readonly Association[]): Encounter | undefined {
    const watched = open.find((one) => one.encounter !== undefined)?.encounter;
    if (watched !== undefined) return this.stays.encounter(watched);
    return open.length === 0 ? this.stays.occupant(id) : undefined;
  }

  /** The newest of what people charted for a stay. */
  private chartedNow(stay: Encounter | undefined): readonly LatestValue[] {
    return (stay && this.options.glance?.(chartedSource(stay.id))?.values) ?? [];
  }

  /** What a nurse is asked about the profile: its confirmation, and the age where nobody knows it (CLINICAL 3). */
  private profileAsked(encounter: Encounter, patient: Patient | undefined): 'no' | 'confirm' | 'age' {
    if (encounter.profileConfirmedBy !== undefined) return 'no';
    return patient?.birthDate === undefined ? 'age' : 'confirm';
  }

  /** Associated devices, and those that stand at the bed and are with nobody. */
  private seenAt(id: BedId, open: readonly Association[]) {
    const fixed = (this.options.fixedAt?.(id) ?? []).filter(
      (device) => !this.associationBook.current(device),
    );
    const devices = [...new Set([...open.map((one) => one.device), ...fixed])];
    return devices.flatMap((device) => {
      const seen = this.options.glance?.(device);
      if (!seen) return [];
      // What was taken before the association is another patient's: a cuff value left in the monitor.
      const beginAtMs = open.find((one) => one.device === device)?.beginAtMs ?? -Infinity;
      return [{ ...seen, values: seen.values.filter((value) => value.takenAtMs >= beginAtMs) }];
    });
  }

  private named(span: AssociatedSpan): Span {
    const patient = span.encounter === undefined ? undefined : this.stays.encounter(span.encounter)?.patient;
    return patient === undefined ? span : { ...span, patient };
  }
}

/** Shown on the bed where the ward leaves quantities to the devices' own alarms (CLINICAL 5). */
const deviceJudgedAt = (book: WardBook, ward: WardId): { readonly deviceJudged?: readonly string[] } => {
  const judged = book.deviceJudged(ward);
  return judged.size === 0 ? {} : { deviceJudged: [...judged] };
};
