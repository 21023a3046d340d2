import {
  priorities,
  type Alarm,
  type AlarmRoute,
  type Inactivation,
  type Priority,
} from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { AlarmId, Chance } from '../../model/ids.ts';
import {
  answer,
  quiet,
  realarmMs,
  unanswered,
  unquieted,
  type ActBy,
  type ActOutcome,
  type ActSaid,
  type Move,
  type PauseSaid,
} from './acts.ts';
import type { AlarmCause, AlarmEntry, AlarmLog, BandState, RouteCause } from './alarm-log.ts';
import { AlarmRecorder } from './alarm-recorder.ts';
import type { InactivationEvent } from './inactivation.ts';
import { signal } from './signal.ts';
import {
  isEpisodic,
  needsReminder,
  newStanding,
  restoreDues,
  shown,
  type LiveFigures,
  type Standing,
} from './standing.ts';
import { bedsideIn } from './voice.ts';

export type { LiveFigures } from './standing.ts';

/** Who paused it, where somebody did so at the device itself. */
export const bedsideName = 'bedside';
/** Ended alarms that can still be asked for by id. */
const endedBound = 2_000;
/** Who acted (by id) and why, where a person did. */
export interface Said {
  readonly by?: string;
  readonly reason?: string;
}
export type AlarmListener = (alarm: Alarm, cause: AlarmCause, said: Said) => void;

/** What a raise must say; the book adds id, times and the four axes beside presence. */
export type AlarmDraft = Omit<
  Alarm,
  | keyof typeof unquieted
  | keyof typeof unanswered
  | 'id'
  | 'raisedAtMs'
  | 'signal'
  | 'recorded'
  | 'version'
  | 'endedAtMs'
  | 'route'
  | 'latching'
  | 'sources'
> &
  Partial<Pick<Alarm, 'latching' | 'sources'>>;
export type AlarmPatch = Partial<Omit<Alarm, 'id' | 'version' | 'recorded'>>;
interface ChangeMore extends Said {
  readonly bands?: readonly BandState[];
}

/**
 * All alarms that are present. Each transition takes effect at once from memory, is told to the listeners and queued to
 * the log in the same tick; until the log has it on disk the alarm says `recorded: false` (CLINICAL 4, durability).
 */
export class AlarmBook {
  private readonly clock: Clock;
  private readonly chance: Chance;
  private readonly recorder: AlarmRecorder;
  private readonly standing = new Map<string, Standing>();
  private readonly byId = new Map<AlarmId, Standing>();
  private readonly ended = new Map<AlarmId, Alarm>();
  private readonly listeners = new Set<AlarmListener>();

  constructor(with_: { clock: Clock; chance: Chance; log: AlarmLog }) {
    this.clock = with_.clock;
    this.chance = with_.chance;
    this.recorder = new AlarmRecorder({
      log: with_.log,
      recorded: (written) => this.nowRecorded(written),
      standing: () => [...this.standing.values()].map((one) => this.entryOf(one, 'restored', {})),
    });
  }

