import type {
  AbsenceRule,
  AlarmRule,
  CombinationRule,
  OverdueRule,
  RateRule,
} from '../../model/alarm-rule.ts';
import type { Metric } from '../../model/metric.ts';
import type { ConfirmedScore } from '../../model/score.ts';
import type { LatestSample, LiveSeries } from '../intake/types.ts';
import type { AlarmBook } from './alarm-book.ts';
import type { Place } from './limit-line.ts';
import { defaultGapMs, labelOf, lineOf, rankOf } from './source-order.ts';
import type { Technical } from './technical.ts';
import type { AlarmCensus, WatchedDevice } from './watched.ts';

/** A rate ends when the change is below this share of what raised it: a value at the edge does not flap. */
const rateEndsBelow = 0.8;
/** Samples kept for one rate rule; closer ones within its span are passed over. */
const trailBound = 240;

export interface RuleTools {
  readonly book: AlarmBook;
  readonly technical: Technical;
  readonly census: AlarmCensus;
  readonly metrics: ReadonlyMap<string, Metric>;
}

/** One patient as rules see him. */
export interface RulePlace {
  readonly place: Place;
  readonly ward: string;
  readonly devices: Iterable<WatchedDevice>;
}

/** What a rule must remember of one patient. */
interface Memory {
  trail: { readonly atMs: number; readonly value: number }[];
  usableAtMs: number;
  sinceMs: number | undefined;
}

interface Found {
  readonly series: LiveSeries;
  readonly latest: LatestSample & { readonly value: number };
  /** Young enough to judge by. */
  readonly fresh: boolean;
}

/**
 * Conditions beyond a limit, as data: rate of change, sustained absence, overdue measurement, combinations. They are
 * looked at about twice a second, on the newest values; wards without rules cost nothing.
 */
export class RuleWatch {
  private readonly tools: RuleTools;
  private readonly memories = new Map<string, Memory>();

  constructor(tools: RuleTools) {
    this.tools = tools;
  }

  sweep(all: Iterable<RulePlace>, nowMs: number, floorMs: number): void {
    const seen = new Set<string>();
    for (const one of all) {
      for (const rule of this.tools.census.rules(one.ward)) {
        if (!rule.on) continue;
        const about = `${one.place.key}:${rule.id}`;
        seen.add(about);
        if (rule.kind !== 'score') this.look(one, rule, { about, nowMs, floorMs });
      }
    }
    this.endOthers(seen);
  }

  /** A set that a nurse confirmed: it raises, and only the next one ends. Acknowledged it is quiet until then. */
  scoreConfirmed(one: RulePlace, score: string, set: ConfirmedScore): void {
    const { book, census } = this.tools;
    for (const rule of census.rules(one.ward)) {
      if (!rule.on || rule.kind !== 'score' || rule.score !== score) continue;
      const about = `${one.place.key}:${rule.id}`;
      const most = Math.max(0, ...Object.values(set.parts));
      const reached = set.total >= rule.atLeast || (rule.orPart !== undefined && most >= rule.orPart);
      const details = { rule: rule.id, score, total: set.total, most };
      const present = book.at(key(about));
      if (!reached) book.end(key(about));
      else if (!present) {
        book.raise(
          key(about),
          {
            kind: 'physiological',
            condition: 'score',
            priority: rule.priority,
            ...whereabouts(one.place),
            value: set.total,
            limit: rule.atLeast,
            presence: 'present',
            onsetAtMs: set.atMs,
            questionable: false,
            sources: [{ by: 'limit', priority: rule.priority }],
            details,
          },
          { live: { figures: () => ({}), episodic: () => true } },
        );
      } else {
        book.change(key(about), { value: set.total, details }, 'updated');
        book.measuredAgain(key(about));
      }
    }
  }

  private look(
    one: RulePlace,
    rule: Exclude<AlarmRule, { kind: 'score' }>,
    at: { readonly about: string; readonly nowMs: number; readonly floorMs: number },
  ): void {
    switch (rule.kind) {
      case 'rate':
        return this.rate(one, rule, at);
      case 'absence':
        return this.absence(one, rule, at);
      case 'overdue':
        return this.overdue(one, rule, at);
      case 'combination':
        return this.combination(one, rule, at);
      default:
        rule satisfies never;
    }
  }

