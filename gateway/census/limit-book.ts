import type { AlarmLimit } from '../../model/alarm.ts';
import type { Profile } from '../../model/census.ts';
import type { Cancel } from '../../model/clock.ts';
import type { EncounterId, WardId } from '../../model/ids.ts';
import type { Metric } from '../../model/metric.ts';
import { defaultDelayS, defaultHysteresis } from '../alarm/defaults.ts';
import { lineOf } from '../alarm/source-order.ts';
import { keep, type Actor, type Desk } from './desk.ts';
import { limitRefusals, type LimitRefusal, type LimitWish } from './limit-range.ts';

/** One band of a ward or an encounter as kept: with who, when, why, until when. */
export interface OwnBand extends LimitWish {
  readonly delayS: number;
  readonly hysteresis: number;
  readonly setBy: string;
  readonly setAtMs: number;
  readonly reason: string;
}

/** Whose limits. Without an encounter: a ward's, for somebody not yet known. */
export interface LimitPlace {
  readonly ward: WardId;
  readonly profile: Profile;
  readonly encounter?: EncounterId;
}

/** What a ward has set over the profiles' defaults. */
export interface WardRules {
  limits(ward: WardId, profile: Profile): readonly AlarmLimit[];
  /** Lines whose limits Vigil leaves to the devices' own alarms. */
  deviceJudged(ward: WardId): ReadonlySet<string>;
}

/** One row an encounter, so that a change of several bands is on disk as a whole or not at all. */
interface EncounterLimits {
  readonly id: string;
  readonly encounter: EncounterId;
  /** Those in force, for whoever reads the table. */
  readonly limits: readonly AlarmLimit[];
  /** All that were set, those switched off too. */
  readonly bands: readonly OwnBand[];
}

/** The clock's timers hold at most some days; a longer wait is taken in pieces. */
const longestWaitMs = 86_400_000;

/** The limits of each encounter over its profile's defaults. */
export class LimitBook {
  private readonly desk: Desk;
  private readonly metrics: ReadonlyMap<string, Metric>;
  private readonly byEncounter = new Map<EncounterId, readonly OwnBand[]>();
  private readonly wards: WardRules;
  private cancelExpiry: Cancel | undefined = undefined;

  constructor(desk: Desk, metrics: ReadonlyMap<string, Metric>, wards: WardRules) {
    this.desk = desk;
    this.metrics = metrics;
    this.wards = wards;
  }

  async load(): Promise<void> {
    for (const row of (await this.desk.rows.load('limits')) as readonly Partial<EncounterLimits>[]) {
      if (row.encounter !== undefined && row.bands) this.byEncounter.set(row.encounter, row.bands);
    }
    this.awaitExpiry();
  }

  /**
   * Limits in force: the encounter's own, where it has one, else the ward's, else the profile's. Where the ward leaves a
   * quantity to its devices' own alarms only what was set for the encounter is left.
   */
  inForce(place: LimitPlace): readonly AlarmLimit[] {
    const own = place.encounter === undefined ? undefined : this.byEncounter.get(place.encounter);
    const base = this.wards.limits(place.ward, place.profile);
    const all = own ? merged(base, own, { nowMs: this.desk.clock.nowMs(), origin: 'encounter' }) : base;
    const judged = this.wards.deviceJudged(place.ward);
    if (judged.size === 0) return all;
    return all.filter((limit) => limit.origin === 'encounter' || !judged.has(lineOf(limit.metric)));
  }

  /** All or nothing: one refused band refuses the whole request, with every cause. */
  async set(
    by: Actor,
    stay: LimitPlace & { readonly encounter: EncounterId },
    wishes: readonly LimitWish[],
    reason: string,
  ): Promise<readonly AlarmLimit[] | { refused: readonly LimitRefusal[] }> {
    const nowMs = this.desk.clock.nowMs();
    const bands = wishes.map((wish) => bandFor(by, wish, { nowMs, reason }));
    const own = this.byEncounter.get(stay.encounter);
    const before = this.inForce(stay);
    const wanted = [...new Map([...(own ?? []), ...bands].map((band) => [bandOf(band), band])).values()];
    const after = merged(this.wards.limits(stay.ward, stay.profile), wanted, { nowMs, origin: 'encounter' });
    const refused = limitRefusals(bands, after, { metrics: this.metrics, nowMs });
    if (refused.length > 0) {
      this.desk.record({
        by: by.id,
        act: 'limits.set',
        on: stay.encounter,
        outcome: 'refused',
        after: { wishes, refused },
      });
      return { refused };
    }
    await this.keepBands(stay.encounter, wanted, own);
    this.desk.record({
      by: by.id,
      act: 'limits.set',
      on: stay.encounter,
      outcome: 'done',
      before,
      after: { limits: after, reason },
    });
    this.awaitExpiry();
    return this.inForce(stay);
  }

