import { priorities, type Alarm, type Priority } from '../../model/alarm.ts';
import type { Clock } from '../../model/clock.ts';
import type { AlarmId, Chance } from '../../model/ids.ts';
import type { AlarmCause, AlarmEntry, AlarmLog, BandState } from './alarm-log.ts';
import { AlarmRecorder } from './alarm-recorder.ts';

/** An acknowledged signal returns after this, if the condition is still present (CLINICAL 4). */
export const realarmMs: Readonly<Record<Priority, number>> = { high: 120_000, medium: 300_000, low: 600_000 };
/** Ended alarms that can still be asked for by id. */
const endedBound = 2_000;
export type AlarmListener = (alarm: Alarm, cause: AlarmCause) => void;

/** What a raise must say; the book adds id, times and the four axes beside presence. */
export type AlarmDraft = Omit<
  Alarm,
  | 'id'
  | 'raisedAtMs'
  | 'signal'
  | 'inactivation'
  | 'responsibility'
  | 'recorded'
  | 'version'
  | 'endedAtMs'
  | 'acknowledgedBy'
  | 'acknowledgedAtMs'
  | 'realarmAtMs'
>;
export type AlarmPatch = Partial<Omit<Alarm, 'id' | 'version' | 'recorded' | 'raisedAtMs'>>;

/** What a present alarm's judge says of it now; asked for whenever it is shown. */
export interface LiveFigures {
  figures(): { readonly value?: number; readonly peak?: number };
  /** The newest judged value was a single measurement: once acknowledged the alarm is quiet until the next one. */
  episodic(): boolean;
}

interface Standing {
  readonly key: string;
  alarm: Alarm;
  bands: readonly BandState[] | undefined;
  episodic: boolean;
  live: LiveFigures | undefined;
  /** On the clock's monotonic time; undefined while not acknowledged. */
  realarmDueMs: number | undefined;
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

  /** Where the newest value of a present alarm is asked for. */
  attach(key: string, live: LiveFigures): void {
    const standing = this.standing.get(key);
    if (standing) standing.live = live;
  }

  raise(
    key: string,
    draft: AlarmDraft,
    more: { bands?: readonly BandState[]; live?: LiveFigures } = {},
  ): Alarm {
    const alarm: Alarm = {
      ...draft,
      id: this.chance.id('alarm'),
      raisedAtMs: this.clock.nowMs(),
      signal: 'on',
      inactivation: 'enabled',
      responsibility: 'undefined',
      recorded: false,
      version: 1,
    };
    const standing: Standing = {
      key,
      alarm,
      bands: more.bands,
      episodic: false,
      live: more.live,
      realarmDueMs: undefined,
    };
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
    standing.realarmDueMs = undefined;
    this.change(key, { ...patch, ...unquieted, responsibility: 'undefined' }, 'escalated', { bands });
  }

  change(
    key: string,
    patch: AlarmPatch,
    cause: AlarmCause,
    more: { bands?: readonly BandState[]; by?: string; reason?: string } = {},
  ): void {
    const standing = this.standing.get(key);
    if (!standing) return;
    if (more.bands) standing.bands = more.bands;
    standing.alarm = { ...standing.alarm, ...patch, recorded: false, version: standing.alarm.version + 1 };
    this.tell(standing, cause, more);
  }

  end(key: string, more: { by?: string; reason?: string } = {}): void {
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
    this.tell(standing, 'ended', more);
  }

  /** Quiets one alarm on the handhelds for its re-alarm time; the condition stays shown. Rights are the caller's. */
  acknowledge(
    id: AlarmId,
    by: { readonly id: string; readonly name?: string },
    version?: number,
  ): 'acknowledged' | 'gone' | 'changed' {
    const standing = this.byId.get(id);
    if (!standing) return 'gone';
    const { alarm } = standing;
    if (version !== undefined && version !== alarm.version) return 'changed';
    if (alarm.inactivation === 'acknowledged') return 'acknowledged';
    const quietMs = realarmMs[alarm.priority];
    const nowMs = this.clock.nowMs();
    const episodic = isEpisodic(standing);
    if (!episodic) standing.realarmDueMs = this.clock.monotonicMs() + quietMs;
    this.change(
      standing.key,
      {
        inactivation: 'acknowledged',
        acknowledgedBy: by.name ?? by.id,
        acknowledgedAtMs: nowMs,
        ...(episodic ? {} : { realarmAtMs: nowMs + quietMs }),
      },
      'acknowledged',
      { by: by.id },
    );
    return 'acknowledged';
  }