  private rate(one: RulePlace, rule: RateRule, { about, nowMs }: { about: string; nowMs: number }): void {
    const found = this.find(one, rule.metric, nowMs);
    if (!found?.fresh) return;
    const { latest, series } = found;
    const memory = this.memory(about);
    const last = memory.trail.at(-1);
    if (last && latest.takenAtMs <= last.atMs) return;
    const fromMs = latest.takenAtMs - rule.withinS * 1_000;
    memory.trail = memory.trail.filter((sample) => sample.atMs >= fromMs);
    const high = rule.direction === 'high';
    const before = memory.trail.map((sample) => sample.value);
    const change = high ? latest.value - Math.min(...before) : Math.max(...before) - latest.value;
    const spacingMs = (rule.withinS * 1_000) / trailBound;
    if (!last || latest.takenAtMs - last.atMs >= spacingMs)
      memory.trail.push({ atMs: latest.takenAtMs, value: latest.value });
    const present = this.tools.book.at(key(about));
    if (!present && before.length > 0 && change >= rule.by) {
      this.raise(one.place, rule, {
        about,
        onsetAtMs: latest.takenAtMs,
        series,
        latest,
        details: { rule: rule.id, change: Math.round(change * 10) / 10, withinS: rule.withinS },
      });
    } else if (present && change < rule.by * rateEndsBelow && latest.validity === 'valid') {
      const first = memory.trail[0]?.atMs ?? latest.takenAtMs;
      // After a restart the trail begins anew: only a full one can tell that the change is over.
      if (first - fromMs <= 2 * spacingMs + 2_000) this.tools.book.end(key(about));
    }
  }

  private absence(
    one: RulePlace,
    rule: AbsenceRule,
    { about, nowMs, floorMs }: { about: string; nowMs: number; floorMs: number },
  ): void {
    const memory = this.memory(about);
    const found = this.find(one, rule.metric, nowMs);
    if (found?.fresh) memory.usableAtMs = Math.max(memory.usableAtMs, found.latest.receivedAtMs);
    const on = this.onSinceMs(one.place);
    const fromMs = Math.max(memory.usableAtMs, on ?? Infinity, floorMs);
    const due = memory.usableAtMs > 0 && on !== undefined && nowMs - fromMs >= rule.forS * 1_000;
    const kept = this.tools.technical.present('absence', about) !== undefined && memory.usableAtMs === 0;
    if (due) this.tell('absence', one.place, rule, { about, sinceMs: fromMs });
    else if (!kept) this.tools.technical.end('absence', about);
  }

  private overdue(
    one: RulePlace,
    rule: OverdueRule,
    { about, nowMs }: { about: string; nowMs: number },
  ): void {
    const found = this.find(one, rule.metric, nowMs);
    const on = this.onSinceMs(one.place);
    if (!found || on === undefined) {
      if (on === undefined) this.tools.technical.end('overdue', about);
      return;
    }
    const dueAtMs = found.latest.takenAtMs + 2 * rule.everyS * 1_000;
    if (nowMs >= Math.max(dueAtMs, on)) this.tell('overdue', one.place, rule, { about, sinceMs: dueAtMs });
    else this.tools.technical.end('overdue', about);
  }

  private combination(
    one: RulePlace,
    rule: CombinationRule,
    { about, nowMs }: { about: string; nowMs: number },
  ): void {
    const memory = this.memory(about);
    const terms = rule.all.map((term) => ({ term, found: this.find(one, term.metric, nowMs) }));
    const violated = terms.every(
      ({ term, found }) =>
        found?.fresh &&
        (term.direction === 'high' ? found.latest.value > term.value : found.latest.value < term.value),
    );
    const inside = terms.some(
      ({ term, found }) =>
        found?.fresh &&
        found.latest.validity === 'valid' &&
        (term.direction === 'high' ? found.latest.value <= term.value : found.latest.value >= term.value),
    );
    const present = this.tools.book.at(key(about));
    if (!violated) {
      memory.sinceMs = undefined;
      if (present && inside) this.tools.book.end(key(about));
      return;
    }
    memory.sinceMs ??= nowMs;
    const [first] = terms;
    if (present || nowMs - memory.sinceMs < rule.forS * 1_000 || !first?.found) return;
    const { series, latest } = first.found;
    const names = rule.all.map((term) => `${labelOf(this.tools.metrics, term.metric)} ${term.direction}`);
    this.raise(one.place, rule, {
      about,
      onsetAtMs: memory.sinceMs,
      series,
      latest,
      details: { rule: rule.id, terms: names.join(', '), unvalidated: 1 },
    });
  }

