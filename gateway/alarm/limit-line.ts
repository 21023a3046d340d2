import {
  priorities,
  type Alarm,
  type AlarmLimit,
  type AlarmSource,
  type Direction,
  type Priority,
} from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { BedId, DeviceId, EncounterId, WardId } from '../../model/ids.ts';
import type { Metric } from '../../model/metric.ts';
import type { ReviewEntry } from '../../model/review.ts';
import type { LiveSeries } from '../intake/types.ts';
import { bedsideName, type AlarmBook, type AlarmDraft, type LiveFigures } from './alarm-book.ts';
import type { BandState } from './alarm-log.ts';
import { BacklogJudge, type Crossing } from './backlog-judge.ts';
import { judgeRule, LimitJudge, type JudgeRule } from './limit-judge.ts';
import { SourceLine, type Band, type Source } from './source-line.ts';
import { defaultGapMs, labelOf, sourcesOf } from './source-order.ts';
import type { Technical } from './technical.ts';
import { bedsideOf, highest, type Voice } from './voice.ts';

/** Of one raised or escalated alarm: the way of the sample that did it. */
export interface AlarmLatency {
  readonly alarm: Alarm;
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly raisedAtMs: number;
}

/** Whose limits they are. Without an encounter: somebody on a bed who is not yet known. */
export interface Place {
  /** One alarm a key, quantity and direction. */
  readonly key: string;
  readonly ward?: WardId;
  readonly bed?: BedId;
  readonly encounter?: EncounterId;
}

export interface LineTools {
  readonly clock: Clock;
  readonly book: AlarmBook;
  readonly technical: Technical;
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly latency: (measured: AlarmLatency) => void;
  readonly review: (found: Omit<ReviewEntry, 'id' | 'notedAtMs'>) => void;
}

/** By which sample, and whether it was a new measurement. */
interface Moved {
  readonly receivedAtMs: number;
  readonly takenAtMs: number;
  readonly again: boolean;
}

interface LimitBand extends Band {
  readonly priority: Priority;
}

/** Sources of one quantity apart over 15 s at least (CLINICAL 2). */
const manySourcesGapS = 15;

/**
 * All limits on one quantity of one patient. Bands of one direction are one alarm: it is present while any of them is,
 * and its priority is the highest present one's (CLINICAL 3 and 4).
 */
export class LimitLine {
  private readonly name: string;
  private readonly place: Place;
  private readonly tools: LineTools;
  private readonly line: SourceLine;
  private readonly periodsMs = new Map<LiveSeries, number>();
  private limits: readonly AlarmLimit[] = [];
  private bands: readonly LimitBand[] = [];
  private measuredAtMs = -Infinity;
  private backlog: BacklogJudge | undefined = undefined;
  /** What devices say of this quantity themselves, by device. */
  private readonly voices = {
    low: new Map<DeviceId, readonly Voice[]>(),
    high: new Map<DeviceId, readonly Voice[]>(),
  };

  constructor(name: string, place: Place, tools: LineTools) {
    this.name = name;
    this.place = place;
    this.tools = tools;
    for (const direction of ['low', 'high'] as const) this.restoreVoices(direction);
    this.line = new SourceLine({ name, listener: this, startedAtMs: tools.clock.nowMs() });
  }

  get hasLimits(): boolean {
    return this.bands.length > 0;
  }

  reads(series: LiveSeries): boolean {
    return this.periodsMs.has(series);
  }

  get sources(): readonly Source[] {
    return this.line.sources;
  }

  setLimits(limits: readonly AlarmLimit[]): void {
    this.limits = limits;
    const before = this.bands;
    this.bands = limits.map((limit) => this.bandFor(limit, before));
    for (const gone of before) {
      if (!this.bands.some((band) => band.judge === gone.judge)) gone.judge.measurementEnded();
    }
    this.line.setBands(this.bands);
    this.backlog = undefined;
    const nowMs = this.tools.clock.nowMs();
    this.lineMoved(this.line, nowMs, nowMs);
  }

  attach(series: LiveSeries, rank: number, periodMs: number): Source {
    this.periodsMs.set(series, Math.max(periodMs, series.metric?.periodMs ?? 0));
    this.retune();
    return this.line.add(series, rank);
  }

  detach(series: LiveSeries): void {
    if (!this.periodsMs.delete(series)) return;
    this.line.remove(series);
    this.retune();
  }

  /** What one device says of one direction now; an empty list: nothing any more. */
  say(device: DeviceId, direction: Direction, voices: readonly Voice[]): void {
    const said = this.voices[direction];
    if (voices.length > 0) said.set(device, voices);
    else if (!said.delete(device)) return;
    const nowMs = this.tools.clock.nowMs();
    this.settle(direction, { receivedAtMs: nowMs, takenAtMs: nowMs, again: false });
  }

