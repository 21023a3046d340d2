import type { Clock } from '../../model/clock.ts';
import type { LiveSeries } from '../intake/types.ts';
import { Source } from './source-line.ts';
import { criticalRiseMs, type Technical } from './technical.ts';
import { placeOf, watchedForAbsence, type AlarmCensus, type WatchedDevice } from './watched.ts';

/** Invalid this long is itself a technical alarm (CLINICAL 2); the same for what is missing. */
const unusableMs = 10_000;
const missingPeriods = 3;

export interface ValueTools {
  readonly clock: Clock;
  readonly technical: Technical;
  readonly census: AlarmCensus;
  readonly critical: ReadonlySet<string>;
}

/** One series in trouble. */
interface Trouble {
  readonly key: string;
  readonly label: string;
  readonly critical: boolean;
  readonly sinceMs: number;
  readonly reason: string | undefined;
}

const conditions = ['value-invalid', 'value-missing'] as const;
type ValueCondition = (typeof conditions)[number];

/**
 * Watches that the values of a talking device can be used: one alarm a device for those outside their span, one for
 * those that are missing (leads, sensor) though they were seen since the association began.
 */
export class ValueWatch {
  private readonly tools: ValueTools;
  private readonly invalidSince = new Map<LiveSeries, number>();
  /** Found before a restart, by condition and device, and not yet seen to be well again. */
  private floorMs = -Infinity;
  private readonly held = new Map<string, Trouble[]>();

  constructor(tools: ValueTools) {
    this.tools = tools;
  }

  /** A live sample is invalid or missing. */
  unusable(series: LiveSeries): void {
    if (series.watch instanceof Source) series.watch.unusable();
    if (!isInvalid(series)) this.invalidSince.delete(series);
    else if (!this.invalidSince.has(series)) this.invalidSince.set(series, this.tools.clock.nowMs());
  }

  /** Alarms of before a restart stand until their series are well again. */
  restored(): void {
    const { technical, critical } = this.tools;
    for (const condition of conditions) {
      for (const device of technical.presentOf(condition)) {
        const { onsetAtMs = 0, details = {} } = technical.present(condition, device) ?? {};
        const labels = String(details['metrics'] ?? '').split(', ');
        const troubles = String(details['keys'] ?? '')
          .split(' ')
          .map((key, at) => {
            const label = labels[at] ?? key;
            return { key, label, critical: critical.has(key), sinceMs: onsetAtMs, reason: undefined };
          });
        this.held.set(`${condition} ${device}`, troubles);
      }
    }
  }

  /** About twice a second. */
  sweep(all: Iterable<WatchedDevice>, floorMs: number): void {
    this.floorMs = floorMs;
    const nowMs = this.tools.clock.nowMs();
    for (const series of this.invalidSince.keys()) {
      if (!isInvalid(series)) this.invalidSince.delete(series);
    }
    for (const watched of all) {
      const { association, silent } = watched;
      const absence = !silent && association && watchedForAbsence(watched, this.tools.census);
      const missing = absence ? watched.series.flatMap((one) => this.missing(one, watched, nowMs)) : [];
      const invalid =
        association && this.invalidSince.size > 0
          ? watched.series.flatMap((one) => this.invalid(one, nowMs))
          : [];
      this.tell('value-invalid', watched, [...this.stillHeld('value-invalid', watched), ...invalid]);
      this.tell('value-missing', watched, [
        ...(absence ? this.stillHeld('value-missing', watched) : []),
        ...missing,
      ]);
    }
  }

  private tell(condition: ValueCondition, watched: WatchedDevice, found: readonly Trouble[]): void {
    const { technical, census, clock } = this.tools;
    if (found.length === 0) {
      if (technical.present(condition, watched.id)) technical.end(condition, watched.id);
      return;
    }
    const nowMs = clock.nowMs();
    const medium =
      condition === 'value-invalid' ||
      found.some((one) => one.critical && nowMs - one.sinceMs >= criticalRiseMs);
    const reason = found.find((one) => one.reason !== undefined)?.reason;
    technical.raise(condition, {
      about: watched.id,
      owner: 'nurse',
      priority: medium ? 'medium' : 'low',
      ...placeOf(watched, census),
      details: {
        metrics: found.map((one) => one.label).join(', '),
        keys: found.map((one) => one.key).join(' '),
        ...(reason === undefined ? {} : { reason }),
      },
      sinceMs: Math.min(...found.map((one) => one.sinceMs)),
    });
  }

  private invalid(series: LiveSeries, nowMs: number): readonly Trouble[] {
    const sinceMs = this.invalidSince.get(series);
    return sinceMs !== undefined && nowMs - sinceMs >= unusableMs ? [this.trouble(series, sinceMs)] : [];
  }

  /** A source of a limit that gave values since the association began and gives none now. */
  private missing(series: LiveSeries, watched: WatchedDevice, nowMs: number): readonly Trouble[] {
    const { watch } = series;
    if (!(watch instanceof Source) || watch.episodic || watch.usableAtMs === -Infinity) return [];
    if (this.invalidSince.has(series) || watched.association === undefined) return [];
    const onSinceMs = this.tools.census.monitoring(watched.association.bed).sinceMs;
    const sinceMs = Math.max(watch.usableAtMs, onSinceMs, this.floorMs);
    const periodMs = Math.max(series.metric?.periodMs ?? 0, watched.device?.periodMs ?? 0);
    const due = nowMs - sinceMs >= Math.max(unusableMs, missingPeriods * periodMs);
    return due ? [this.trouble(series, sinceMs)] : [];
  }

  private stillHeld(condition: ValueCondition, watched: WatchedDevice): readonly Trouble[] {
    if (this.held.size === 0) return [];
    const name = `${condition} ${watched.id}`;
    const troubles = (watched.association ? this.held.get(name) : undefined)?.filter(({ key }) => {
      const series = watched.series.find((one) => one.key === key);
      if (series?.latest === undefined) return true;
      if (condition === 'value-invalid') return isInvalid(series) && !this.invalidDue(series);
      return series.latest.value === null && !(series.watch instanceof Source && series.watch.usableAtMs > 0);
    });
    if (troubles === undefined || troubles.length === 0) this.held.delete(name);
    else this.held.set(name, troubles);
    return troubles ?? [];
  }

  private invalidDue(series: LiveSeries): boolean {
    return this.invalid(series, this.tools.clock.nowMs()).length > 0;
  }

  private trouble(series: LiveSeries, sinceMs: number): Trouble {
    return {
      key: series.key,
      label: series.metric?.label ?? series.metricId,
      critical: this.tools.critical.has(series.metricId),
      sinceMs,
      reason: series.latest?.reason,
    };
  }
}

/** A number outside its span, not one that is missing. */
const isInvalid = ({ latest }: LiveSeries): boolean =>
  latest !== undefined && latest.validity === 'invalid' && latest.value !== null;
