import type { Alarm, AlarmRoute, AlertState } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { Device, Link, Mode } from '../../model/device.ts';
import type { AlarmId, BedId, Chance, DeviceId, EncounterId, WardId } from '../../model/ids.ts';
import { metrics as metricTable } from '../../model/metric-table.ts';
import type { Metric } from '../../model/metric.ts';
import type { ConfirmedScore } from '../../model/score.ts';
import type { IntakeListeners, LiveSeries } from '../intake/types.ts';
import type { ActBy, ActOutcome, ActSaid, PauseSaid } from './acts.ts';
import { AlarmBook, type AlarmListener } from './alarm-book.ts';
import { alarmLog, type AlarmRows, type RouteCause } from './alarm-log.ts';
import { DeviceAlerts } from './device-alerts.ts';
import type { AlarmLatency } from './limit-line.ts';
import { ReviewBook } from './review.ts';
import { criticalMetrics } from './source-order.ts';
import { Subjects } from './subjects.ts';
import { Technical, type TechnicalRequest } from './technical.ts';
import { RuleWatch } from './watch-rules.ts';
import { SilenceWatch } from './watch-silence.ts';
import { StandbyWatch } from './watch-standby.ts';
import { ValueWatch } from './watch-values.ts';
import type { AlarmCensus, WatchedDevice } from './watched.ts';

export type { ActBy, ActOutcome, ActSaid, PauseSaid } from './acts.ts';
export type { AlarmListener } from './alarm-book.ts';
export type { AlarmCause, RouteCause } from './alarm-log.ts';
export type { AlarmLatency } from './limit-line.ts';
export type { TechnicalRequest } from './technical.ts';

/** How often what hangs on the clock is looked at, ms. */
const sweepMs = 500;
/** A sweep this late means this process stood still: nobody was silent meanwhile that we know of. */
const stalledMs = 2_000;

export interface AlarmOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly rows: AlarmRows;
  readonly census: AlarmCensus;
  /** The registry: what is known of a device now. */
  readonly device: (id: DeviceId) => Device | undefined;
  /** Receipt of a device's newest kept observation of before this start, if any. */
  readonly keptAtMs?: (device: DeviceId) => number | undefined;
  readonly metrics?: ReadonlyMap<string, Metric>;
  /** Metric ids whose absence is medium after 60 s; a ward setting. */
  readonly critical?: readonly string[];
  /** Told for every raised and escalated limit alarm, in its tick. */
  readonly latency?: (measured: AlarmLatency) => void;
}

/** Starts the alarms: reads back what was present, then judges. */
export async function createAlarms(options: AlarmOptions): Promise<Alarms> {
  const alarms = new Alarms(options);
  await alarms.start();
  return alarms;
}

/**
 * The alarms of the whole house on the main thread. The intake tells it what arrives, the census what changed; every
 * effect is at once and from memory. `technical` is for the rooms that watch disk, workers, hosts and clock.
 */
export class Alarms implements Omit<IntakeListeners, 'waveform'> {
  private readonly clock: Clock;
  private readonly options: AlarmOptions;
  private readonly book: AlarmBook;
  private readonly technicalAlarms: Technical;
  private readonly subjects: Subjects;
  private readonly silence: SilenceWatch;
  private readonly values: ValueWatch;
  private readonly standby: StandbyWatch;
  private readonly deviceAlerts: DeviceAlerts;
  private readonly rules: RuleWatch;
  private readonly watched = new Map<DeviceId, WatchedDevice>();
  private stops: (() => void)[] = [];
  private sweptAtMs: number;
  /** Silence counts from here on at the earliest: the start, or the end of a standstill of our own. */
  private floorMs: number;

  /** What was crossed and ended in a backlog, until a person has seen it. */
  readonly review: ReviewBook;

  /** Infrastructure alarms: raised again means changed, ended when the thing is well. */
  readonly technical: {
    raise(condition: string, request: TechnicalRequest): AlarmId;
    end(condition: string, about?: string): void;
    /** The `about` of all that are present of a condition. */
    presentOf(condition: string): readonly string[];
  };

  constructor(options: AlarmOptions) {
    const { clock, census } = options;
    const metrics = options.metrics ?? metricTable;
    const critical = new Set(options.critical ?? criticalMetrics);
    this.options = options;
    this.clock = clock;
    this.sweptAtMs = this.floorMs = clock.nowMs();
    this.book = new AlarmBook({ clock, chance: options.chance, log: alarmLog(options.rows) });
    const book = this.book;
    const technical = new Technical({ clock, book, critical });
    this.technicalAlarms = technical;
    this.technical = technical;
    const latency = options.latency ?? (() => undefined);
    this.review = new ReviewBook({ clock, chance: options.chance, rows: options.rows });
    const review = this.review.add.bind(this.review);
    this.subjects = new Subjects({ clock, book, technical, metrics, latency, census, review });
    const keptAtMs = options.keptAtMs ?? (() => undefined);
    this.silence = new SilenceWatch({ clock, technical, census, critical, keptAtMs });
    this.values = new ValueWatch({ clock, technical, census, critical });
    this.standby = new StandbyWatch({ clock, technical, census });
    this.deviceAlerts = new DeviceAlerts({ clock, book, technical, census });
    this.rules = new RuleWatch({ book, technical, census, metrics });
  }