  /** Told synchronously at each transition, and once more when it is on disk (`recorded`). */
  onChange(listener: AlarmListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  active(): Alarm[] {
    return [...this.standing.values()].map(shown);
  }

  /** A present alarm, or one of the newest that ended. */
  alarm(id: AlarmId): Alarm | undefined {
    const standing = this.byId.get(id);
    return standing ? shown(standing) : this.ended.get(id);
  }

  /** The present alarm of a key. */
  at(key: string): Alarm | undefined {
    return this.standing.get(key)?.alarm;
  }

  /** What is present about keys that begin so. */
  keysUnder(prefix: string): readonly string[] {
    return [...this.standing.keys()].filter((key) => key.startsWith(prefix));
  }

  bandsAt(key: string): readonly BandState[] {
    return this.standing.get(key)?.bands ?? [];
  }

  /** Whether the alarm of a key was raised by a single measurement, as far as the book knows. */
  episodicAt(key: string): boolean {
    const standing = this.standing.get(key);
    return standing !== undefined && isEpisodic(standing);
  }

  /** Where the newest value of a present alarm is asked for; without it the last ones stay. */
  attach(key: string, live: LiveFigures | undefined): void {
    const standing = this.standing.get(key);
    if (!standing) return;
    if (live === undefined && standing.live !== undefined) standing.alarm = shown(standing);
    standing.live = live;
  }

  /**
   * What was done at the bedside is followed once, at most as long as a nurse may pause, and undone with it; then Vigil
   * rings again, with the mark in the alarm's source (CLINICAL 5).
   */
  bedside(key: string, at: Inactivation | undefined, device = 'bedside'): void {
    const standing = this.standing.get(key);
    if (!standing || standing.bedside === at) return;
    standing.bedside = at;
    const { inactivation, inactivatedBy, latching } = standing.alarm;
    const by = { id: device, name: bedsideName };
    if (at !== undefined && at !== 'enabled' && inactivation === 'enabled') {
      const whole = (at === 'alarmPaused' || at === 'alarmOff') && !latching;
      const said = { ...this.now(standing), by };
      this.moved(standing, quiet(standing.alarm, whole ? 'pauseAlarm' : 'pauseAudio', said), { by: device });
    } else if (at === undefined && inactivatedBy === bedsideName) {
      this.moved(standing, quiet(standing.alarm, 'resume', { ...this.now(standing), by }), { by: device });
    }
  }

  /** A new episode of a latched alarm is the same alarm, raised again (CLINICAL 4). */
  raise(
    key: string,
    draft: AlarmDraft,
    more: { bands?: readonly BandState[]; live?: LiveFigures } = {},
  ): Alarm {
    const latched = this.standing.get(key);
    const alarm: Alarm = {
      latching: false,
      sources: [],
      ...draft,
      id: latched?.alarm.id ?? this.chance.id('alarm'),
      raisedAtMs: this.clock.nowMs(),
      signal: 'on',
      inactivation: 'enabled',
      responsibility: 'undefined',
      recorded: false,
      version: (latched?.alarm.version ?? 0) + 1,
    };
    const standing: Standing = { ...newStanding(key, alarm), bands: more.bands, live: more.live };
    this.standing.set(key, standing);
    this.byId.set(alarm.id, standing);
    this.tell(standing, 'raised', {});
    return standing.alarm;
  }

  /** A rise in priority ends acknowledgement, acceptance and pauses; a fall keeps them (CLINICAL 4). */
  reprioritise(key: string, patch: AlarmPatch & { priority: Priority }, bands?: readonly BandState[]): void {
    const standing = this.standing.get(key);
    if (!standing) return;
    const rises = priorities.indexOf(patch.priority) > priorities.indexOf(standing.alarm.priority);
    if (!rises) {
      this.change(key, patch, 'deescalated', { bands });
      return;
    }
    stopTimers(standing);
    standing.seenFrom = standing.alarm.version + 1;
    this.change(key, { ...patch, ...unquieted, ...unanswered }, 'escalated', { bands });
  }

  change(key: string, patch: AlarmPatch, cause: AlarmCause, more: ChangeMore = {}): void {
    const standing = this.standing.get(key);
    if (!standing) return;
    if (more.bands) standing.bands = more.bands;
    standing.alarm = { ...standing.alarm, ...patch, recorded: false, version: standing.alarm.version + 1 };
    this.tell(standing, cause, more);
  }

  /** The condition is gone. The signal of a latching one stays until a person clears it. */
  end(key: string, more: Said = {}): void {
    const standing = this.standing.get(key);
    if (!standing) return;
    const event = standing.alarm.latching ? 'endedLatching' : 'ended';
    const [next] = signal[standing.alarm.signal][event] ?? [];
    if (next === 'off') this.finish(key, 'ended', more);
    if (next !== 'latched') return;
    stopTimers(standing);
    standing.remindDueMs = this.clock.monotonicMs() + realarmMs[standing.alarm.priority];
    const patch = {
      ...shown(standing),
      ...unquieted,
      ...unanswered,
      presence: 'absent',
      signal: next,
    } as const;
    standing.live = undefined;
    this.change(key, { ...patch, route: undefined }, 'latched', more);
  }

  /** A person ends the measurement, or the association ends: latched or not, nothing is left of it. */
  measurementEnded(key: string, more: Said = {}): void {
    this.finish(key, 'ended', more);
  }

  /** Quiets one alarm on the handhelds for its re-alarm time; the condition stays shown. Rights are the caller's. */
  acknowledge(id: AlarmId, by: ActBy, said: ActSaid = {}): ActOutcome {
    if (this.byId.get(id)?.alarm.inactivation === 'acknowledged') said = { ...said, version: undefined };
    return this.quiet(id, 'acknowledge', by, said);
  }

  /** Acknowledge, pause, switch off or resume, as the table of the inactivation axis has it. */
  quiet(id: AlarmId, event: InactivationEvent, by: ActBy, said: PauseSaid = {}): ActOutcome {
    return this.act(
      id,
      said,
      (standing) => {
        if (event === 'acknowledge' && standing.alarm.inactivation === 'acknowledged') return 'done';
        if (standing.alarm.signal === 'latched' && event !== 'acknowledge') return undefined;
        return quiet(standing.alarm, event, { ...said, ...this.now(standing), by });
      },
      by,
    );
  }

  /** Accept: it silences every handheld for the accepter's patience. Reject: the router is to move on. */
  answer(id: AlarmId, event: 'accept' | 'reject', by: ActBy, said: ActSaid = {}): ActOutcome {
    return this.act(
      id,
      said,
      (standing) => {
        const { alarm } = standing;
        const foreign =
          event === 'reject' &&
          alarm.responsibility === 'accepted' &&
          alarm.acceptedBy !== (by.name ?? by.id);
        if (alarm.signal !== 'on' || foreign) return undefined;
        const cause = event === 'accept' ? 'accepted' : 'rejected';
        return answer(alarm, event, { by, nowMs: this.clock.nowMs(), cause });
      },
      by,
    );
  }

  /** A latched signal whose condition is gone is over; while it is present nothing can be cleared. */
  clear(id: AlarmId, by: ActBy, said: ActSaid = {}): ActOutcome {
    return this.act(
      id,
      said,
      (standing) => {
        if (signal[standing.alarm.signal].cleared === undefined) return undefined;
        this.finish(standing.key, 'cleared', { by: by.id, reason: said.reason });
        return 'done';
      },
      by,
    );
  }

  /** Where the router has brought it. Not an act of a person on the alarm: no version is asked for. */
  route(id: AlarmId, route: AlarmRoute, cause: RouteCause, said: Said = {}): 'done' | 'gone' {
    const standing = this.byId.get(id);
    if (!standing) return 'gone';
    const passed =
      cause === 'routed'
        ? undefined
        : answer(standing.alarm, 'passedOn', { nowMs: this.clock.nowMs(), cause });
    if (passed) standing.acceptDueMs = undefined;
    this.change(standing.key, { ...passed?.patch, route }, cause, said);
    return 'done';
  }

  /** A new measurement that still violates rings again, whoever acknowledged the one before. */
  measuredAgain(key: string): void {
    const standing = this.standing.get(key);
    if (standing) this.moved(standing, quiet(standing.alarm, 'measuredAgain', this.now(standing)));
  }

  /** About twice a second: what is due returns, expires or reminds; what could not be written is tried again. */
  sweep(): void {
    const monoMs = this.clock.monotonicMs();
    for (const standing of this.standing.values()) this.lookAt(standing, monoMs);
    this.recorder.retry();
  }

  /**
   * Puts back what was present when the log ended. Downtime counts against the re-alarm time; a clock that went back
   * meanwhile cannot make it longer than it was.
   */
  async restore(): Promise<void> {
    for (const entry of await this.recorder.readBack()) {
      if (this.standing.has(entry.key)) continue;
      const alarm: Alarm = { ...entry.alarm, ...older(entry.alarm), recorded: true };
      const standing: Standing = {
        ...newStanding(entry.key, alarm),
        bands: entry.bands,
        episodic: entry.episodic ?? false,
        // Followed already: a restart is no new pause.
        bedside: bedsideIn(alarm.sources),
      };
      restoreDues(standing, { wallMs: this.clock.nowMs(), monoMs: this.clock.monotonicMs() });
      this.standing.set(entry.key, standing);
      this.byId.set(alarm.id, standing);
    }
    this.recorder.checkpoint();
  }

  /** What is due by the clock. */
  private lookAt(standing: Standing, monoMs: number): void {
    const { alarm } = standing;
    if (standing.quietDueMs === undefined) this.restFrom(standing, monoMs);
    else if (standing.quietDueMs <= monoMs) {
      const over = quiet(alarm, 'timeOver', this.now(standing));
      const latched = alarm.signal === 'latched';
      this.moved(standing, over && latched ? { ...over, cause: 'reminded' } : over);
      if (latched) standing.remindDueMs = monoMs + realarmMs[alarm.priority];
      return;
    }
    if (standing.acceptDueMs !== undefined && standing.acceptDueMs <= monoMs) {
      standing.acceptDueMs = undefined;
      // Somebody is at the bed: the acceptance was kept.
      if (alarm.inactivation === 'acknowledged') return;
      this.moved(
        standing,
        answer(alarm, 'timeOver', { nowMs: this.clock.nowMs(), cause: 'acceptanceExpired' }),
      );
    }
    if (
      standing.remindDueMs !== undefined &&
      standing.remindDueMs <= monoMs &&
      needsReminder(standing.alarm)
    ) {
      standing.remindDueMs = monoMs + realarmMs[alarm.priority];
      this.change(standing.key, {}, 'reminded');
    }
  }

  /** A cuff alarm that was acknowledged and is judged by a continuous source since has a re-alarm time again. */
  private restFrom(standing: Standing, monoMs: number): void {
    if (standing.alarm.inactivation !== 'acknowledged' || isEpisodic(standing)) return;
    standing.quietDueMs = monoMs + realarmMs[standing.alarm.priority];
  }

  private act(
    id: AlarmId,
    said: ActSaid,
    run: (standing: Standing) => Move | 'done' | undefined,
    by: ActBy,
  ): ActOutcome {
    const standing = this.byId.get(id);
    if (!standing) return 'gone';
    const { version } = said;
    if (version !== undefined && (version < standing.seenFrom || version > standing.alarm.version))
      return 'changed';
    const move = run(standing);
    if (move === undefined) return 'not-allowed';
    if (move !== 'done') this.moved(standing, move, { by: by.id, reason: said.reason });
    return 'done';
  }

  private moved(standing: Standing, move: Move | undefined, said: Said = {}): void {
    if (!move) return;
    const monoMs = this.clock.monotonicMs();
    const from = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : monoMs + ms);
    if ('inactivation' in move.patch) {
      standing.quietDueMs = from(move.quietMs);
      standing.remindDueMs = from(move.remindMs);
    }
    if ('responsibility' in move.patch) standing.acceptDueMs = from(move.acceptMs);
    else if ('acceptUntilMs' in move.patch) standing.acceptDueMs = undefined;
    this.change(standing.key, move.patch, move.cause, said);
  }

