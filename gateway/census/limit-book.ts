import type { AlarmLimit } from '../../model/alarm.ts';
import type { Profile } from '../../model/census.ts';
import type { Cancel } from '../../model/clock.ts';
import type { EncounterId } from '../../model/ids.ts';
import type { Metric } from '../../model/metric.ts';
import { defaultDelayS, defaultHysteresis, defaultLimits } from '../alarm/defaults.ts';
import { lineOf } from '../alarm/source-order.ts';
import { keep, type Actor, type Desk } from './desk.ts';
import { limitRefusals, type LimitRefusal } from './limit-range.ts';

/** What a person asks for; value null: that band is off for this encounter. */
export type LimitWish = Pick<AlarmLimit, 'metric' | 'direction' | 'priority'> & {
  readonly value: number | null;
  readonly delayS?: number;
  readonly hysteresis?: number;
  readonly untilMs?: number;
};

/** One band of one encounter as kept: with who, when, why, until when. */
interface LimitRow extends LimitWish {
  readonly id: string;
  readonly encounter: EncounterId;
  readonly setBy: string;
  readonly setAtMs: number;
  readonly reason: string;
}

/** The clock's timers hold at most some days; a longer wait is taken in pieces. */
const longestWaitMs = 86_400_000;

/** The limits of each encounter over its profile's defaults. */
export class LimitBook {
  private readonly desk: Desk;
  private readonly metrics: ReadonlyMap<string, Metric>;
  private readonly byEncounter = new Map<EncounterId, Map<string, LimitRow>>();
  private cancelExpiry: Cancel | undefined = undefined;

  constructor(desk: Desk, metrics: ReadonlyMap<string, Metric>) {
    this.desk = desk;
    this.metrics = metrics;
  }

  async load(): Promise<void> {
    for (const row of (await this.desk.rows.load('limits')) as readonly LimitRow[]) {
      this.rowsOf(row.encounter).set(bandOf(row), row);
    }
    this.awaitExpiry();
  }

  /** Limits in force: the encounter's own, where it has one, else the profile's. */
  inForce(profile: Profile, encounter?: EncounterId): readonly AlarmLimit[] {
    const own = encounter === undefined ? undefined : this.byEncounter.get(encounter);
    const defaults = defaultLimits(profile);
    if (!own || own.size === 0) return defaults;
    return merged(defaults, [...own.values()], this.desk.clock.nowMs());
  }

  /** All or nothing: one refused band refuses the whole request, with every cause. */
  async set(
    by: Actor,
    stay: { encounter: EncounterId; profile: Profile },
    wishes: readonly LimitWish[],
    reason: string,
  ): Promise<readonly AlarmLimit[] | { refused: readonly LimitRefusal[] }> {
    const nowMs = this.desk.clock.nowMs();
    const rows = wishes.map((wish) => this.rowFor(by, stay.encounter, wish, { nowMs, reason }));
    const own = this.rowsOf(stay.encounter);
    const before = this.inForce(stay.profile, stay.encounter);
    const wouldBe = new Map([...own, ...rows.map((row) => [bandOf(row), row] as const)]);
    const after = merged(defaultLimits(stay.profile), [...wouldBe.values()], nowMs);
    const refused = limitRefusals(rows, after, { metrics: this.metrics, nowMs });
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
    await Promise.all(rows.map((row) => this.keepRow(own, row)));
    this.desk.record({
      by: by.id,
      act: 'limits.set',
      on: stay.encounter,
      outcome: 'done',
      before,
      after: { limits: after, reason },
    });
    this.awaitExpiry();
    return this.inForce(stay.profile, stay.encounter);
  }

  close(): void {
    this.cancelExpiry?.();
  }

  private rowFor(
    by: Actor,
    encounter: EncounterId,
    wish: LimitWish,
    said: { nowMs: number; reason: string },
  ): LimitRow {
    const { metric, direction, priority, value } = wish;
    return {
      id: `${encounter}.${bandOf(wish)}`,
      encounter,
      metric,
      direction,
      priority,
      value,
      delayS: wish.delayS ?? defaultDelayS,
      hysteresis: wish.hysteresis ?? defaultHysteresis(lineOf(metric)),
      ...(wish.untilMs === undefined ? {} : { untilMs: wish.untilMs }),
      setBy: by.id,
      setAtMs: said.nowMs,
      reason: said.reason,
    };
  }

  private keepRow(own: Map<string, LimitRow>, row: LimitRow): Promise<void> {
    const band = bandOf(row);
    const before = own.get(band);
    const told = (): void => this.desk.changed({ kind: 'limits', encounter: row.encounter });
    return keep(this.desk, {
      table: 'limits',
      row,
      apply: () => {
        own.set(band, row);
        told();
      },
      undo: () => {
        if (before) own.set(band, before);
        else own.delete(band);
        told();
      },
    });
  }

  private rowsOf(encounter: EncounterId): Map<string, LimitRow> {
    let rows = this.byEncounter.get(encounter);
    if (!rows) this.byEncounter.set(encounter, (rows = new Map()));
    return rows;
  }

  /** A limit set until an instant falls back to the profile's then, by itself. */
  private awaitExpiry(): void {
    this.cancelExpiry?.();
    this.cancelExpiry = undefined;
    const nowMs = this.desk.clock.nowMs();
    let nextMs = Infinity;
    for (const rows of this.byEncounter.values()) {
      for (const { untilMs } of rows.values()) {
        if (untilMs !== undefined && untilMs > nowMs) nextMs = Math.min(nextMs, untilMs);
      }
    }
    if (nextMs === Infinity) return;
    this.cancelExpiry = this.desk.clock.after(Math.min(nextMs - nowMs, longestWaitMs), () => {
      for (const [encounter, rows] of this.byEncounter) {
        const passed = [...rows.values()].some((row) => row.untilMs !== undefined && row.untilMs === nextMs);
        if (passed && this.desk.clock.nowMs() >= nextMs) this.desk.changed({ kind: 'limits', encounter });
      }
      this.awaitExpiry();
    });
  }
}

/** A limit on any source of a quantity is a limit on the quantity: it takes the place of the default there. */
const bandOf = (limit: Pick<AlarmLimit, 'metric' | 'direction' | 'priority'>): string =>
  `${lineOf(limit.metric)}.${limit.direction}.${limit.priority}`;

function merged(
  defaults: readonly AlarmLimit[],
  own: readonly LimitRow[],
  nowMs: number,
): readonly AlarmLimit[] {
  const bands = new Map(defaults.map((limit) => [bandOf(limit), limit]));
  for (const row of own) {
    if (row.untilMs !== undefined && row.untilMs <= nowMs) continue;
    const band = bandOf(row);
    if (row.value === null) bands.delete(band);
    else {
      const { metric, direction, priority, value, setBy, setAtMs, untilMs } = row;
      bands.set(band, {
        metric,
        direction,
        priority,
        value,
        delayS: row.delayS ?? defaultDelayS,
        hysteresis: row.hysteresis ?? 0,
        origin: 'encounter',
        setBy,
        setAtMs,
        ...(untilMs === undefined ? {} : { untilMs }),
      });
    }
  }
  return [...bands.values()];
}