  async start(): Promise<void> {
    await this.book.restore();
    await this.review.load();
    this.technicalAlarms.restored();
    this.silence.restored((device) => this.device(device));
    this.values.restored();
    this.subjects.restored();
    this.deviceAlerts.restored((device) => this.device(device));
    for (const { device } of this.options.census.associations({ open: true })) this.device(device);
    for (const device of this.technicalAlarms.presentOf('unregistered-patient')) this.device(device);
    this.subjects.endForsaken();
    this.deviceAlerts.endForsaken((device) => this.device(device));
    this.stops = [
      this.options.census.onChange((change) => this.censusChanged(change)),
      this.clock.every(sweepMs, () => this.sweep()),
    ];
  }

  close(): void {
    for (const stop of this.stops) stop();
    this.stops = [];
  }

  // ---- what the API asks ----

  active(filter: { ward?: WardId; bed?: BedId } = {}): readonly Alarm[] {
    const all = this.book.active();
    return all.filter(
      (alarm) =>
        (filter.ward === undefined || alarm.ward === filter.ward) &&
        (filter.bed === undefined || isAbout(alarm, filter.bed)),
    );
  }

  alarm(id: AlarmId): Alarm | undefined {
    return this.book.alarm(id);
  }

  // Who may act is the caller's to know; what may be done to which alarm, and for how long, is decided here.

  /** Quiets the handhelds for the re-alarm time; the condition stays shown. */
  acknowledge(id: AlarmId, by: ActBy, version?: number): ActOutcome {
    return this.book.acknowledge(id, by, { version });
  }

  /** *I go*: quiets every handheld for the patience of its priority; then, if nobody acknowledged, it rings again. */
  accept(id: AlarmId, by: ActBy, version?: number): ActOutcome {
    return this.book.answer(id, 'accept', by, { version });
  }

  /** *I cannot go*: ends the own acceptance; the router moves on. Nobody rejects for another. */
  reject(id: AlarmId, by: ActBy, version?: number, reason?: string): ActOutcome {
    return this.book.answer(id, 'reject', by, { version, reason });
  }

  /** Sound only, 2 minutes at most. */
  pauseAudio(id: AlarmId, by: ActBy, said: PauseSaid = {}): ActOutcome {
    return this.book.quiet(id, 'pauseAudio', by, said);
  }

  /** The whole signal, 10 minutes at most, with a reason, never for a latching class. */
  pauseAlarm(id: AlarmId, by: ActBy, said: PauseSaid & { readonly reason: string }): ActOutcome {
    return this.book.quiet(id, 'pauseAlarm', by, said);
  }

  /** Untimed, with a reason, a banner and reminders; never for a latching class. */
  switchOff(
    id: AlarmId,
    by: ActBy,
    said: ActSaid & { readonly what: 'audio' | 'alarm'; readonly reason: string },
  ): ActOutcome {
    return this.book.quiet(id, said.what === 'audio' ? 'switchAudioOff' : 'switchAlarmOff', by, said);
  }

  /** Ends an acknowledgement, a pause or an off at once. */
  resume(id: AlarmId, by: ActBy, version?: number): ActOutcome {
    return this.book.quiet(id, 'resume', by, { version });
  }

  /** Ends the signal of a latched alarm whose condition is gone. */
  clear(id: AlarmId, by: ActBy, version?: number): ActOutcome {
    return this.book.clear(id, by, { version });
  }

  /** A person says that the measurement behind a limit alarm or an unregistered patient ended. */
  endMeasurement(id: AlarmId, by: ActBy, reason: string): ActOutcome {
    const alarm = this.book.alarm(id);
    if (!alarm || alarm.endedAtMs !== undefined) return 'gone';
    const said = { by: by.id, reason };
    this.deviceAlerts.forget(alarm.sources);
    const ended = this.subjects.endMeasurement(alarm, said) || this.deviceAlerts.endOwn(alarm, said);
    return ended ? 'done' : 'not-allowed';
  }

  /**
   * For the router: where a redirection has come to. It is kept with the alarm, so that after a restart the remaining
   * patience goes on (downtime counts). Every cause but `routed` ends an acceptance or a rejection.
   */
  route(
    id: AlarmId,
    route: AlarmRoute,
    cause: RouteCause,
    said: { readonly by?: string; readonly reason?: string } = {},
  ): 'done' | 'gone' {
    return this.book.route(id, route, cause, said);
  }

  /** A nurse confirmed a set of a score: the ward's score rules judge it, and nothing else does (CLINICAL 10). */
  scoreConfirmed(encounter: EncounterId, score: string, set: ConfirmedScore): void {
    for (const one of this.subjects.all())
      if (one.place.encounter === encounter) this.rules.scoreConfirmed(one, score, set);
  }

