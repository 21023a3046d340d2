import type { Bed, MonitoringState, Profile, Ward } from '../../model/census.ts';
import type { BedId, WardId } from '../../model/ids.ts';
import { keep, type Actor, type Desk } from './desk.ts';

/** How a bed is watched, and why (CLINICAL 1); the id is the bed's. Beds without a row are on. */
export interface Monitoring {
  readonly id: BedId;
  readonly state: MonitoringState;
  readonly reason?: string;
  readonly expectedReturnAtMs?: number;
  readonly sinceMs: number;
  /** A person, or a device by its own standby. */
  readonly by: string;
  /** How it was watched before, oldest first; the oldest are forgotten. */
  readonly before?: readonly { readonly state: MonitoringState; readonly sinceMs: number }[];
}

/** States of before that are kept of each bed: weeks at a few a day. */
const keptStates = 100;

/** Wards, beds and how each bed is watched. */
export class Places {
  private readonly desk: Desk;
  private readonly wardsById = new Map<WardId, Ward>();
  private readonly bedsById = new Map<BedId, Bed>();
  private readonly monitoringByBed = new Map<BedId, Monitoring>();

  constructor(desk: Desk) {
    this.desk = desk;
  }

  async load(): Promise<void> {
    for (const row of (await this.desk.rows.load('wards')) as readonly Ward[])
      this.wardsById.set(row.id, row);
    for (const row of (await this.desk.rows.load('beds')) as readonly Bed[]) this.bedsById.set(row.id, row);
    for (const row of (await this.desk.rows.load('monitoring')) as readonly Monitoring[])
      this.monitoringByBed.set(row.id, row);
  }

  wards(): readonly Ward[] {
    return [...this.wardsById.values()];
  }

  ward(id: WardId): Ward | undefined {
    return this.wardsById.get(id);
  }

  beds(ward?: WardId): readonly Bed[] {
    const all = [...this.bedsById.values()];
    return ward === undefined ? all : all.filter((bed) => bed.ward === ward);
  }

  bed(id: BedId): Bed | undefined {
    return this.bedsById.get(id);
  }

  async addWard(
    by: Actor,
    wanted: { id?: WardId; name: string; profile: Profile },
  ): Promise<Ward | 'id-taken'> {
    const ward: Ward = {
      id: wanted.id ?? this.desk.chance.id('ward'),
      name: wanted.name,
      profile: wanted.profile,
    };
    if (this.wardsById.has(ward.id)) return 'id-taken';
    await keep({
      put: () => this.desk.rows.put('wards', ward),
      apply: () => void this.wardsById.set(ward.id, ward),
      undo: () => void this.wardsById.delete(ward.id),
    });
    this.desk.record({ by: by.id, act: 'ward.add', on: ward.id, outcome: 'done', after: ward });
    this.desk.changed({ kind: 'ward', ward: ward.id });
    return ward;
  }

  async addBed(
    by: Actor,
    wanted: { id?: BedId; ward: WardId; label: string },
  ): Promise<Bed | 'absent' | 'id-taken'> {
    if (!this.wardsById.has(wanted.ward)) return 'absent';
    const bed: Bed = {
      id: wanted.id ?? this.desk.chance.id('bed'),
      ward: wanted.ward,
      label: wanted.label,
    };
    if (this.bedsById.has(bed.id)) return 'id-taken';
    await keep({
      put: () => this.desk.rows.put('beds', bed),
      apply: () => void this.bedsById.set(bed.id, bed),
      undo: () => void this.bedsById.delete(bed.id),
    });
    this.desk.record({ by: by.id, act: 'bed.add', on: bed.id, outcome: 'done', after: bed });
    this.desk.changed({ kind: 'bed', bed: bed.id });
    return bed;
  }

  monitoring(bed: BedId): Monitoring {
    return this.monitoringByBed.get(bed) ?? { id: bed, state: 'on', sinceMs: 0, by: '' };
  }

  /** How a bed was watched, oldest first: from each instant on until the next. */
  watchedAs(bed: BedId): readonly { readonly fromMs: number; readonly state: MonitoringState }[] {
    const { before = [], state, sinceMs } = this.monitoring(bed);
    return [...before, { state, sinceMs }].map((one) => ({ fromMs: one.sinceMs, state: one.state }));
  }

  async setMonitoring(
    by: Actor,
    bed: BedId,
    wanted: { state: MonitoringState; reason?: string; expectedReturnAtMs?: number },
  ): Promise<'done' | 'absent'> {
    if (!this.bedsById.has(bed)) return 'absent';
    const before = this.monitoring(bed);
    const { state, reason, expectedReturnAtMs } = wanted;
    const after: Monitoring = {
      id: bed,
      state,
      ...(state === 'on' ? {} : { reason, expectedReturnAtMs }),
      sinceMs: this.desk.clock.nowMs(),
      by: by.id,
      before: [...(before.before ?? []), { state: before.state, sinceMs: before.sinceMs }].slice(-keptStates),
    };
    const put = (row: Monitoring): void => {
      this.monitoringByBed.set(bed, row);
      this.desk.changed({ kind: 'monitoring', bed, state: row.state });
    };
    await keep({
      put: () => this.desk.rows.put('monitoring', after),
      apply: () => put(after),
      undo: () => put(before),
    });
    const { before: _earlier, ...was } = before;
    const { before: _states, ...is } = after;
    this.desk.record({ by: by.id, act: 'bed.monitoring', on: bed, outcome: state, before: was, after: is });
    return 'done';
  }
}