  /** A new measurement that still violates rings again, whoever acknowledged the one before. */
  measuredAgain(key: string): void {
    const standing = this.standing.get(key);
    if (standing?.alarm.inactivation !== 'acknowledged') return;
    standing.realarmDueMs = undefined;
    this.change(key, unquieted, 'realarmed');
  }

  /** About twice a second: acknowledged signals whose time is over return; what could not be written is tried again. */
  sweep(): void {
    const monoMs = this.clock.monotonicMs();
    for (const standing of this.standing.values()) {
      if (standing.realarmDueMs === undefined) this.restFrom(standing, monoMs);
      else if (standing.realarmDueMs <= monoMs) {
        standing.realarmDueMs = undefined;
        this.change(standing.key, unquieted, 'realarmed');
      }
    }
    this.recorder.retry();
  }

  /**
   * Puts back what was present when the log ended. Downtime counts against the re-alarm time; a clock that went back
   * meanwhile cannot make it longer than it was.
   */
  async restore(): Promise<void> {
    for (const entry of await this.recorder.readBack()) {
      if (this.standing.has(entry.key)) continue;
      const { alarm } = entry;
      const standing: Standing = {
        key: entry.key,
        alarm: { ...alarm, recorded: true },
        bands: entry.bands,
        episodic: entry.episodic ?? false,
        live: undefined,
        realarmDueMs: this.remaining(alarm),
      };
      this.standing.set(entry.key, standing);
      this.byId.set(alarm.id, standing);
    }
    this.recorder.checkpoint();
  }

  /** A cuff alarm that was acknowledged and is judged by a continuous source since has a re-alarm time again. */
  private restFrom(standing: Standing, monoMs: number): void {
    if (standing.alarm.inactivation !== 'acknowledged' || isEpisodic(standing)) return;
    standing.realarmDueMs = monoMs + realarmMs[standing.alarm.priority];
  }

  private remaining(alarm: Alarm): number | undefined {
    if (alarm.inactivation !== 'acknowledged' || alarm.realarmAtMs === undefined) return undefined;
    const leftMs = Math.min(realarmMs[alarm.priority], alarm.realarmAtMs - this.clock.nowMs());
    return this.clock.monotonicMs() + Math.max(0, leftMs);
  }

  private tell(standing: Standing, cause: AlarmCause, more: { by?: string; reason?: string }): void {
    const entry = this.entryOf(standing, cause, more);
    // The nurse first; the log is queued in the same tick, behind it.
    for (const listener of this.listeners) listener(entry.alarm, cause);
    this.recorder.add(entry);
  }

  private entryOf(standing: Standing, cause: AlarmCause, more: { by?: string; reason?: string }): AlarmEntry {
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
      for (const listener of this.listeners) listener(shown(standing), 'recorded');
      return;
    }
    const ended = this.ended.get(written.id);
    if (ended?.version !== written.version) return;
    const alarm = { ...ended, recorded: true };
    this.ended.set(alarm.id, alarm);
    for (const listener of this.listeners) listener(alarm, 'recorded');
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

const unquieted = {
  inactivation: 'enabled',
  acknowledgedBy: undefined,
  acknowledgedAtMs: undefined,
  realarmAtMs: undefined,
} as const satisfies AlarmPatch;

const shown = ({ alarm, live }: Standing): Alarm => (live ? { ...alarm, ...live.figures() } : alarm);

const isEpisodic = ({ live, episodic }: Standing): boolean => (live ? live.episodic() : episodic);