  onChange(listener: AlarmListener): () => void {
    return this.book.onChange(listener);
  }

  // ---- what the registry tells ----

  /** A device was registered, changed or removed. */
  deviceChanged(id: DeviceId): void {
    const watched = this.watched.get(id);
    if (watched) this.refresh(watched);
  }

  // ---- what the intake tells ----

  seriesSeen(series: LiveSeries): void {
    const watched = this.device(series.device);
    watched.series.push(series);
    this.subjects.attach(watched, series);
  }

  messageTaken(device: DeviceId, receivedAtMs: number): void {
    const watched = this.watched.get(device) ?? this.device(device);
    watched.messageAtMs = receivedAtMs;
    if (watched.silent || watched.lost) {
      watched.lost = false;
      this.silence.ended(watched);
    }
    if (watched.association !== undefined) this.standby.messageTaken(watched, receivedAtMs);
  }

  unusable(series: LiveSeries): void {
    this.values.unusable(series);
  }

  /** What a device says of its own alarms rings beside Vigil's limits (CLINICAL 5). */
  alerts(device: DeviceId, alerts: readonly AlertState[], complete: boolean, takenAtMs: number): void {
    this.deviceAlerts.told(this.device(device), alerts, complete, takenAtMs);
  }

  deviceState(device: DeviceId, state: { readonly link: Link; readonly mode?: Mode }): void {
    const watched = this.device(device);
    if (state.mode !== undefined && state.mode !== watched.mode) {
      watched.mode = state.mode;
      this.tellDemo(watched);
      this.deviceAlerts.placed(watched);
      if (state.mode === 'standby') this.standby.deviceOnStandby(watched);
    }
    if (state.link === 'lost') this.silence.lost(watched);
  }

  // ---- inside ----

  private device(id: DeviceId): WatchedDevice {
    let watched = this.watched.get(id);
    if (!watched) {
      watched = {
        id,
        device: undefined,
        series: [],
        association: undefined,
        subject: undefined,
        mode: 'operating',
        lost: false,
        messageAtMs: undefined,
        silent: false,
      };
      this.watched.set(id, watched);
      this.refresh(watched);
    }
    return watched;
  }

  /** Looks the device up again: registration, association, limits. */
  private refresh(watched: WatchedDevice): void {
    watched.device = this.options.device(watched.id);
    const association = this.options.census.current(watched.id);
    const other = association?.id !== watched.association?.id;
    // Its begin may have been corrected.
    watched.association = association;
    if (other) this.silence.ended(watched);
    this.subjects.place(watched);
    this.deviceAlerts.placed(watched);
    this.tellDemo(watched);
  }

  private censusChanged(change: Parameters<Parameters<AlarmCensus['onChange']>[0]>[0]): void {
    switch (change.kind) {
      case 'association':
        this.refresh(this.device(change.association.device));
        return;
      case 'limits':
        this.subjects.limitsChanged(change.encounter);
        break;
      case 'encounter':
        this.subjects.limitsChanged(change.encounter.id);
        break;
      case 'monitoring':
        this.standby.changed(change.bed, change.state);
        return;
      // A correction and a merge are told as associations and encounters too.
      case 'ward':
        this.subjects.wardChanged(change.ward);
        break;
      case 'bed':
      case 'corrected':
      case 'merged':
        return;
      default:
        change satisfies never;
    }
    for (const watched of this.watched.values()) this.subjects.attachAll(watched);
  }

  /** Demo or test data on an associated device: said, and never judged (CLINICAL 1). */
  private tellDemo(watched: WatchedDevice): void {
    const { technicalAlarms: technical, options } = this;
    const about = watched.id;
    const demo = watched.association !== undefined && (watched.mode === 'demo' || watched.mode === 'test');
    if (!demo) {
      if (technical.present('device-in-demo-mode', about)) technical.end('device-in-demo-mode', about);
      return;
    }
    const bed = watched.association?.bed;
    technical.raise('device-in-demo-mode', {
      about,
      owner: 'nurse',
      priority: 'medium',
      device: about,
      bed,
      ward: bed === undefined ? undefined : options.census.bed(bed)?.ward,
      details: { mode: watched.mode },
    });
  }

  private sweep(): void {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.sweptAtMs > stalledMs) this.floorMs = nowMs;
    this.sweptAtMs = nowMs;
    const devices = [...this.watched.values()];
    this.book.sweep();
    this.technicalAlarms.sweep();
    this.subjects.sweep(nowMs, this.floorMs);
    this.silence.sweep(devices, this.floorMs);
    this.values.sweep(devices, this.floorMs);
    this.standby.sweep(devices);
    this.rules.sweep(this.subjects.all(), nowMs, this.floorMs);
    this.deviceAlerts.sweep(nowMs, this.floorMs, (device) => this.device(device));
  }
}

/** A lost host's alarm names several beds. */
const isAbout = (alarm: Alarm, bed: BedId): boolean =>
  alarm.bed === bed ||
  String(alarm.details?.['bedIds'] ?? '')
    .split(' ')
    .includes(bed);