  private now(standing: Standing): { readonly nowMs: number; readonly episodic: boolean } {
    return { nowMs: this.clock.nowMs(), episodic: isEpisodic(standing) };
  }

  private finish(key: string, cause: 'ended' | 'cleared', more: Said): void {
    const standing = this.standing.get(key);
    if (!standing) return;
    this.standing.delete(key);
    this.byId.delete(standing.alarm.id);
    standing.alarm = {
      ...shown(standing),
      presence: 'absent',
      signal: 'off',
      endedAtMs: this.clock.nowMs(),
      recorded: false,
      version: standing.alarm.version + 1,
    };
    standing.live = undefined;
    this.keepEnded(standing.alarm);
    this.tell(standing, cause, more);
  }

  private tell(standing: Standing, cause: AlarmCause, more: Said): void {
    const entry = this.entryOf(standing, cause, more);
    // The nurse first; the log is queued in the same tick, behind it.
    for (const listener of this.listeners) listener(entry.alarm, cause, more);
    this.recorder.add(entry);
  }

  private entryOf(standing: Standing, cause: AlarmCause, more: Said): AlarmEntry {
    const { key, bands } = standing;
    return {
      version: 1,
      atMs: this.clock.nowMs(),
      cause,
      key,
      alarm: shown(standing),
      ...(bands ? { bands } : {}),
      ...(isEpisodic(standing) ? { episodic: true } : {}),
      ...(more.by === undefined ? {} : { by: more.by }),
      ...(more.reason === undefined ? {} : { reason: more.reason }),
    };
  }

  private nowRecorded(written: Alarm): void {
    const standing = this.byId.get(written.id);
    if (standing) {
      if (standing.alarm.version !== written.version) return;
      standing.alarm = { ...standing.alarm, recorded: true };
      for (const listener of this.listeners) listener(shown(standing), 'recorded', {});
      return;
    }
    const ended = this.ended.get(written.id);
    if (ended?.version !== written.version) return;
    const alarm = { ...ended, recorded: true };
    this.ended.set(alarm.id, alarm);
    for (const listener of this.listeners) listener(alarm, 'recorded', {});
  }

  private keepEnded(alarm: Alarm): void {
    if (this.ended.size >= endedBound) {
      for (const oldest of this.ended.keys()) {
        this.ended.delete(oldest);
        break;
      }
    }
    this.ended.set(alarm.id, alarm);
  }
}

function stopTimers(standing: Standing): void {
  standing.quietDueMs = standing.acceptDueMs = standing.remindDueMs = undefined;
}

/** What alarms written before lack. */
const older = ({ latching, sources }: Partial<Alarm>): Pick<Alarm, 'latching' | 'sources'> => ({
  latching: latching ?? false,
  sources: sources ?? [],
});
