import type { Alarm, AlertState } from '../../../model/alarm.ts';
import type { Chance } from '../../../model/ids.ts';
import { HR, RR, SPO2, type AlarmHouse, type Said } from '../alarm-house.ts';
import { adult, Reading } from '../second-reading.ts';

/** What may ring at most once: a patient's quantity and direction, or a device's own alert about neither. */
export type Quantity = string;

interface Alert {
  readonly said: Pick<AlertState, 'alertId' | 'code' | 'text' | 'metric'>;
  readonly quantity: string;
  readonly latching: boolean;
}
const alerts: readonly Alert[] = [
  {
    said: { alertId: 'sl', code: 'SL', text: 'SpO2 low', metric: SPO2 },
    quantity: `${SPO2} low`,
    latching: false,
  },
  { said: { alertId: 'asy', code: 'ASY', text: 'ASYSTOLE' }, quantity: `${HR} low`, latching: true },
  { said: { alertId: 'x7', code: 'X7', text: '** PAIRED PVCS' }, quantity: 'alert x7', latching: false },
];

/** An alert as the device says it now. */
export interface Voice {
  readonly alert: Alert;
  priority: 'high' | 'medium';
  untilMs: number;
  /** Silenced at the bedside, since and until when. */
  silencedAtMs: number | undefined;
  silencedUntilMs: number;
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  [HR]: [30, 170],
  [SPO2]: [78, 100],
  [RR]: [2, 42],
};
const calm: Readonly<Record<string, number>> = { [HR]: 80, [SPO2]: 97, [RR]: 16 };
/** Where a value flaps about a limit. */
const borders: Readonly<Record<string, readonly number[]>> = {
  [HR]: [40, 120, 140],
  [SPO2]: [85, 90],
  [RR]: [6, 35],
};

/** One virtual patient with a monitor: wanders, flaps, loses sensors, falls silent, and what is true of it by CLINICAL 3. */
export class Patient {
  readonly bed: string;
  readonly device: string;
  readonly readings = adult.map((band) => ({
    quantity: `${band.metric} ${band.direction}`,
    band,
    reading: new Reading(band),
  }));
  readonly voices = new Map<string, Voice>();
  private readonly chance: Chance;
  private readonly values: Record<string, number> = { ...calm };
  private readonly aim: Record<string, number> = { ...calm };
  private readonly flapUntilMs: Record<string, number> = {};
  private readonly offUntilMs: Record<string, number> = {};
  private silentUntilMs = 0;

  constructor(number: number, chance: Chance) {
    this.bed = `bed-${number}`;
    this.device = `mon-${number}`;
    this.chance = chance;
  }

  get says(): string {
    const values = Object.values(this.values).join('/');
    const voices = [...this.voices.values()].map((one) => `${one.alert.said.code}:${one.priority}`);
    return `${values} ${voices.join(' ')}`;
  }

  /** Present by any band or voice; `high`: by a high one. */
  present(quantity: Quantity, only?: 'high'): boolean {
    const counts = (priority: string): boolean => only === undefined || priority === only;
    return (
      this.readings.some(
        (one) => one.quantity === quantity && one.reading.present && counts(one.band.priority),
      ) || this.voicesOf(quantity).some((voice) => counts(voice.priority))
    );
  }

  highs(): Quantity[] {
    const found = new Set<Quantity>();
    for (const { quantity, band, reading } of this.readings)
      if (reading.present && band.priority === 'high') found.add(quantity);
    for (const { alert, priority } of this.voices.values())
      if (priority === 'high') found.add(alert.quantity);
    return [...found];
  }

  voicesOf(quantity: Quantity): Voice[] {
    return [...this.voices.values()].filter((voice) => voice.alert.quantity === quantity);
  }

  /** One second of life, and what the monitor says of it. */
  live(ward: AlarmHouse): void {
    const nowMs = ward.clock.nowMs();
    this.wander(nowMs);
    if (this.happens(0.0002))
      this.silentUntilMs = nowMs + 1_000 * (this.happens(0.5) ? 8 : 20 + Math.floor(this.draw() * 100));
    if (this.happens(0.0003))
      this.offUntilMs[this.one([HR, SPO2, RR])] = nowMs + 1_000 * (20 + Math.floor(this.draw() * 100));
    this.stirAlerts(nowMs);
    if (nowMs < this.silentUntilMs) return;
    this.speak(ward, nowMs);
  }

