import type { Alarm, AlarmLimit, Direction } from '../../model/alarm.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { LiveSeries } from '../intake/types.ts';
import { LimitLine, type LineTools, type Place } from './limit-line.ts';
import { lineOf, rankOf } from './source-order.ts';
import type { Voice } from './voice.ts';

/** One patient as the limits see him: a line of samples for each quantity that has a limit. */
export class Subject {
  readonly place: Place;
  private readonly tools: LineTools;
  private readonly lines = new Map<string, LimitLine>();

  constructor(place: Place, tools: LineTools) {
    this.place = place;
    this.tools = tools;
  }

  /** Limits in force from now on. Bands that are gone end their alarm; the others keep onset and state. */
  setLimits(limits: readonly AlarmLimit[]): void {
    const byLine = new Map<string, AlarmLimit[]>();
    for (const limit of limits) {
      const name = lineOf(limit.metric);
      byLine.set(name, [...(byLine.get(name) ?? []), limit]);
    }
    for (const [name, line] of this.lines) if (!byLine.has(name)) line.setLimits([]);
    for (const [name, own] of byLine) this.line(name).setLimits(own);
  }

  /** Hands a series' samples to its line; a series no limit reads is left alone. `order`: preferred devices first. */
  attach(
    series: LiveSeries,
    from: { readonly periodMs: number; readonly order: number; readonly sinceMs: number },
  ): void {
    if (series.metric?.value !== 'number') return;
    const line = this.lines.get(lineOf(series.metricId));
    if (!line || !line.hasLimits || line.reads(series)) return;
    const rank = rankOf(series.metricId) * 1_000 + from.order * 10 + (series.channel === undefined ? 0 : 1);
    const source = line.attach(series, rank, from.periodMs);
    source.sinceMs = from.sinceMs;
    series.watch = source;
  }

  detach(series: LiveSeries): void {
    this.lines.get(lineOf(series.metricId))?.detach(series);
    series.watch = undefined;
  }

  /** What a device says of one quantity and direction now; an empty list: nothing any more. */
  say(
    device: DeviceId,
    of: { readonly line: string; readonly direction: Direction },
    voices: readonly Voice[],
  ): void {
    if (voices.length === 0 && !this.lines.has(of.line)) return;
    this.line(of.line).say(device, of.direction, voices);
  }

  /** The line of a quantity, with or without limits. */
  line(name: string): LimitLine {
    let line = this.lines.get(name);
    if (!line) this.lines.set(name, (line = new LimitLine(name, this.place, this.tools)));
    return line;
  }

  sweep(nowMs: number, floorMs: number): void {
    for (const line of this.lines.values()) line.sweep(nowMs, floorMs);
  }

  /**
   * The confirmed end: of the association, or of the measurement behind one alarm, by a person. True when something
   * was there to end.
   */
  measurementEnded(said: { by?: string; reason?: string }, alarm?: Alarm): boolean {
    let ended = false;
    for (const line of this.lines.values()) if (line.measurementEnded(said, alarm)) ended = true;
    if (alarm === undefined) {
      const { book } = this.tools;
      for (const key of book.keysUnder(`alert:${this.place.key}:`)) book.measurementEnded(key, said);
    }
    return ended;
  }
}
