import type { Alarm } from '../../../model/alarm.ts';
import type { Patient, Quantity } from './patient.ts';
import { quantityOf } from './patient.ts';
import type { Screen } from './screen.ts';

/** CLINICAL 4: how long one act quiets a high alarm at most. */
const acknowledgedMs = 120_000;
const acceptedMs = 60_000;
const audioPausedMs = 120_000;
const alarmPausedMs = 600_000;
/** The bar: beyond condition delay + 1 s, and + 6 s where the handheld in charge died unannounced. */
const mostSilentMs = 1_000;
const unannouncedMs = 6_000;

export type Act = 'acknowledge' | 'accept' | 'pauseAudio' | 'pauseAlarm' | 'off' | 'resume' | 'back';

/** One stretch of time in which a high condition is present. */
interface Stretch {
  readonly beganAtMs: number;
  /** Until when somebody has it quiet, by what was done. */
  readonly quietUntilMs: Map<'acknowledge' | 'accept' | 'pause' | 'bedside', number>;
  silencedSeen: boolean;
  silentMs: number;
  seen: boolean;
}

interface Death {
  readonly screen: Screen;
  readonly atMs: number;
  readonly rang: ReadonlySet<string>;
}

export interface Silence {
  readonly bed: string;
  readonly quantity: Quantity;
  readonly silentMs: number;
  readonly alarm: Alarm | undefined;
}

/** What the oracle must know of the ward and cannot see by itself. */
export interface Sight {
  readonly nowMs: number;
  readonly patients: readonly Patient[];
  readonly alarms: readonly Alarm[];
  readonly screens: readonly Screen[];
  /** Persons in whose charge this bed's alarm may be: assigned, covering, in charge of the ward, or it was handed to. */
  readonly inCharge: (bed: string, alarm: Alarm | undefined) => readonly string[];
}

/**
 * Watches a ward second by second with the rule of "silent seconds" in hand, read from CLINICAL 4, 5, 7 and 8 alone:
 * while a high condition is present and nobody has it quiet and some screen could ring, one does.
 */
export class Oracle {
  readonly figures = { watchedS: 0, highS: 0, quietS: 0, nobodyCouldS: 0, excusedS: 0, silentMostMs: 0 };
  stretches = 0;
  private readonly open = new Map<string, Stretch>();
  /** After a kill with a disk that kept nothing an older act may still count, until its own end. */
  private readonly longestQuietMs = new Map<string, number>();
  private readonly lossyUntilMs = new Map<string, number>();
  private deaths: Death[] = [];
  private startedAtMs = -Infinity;

  /** A screen stopped without a word. */
  died(screen: Screen, atMs: number): void {
    this.deaths = this.deaths.filter((one) => atMs - one.atMs <= unannouncedMs);
    this.deaths.push({ screen, atMs, rang: new Set(screen.ringing.keys()) });
  }

  restarted(nowMs: number, lossy: boolean): void {
    this.startedAtMs = nowMs;
    if (!lossy) return;
    for (const [key, untilMs] of this.longestQuietMs) this.lossyUntilMs.set(key, untilMs);
    this.open.clear();
  }

  /** A person did this, and was told that it is done. */
  did(act: Act, alarm: Alarm, nowMs: number): void {
    const key = keyOf(alarm.bed ?? '', quantityOf(alarm));
    const stretch = this.open.get(key);
    if (!stretch) return;
    const until = { acknowledge: acknowledgedMs, pauseAudio: audioPausedMs, pauseAlarm: alarmPausedMs };
    if (act === 'acknowledge') this.quiet(key, stretch, 'acknowledge', nowMs + until.acknowledge);
    else if (act === 'accept') this.quiet(key, stretch, 'accept', nowMs + acceptedMs);
    else if (act === 'back') stretch.quietUntilMs.delete('accept');
    else if (act === 'resume') {
      for (const what of ['acknowledge', 'pause', 'bedside'] as const) stretch.quietUntilMs.delete(what);
    } else this.quiet(key, stretch, 'pause', act === 'off' ? Infinity : nowMs + until[act]);
  }