  sweep(nowMs: number, floorMs: number): void {
    this.line.checkGap(nowMs, floorMs);
    if (this.backlog?.sweep(nowMs)) this.backlog = undefined;
    if (this.line.sources.length < 2 && this.line.disagreeSinceMs === undefined) return;
    const { technical, metrics } = this.tools;
    const { ward, bed, encounter } = this.place;
    const about = `${this.place.key}:${this.name}`;
    if (!this.line.disagrees(nowMs)) {
      if (technical.present('sources-disagree', about)) technical.end('sources-disagree', about);
    } else if (!technical.present('sources-disagree', about)) {
      const labels = this.line.sources.map((source) => labelOf(metrics, source.series.metricId));
      technical.raise('sources-disagree', {
        about,
        owner: 'nurse',
        priority: 'low',
        ward,
        bed,
        encounter,
        details: { metrics: [...new Set(labels)].join(', ') },
        ...(this.line.disagreeSinceMs === undefined ? {} : { sinceMs: this.line.disagreeSinceMs }),
      });
    }
  }

  /** Of the whole line, or of the direction of one alarm. */
  measurementEnded(said: { by?: string; reason?: string }, alarm?: Alarm): boolean {
    const { book, technical } = this.tools;
    let ended = false;
    for (const direction of ['low', 'high'] as const) {
      const key = this.keyOf(direction);
      if (alarm !== undefined && book.at(key)?.id !== alarm.id) continue;
      ended = true;
      this.voices[direction].clear();
      this.line.measurementEnded(direction);
      technical.end('source-lost', key);
      book.measurementEnded(key, said);
    }
    if (alarm === undefined) technical.end('sources-disagree', `${this.place.key}:${this.name}`);
    return ended;
  }

  /** What a backlog crossed and ended is found by itself, for the bed's review list. */
  lateSample(takenAtMs: number, value: number, questionable: boolean, receivedAtMs: number): void {
    if (this.place.bed === undefined || this.bands.length === 0) return;
    this.backlog ??= new BacklogJudge(
      this.bands.map(({ priority, direction, judge }) => ({ priority, direction, rule: judge.rule })),
      (crossing) => this.crossed(crossing),
    );
    this.backlog.sample(takenAtMs, value, questionable, receivedAtMs);
  }

  /** After all judges have judged a sample, so that two bands crossed at once are one raise. */
  lineMoved(line: SourceLine, receivedAtMs: number, takenAtMs: number): void {
    const again = line.measuredAtMs > this.measuredAtMs;
    this.measuredAtMs = line.measuredAtMs;
    for (const direction of ['low', 'high'] as const) {
      this.settle(direction, { receivedAtMs, takenAtMs, again });
    }
  }

  private settle(direction: Direction, by: Moved): void {
    const { book, technical } = this.tools;
    const key = this.keyOf(direction);
    const alarm = book.at(key);
    const voices = this.voicesOf(direction);
    const present = this.presentBands(direction);
    const top = present.at(-1);
    if (top === undefined && voices.length === 0) {
      if (alarm === undefined) return;
      technical.end('source-lost', key);
      book.end(key);
      return;
    }
    const now = this.standing(direction, { present, voices });
    const more = { bands: this.states(direction), live: top === undefined ? undefined : this.live(present) };
    if (alarm === undefined || alarm.signal === 'latched') {
      const raised = book.raise(key, now, more);
      if (top !== undefined) this.measure(raised, by);
    } else {
      book.attach(key, more.live);
      this.update(key, alarm, { now, bands: more.bands, by });
    }
    if (top !== undefined) this.tellSource(key, direction, top.judge.presence === 'sourceLost');
    if (by.again && this.line.episodic) book.measuredAgain(key);
    if (voices.length > 0 || alarm?.inactivatedBy === bedsideName) book.bedside(key, bedsideOf(voices));
  }

  /** One transition at most: what rises or falls, loses or finds its source, began earlier, or is said by others now. */
  private update(
    key: string,
    alarm: Alarm,
    { now, bands, by }: { now: AlarmDraft; bands: readonly BandState[]; by: Moved },
  ): void {
    const { book } = this.tools;
    const { priority, presence, onsetAtMs } = now;
    const whose = { ...marksOf(now), latching: alarm.latching || now.latching === true };
    if (priority !== alarm.priority) {
      book.reprioritise(key, { ...whose, onsetAtMs, presence, priority }, bands);
      const after = book.at(key);
      const rises = priorities.indexOf(priority) > priorities.indexOf(alarm.priority);
      if (rises && after && now.condition === 'limit') this.measure(after, by);
    } else if (presence !== alarm.presence) {
      const cause = presence === 'sourceLost' ? 'sourceLost' : 'sourceBack';
      book.change(key, { onsetAtMs, presence, sources: whose.sources }, cause, { bands });
    } else if (onsetAtMs !== alarm.onsetAtMs) {
      book.change(key, { onsetAtMs, presence }, 'onsetMoved', { bands });
    } else if (this.whoChanged(alarm, now) || lostChanged(book.bandsAt(key), bands)) {
      book.change(key, whose, 'updated', { bands });
    }
  }