  close(): void {
    this.cancelExpiry?.();
  }

  private keepBands(
    encounter: EncounterId,
    wanted: readonly OwnBand[],
    before: readonly OwnBand[] | undefined,
  ): Promise<void> {
    const row: EncounterLimits = {
      id: `encounter/${encounter}`,
      encounter,
      limits: merged([], wanted, { nowMs: this.desk.clock.nowMs(), origin: 'encounter' }),
      bands: wanted,
    };
    const told = (): void => this.desk.changed({ kind: 'limits', encounter });
    return keep({
      put: () => this.desk.rows.put('limits', row),
      apply: () => {
        this.byEncounter.set(encounter, wanted);
        told();
      },
      undo: () => {
        if (before) this.byEncounter.set(encounter, before);
        else this.byEncounter.delete(encounter);
        told();
      },
    });
  }

  /** A limit set until an instant falls back to the profile's then, by itself. */
  private awaitExpiry(): void {
    this.cancelExpiry?.();
    this.cancelExpiry = undefined;
    const nowMs = this.desk.clock.nowMs();
    let nextMs = Infinity;
    for (const bands of this.byEncounter.values()) {
      for (const { untilMs } of bands) {
        if (untilMs !== undefined && untilMs > nowMs) nextMs = Math.min(nextMs, untilMs);
      }
    }
    if (nextMs === Infinity) return;
    this.cancelExpiry = this.desk.clock.after(Math.min(nextMs - nowMs, longestWaitMs), () => {
      const passed = this.desk.clock.nowMs() >= nextMs;
      for (const [encounter, bands] of this.byEncounter) {
        if (passed && bands.some((band) => band.untilMs === nextMs))
          this.desk.changed({ kind: 'limits', encounter });
      }
      this.awaitExpiry();
    });
  }
}

/** A limit on any source of a quantity is a limit on the quantity: it takes the place of the default there. */
export const bandOf = (limit: Pick<AlarmLimit, 'metric' | 'direction' | 'priority'>): string =>
  `${lineOf(limit.metric)}.${limit.direction}.${limit.priority}`;

export function bandFor(by: Actor, wish: LimitWish, said: { nowMs: number; reason: string }): OwnBand {
  const { metric, direction, priority, value, untilMs } = wish;
  return {
    metric,
    direction,
    priority,
    value,
    delayS: wish.delayS ?? defaultDelayS,
    hysteresis: wish.hysteresis ?? defaultHysteresis(lineOf(metric)),
    ...(untilMs === undefined ? {} : { untilMs }),
    setBy: by.id,
    setAtMs: said.nowMs,
    reason: said.reason,
  };
}

export function merged(
  defaults: readonly AlarmLimit[],
  own: readonly OwnBand[],
  { nowMs, origin }: { readonly nowMs: number; readonly origin: AlarmLimit['origin'] },
): readonly AlarmLimit[] {
  const bands = new Map(defaults.map((limit) => [bandOf(limit), limit]));
  for (const row of own) {
    if (row.untilMs !== undefined && row.untilMs <= nowMs) continue;
    const { metric, direction, priority, value, setBy, setAtMs, untilMs } = row;
    if (value === null) bands.delete(bandOf(row));
    else {
      bands.set(bandOf(row), {
        metric,
        direction,
        priority,
        value,
        delayS: row.delayS,
        hysteresis: row.hysteresis,
        origin,
        setBy,
        setAtMs,
        ...(untilMs === undefined ? {} : { untilMs }),
      });
    }
  }
  return [...bands.values()];
}