  /** The gateway was killed: runs that had not raised begin anew; with a disk that kept nothing, what had raised too. */
  restarted(lossy: boolean): void {
    for (const { reading } of this.readings) {
      if (lossy) reading.forget();
      else reading.restart();
    }
  }

  measurementEnded(quantity: Quantity): void {
    for (const one of this.readings) if (one.quantity === quantity) one.reading.forget();
  }

  private speak(ward: AlarmHouse, nowMs: number): void {
    const said: Record<string, Said> = {};
    for (const metric of Object.keys(ranges)) {
      const value = this.values[metric] ?? 0;
      if (nowMs < (this.offUntilMs[metric] ?? 0)) {
        said[metric] = { value: null, reason: 'sensor-off' };
        continue;
      }
      if (this.happens(0.001)) {
        said[metric] = { value: 9_999, validity: 'invalid' };
        continue;
      }
      const questionable = this.happens(0.01);
      said[metric] = questionable ? { value, validity: 'questionable' } : value;
      for (const one of this.readings)
        if (one.band.metric === metric) one.reading.sample(nowMs, value, questionable);
    }
    ward.say(this.device, said);
    this.tellAlerts(ward);
  }

  private tellAlerts(ward: AlarmHouse): void {
    for (const [id, voice] of this.voices) if (voice.untilMs <= ward.clock.nowMs()) this.voices.delete(id);
    const list = [...this.voices.values()].map(({ alert, priority, silencedAtMs }) => ({
      ...alert.said,
      priority,
      ...(silencedAtMs === undefined ? {} : { inactivation: 'audioPaused' as const }),
    }));
    if (list.length > 0 || this.told) ward.alert(this.device, ...list);
    this.told = list.length > 0;
  }
  private told = false;

  private stirAlerts(nowMs: number): void {
    if (nowMs < this.silentUntilMs) return;
    for (const voice of this.voices.values()) {
      if (this.happens(0.01)) voice.priority = voice.priority === 'high' ? 'medium' : 'high';
      if (voice.silencedAtMs !== undefined && voice.silencedUntilMs <= nowMs) voice.silencedAtMs = undefined;
      else if (voice.silencedAtMs === undefined && this.happens(0.01)) {
        voice.silencedAtMs = nowMs;
        voice.silencedUntilMs = nowMs + 1_000 * (10 + Math.floor(this.draw() * 200));
      }
    }
    if (!this.happens(0.0001)) return;
    const alert = this.one(alerts);
    this.voices.set(alert.said.alertId, {
      alert,
      priority: this.happens(0.7) ? 'high' : 'medium',
      untilMs: nowMs + 1_000 * (5 + Math.floor(this.draw() * 400)),
      silencedAtMs: undefined,
      silencedUntilMs: 0,
    });
  }

  private wander(nowMs: number): void {
    for (const [metric, [low, high]] of Object.entries(ranges)) {
      const draw = this.draw();
      if (draw < 0.001) this.aim[metric] = calm[metric] ?? 0;
      else if (draw < 0.0012) this.aim[metric] = low + this.draw() * (high - low);
      else if (draw < 0.0013) {
        this.aim[metric] = this.one(borders[metric] ?? [0]);
        this.flapUntilMs[metric] = nowMs + 300_000;
      }
      const flapping = nowMs < (this.flapUntilMs[metric] ?? 0);
      const value = this.values[metric] ?? 0;
      const step = ((this.aim[metric] ?? value) - value) * (flapping ? 0.5 : 0.1) + (this.draw() - 0.5) * 6;
      this.values[metric] = Math.round(Math.min(high, Math.max(low, value + step)));
    }
  }

  private draw(): number {
    return this.chance.fraction();
  }

  private happens(odds: number): boolean {
    return this.chance.fraction() < odds;
  }

  private one<T>(of: readonly T[]): T {
    const found = of[Math.floor(this.chance.fraction() * of.length)];
    if (found === undefined) throw new Error('nothing to choose from');
    return found;
  }
}

/** What a physiological alarm is about, in the same words. */
export const quantityOf = ({ metric, direction, sources }: Alarm): Quantity =>
  direction === undefined ? `alert ${sources[0]?.alertId}` : `${metric} ${direction}`;