  /** Another source judges, or others say so. A line whose judging source has gone tells nothing new of itself. */
  private whoChanged(alarm: Alarm, now: AlarmDraft): boolean {
    if (now.condition !== alarm.condition || !sameSources(alarm.sources, now.sources ?? [])) return true;
    if (this.line.judging === undefined) return false;
    return now.device !== alarm.device || now.metric !== alarm.metric || now.channel !== alarm.channel;
  }

  /** CLINICAL 4: the alarm is kept and a technical one added, until a value comes or a person ends it. */
  private tellSource(key: string, direction: Direction, lost: boolean): void {
    const { technical, clock } = this.tools;
    if (!lost) {
      if (technical.present('source-lost', key)) technical.end('source-lost', key);
      return;
    }
    if (technical.present('source-lost', key)) return;
    const { ward, bed, encounter } = this.place;
    const metric = this.limits[0]?.metric ?? this.name;
    technical.raise('source-lost', {
      about: key,
      owner: 'nurse',
      priority: 'low',
      ward,
      bed,
      encounter,
      metric,
      details: { direction },
      sinceMs: Math.min(clock.nowMs(), this.line.judgedAtMs),
    });
  }

  /** The alarm as its present bands and the devices' voices make it. */
  private standing(
    direction: Direction,
    { present, voices }: { present: readonly LimitBand[]; voices: readonly Voice[] },
  ): AlarmDraft {
    const { ward, bed, encounter } = this.place;
    const top = present.at(-1);
    const said = top === undefined ? [] : [{ by: 'limit' as const, priority: top.priority }];
    const sources: AlarmSource[] = [...said, ...voices.map((voice) => voice.source)];
    const alive = voices.some(({ source }) => source.lost !== true);
    const lost = !alive && present.every((band) => band.judge.presence === 'sourceLost');
    return {
      kind: 'physiological' as const,
      priority: highest(sources.map((one) => one.priority)),
      ...(ward === undefined ? {} : { ward }),
      ...(bed === undefined ? {} : { bed }),
      ...(encounter === undefined ? {} : { encounter }),
      direction,
      presence: lost ? 'sourceLost' : 'present',
      onsetAtMs: Math.min(
        ...present.map((band) => band.judge.onsetMs),
        ...voices.map((voice) => voice.onsetAtMs),
      ),
      ...(top === undefined ? this.saidOnly(voices) : this.judged(top)),
      sources,
      ...(voices.some((voice) => voice.latching) ? { latching: true } : {}),
    };
  }

  /** What Vigil's own limit says of it. */
  private judged(top: LimitBand) {
    const { metrics } = this.tools;
    const source = this.line.judging;
    const metric = source?.series.metricId ?? top.metric;
    const preferred = this.line.sources[0];
    // Marked while another than the preferred source judges (CLINICAL 2).
    const insteadOf =
      preferred !== undefined && source !== undefined && preferred !== source
        ? labelOf(metrics, preferred.series.metricId)
        : undefined;
    const { judge } = top;
    return {
      condition: 'limit',
      ...(source === undefined ? {} : { device: source.series.device }),
      ...(source?.series.channel === undefined ? {} : { channel: source.series.channel }),
      metric,
      limit: judge.rule.limit,
      unit: metrics.get(metric)?.unit ?? '1',
      questionable: judge.questionable,
      ...(insteadOf === undefined ? {} : { details: { insteadOf } }),
    };
  }

  /** Nobody but devices says so. */
  private saidOnly(voices: readonly Voice[]) {
    const [first] = voices;
    const metric = first?.metric ?? sourcesOf(this.name)[0] ?? this.name;
    const device = first?.source.device;
    return { condition: 'device', metric, questionable: false, ...(device === undefined ? {} : { device }) };
  }

  /** Not what an alarm that is present tells already. */
  private crossed(crossing: Crossing): void {
    const { bed, encounter } = this.place;
    if (bed === undefined) return;
    const alarm = this.tools.book.at(this.keyOf(crossing.direction));
    if (alarm !== undefined && alarm.onsetAtMs <= crossing.onsetAtMs) return;
    const metric = this.line.judging?.series.metricId ?? this.limits[0]?.metric ?? this.name;
    this.tools.review({
      bed,
      ...(encounter === undefined ? {} : { encounter }),
      metric,
      unit: this.tools.metrics.get(metric)?.unit ?? '1',
      ...crossing,
    });
  }

