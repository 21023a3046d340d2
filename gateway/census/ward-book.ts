import { Compile } from 'typebox/compile';
import type { AlarmLimit } from '../../model/alarm.ts';
import { AlarmRuleSchema, type AlarmRule } from '../../model/alarm-rule.ts';
import type { Profile } from '../../model/census.ts';
import type { WardId } from '../../model/ids.ts';
import type { Metric } from '../../model/metric.ts';
import { defaultLimits } from '../alarm/defaults.ts';
import { lineOf } from '../alarm/source-order.ts';
import { keep, type Actor, type Desk } from './desk.ts';
import { bandFor, bandOf, merged, type OwnBand, type WardRules } from './limit-book.ts';
import { highBandDelayS, limitRefusals, type LimitRefusal, type LimitWish } from './limit-range.ts';

/** Rules of one ward. */
const rulesBound = 200;

/** What a ward set about its alarms: one row a ward, on disk as a whole or not at all. */
interface WardRow {
  readonly id: string;
  readonly ward: WardId;
  /** In force for the ward's own profile, for whoever reads the table. */
  readonly limits: readonly AlarmLimit[];
  readonly bands: Readonly<Partial<Record<Profile, readonly OwnBand[]>>>;
  readonly deviceJudged: readonly string[];
  readonly rules: readonly AlarmRule[];
}

/** What stays unsaid stays as it is; `rules` and `deviceJudged` are the whole lists. */
export interface WardWish {
  readonly profile: Profile;
  readonly limits?: readonly LimitWish[];
  /** Metrics whose limits Vigil leaves to the devices' own alarms. */
  readonly deviceJudged?: readonly string[];
  readonly rules?: readonly AlarmRule[];
}

export interface WardSettings {
  readonly profile: Profile;
  readonly limits: readonly AlarmLimit[];
  readonly deviceJudged: readonly string[];
  readonly rules: readonly AlarmRule[];
}

const ruleCheck = Compile(AlarmRuleSchema);
const noRow = { bands: {}, deviceJudged: [], rules: [] } as const;

/** A ward's own limits, rules, and what it leaves to its devices. */
export class WardBook implements WardRules {
  private readonly desk: Desk;
  private readonly metrics: ReadonlyMap<string, Metric>;
  private readonly rows = new Map<WardId, WardRow>();
  private readonly judged = new Map<WardId, ReadonlySet<string>>();

  constructor(desk: Desk, metrics: ReadonlyMap<string, Metric>) {
    this.desk = desk;
    this.metrics = metrics;
  }

  async load(): Promise<void> {
    for (const row of (await this.desk.rows.load('limits')) as readonly Partial<WardRow>[]) {
      if (row.ward !== undefined && row.rules !== undefined) this.hold(row.ward, row as WardRow);
    }
  }

  limits(ward: WardId, profile: Profile): readonly AlarmLimit[] {
    const own = this.rows.get(ward)?.bands[profile];
    const defaults = defaultLimits(profile);
    return own ? merged(defaults, own, { nowMs: this.desk.clock.nowMs(), origin: 'ward' }) : defaults;
  }

  deviceJudged(ward: WardId): ReadonlySet<string> {
    return this.judged.get(ward) ?? nothing;
  }

  rules(ward: WardId): readonly AlarmRule[] {
    return this.rows.get(ward)?.rules ?? noRow.rules;
  }

  settings(ward: WardId, profile: Profile): WardSettings {
    const { deviceJudged, rules } = this.rows.get(ward) ?? noRow;
    return { profile, limits: this.limits(ward, profile), deviceJudged, rules };
  }

  /** All or nothing: one refused band or rule refuses the whole request, with every cause. */
  async set(
    by: Actor,
    ward: WardId,
    wish: WardWish,
    reason: string,
  ): Promise<WardSettings | { refused: readonly LimitRefusal[] }> {
    const before = this.rows.get(ward);
    const nowMs = this.desk.clock.nowMs();
    const { profile, limits = [] } = wish;
    const bands = limits.map((one) => bandFor(by, one, { nowMs, reason }));
    const own = before?.bands[profile] ?? [];
    const wanted = [...new Map([...own, ...bands].map((band) => [bandOf(band), band])).values()];
    const after = merged(defaultLimits(profile), wanted, { nowMs, origin: 'ward' });
    const refused = [
      ...limitRefusals(bands, after, { metrics: this.metrics, nowMs }),
      ...this.ruleRefusals(wish.rules ?? []),
      ...(wish.deviceJudged ?? []).flatMap((metric) => this.unknown(metric)),
    ];
    if (refused.length > 0) {
      this.desk.record({
        by: by.id,
        act: 'ward.limits',
        on: ward,
        outcome: 'refused',
        after: { wish, refused },
      });
      return { refused };
    }
    const row: WardRow = {
      id: `ward/${ward}`,
      ward,
      limits: after,
      bands: { ...before?.bands, [profile]: wanted },
      deviceJudged: wish.deviceJudged ?? before?.deviceJudged ?? [],
      rules: wish.rules ?? before?.rules ?? [],
    };
    const told = (apply: () => void): void => {
      apply();
      this.desk.changed({ kind: 'ward', ward });
    };
    await keep({
      put: () => this.desk.rows.put('limits', row),
      apply: () => told(() => this.hold(ward, row)),
      undo: () => told(() => (before ? this.hold(ward, before) : void this.rows.delete(ward))),
    });
    const change = { limits, deviceJudged: row.deviceJudged, rules: row.rules, reason };
    this.desk.record({ by: by.id, act: 'ward.limits', on: ward, outcome: 'done', after: change });
    return this.settings(ward, profile);
  }

  private hold(ward: WardId, row: WardRow): void {
    this.rows.set(ward, row);
    this.judged.set(ward, new Set(row.deviceJudged.map(lineOf)));
  }

  private ruleRefusals(rules: readonly AlarmRule[]): readonly LimitRefusal[] {
    const refused: LimitRefusal[] = [];
    const ids = new Set<string>();
    if (rules.length > rulesBound) refused.push({ metric: '/', cause: `more than ${rulesBound} rules` });
    for (const rule of rules) {
      if (!ruleCheck.Check(rule)) {
        refused.push({ metric: '/', cause: 'not a rule' });
        continue;
      }
      if (ids.has(rule.id)) refused.push({ metric: rule.id, cause: 'two rules with this id' });
      ids.add(rule.id);
      const metrics =
        rule.kind === 'combination'
          ? rule.all.map((one) => one.metric)
          : rule.kind === 'score'
            ? []
            : [rule.metric];
      for (const metric of metrics) refused.push(...this.unknown(metric));
      if (rule.kind === 'overdue' && this.metrics.get(rule.metric)?.episodic === false)
        refused.push({ metric: rule.metric, cause: 'only what is measured now and then can be overdue' });
      if (rule.kind === 'combination' && rule.priority === 'high' && rule.forS > highBandDelayS)
        refused.push({
          metric: rule.id,
          cause: `the delay of a high alarm must be at most ${highBandDelayS} s`,
        });
    }
    return refused;
  }

  private unknown(metric: string): readonly LimitRefusal[] {
    if (this.metrics.get(metric)?.value === 'number') return [];
    return [{ metric, cause: 'no alarm can be set on this metric' }];
  }
}

const nothing: ReadonlySet<string> = new Set();