  private raise(
    place: Place,
    rule: RateRule | CombinationRule,
    by: {
      readonly about: string;
      readonly onsetAtMs: number;
      readonly series: LiveSeries;
      readonly latest: LatestSample & { readonly value: number };
      readonly details: Readonly<Record<string, string | number>>;
    },
  ): void {
    const { series, latest } = by;
    this.tools.book.raise(key(by.about), {
      kind: 'physiological',
      condition: rule.kind,
      priority: rule.priority,
      ...whereabouts(place),
      device: series.device,
      metric: series.metricId,
      ...(rule.kind === 'rate' ? { direction: rule.direction } : {}),
      value: latest.value,
      unit: series.metric?.unit ?? '1',
      presence: 'present',
      onsetAtMs: by.onsetAtMs,
      questionable: latest.validity === 'questionable',
      sources: [{ by: 'limit', priority: rule.priority }],
      details: by.details,
    });
  }

  private tell(
    condition: 'absence' | 'overdue',
    place: Place,
    rule: AbsenceRule | OverdueRule,
    { about, sinceMs }: { about: string; sinceMs: number },
  ): void {
    if (this.tools.technical.present(condition, about)) return;
    const details = { rule: rule.id, metrics: labelOf(this.tools.metrics, rule.metric) };
    const { priority } = rule;
    this.tools.technical.raise(condition, {
      about,
      owner: 'nurse',
      priority,
      ...whereabouts(place),
      details,
      sinceMs,
    });
  }

  /** The newest usable value of the preferred live source; else the newest there is. */
  private find({ devices }: RulePlace, metric: string, nowMs: number): Found | undefined {
    const line = lineOf(metric);
    let best: Found | undefined;
    for (const watched of devices) {
      if (watched.mode === 'demo' || watched.mode === 'test') continue;
      const sinceMs = watched.association?.beginAtMs ?? -Infinity;
      for (const series of watched.series) {
        const { latest } = series;
        if (lineOf(series.metricId) !== line || latest === undefined || !isUsable(latest)) continue;
        if (latest.takenAtMs < sinceMs) continue;
        const periodMs = Math.max(watched.device?.periodMs ?? 0, series.metric?.periodMs ?? 0);
        const episodic = series.metric?.episodic === true;
        const fresh = episodic || nowMs - latest.receivedAtMs <= defaultGapMs(line, [periodMs]);
        const found = { series, latest, fresh };
        if (!best || better(found, best)) best = found;
      }
    }
    return best;
  }

  /** Undefined while absence is not watched: the bed is on standby or away. */
  private onSinceMs({ bed }: Place): number | undefined {
    if (bed === undefined) return -Infinity;
    const { state, sinceMs } = this.tools.census.monitoring(bed);
    return state === 'on' ? sinceMs : undefined;
  }

  /** Rules that were taken away, and patients who went. */
  private endOthers(seen: ReadonlySet<string>): void {
    const { book, technical } = this.tools;
    for (const present of book.keysUnder('rule:'))
      if (!seen.has(present.slice('rule:'.length)))
        book.measurementEnded(present, { reason: 'the rule or the association ended' });
    for (const condition of ['absence', 'overdue'] as const)
      for (const about of technical.presentOf(condition))
        if (!seen.has(about)) technical.end(condition, about);
    for (const about of this.memories.keys()) if (!seen.has(about)) this.memories.delete(about);
  }

  private memory(about: string): Memory {
    let memory = this.memories.get(about);
    if (!memory) this.memories.set(about, (memory = { trail: [], usableAtMs: 0, sinceMs: undefined }));
    return memory;
  }
}

const key = (about: string): string => `rule:${about}`;

const isUsable = (latest: LatestSample): latest is LatestSample & { readonly value: number } =>
  latest.value !== null && latest.validity !== 'invalid' && !latest.historical;

const better = (one: Found, other: Found): boolean =>
  one.fresh !== other.fresh
    ? one.fresh
    : rankOf(one.series.metricId) !== rankOf(other.series.metricId)
      ? rankOf(one.series.metricId) < rankOf(other.series.metricId)
      : one.latest.takenAtMs > other.latest.takenAtMs;

const whereabouts = ({ ward, bed, encounter }: Place) => ({
  ...(ward === undefined ? {} : { ward }),
  ...(bed === undefined ? {} : { bed }),
  ...(encounter === undefined ? {} : { encounter }),
});