  private voicesOf(direction: Direction): readonly Voice[] {
    const said = this.voices[direction];
    return said.size === 0 ? noVoices : [...said.values()].flat();
  }

  private measure(alarm: Alarm, by: Moved): void {
    const { receivedAtMs, takenAtMs } = by;
    this.tools.latency({ alarm, receivedAtMs, takenAtMs, raisedAtMs: this.tools.clock.nowMs() });
  }

  /** Lowest priority first. */
  private presentBands(direction: Direction): LimitBand[] {
    return this.bands
      .filter(
        ({ direction: own, judge }) =>
          own === direction && (judge.presence === 'present' || judge.presence === 'sourceLost'),
      )
      .sort((a, b) => priorities.indexOf(a.priority) - priorities.indexOf(b.priority));
  }

  private live(present: readonly LimitBand[]): LiveFigures {
    const [widest] = present;
    return {
      figures: () => {
        const { value = NaN, peak = NaN } = widest?.judge ?? {};
        return { ...(Number.isNaN(value) ? {} : { value }), ...(Number.isNaN(peak) ? {} : { peak }) };
      },
      episodic: () => this.line.episodic,
    };
  }

  private states(direction: Direction): readonly BandState[] {
    return this.bands
      .filter((band) => band.direction === direction)
      .map((band) => ({ priority: band.priority, state: band.judge.state() }));
  }

  private keyOf(direction: Direction): string {
    return `limit:${this.place.key}:${this.name}:${direction}`;
  }

  private bandFor(limit: AlarmLimit, before: readonly LimitBand[]): LimitBand {
    const { metric, direction, priority } = limit;
    const rule = this.ruleFor(limit);
    const known = before.find((band) => band.direction === direction && band.priority === priority);
    if (known) {
      known.judge.retune(rule);
      return { ...known, metric };
    }
    const judge = new LimitJudge(rule);
    const kept = this.tools.book.bandsAt(this.keyOf(direction)).find((band) => band.priority === priority);
    if (kept) this.restore(judge, kept);
    return { judge, direction, priority, metric };
  }

  /** As it was before a restart; a single measurement is not judged again when it is sent again. */
  private restore(judge: LimitJudge, kept: BandState): void {
    judge.restore(kept.state);
    const { newestMs } = kept.state;
    if (newestMs === null || !this.tools.book.episodicAt(this.keyOf(judge.rule.direction))) return;
    this.line.episodic = true;
    this.line.measuredAtMs = this.measuredAtMs = Math.max(this.line.measuredAtMs, newestMs);
  }

  /** As it was before a restart, until the device says otherwise. */
  private restoreVoices(direction: Direction): void {
    const alarm = this.tools.book.at(this.keyOf(direction));
    if (alarm?.signal !== 'on') return;
    for (const source of alarm.sources) {
      if (source.by !== 'device' || source.device === undefined) continue;
      const { onsetAtMs, metric } = alarm;
      const voice: Voice = {
        source,
        onsetAtMs,
        latching: source.latching ?? false,
        ...(metric === undefined ? {} : { metric }),
      };
      const said = this.voices[direction];
      said.set(source.device, [...(said.get(source.device) ?? []), voice]);
    }
  }

  /** The gap follows the slowest source's period. */
  private retune(): void {
    this.limits.forEach((limit, index) => this.bands[index]?.judge.retune(this.ruleFor(limit)));
    this.line.setBands(this.bands);
  }

  private ruleFor(limit: AlarmLimit): JudgeRule {
    const span = this.tools.metrics.get(limit.metric)?.span;
    const rule = judgeRule(limit, {
      ...(span ? { span } : {}),
      maxGapMs: defaultGapMs(this.name, [...this.periodsMs.values()]),
    });
    if (sourcesOf(this.name).length < 2) return rule;
    return { ...rule, maxGapMs: Math.max(rule.maxGapMs, manySourcesGapS * 1_000) };
  }
}

const noVoices: readonly Voice[] = [];

/** What of an alarm follows whoever says so now. */
const marksOf = ({
  condition,
  limit,
  questionable,
  device,
  metric,
  channel,
  unit,
  details,
  sources = [],
}: AlarmDraft) => ({ condition, limit, questionable, device, metric, channel, unit, details, sources });

const sameSources = (before: readonly AlarmSource[], now: readonly AlarmSource[]): boolean =>
  before.length === now.length &&
  (now.every((one) => one.by === 'limit') || JSON.stringify(before) === JSON.stringify(now));

/** A band lost or found its source while a device goes on saying so: kept, so that a restart knows. */
const lostChanged = (before: readonly BandState[], now: readonly BandState[]): boolean =>
  now.some(({ priority, state }) => {
    const known = before.find((band) => band.priority === priority)?.state.presence;
    return known !== undefined && (known === 'sourceLost') !== (state.presence === 'sourceLost');
  });