  /** After each second. Answers who was silent for too long. */
  look(sight: Sight): Silence[] {
    const { nowMs, patients } = sight;
    const found: Silence[] = [];
    let byKey: Map<string, Alarm> | undefined;
    const high = new Set<string>();
    this.figures.watchedS += patients.length;
    for (const patient of patients) {
      for (const quantity of patient.highs()) {
        byKey ??= physiological(sight.alarms);
        const key = keyOf(patient.bed, quantity);
        high.add(key);
        const stretch = this.stretch(key, nowMs);
        this.bedside(key, stretch, patient.voicesOf(quantity), nowMs);
        const silentMs = this.judge(key, stretch, byKey.get(key), sight, patient.bed);
        if (silentMs > mostSilentMs)
          found.push({ bed: patient.bed, quantity, silentMs, alarm: byKey.get(key) });
      }
    }
    for (const key of this.open.keys()) if (!high.has(key)) this.open.delete(key);
    return found;
  }

  private judge(key: string, stretch: Stretch, alarm: Alarm | undefined, sight: Sight, bed: string): number {
    const { figures } = this;
    const { nowMs, screens } = sight;
    figures.highS += 1;
    const quietMs = Math.max(this.lossyUntilMs.get(key) ?? 0, ...stretch.quietUntilMs.values());
    const rings = screens.some((screen) => screen.sounds(alarm?.id));
    const could = screens.some((screen) => screen.able);
    if (rings || quietMs >= nowMs || !could) {
      if (!rings && quietMs >= nowMs) figures.quietS += 1;
      else if (!rings) figures.nobodyCouldS += 1;
      stretch.silentMs = 0;
      return 0;
    }
    if (this.excused(sight, bed, alarm)) {
      figures.excusedS += 1;
      return 0;
    }
    stretch.silentMs += 1_000;
    figures.silentMostMs = Math.max(figures.silentMostMs, stretch.silentMs);
    return stretch.silentMs;
  }

  /** Six seconds for a handheld in charge that died without a word: since then, or since this start if it was dead. */
  private excused({ nowMs, screens, inCharge }: Sight, bed: string, alarm: Alarm | undefined): boolean {
    const charge = inCharge(bed, alarm);
    const isInCharge = (screen: Screen): boolean => charge.includes(screen.person);
    const dead = this.deaths.some(
      ({ screen, atMs, rang }) =>
        nowMs - atMs <= unannouncedMs && (isInCharge(screen) || (alarm !== undefined && rang.has(alarm.id))),
    );
    if (dead) return true;
    const sinceStartMs = nowMs - this.startedAtMs;
    return sinceStartMs <= unannouncedMs && screens.some((screen) => isInCharge(screen) && !screen.able);
  }

  private stretch(key: string, nowMs: number): Stretch {
    let stretch = this.open.get(key);
    if (!stretch) {
      stretch = {
        beganAtMs: nowMs,
        quietUntilMs: new Map(),
        silencedSeen: false,
        silentMs: 0,
        seen: false,
      };
      this.open.set(key, stretch);
      this.stretches += 1;
    }
    return stretch;
  }

  /** Silenced at the bedside, in all that the device says of it: carried and followed once, with a maximum. */
  private bedside(
    key: string,
    stretch: Stretch,
    voices: readonly { readonly silencedAtMs: number | undefined }[],
    nowMs: number,
  ): void {
    const silenced = voices.length > 0 && voices.every((voice) => voice.silencedAtMs !== undefined);
    if (silenced && !stretch.silencedSeen) this.quiet(key, stretch, 'bedside', nowMs + audioPausedMs);
    if (!silenced) stretch.quietUntilMs.delete('bedside');
    stretch.silencedSeen = silenced;
  }

  private quiet(
    key: string,
    stretch: Stretch,
    what: 'acknowledge' | 'accept' | 'pause' | 'bedside',
    untilMs: number,
  ): void {
    stretch.quietUntilMs.set(what, untilMs);
    this.longestQuietMs.set(key, Math.max(untilMs, this.longestQuietMs.get(key) ?? 0));
  }
}

const keyOf = (bed: string, quantity: Quantity): string => `${bed} ${quantity}`;

function physiological(alarms: readonly Alarm[]): Map<string, Alarm> {
  const found = new Map<string, Alarm>();
  for (const alarm of alarms)
    if (alarm.kind === 'physiological' && alarm.bed !== undefined)
      found.set(keyOf(alarm.bed, quantityOf(alarm)), alarm);
  return found;
}
